// SPDX-License-Identifier: Apache-2.0
// What an operator may choose, and what a request's body may be.

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/service/harness.h"

TestSuite(policies, .init = harness_start, .fini = harness_stop);

static void use_table(struct location_config table)
{
    location_destroy(harness.uas.location);
    harness.uas.location = location_create(&table);
    cr_assert_not_null(harness.uas.location);
}

static void replace_oldest(unsigned contacts_max)
{
    use_table((struct location_config){
        .shards = 4, .contacts_max = contacts_max, .replace_oldest = true, .bindings_max = 1000});
}

Test(policies, oldest_binding_makes_room_when_the_operator_says_so)
{
    replace_oldest(2);
    harness_register("Contact: <sip:b@h1>\n");
    harness_register("Contact: <sip:b@h2>\n");
    harness_register("Contact: <sip:b@h3>\n");
    cr_assert_eq(answer_status(), 200);
    cr_assert_str_eq(answer_contacts(), "<sip:b@h3>;expires=3600 | <sip:b@h2>;expires=3600");
    cr_assert_eq(count_of(METRIC_BINDINGS_REPLACED), 1);
    harness_register("Contact: <sip:b@h2>, <sip:b@h4>\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h4>;expires=3600 | <sip:b@h2>;expires=3600",
                     "what the request speaks of stays");
}

Test(policies, request_with_too_many_by_itself_replaces_nothing)
{
    replace_oldest(2);
    harness_register("Contact: <sip:b@h1>\n");
    harness_register("Contact: <sip:b@h2>, <sip:b@h3>, <sip:b@h4>\n");
    cr_assert_str_eq(answer_line(), "403 Too Many Contacts");
    harness_register("");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h1>;expires=3600");
}

static unsigned granted(const char *rows)
{
    static const char before[] = "<sip:b@h>;expires=";
    harness_register(rows);
    cr_assert_eq(strncmp(answer_contacts(), before, sizeof(before) - 1), 0);
    return (unsigned)strtoul(answer_contacts() + sizeof(before) - 1, NULL, 10);
}

Test(policies, jitter_shortens_within_its_part_and_differs)
{
    unsigned least = UINT32_MAX;
    unsigned most = 0;
    harness.uas.config.expires_jitter_percent = 10;
    for (unsigned i = 0; i < 200; i++) {
        const unsigned seconds = granted("Contact: <sip:b@h>;expires=1000\n");
        least = seconds < least ? seconds : least;
        most = seconds > most ? seconds : most;
    }
    cr_assert(least >= 900 && least < 920, "%u", least);
    cr_assert(most <= 1000 && most > 980, "%u", most);
}

Test(policies, jitter_never_goes_below_the_minimum)
{
    harness.uas.config.expires_jitter_percent = 50;
    for (unsigned i = 0; i < 100; i++) {
        cr_assert_geq(granted("Contact: <sip:b@h>;expires=70\n"), 60);
    }
    cr_assert_eq(granted("Contact: <sip:b@h>;expires=60\n"), 60);
}

// ---- RFC 3261 8.2.3

static const char *line_with_body(const char *method, const char *uri, const char *rows)
{
    static char text[1024];
    (void)snprintf(text, sizeof(text),
                   "%s %s SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bK%p\nTo: <sip:bob@example.com>\n"
                   "From: <sip:a@h>;tag=1\nCall-ID: c\nCSeq: 1 %s\n%s\nbody",
                   method, uri, (const void *)rows, method, rows);
    harness_text(text);
    return answer_line();
}

Test(policies, body_that_is_not_understood_is_refused)
{
    static const char *const refused[] = {
        "",
        "Content-Type: text/plain\n",
        "Content-Type: text/plain\nContent-Disposition: render\n",
        "Content-Type: application/sdp\nContent-Encoding: gzip\n",
        "Content-Type: application/sdp\nContent-Encoding: identity, gzip\n",
        "Content-Type: application/sdp\nContent-Encoding: identity,\n",
        "Content-Type: application/sdp\nContent-Language: fr\n",
        "Content-Type: application/sdp\nContent-Language: en, eng\n"};
    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        cr_assert_str_eq(line_with_body("OPTIONS", "sip:example.com", refused[i]),
                         "415 Unsupported Media Type", "%s", refused[i]);
        cr_assert_str_eq(answer_header("Accept"), "application/sdp");
        cr_assert_str_eq(answer_header("Accept-Encoding"), "identity");
        cr_assert_str_eq(line_with_body("REGISTER", "sip:example.com", refused[i]),
                         "415 Unsupported Media Type", "%s", refused[i]);
    }
}

Test(policies, line_ends_behind_the_header_are_no_body)
{
    harness_text("REGISTER sip:example.com SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKe\n"
                 "To: <sip:bob@example.com>\nFrom: <sip:a@h>;tag=1\nCall-ID: e\n"
                 "CSeq: 1 REGISTER\nContact: <sip:b@h>\n\n\n\n");
    cr_assert_eq(answer_status(), 200);
}

Test(policies, body_that_is_understood_or_optional_is_no_matter)
{
    static const char *const accepted[] = {
        "Content-Type: application/sdp\n",
        "Content-Type: application/sdp\nContent-Encoding: identity, Identity\n",
        "Content-Type: application/sdp\nContent-Language: EN, en-GB\n",
        "c: Application/SDP;charset=utf-8\ne: identity\n",
        "Content-Type: text/plain\nContent-Disposition: render;handling=optional\n",
        "Content-Length: 0\n"};
    for (size_t i = 0; i < sizeof(accepted) / sizeof(accepted[0]); i++) {
        cr_assert_str_eq(line_with_body("OPTIONS", "sip:example.com", accepted[i]), "200 OK", "%s",
                         accepted[i]);
    }
}

Test(policies, redirected_requests_may_carry_any_body)
{
    harness_register("Contact: <sip:b@h>\n");
    cr_assert_str_eq(line_with_body("MESSAGE", "sip:bob@example.com", "Content-Type: text/plain\n"),
                     "302 Moved Temporarily");
}
