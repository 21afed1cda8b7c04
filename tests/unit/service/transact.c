// SPDX-License-Identifier: Apache-2.0
// Server transactions as a client sees them: retransmissions, ACK, CANCEL, merged requests.
#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>

#include "tests/unit/service/harness.h"
#include "tests/unit/support.h"

enum { ROOMY_BYTES = 1 << 28, LONG_TEXT_MAX = 2000 };

#define BOB  "<sip:bob@192.0.2.10>"
#define HOME "Contact: " BOB "\n"

// ;branch: of RFC 3261, and none.
#define BRANCH(b)   "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK" b
#define VIA_OF_2543 "SIP/2.0/UDP 192.0.2.4:5070"

static char first[ANSWER_BYTES_MAX + 1];
static size_t first_len;

static void start(void)
{
    harness_start();
    harness_stateful(ROOMY_BYTES);
    harness_register(HOME);
}

TestSuite(transact, .init = start, .fini = harness_stop);

// The answer at hand is what retransmissions should get.
static void keep_answer(void)
{
    cr_assert_gt(harness.answer_len, 0);
    memcpy(first, harness.answer, harness.answer_len);
    first_len = harness.answer_len;
}

static bool same_answer(void)
{
    return slice_equal(slice_of(harness.answer, harness.answer_len), slice_of(first, first_len));
}

static struct transactions_size size(void)
{
    return transactions_size(harness.uas.transactions);
}

// How many answers the ticker sends now, each the one that has been kept.
static unsigned leave_again(void)
{
    static char bytes[ANSWER_BYTES_MAX];
    struct transaction_path path;
    unsigned count = 0;
    unsigned shard = 0;
    struct buf answer = buf_over(bytes, sizeof(bytes));
    while (transactions_next_due(harness.uas.transactions, &shard, harness.now, &answer, &path)) {
        cr_assert(slice_equal(buf_slice(&answer), slice_of(first, first_len)));
        answer = buf_over(bytes, sizeof(bytes));
        count++;
    }
    return count;
}

// An INVITE, which gets this answer.
static void invite(struct sip sip, unsigned status)
{
    sip.method = "INVITE";
    harness_send(sip);
    cr_assert_eq(answer_status(), status, "%s", answer_line());
    keep_answer();
}

// Whether this ACK ends the repetitions of the INVITE before it.
static bool acknowledges(struct sip sip)
{
    sip.method = "ACK";
    harness_send(sip);
    cr_assert(!harness.answered);
    harness_advance_ms(500);
    const bool silent = leave_again() == 0;
    harness_advance_ms(TIMER_H_MS);
    cr_assert_eq(leave_again(), 0);
    return silent;
}

// "<sip:bob@example.com>;tag=<tag>"
static const char *to_with(const char *tag)
{
    static char text[100];
    (void)snprintf(text, sizeof(text), "<sip:bob@example.com>;tag=%s", tag);
    return text;
}

// ---- Retransmissions

Test(transact, retransmitted_register_gets_the_identical_answer_when_bindings_have_changed)
{
    const struct sip sip = {.cseq = 10, .extra = "Contact: <sip:bob@192.0.2.20>;expires=600\n"};
    harness_send(sip);
    cr_assert_eq(answer_status(), 200);
    keep_answer();
    harness_advance_ms(2000);
    harness_register("Contact: *\nExpires: 0\n");
    cr_assert_str_eq(answer_contacts(), "");
    harness_send(sip);
    cr_assert(same_answer());
    harness_send((struct sip){.cseq = 20});
    cr_assert_str_eq(answer_contacts(), ""); // and it has changed nothing
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 1);
    cr_assert_eq(count_of(METRIC_REGISTER_REPEATED), 0);
}

Test(transact, retransmitted_register_gets_the_identical_answer_when_bindings_have_expired)
{
    harness.uas.config.expires_min_s = 1;
    const struct sip sip = {.cseq = 10, .extra = "Contact: <sip:bob@192.0.2.20>;expires=2\n"};
    harness_send(sip);
    keep_answer();
    harness_advance_ms(10000);
    size_t removed = 0;
    cr_assert_not(location_expire(harness.uas.location, harness.now, UINT_MAX, &removed));
    harness_send(sip);
    cr_assert(same_answer());
}

