// SPDX-License-Identifier: Apache-2.0
#include "sipflood/check.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/bench/fixture.h"

// The right answer to request 42, but for what a test changes.
struct draft {
    const char *status;
    const char *from_suffix;
    const char *to_suffix;
    const char *call_id_suffix;
    const char *cseq_suffix;
    const char *contacts; // "%s" stands for the phone's own URI
};

static char text[4096];
static char contacts[1024];
static struct answer parsed;
static struct script_scratch scratch;

static struct draft right_answer(const char *status, const char *contact_lines)
{
    return (struct draft){status, "", ";tag=srv", "", "", contact_lines};
}

// Puts the own URI in place of each "%s".
static void expand(const char *pattern, struct slice own)
{
    size_t len = 0;
    for (const char *p = pattern; *p != '\0'; p++) {
        if (p[0] == '%' && p[1] == 's') {
            memcpy(contacts + len, own.at, own.len);
            len += own.len;
            p++;
        } else {
            contacts[len++] = *p;
        }
    }
    contacts[len] = '\0';
}

static enum verdict judge(enum scenario_kind kind, const struct draft *d, struct complaint *why)
{
    const struct script s = fixture_script();
    const struct script_part part = fixture_part(&s, kind, 42);
    const struct expectation e = script_expect(&s, &part, &scratch);
    expand(d->contacts, e.contact);
    const int len =
        snprintf(text, sizeof(text),
                 "SIP/2.0 %s\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: %.*s%s\r\n"
                 "t: %.*s%s\r\nCall-ID: %.*s%s\r\nCSeq: %.*s%s\r\n%sContent-Length: 0\r\n\r\n",
                 d->status, (int)e.from.len, e.from.at, d->from_suffix, (int)e.to.len, e.to.at,
                 d->to_suffix, (int)e.call_id.len, e.call_id.at, d->call_id_suffix, (int)e.cseq.len,
                 e.cseq.at, d->cseq_suffix, contacts);
    cr_assert(len > 0 && (size_t)len < sizeof(text));
    cr_assert(answer_parse(slice_of(text, (size_t)len), &parsed), "%s", text);
    return check_answer(&e, &parsed, why);
}

static void assert_right(enum scenario_kind kind, const char *status, const char *contact_lines)
{
    struct complaint why = {.what = ""};
    const struct draft d = right_answer(status, contact_lines);
    cr_assert_eq(judge(kind, &d, &why), VERDICT_RIGHT, "%u: %s", kind, why.what);
}

static void assert_wrong(enum scenario_kind kind, const struct draft *d, const char *what)
{
    struct complaint why = {.what = ""};
    cr_assert_eq(judge(kind, d, &why), VERDICT_WRONG_CONTENT, "%s", text);
    cr_assert_str_eq(why.what, what);
}

static const char own_bound[] = "Contact: <%s>;expires=3600\r\n";
static const char own[] = "m: <%s>;q=0.5\r\n";

Test(check, right_answers_are_right)
{
    assert_right(SCENARIO_REGISTER, "200 OK", own_bound);
    assert_right(SCENARIO_REFRESH, "200 OK",
                 "Contact: <sip:o@h>;expires=9, \"A, <B>\" <%s>;expires=1\r\n");
    assert_right(SCENARIO_REFRESH, "200 OK", "m: <sip:o@h>;expires=9\r\nm: <%s>;q=1;expires=7\r\n");
    assert_right(SCENARIO_DEREGISTER, "200 OK", "");
    assert_right(SCENARIO_DEREGISTER, "200 OK", "Contact: <sip:other@h>;expires=5\r\n");
    assert_right(SCENARIO_INVITE, "302 Moved Temporarily", own);
    assert_right(SCENARIO_OPTIONS, "200 OK", "");
}

Test(check, other_status_is_wrong)
{
    struct complaint why;
    const struct draft d = right_answer("404 Not Found", "");
    cr_assert_eq(judge(SCENARIO_INVITE, &d, &why), VERDICT_WRONG_STATUS);
    cr_assert(slice_equal(why.expected, SLICE("302")));
    cr_assert(slice_equal(why.found, SLICE("SIP/2.0 404 Not Found")));
}

