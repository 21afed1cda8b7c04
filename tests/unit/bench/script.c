// SPDX-License-Identifier: Apache-2.0
#include "sipflood/script.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "sipflood/answer.h"
#include "tests/unit/bench/fixture.h"

static char message[SCRIPT_MESSAGE_BYTES_MAX];

static struct slice request(const struct script *s, enum scenario_kind kind, uint64_t n)
{
    const struct script_part part = fixture_part(s, kind, n);
    return slice_of(message, script_request(s, &part, message));
}

static void assert_has(struct slice text, const char *part)
{
    cr_assert(memmem(text.at, text.len, part, strlen(part)) != NULL, "\"%s\" is missing in\n%.*s",
              part, (int)text.len, text.at);
}

Test(script, register_is_a_phones)
{
    const struct script s = fixture_script();
    const struct slice text = request(&s, SCENARIO_REGISTER, 42);
    assert_has(text, "REGISTER sip:sip.test SIP/2.0\r\n"
                     "Via: SIP/2.0/UDP 127.0.0.1:20001;rport;branch=z9hG4bK90abcdef"
                     "000000000000002a\r\n");
    assert_has(text, "\r\nTo: <sip:u0000042@sip.test>\r\n");
    assert_has(text, "\r\nFrom: <sip:u0000042@sip.test>;tag=");
    assert_has(text, "\r\nCSeq: 1000000005 REGISTER\r\n");
    assert_has(text, "\r\nContact: <sip:u0000042@127.0.0.1:20001;transport=udp;ob>\r\n");
    assert_has(text, "\r\nExpires: 3600\r\n");
    cr_assert(text.len > 420 && text.len < 500, "%zu bytes", text.len);
}

Test(script, every_message_of_a_kind_is_equally_long_and_parses)
{
    const struct script s = fixture_script();
    for (unsigned kind = 0; kind < SCENARIO_KINDS; kind++) {
        size_t len = 0;
        for (uint64_t n = 0; n < 1000; n += 7) {
            struct answer a;
            const struct slice text = request(&s, (enum scenario_kind)kind, n);
            len = n == 0 ? text.len : len;
            cr_assert_eq(text.len, len);
            cr_assert(answer_parse(text, &a));
        }
    }
}

Test(script, invite_carries_sdp_of_its_content_length)
{
    const struct script s = fixture_script();
    const struct slice text = request(&s, SCENARIO_INVITE, 7);
    struct answer a;
    assert_has(text, "Content-Type: application/sdp\r\n");
    assert_has(text, "\r\n\r\nv=0\r\n");
    // The parser refuses a body that is shorter than announced.
    cr_assert(answer_parse(text, &a));
    cr_assert_not(answer_parse(slice_of(text.at, text.len - 1), &a));
}

Test(script, second_round_has_the_same_call_id_and_a_higher_cseq)
{
    const struct script s = fixture_script();
    struct script_scratch first;
    struct script_scratch second;
    const struct script_part one = fixture_part(&s, SCENARIO_REFRESH, 3);
    const struct script_part two = fixture_part(&s, SCENARIO_REFRESH, 103);
    const struct expectation a = script_expect(&s, &one, &first);
    const struct expectation b = script_expect(&s, &two, &second);
    cr_assert(slice_equal(a.call_id, b.call_id));
    cr_assert(slice_equal(a.cseq, SLICE("1000000005 REGISTER")));
    cr_assert(slice_equal(b.cseq, SLICE("1000000006 REGISTER")));
    cr_assert_eq(a.call_id.len, 33);
}

Test(script, two_calls_of_one_user_have_two_call_ids)
{
    const struct script s = fixture_script();
    struct script_scratch first;
    struct script_scratch second;
    const struct script_part one = fixture_part(&s, SCENARIO_INVITE, 3);
    const struct script_part two = fixture_part(&s, SCENARIO_INVITE, 103);
    const struct expectation a = script_expect(&s, &one, &first);
    const struct expectation b = script_expect(&s, &two, &second);
    cr_assert_not(slice_equal(a.call_id, b.call_id));
}