Test(transact, retransmitted_register_gets_the_identical_answer_when_the_clock_was_set)
{
    const struct sip sip = {.cseq = 10, .extra = HOME};
    harness_send(sip);
    keep_answer();
    harness.now.wall_ms += UINT64_C(86400000);
    harness_send(sip);
    cr_assert(same_answer());
    harness.now.wall_ms = 0;
    harness_send(sip);
    cr_assert(same_answer());
}

Test(transact, refusals_are_repeated_too)
{
    const struct sip sip = {.cseq = 10, .extra = "Contact: <sip:b@h>;expires=1\n"};
    harness_send(sip);
    cr_assert_eq(answer_status(), 423);
    keep_answer();
    harness.uas.config.expires_min_s = 1;
    harness_send(sip);
    cr_assert(same_answer());
}

Test(transact, retransmitted_invite_gets_the_identical_answer_when_the_binding_is_gone)
{
    const struct sip sip = {.method = "INVITE", .cseq = 10, .call_id = "other"};
    invite(sip, 302);
    harness_register("Contact: *\nExpires: 0\n");
    harness_send(sip);
    cr_assert(same_answer());
    cr_assert_eq(leave_again(), 0);
    harness_advance_ms(500);
    cr_assert_eq(leave_again(), 1);
    harness_send(sip);
    cr_assert(same_answer());
}

Test(transact, retransmission_is_answered_where_the_first_answer_went)
{
    const struct sip sip = {.cseq = 10, .via = BRANCH("1") ";rport"};
    harness_send(sip);
    keep_answer();
    cr_assert_str_eq(answer_target(), "192.0.2.4:5070");
    harness_peer("192.0.2.99", 9999);
    harness_send(sip);
    cr_assert(same_answer());
    cr_assert_str_eq(answer_target(), "192.0.2.4:5070");
}

Test(transact, retransmissions_are_not_counted_as_requests)
{
    const struct sip sip = {.method = "OPTIONS", .uri = "sip:example.com", .cseq = 10};
    harness_send(sip);
    keep_answer();
    for (unsigned i = 0; i < 3; i++) {
        harness_send(sip);
        cr_assert(same_answer());
    }
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 3);
    cr_assert_eq(size().transactions, 2);
}

Test(transact, a_copy_that_comes_after_the_transaction_is_answered_anew)
{
    const struct sip sip = {.method = "INVITE", .cseq = 10, .call_id = "other"};
    invite(sip, 302);
    harness_register("Contact: *\nExpires: 0\n");
    harness_advance_ms(TIMER_H_MS - 1);
    harness_send(sip);
    cr_assert(same_answer());
    harness_advance_ms(1);
    for (unsigned ticks = 0; ticks < 2; ticks++) { // before the ticker has come, and after
        harness_send(sip);
        cr_assert_eq(answer_status(), 404, "%s", answer_line());
        keep_answer();
        harness_send(sip);
        cr_assert(same_answer());
        harness_advance_ms(TIMER_H_MS);
        (void)leave_again();
    }
    cr_assert_eq(size().transactions, 0);
}

Test(transact, methods_of_one_branch_are_transactions_of_their_own)
{
    static const char *const methods[] = {"OPTIONS", "REGISTER", "INVITE", "CANCEL",
                                          "MESSAGE", "FROB",     "frob",   "FROBB"};
    static const unsigned statuses[] = {200, 200, 404, 200, 405, 501, 501, 501};
    static char answers[LENGTH_OF(methods)][1000];
    for (unsigned round = 0; round < 2; round++) {
        for (size_t i = 0; i < LENGTH_OF(methods); i++) {
            harness_send((struct sip){.method = methods[i],
                                      .uri = "sip:example.com",
                                      .to = "<sip:carol@example.com>",
                                      .cseq = 10,
                                      .via = BRANCH("1")});
            cr_assert_eq(answer_status(), statuses[i], "%s: %s", methods[i], answer_line());
            cr_assert_lt(harness.answer_len, sizeof(answers[0]));
            if (round == 0) {
                memcpy(answers[i], harness.answer, harness.answer_len + 1);
            }
            cr_assert_str_eq(harness.answer, answers[i]);
        }
    }
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), LENGTH_OF(methods));
    cr_assert_eq(size().transactions, LENGTH_OF(methods) + 1);
}