Test(check, a_503_that_says_when_to_come_again_is_a_refusal)
{
    struct complaint why;
    struct draft d = right_answer("503 Busy", "Retry-After: 17\r\n");
    for (unsigned kind = 0; kind < SCENARIO_KINDS; kind++) {
        cr_assert_eq(judge((enum scenario_kind)kind, &d, &why), VERDICT_REFUSED, "%u", kind);
    }
    d.contacts = "Retry-After: 17 (in the morning);duration=3\r\n";
    cr_assert_eq(judge(SCENARIO_INVITE, &d, &why), VERDICT_REFUSED);
    d.to_suffix = "";
    assert_wrong(SCENARIO_INVITE, &d, "To has no tag");
}

Test(check, a_503_that_does_not_is_wrong)
{
    struct complaint why;
    const char *bad[] = {"", "Retry-After: soon\r\n", "Retry-After: \r\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct draft d = right_answer("503 Busy", bad[i]);
        cr_assert_eq(judge(SCENARIO_INVITE, &d, &why), VERDICT_WRONG_STATUS);
    }
    const struct draft other = right_answer("500 Busy", "Retry-After: 17\r\n");
    cr_assert_eq(judge(SCENARIO_INVITE, &other, &why), VERDICT_WRONG_STATUS);
}

Test(check, fields_that_are_not_the_requests_are_wrong)
{
    struct draft d = right_answer("200 OK", own_bound);
    d.from_suffix = "x";
    assert_wrong(SCENARIO_REGISTER, &d, "From is not the request's");
    d = right_answer("200 OK", own_bound);
    d.call_id_suffix = "x";
    assert_wrong(SCENARIO_REGISTER, &d, "Call-ID is not the request's");
    d = right_answer("200 OK", own_bound);
    d.cseq_suffix = "x";
    assert_wrong(SCENARIO_REGISTER, &d, "CSeq is not the request's");
}

Test(check, to_needs_a_tag)
{
    struct draft d = right_answer("200 OK", own_bound);
    d.to_suffix = "";
    assert_wrong(SCENARIO_REGISTER, &d, "To has no tag");
    d.to_suffix = ";tag=";
    assert_wrong(SCENARIO_REGISTER, &d, "To has no tag");
}

Test(check, register_needs_its_own_contact)
{
    struct draft d = right_answer("200 OK", "");
    assert_wrong(SCENARIO_REGISTER, &d, "the phone's own Contact is missing");
    d.contacts = "Contact: <sip:u0000042@127.0.0.1:20000;transport=udp;ob>;expires=60\r\n";
    assert_wrong(SCENARIO_REGISTER, &d, "the phone's own Contact is missing");
    d.contacts = "Contact: <%s>;expires=60, <%s>;expires=60\r\n";
    assert_wrong(SCENARIO_REGISTER, &d, "the phone's own Contact is listed twice");
}

Test(check, register_needs_an_expiry_within_what_was_asked)
{
    const char *bad[] = {"Contact: <%s>\r\n", "Contact: <%s>;expires=0\r\n",
                         "Contact: <%s>;expires=3601\r\n", "Contact: <%s>;expires=soon\r\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct draft d = right_answer("200 OK", bad[i]);
        assert_wrong(SCENARIO_REGISTER, &d,
                     "expires of the Contact is not above 0 and at most as asked for");
    }
}

Test(check, deregistered_contact_must_be_gone)
{
    const struct draft d = right_answer("200 OK", own_bound);
    assert_wrong(SCENARIO_DEREGISTER, &d, "the Contact is still bound");
}

Test(check, redirect_needs_the_callees_own_contact_and_no_other)
{
    struct draft d = right_answer("302 Moved Temporarily", "");
    assert_wrong(SCENARIO_INVITE, &d, "the callee's Contact is not there exactly once");
    d.contacts = "Contact: <%s>, <%s>\r\n";
    assert_wrong(SCENARIO_INVITE, &d, "the callee's Contact is not there exactly once");
    d.contacts = "Contact: <%s>\r\nContact: <sip:u0000001@127.0.0.1:20000>\r\n";
    assert_wrong(SCENARIO_INVITE, &d, "a Contact is not the callee's own");
    d.contacts = "Contact: <sip:u0000001@127.0.0.1:20000;transport=udp;ob>\r\n";
    assert_wrong(SCENARIO_INVITE, &d, "a Contact is not the callee's own");
}

Test(check, broken_contact_is_wrong)
{
    const struct draft d = right_answer("302 Moved Temporarily", "Contact: <>\r\n");
    assert_wrong(SCENARIO_INVITE, &d, "a Contact field is malformed");
}