Test(script, a_callees_contact_is_what_it_registered)
{
    const struct script s = fixture_script();
    struct script_scratch a;
    struct script_scratch b;
    const struct step call = fixture_step(SCENARIO_INVITE, 11);
    const struct step binding = fixture_step(SCENARIO_REGISTER, call.callee);
    const struct script_part calls = script_part_of(&s, 11, &call);
    const struct script_part binds = script_part_of(&s, call.callee, &binding);
    cr_assert_neq(call.callee, call.caller);
    cr_assert_eq(call.callee, binding.caller);
    cr_assert(
        slice_equal(script_expect(&s, &calls, &a).contact, script_expect(&s, &binds, &b).contact));
}

Test(script, numbers_are_written_out_in_full)
{
    const struct script s = fixture_script();
    const uint32_t users[] = {0, 7, 99, 100, 12345, 999999, 1000000, 9999999};
    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        const struct step step = {.caller = users[i], .callee = users[i], .turn = users[i]};
        const struct script_part part = script_part_of(&s, 0, &step);
        char digits[SCRIPT_TEXT_BYTES];
        (void)snprintf(digits, sizeof(digits), "%07u", users[i]);
        cr_assert_arr_eq(part.text[FIELD_CALLER], digits, 7);
        (void)snprintf(digits, sizeof(digits), "%u", 1000000005 + users[i]);
        cr_assert_arr_eq(part.text[FIELD_CSEQ], digits, 10);
    }
}

Test(script, ack_repeats_the_invite_and_takes_the_answers_to)
{
    const struct script s = fixture_script();
    const struct script_part part = fixture_part(&s, SCENARIO_INVITE, 8);
    struct answer invite;
    struct answer ack;
    char bytes[SCRIPT_MESSAGE_BYTES_MAX];
    const size_t len = script_ack(&s, &part, SLICE("<sip:x@sip.test>;tag=abc"), bytes);
    cr_assert(answer_parse(request(&s, SCENARIO_INVITE, 8), &invite));
    cr_assert(answer_parse(slice_of(bytes, len), &ack));
    cr_assert(slice_equal(ack.via, invite.via));
    cr_assert(slice_equal(ack.from, invite.from));
    cr_assert(slice_equal(ack.call_id, invite.call_id));
    cr_assert(slice_equal(ack.to, SLICE("<sip:x@sip.test>;tag=abc")));
    cr_assert(slice_equal(ack.cseq, SLICE("1000000005 ACK")));
    cr_assert(slice_equal(slice_from(ack.start_line, 4), slice_from(invite.start_line, 7)));
}

Test(script, ack_that_does_not_fit_is_none)
{
    const struct script s = fixture_script();
    const struct script_part part = fixture_part(&s, SCENARIO_INVITE, 8);
    static char to[SCRIPT_MESSAGE_BYTES_MAX];
    memset(to, 'x', sizeof(to));
    cr_assert_eq(script_ack(&s, &part, slice_of(to, sizeof(to)), message), 0);
}

Test(script, number_is_found_in_the_branch)
{
    const struct script s = fixture_script();
    const struct step step = {.kind = SCENARIO_OPTIONS};
    const struct script_part part = script_part_of(&s, 0xabcdef0123, &step);
    struct answer a;
    uint64_t n = 0;
    cr_assert(answer_parse(slice_of(message, script_request(&s, &part, message)), &a));
    cr_assert(script_number_of(&s, a.via, &n));
    cr_assert_eq(n, 0xabcdef0123);
}

Test(script, branches_of_others_have_no_number)
{
    const struct script s = fixture_script();
    uint64_t n;
    cr_assert_not(script_number_of(&s, SLICE("SIP/2.0/UDP h;branch=z9hG4bKother"), &n));
    cr_assert_not(script_number_of(&s, SLICE("x;branch=z9hG4bK90abcdef00000000000000"), &n));
    cr_assert_not(script_number_of(&s, SLICE("x;branch=z9hG4bK90abcdef00000000000000zz"), &n));
    cr_assert_not(script_number_of(&s, slice_of(NULL, 0), &n));
}