// A client that does not choose its branches anew, or one that guesses another's, gets answers of
// its own: nobody is told what another was.
Test(transact, a_branch_alone_makes_no_retransmission)
{
    static const struct sip others[] = {
        {.cseq = 11},
        {.cseq = 10, .from = "<sip:eve@example.com>;tag=other"},
        {.cseq = 10, .call_id = "other"},
    };
    harness_send((struct sip){.cseq = 10, .via = BRANCH("1")});
    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        struct sip sip = others[i];
        sip.via = BRANCH("1");
        harness_send(sip);
        cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), i);
        harness_send(sip);
        cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), i + 1);
    }
}

Test(transact, malformed_requests_are_answered_and_not_remembered)
{
    const struct sip sip = {.method = "INVITE", .cseq = 10, .from = "<>"};
    invite(sip, 400);
    harness_send(sip);
    cr_assert(same_answer());
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 0);
    cr_assert_eq(size().transactions, 1);
    harness_advance_ms(500);
    cr_assert_eq(leave_again(), 0);
}

// ---- ACK (RFC 3261 17.2.3)

Test(transact, answer_to_invite_leaves_again_until_the_ack_and_copies_are_absorbed_then)
{
    const struct sip sip = {.method = "INVITE", .cseq = 10};
    invite(sip, 302);
    harness_advance_ms(499);
    cr_assert_eq(leave_again(), 0);
    harness_advance_ms(1);
    cr_assert_eq(leave_again(), 1);
    harness_send((struct sip){.method = "ACK", .cseq = 10, .to = to_with(answer_to_tag())});
    cr_assert(!harness.answered);
    for (unsigned i = 0; i < 4; i++) {
        harness_advance_ms(1000);
        cr_assert_eq(leave_again(), 0);
        harness_send(sip);
        cr_assert(!harness.answered);
    }
    harness_advance_ms(1000);
    harness_send(sip); // timer I is over
    cr_assert_eq(answer_status(), 302);
    cr_assert_eq(count_of(METRIC_ACKS), 1);
}

static void expect_ack_by_via(const char *of_invite, const char *of_ack, bool matches)
{
    invite((struct sip){.cseq = 10, .via = of_invite}, 302);
    cr_assert_eq(acknowledges((struct sip){.cseq = 10, .via = of_ack, .to = to_with("any")}),
                 matches, "%s and %s", of_invite, of_ack);
}

Test(transact, ack_matches_by_branch_and_sent_by)
{
#define AT(sent_by) "SIP/2.0/UDP " sent_by ";branch=z9hG4bK1"

    static const struct {
        const char *invite;
        const char *ack;
        bool matches;
    } cases[] = {
        {AT("192.0.2.4:5070"), AT("192.0.2.4:5070"), true},
        {AT("192.0.2.4:5070"), AT("192.0.2.4:5070") ";rport", true},
        {AT("Phone.Example.com"), AT("phone.exAMPLE.COM"), true},
        {AT("[2001:DB8::1]:5060"), AT("[2001:db8::1]:5060"), true},
        {AT("192.0.2.4:5070"), AT("192.0.2.4:5071"), false},
        {AT("192.0.2.4:5070"), AT("192.0.2.4"), false},
        {AT("192.0.2.4:5070"), AT("192.0.2.5:5070"), false},
        {AT("a.example.com"), AT("b.example.com"), false},
        {AT("192.0.2.4:5070"), BRANCH("2"), false},
        {AT("192.0.2.4:5070"), BRANCH("11"), false},
        {AT("192.0.2.4:5070"), VIA_OF_2543, false},
        {VIA_OF_2543, AT("192.0.2.4:5070"), false},
    };

#undef AT
    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        expect_ack_by_via(cases[i].invite, cases[i].ack, cases[i].matches);
    }
}

Test(transact, ack_of_rfc_2543_matches_by_its_fields_and_the_tag_of_the_answer)
{
    static const struct {
        struct sip ack;
        bool matches;
    } cases[] = {
        {{.cseq = 10}, true},
        {{.cseq = 11}, false},
        {{.cseq = 10, .uri = "sip:bob@example.com:5060"}, false},
        {{.cseq = 10, .from = "<sip:alice@example.com>;tag=other"}, false},
        {{.cseq = 10, .from = "<sip:alice@example.com>"}, false},
        {{.cseq = 10, .from = "Alice <sip:alice@example.com>;tag=al1ce"}, true},
        {{.cseq = 10, .call_id = "other"}, false},
        {{.cseq = 10, .via = "SIP/2.0/UDP 192.0.2.4:5071"}, false},
        {{.cseq = 10, .via = "SIP/2.0/UDP 192.0.2.5:5070"}, false},
        {{.cseq = 10, .to = "<sip:bob@example.com>"}, false},
        {{.cseq = 10, .to = "<sip:bob@example.com>;tag=other"}, false},
        {{.cseq = 10, .to = "<sip:bob@example.com>;tag=0123456789abcdef"}, false},
    };

    for (size_t i = 0; i < LENGTH_OF(cases); i++) {
        struct sip ack = cases[i].ack;
        invite((struct sip){.cseq = 10, .via = VIA_OF_2543}, 302);
        ack.to = ack.to != NULL ? ack.to : to_with(answer_to_tag());
        ack.via = ack.via != NULL ? ack.via : VIA_OF_2543;
        cr_assert_eq(acknowledges(ack), cases[i].matches, "case %zu", i);
    }
}

Test(transact, branch_without_the_cookie_is_of_rfc_2543)
{
    static const char *const vias[] = {VIA_OF_2543 ";branch=1", VIA_OF_2543 ";branch=z9hG4bK"};
    for (size_t i = 0; i < LENGTH_OF(vias); i++) {
        invite((struct sip){.cseq = 10, .via = vias[i]}, 302);
        cr_assert(!acknowledges((struct sip){.cseq = 10, .via = vias[i], .to = to_with("x")}));
        invite((struct sip){.cseq = 10, .via = vias[i]}, 302);
        const char *const to = to_with(answer_to_tag());
        cr_assert(acknowledges((struct sip){.cseq = 10, .via = vias[i], .to = to}));
    }
}

// Within a dialog the tag of the answer is that of the INVITE.
Test(transact, ack_of_rfc_2543_matches_in_a_dialog)
{
    const struct sip sip = {
        .cseq = 10, .via = VIA_OF_2543, .to = "<sip:bob@example.com>;tag=theirs"};
    invite(sip, 481);
    cr_assert(acknowledges(sip));
    invite(sip, 481);
    cr_assert(!acknowledges((struct sip){.cseq = 10, .via = VIA_OF_2543, .to = to_with("x")}));
}

Test(transact, requests_of_rfc_2543_are_told_apart_by_the_to_tag_too)
{
    struct sip sip = {.cseq = 10, .via = VIA_OF_2543};
    invite(sip, 302);
    harness_send((struct sip){.method = "INVITE", .cseq = 10, .via = VIA_OF_2543});
    cr_assert(same_answer());
    sip.to = to_with("theirs");
    invite(sip, 481);
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 1);
}

Test(transact, ack_of_a_stranger_does_no_harm)
{
    harness_send((struct sip){.method = "ACK", .cseq = 10});
    cr_assert(!harness.answered);
    harness_send((struct sip){.method = "REGISTER", .cseq = 11, .via = BRANCH("1")});
    keep_answer();
    harness_send((struct sip){.method = "ACK", .cseq = 11, .via = BRANCH("1")});
    cr_assert(!harness.answered);
    harness_send((struct sip){.method = "REGISTER", .cseq = 11, .via = BRANCH("1")});
    cr_assert(same_answer());
    cr_assert_eq(count_of(METRIC_ACKS), 2);
}

// ---- CANCEL (RFC 3261 9.2)

static unsigned cancel(struct sip sip)
{
    sip.method = "CANCEL";
    harness_send(sip);
    return answer_status();
}

Test(transact, cancel_of_an_invite_gets_200_with_the_tag_of_its_answer)
{
    static const char *const vias[] = {BRANCH("1"), VIA_OF_2543, VIA_OF_2543 ";branch=1"};
    for (size_t i = 0; i < LENGTH_OF(vias); i++) {
        char tag[17];
        const uint32_t cseq = 10 + (uint32_t)i;
        invite((struct sip){.cseq = cseq, .via = vias[i]}, 302);
        (void)snprintf(tag, sizeof(tag), "%s", answer_to_tag());
        cr_assert_eq(strlen(tag), 16);
        cr_assert_eq(cancel((struct sip){.cseq = cseq, .via = vias[i]}), 200);
        cr_assert_str_eq(answer_to_tag(), tag);
        cr_assert_str_eq(answer_contacts(), "");
        harness_advance_ms(500);
        cr_assert_eq(leave_again(), 1); // the INVITE has had its answer, and waits for the ACK
        harness_advance_ms(TIMER_H_MS);
        (void)leave_again();
    }
}

Test(transact, cancel_without_its_invite_gets_481)
{
    static const struct sip cancels[] = {
        {.cseq = 10, .via = BRANCH("2")},
        {.cseq = 10, .via = "SIP/2.0/UDP 192.0.2.4:5071;branch=z9hG4bK1"},
        {.cseq = 10, .via = VIA_OF_2543},
    };
    cr_assert_eq(cancel((struct sip){.cseq = 9, .via = BRANCH("0")}), 481);
    invite((struct sip){.cseq = 10, .via = BRANCH("1")}, 302);
    for (size_t i = 0; i < LENGTH_OF(cancels); i++) {
        cr_assert_eq(cancel(cancels[i]), 481);
    }
    // a method that it cannot name
    harness_send((struct sip){.method = "FROBNICATE", .cseq = 11, .via = BRANCH("3")});
    cr_assert_eq(cancel((struct sip){.cseq = 11, .via = BRANCH("3")}), 481);
    // another CANCEL, and an ACK, are nothing that could be cancelled
    harness_send((struct sip){.method = "ACK", .cseq = 12, .via = BRANCH("4")});
    cr_assert_eq(cancel((struct sip){.cseq = 12, .via = BRANCH("4")}), 481);
    harness_advance_ms(TIMER_J_MS);
    cr_assert_eq(cancel((struct sip){.cseq = 12, .via = BRANCH("4")}), 481);
}

Test(transact, cancel_of_any_other_request_gets_200_with_the_tag_of_its_answer)
{
    static const char *const methods[] = {"REGISTER", "OPTIONS", "BYE", "MESSAGE", "UPDATE"};
    static const char *const vias[] = {BRANCH("1"), VIA_OF_2543};
    for (size_t i = 0; i < 2 * LENGTH_OF(methods); i++) {
        const uint32_t cseq = 100 + (uint32_t)i;
        const char *const via = vias[i % 2];
        char tag[17];
        struct sip sip = {
            .method = methods[i / 2], .uri = "sip:example.com", .cseq = cseq, .via = via};
        harness_send(sip);
        (void)snprintf(tag, sizeof(tag), "%s", answer_to_tag());
        cr_assert_eq(cancel(sip), 200, "%s", methods[i / 2]);
        cr_assert_str_eq(answer_to_tag(), tag);
        cr_assert_eq(cancel(sip), 200, "again");
        sip.cseq += 50;
        cr_assert_eq(cancel(sip), 481);
    }
}

Test(transact, cancel_of_a_refused_invite_meets_it_whatever_its_request_uri)
{
    static const char *const uris[] = {"tel:+1", "sip:bob@example.com?a=b",
                                       "sip:nobody@example.com"};
    for (uint32_t i = 0; i < LENGTH_OF(uris); i++) {
        const struct sip sip = {.method = "INVITE", .uri = uris[i], .cseq = 10 + i};
        struct sip again = sip;
        harness_send(sip);
        cr_assert_geq(answer_status(), 400);
        again.method = "CANCEL";
        harness_send(again);
        cr_assert_eq(answer_status(), 200, "%s", uris[i]);
    }
}

Test(transact, cancel_is_answered_alike_again_and_ends_nothing)
{
    const struct sip sip = {.method = "CANCEL", .cseq = 10};
    invite((struct sip){.cseq = 10}, 302);
    cr_assert_eq(cancel(sip), 200);
    keep_answer();
    harness_advance_ms(31000);
    harness_send(sip);
    cr_assert(same_answer());
    harness_send((struct sip){.method = "ACK", .cseq = 10});
    harness_advance_ms(TIMER_I_MS);
    harness_send(sip); // its own transaction is over as well
    cr_assert_eq(answer_status(), 481);
}

Test(transact, cancel_of_an_acknowledged_invite_gets_200_until_timer_i)
{
    invite((struct sip){.cseq = 10}, 302);
    harness_send((struct sip){.method = "ACK", .cseq = 10});
    harness_advance_ms(TIMER_I_MS - 1);
    cr_assert_eq(cancel((struct sip){.cseq = 10}), 200);
    invite((struct sip){.cseq = 11}, 302);
    harness_send((struct sip){.method = "ACK", .cseq = 11});
    harness_advance_ms(TIMER_I_MS);
    cr_assert_eq(cancel((struct sip){.cseq = 11}), 481);
}

// ---- Merged requests (RFC 3261 8.2.2.2)

Test(transact, merged_register_gets_482_and_changes_nothing)
{
    harness_send((struct sip){.cseq = 10, .via = BRANCH("1"), .extra = HOME});
    cr_assert_eq(answer_status(), 200);
    const struct sip sip = {.cseq = 10, .via = BRANCH("2"), .extra = "Contact: <sip:b@h2>\n"};
    harness_send(sip);
    cr_assert_eq(answer_status(), 482);
    keep_answer();
    harness_send(sip);
    cr_assert(same_answer());
    harness_register("");
    cr_assert_str_eq(answer_contacts(), BOB ";expires=3600");
}

Test(transact, merged_options_to_the_server_gets_482_while_the_first_is_ongoing)
{
    struct sip sip = {
        .method = "OPTIONS", .uri = "sip:example.com", .cseq = 10, .via = BRANCH("1")};
    harness_send(sip);
    cr_assert_eq(answer_status(), 200);
    harness_advance_ms(TIMER_J_MS - 1);
    sip.via = BRANCH("2");
    harness_send(sip);
    cr_assert_str_eq(answer_line(), "482 Merged Request");
    harness_advance_ms(1);
    sip.via = BRANCH("3");
    harness_send(sip); // the one before is ongoing
    cr_assert_eq(answer_status(), 482);
    harness_advance_ms(TIMER_J_MS);
    sip.via = BRANCH("4");
    harness_send(sip);
    cr_assert_eq(answer_status(), 200);
}

Test(transact, what_differs_is_not_merged)
{
    static const struct sip others[] = {
        {.method = "OPTIONS", .cseq = 11},
        {.method = "OPTIONS", .cseq = 10, .call_id = "other"},
        {.method = "OPTIONS", .cseq = 10, .from = "<sip:alice@example.com>;tag=other"},
        {.method = "OPTIONS", .cseq = 10, .from = "<sip:alice@example.com>"},
        {.method = "REGISTER", .cseq = 10},
        {.method = "MESSAGE", .cseq = 10},
        {.method = "FROB", .cseq = 10},
        {.method = "BLUB", .cseq = 10}, // CSeq differs in its method, though both are unknown
    };
    static const unsigned statuses[] = {200, 200, 200, 200, 200, 405, 501, 501};
    harness_send((struct sip){
        .method = "OPTIONS", .uri = "sip:example.com", .cseq = 10, .via = BRANCH("x")});
    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        char via[80];
        struct sip sip = others[i];
        (void)snprintf(via, sizeof(via), BRANCH("%zu"), i);
        sip.via = via;
        sip.uri = "sip:example.com";
        harness_send(sip);
        cr_assert_eq(answer_status(), statuses[i], "%zu: %s", i, answer_line());
    }
}

// Of so many Call-IDs some are in one shard.
Test(transact, what_is_of_another_call_is_not_merged)
{
    char call_id[32];
    char via[80];
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(call_id, sizeof(call_id), "call-%u", i);
        (void)snprintf(via, sizeof(via), BRANCH("%u"), i);
        harness_send((struct sip){.cseq = 10, .call_id = call_id, .via = via});
        cr_assert_eq(answer_status(), 200);
    }
}

Test(transact, what_is_redirected_is_not_merged)
{
    static const char *const methods[] = {"INVITE", "OPTIONS", "MESSAGE", "FROB"};
    for (size_t i = 0; i < LENGTH_OF(methods); i++) {
        harness_send((struct sip){.method = methods[i], .cseq = 20, .via = BRANCH("1")});
        cr_assert_eq(answer_status(), 302);
        harness_send((struct sip){.method = methods[i], .cseq = 20, .via = BRANCH("2")});
        cr_assert_eq(answer_status(), 302);
    }
}

// ---- Limits

// A branch with so many bytes behind the cookie.
static const char *long_via(size_t bytes)
{
    static char via[LONG_TEXT_MAX];
    const int len = snprintf(via, sizeof(via), BRANCH(""));
    cr_assert_lt((size_t)len + bytes, sizeof(via));
    memset(via + len, 'x', bytes);
    via[(size_t)len + bytes] = '\0';
    return via;
}

Test(transact, request_with_too_long_a_key_is_served_without_a_transaction)
{
    char tag[17];
    const struct sip sip = {.method = "INVITE", .cseq = 10, .via = long_via(600)};
    const uint64_t before = size().transactions;
    invite(sip, 302);
    (void)snprintf(tag, sizeof(tag), "%s", answer_to_tag());
    harness_send(sip); // by 8.2.7: the same tag at least
    cr_assert_eq(answer_status(), 302);
    cr_assert_str_eq(answer_to_tag(), tag);
    cr_assert_eq(size().transactions, before);
    harness_send((struct sip){.method = "ACK", .cseq = 10, .via = sip.via, .to = to_with(tag)});
    cr_assert(!harness.answered);
    cr_assert_eq(cancel((struct sip){.cseq = 10, .via = sip.via}), 481);
    harness_send((struct sip){.cseq = 11, .via = sip.via});
    cr_assert_eq(answer_status(), 200);
    harness_advance_ms(500);
    cr_assert_eq(leave_again(), 0);
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 0);
}

Test(transact, keys_of_every_length_are_remembered_whole_or_not_at_all)
{
    bool was_remembered = true;
    for (size_t bytes = 440; bytes < 520; bytes++) {
        struct sip sip = {.method = "INVITE", .cseq = 1000 + (uint32_t)bytes};
        const uint64_t repeated = count_of(METRIC_RETRANSMISSIONS);
        sip.via = long_via(bytes);
        invite(sip, 302);
        harness_send(sip);
        const bool remembered = count_of(METRIC_RETRANSMISSIONS) > repeated;
        cr_assert(was_remembered || !remembered);
        was_remembered = remembered;
        cr_assert_eq(cancel(sip), remembered ? 200 : 481);
    }
    cr_assert(!was_remembered);
}

Test(transact, past_the_budget_everything_is_answered_and_counted)
{
    enum { REQUESTS = 200 };

    char call_id[32];
    transactions_destroy(harness.uas.transactions);
    harness_stateful(20000);
    for (uint32_t i = 0; i < REQUESTS; i++) {
        (void)snprintf(call_id, sizeof(call_id), "call %u", i);
        harness_send((struct sip){.method = "INVITE", .cseq = 100 + i, .call_id = call_id});
        cr_assert_eq(answer_status(), 400); // no Call-ID has a space
        (void)snprintf(call_id, sizeof(call_id), "call-%u", i);
        harness_send((struct sip){.method = "INVITE", .cseq = 100 + i, .call_id = call_id});
        cr_assert_eq(answer_status(), 302);
        cr_assert_leq(size().bytes, 20000);
    }
    cr_assert_gt(size().evicted, REQUESTS / 2);
    cr_assert_eq(size().evicted + size().transactions, REQUESTS);
    cr_assert_eq(count_of(METRIC_TRANSACTIONS_REFUSED), 0);
    // the last of them is remembered
    keep_answer();
    harness_send((struct sip){.method = "INVITE", .cseq = harness.cseq, .call_id = call_id});
    cr_assert(same_answer());
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 1);
    cr_assert_eq(cancel((struct sip){.cseq = harness.cseq, .call_id = call_id}), 200);
    // the first is not: answered anew, and no CANCEL finds it
    cr_assert_eq(cancel((struct sip){.cseq = 100, .call_id = "call-0"}), 481);
    harness_send((struct sip){.method = "INVITE", .cseq = 100, .call_id = "call-0"});
    cr_assert_eq(answer_status(), 302);
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 1);
    harness_advance_ms(TIMER_H_MS);
    cr_assert_eq(leave_again(), 0);
    cr_assert_eq(size().bytes, 0);
    invite((struct sip){.cseq = 9999}, 302);
    cr_assert_eq(size().transactions, 1);
}

// Whoever chooses branch, CSeq, From tag and Call-ID chooses no bucket. It took minutes when the
// CSeq went into the hash as it came; it takes a second.
Test(transact, chosen_cseq_numbers_do_not_share_a_bucket, .timeout = 30)
{
    for (uint32_t i = 1; i <= 65535; i++) {
        harness_send((struct sip){
            .method = "OPTIONS", .uri = "sip:example.com", .cseq = i << 15, .via = BRANCH("1")});
        cr_assert_eq(answer_status(), 200);
    }
    cr_assert_eq(size().transactions, 65536);
}
