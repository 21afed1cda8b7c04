// SPDX-License-Identifier: Apache-2.0
// Requirements of RFC 3261 (and RFC 6026) that no other test proves; tests/rfc/COVERAGE.md has all
// of them. The server remembers transactions, and time stands still unless a test moves it.

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/service/harness.h"

static void start(void)
{
    const struct transactions_config config = {.shards = 4, .budget_bytes = 1 << 20};
    harness_start();
    harness.uas.transactions = transactions_create(&config);
    cr_assert_not_null(harness.uas.transactions);
}

TestSuite(requirements, .init = start, .fini = harness_stop);

static void without_transactions(void)
{
    transactions_destroy(harness.uas.transactions);
    harness.uas.transactions = NULL;
}

// The answers that the ticker would send now, each compared with `answer` unless that is NULL.
static unsigned repeated(const char *answer)
{
    static char memory[ANSWER_BYTES_MAX];
    unsigned shard = 0;
    unsigned count = 0;
    struct transaction_path path;
    struct buf b = buf_over(memory, sizeof(memory));
    while (transactions_next_due(harness.uas.transactions, &shard, harness.now, &b, &path)) {
        cr_assert_eq(path.local.port, harness.local.port);
        if (answer != NULL) {
            cr_assert(slice_equal(buf_slice(&b), slice_of(answer, strlen(answer))));
        }
        b = buf_over(memory, sizeof(memory));
        count++;
    }
    return count;
}

static const char *kept_answer(void)
{
    static char kept[ANSWER_BYTES_MAX + 1];
    memcpy(kept, harness.answer, harness.answer_len + 1);
    return kept;
}

static uint64_t remembered(void)
{
    return transactions_size(harness.uas.transactions).transactions;
}

// ---- 8.2: the order of the checks, and what is none of the server's business

Test(requirements, checks_of_a_request_to_the_server_come_in_their_order)
{
    harness_serve("example.com");
    harness_send((struct sip){
        .method = "MESSAGE", .uri = "sip:example.com", .extra = "Require: x\nContent-Type: a/b\n"});
    cr_assert_eq(answer_status(), 405, "method before extensions");
    harness_send((struct sip){.method = "OPTIONS", .uri = "tel:+1", .extra = "Require: x\n"});
    cr_assert_eq(answer_status(), 416, "scheme before extensions");
    harness_send(
        (struct sip){.method = "OPTIONS", .uri = "sip:example.org", .extra = "Require: x\n"});
    cr_assert_eq(answer_status(), 404, "Request-URI before extensions");
    harness_text("OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\n"
                 "To: <sip:example.com>\nFrom: <sip:a@h>;tag=1\nCall-ID: c\nCSeq: 1 OPTIONS\n"
                 "Require: x\nContent-Type: text/plain\n\nbody");
    cr_assert_eq(answer_status(), 420, "extensions before content");
}

Test(requirements, header_fields_that_are_not_needed_may_be_unknown_or_malformed)
{
    static const char rows[] = "X-Unknown: \"\nAllow: ,,\nExpires: soon\nContact: <<>>\n"
                               "Content-Type: ;\nRecord-Route: x\nAccept: /\nSubject:\n"
                               "Content-Disposition: ;;\nTimestamp: now\nDate: today\n";
    harness_register("Contact: <sip:b@h>\n");
    harness_send((struct sip){.method = "INVITE", .extra = rows});
    cr_assert_eq(answer_status(), 302);
    harness_send((struct sip){
        .method = "OPTIONS", .uri = "sip:example.com", .extra = "Contact: <<>>\nAllow: ,,\n"});
    cr_assert_eq(answer_status(), 200);
}

Test(requirements, to_may_have_any_scheme_and_name_anybody)
{
    static const char *const tos[] = {"<tel:+4930123>", "<urn:service:sos>",
                                      "<sip:nobody@example.net>"};
    harness_serve("example.com");
    harness_register("Contact: <sip:b@h>\n");
    for (size_t i = 0; i < sizeof(tos) / sizeof(tos[0]); i++) {
        harness_send((struct sip){.method = "INVITE", .to = tos[i]});
        cr_assert_eq(answer_status(), 302, "%s", tos[i]);
        harness_send((struct sip){.method = "OPTIONS", .uri = "sip:example.com", .to = tos[i]});
        cr_assert_eq(answer_status(), 200, "%s", tos[i]);
    }
}

Test(requirements, require_is_ignored_in_cancel_and_ack)
{
    static const char via[] = "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKone";
    static const char rows[] = "Require: x\nProxy-Require: y\n";
    harness_send((struct sip){.method = "INVITE", .via = via, .cseq = 5});
    harness_send((struct sip){.method = "CANCEL", .via = via, .cseq = 5, .extra = rows});
    cr_assert_eq(answer_status(), 200);
    harness_send((struct sip){.method = "ACK", .via = via, .cseq = 5, .extra = rows});
    cr_assert_not(harness.answered);
    harness_advance_ms(TIMER_G_MS);
    cr_assert_eq(repeated(NULL), 0, "the ACK has been heard");
}

static struct sip by_another_way(struct sip sip, const char *branch)
{
    sip.via = branch;
    return sip;
}

Test(requirements, request_that_has_come_by_another_way_is_merged)
{
    static const char other[] = "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKother";
    const struct sip asks = {.method = "OPTIONS", .uri = "sip:example.com", .cseq = 3};
    harness_send(asks);
    cr_assert_eq(answer_status(), 200);
    harness_send(by_another_way(asks, other));
    cr_assert_eq(answer_status(), 482);
    harness_send(asks);
    cr_assert_eq(answer_status(), 200, "a retransmission of the first is none");
    struct sip differs = by_another_way(asks, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKthird");
    differs.from = "<sip:alice@example.com>;tag=0ther";
    harness_send(differs);
    cr_assert_eq(answer_status(), 200, "another From tag");
    differs.from = NULL;
    differs.cseq = 4;
    harness_send(differs);
    cr_assert_eq(answer_status(), 200, "another CSeq");
    harness_advance_ms(TIMER_J_MS);
    (void)repeated(NULL);
    harness_send(by_another_way(asks, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKlate"));
    cr_assert_eq(answer_status(), 200, "the first is over");
}

Test(requirements, merged_register_changes_nothing)
{
    struct sip sip = {.cseq = 3, .extra = "Contact: <sip:b@h1>\n"};
    harness_send(sip);
    sip.extra = "Contact: <sip:b@h2>\n";
    harness_send(by_another_way(sip, "SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKother"));
    cr_assert_eq(answer_status(), 482);
    cr_assert_eq(location_size(harness.uas.location).bindings, 1);
}

Test(requirements, options_for_a_callee_is_answered_as_an_invite_would_be)
{
    static const char *const methods[] = {"INVITE", "OPTIONS"};
    for (size_t i = 0; i < 2; i++) {
        harness_send((struct sip){.method = methods[i]});
        cr_assert_eq(answer_status(), 404, "%s", methods[i]);
    }
    harness_register("Contact: <sip:b@h>\n");
    for (size_t i = 0; i < 2; i++) {
        harness_send((struct sip){.method = methods[i]});
        cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600", "%s", methods[i]);
    }
}

Test(requirements, no_answer_is_provisional_or_of_class_6)
{
    for (unsigned s = 0; s < STATUS_COUNT; s++) {
        const char class = status_line(s).at[sizeof("SIP/2.0 ") - 1];
        cr_assert(class >= '2' && class <= '5', "%u: class %c", s, class);
    }
}

Test(requirements, no_answer_applies_an_extension_or_records_a_route)
{
    static const char rows[] = "Record-Route: <sip:p.example.com;lr>\nSupported: path, gruu\n"
                               "Contact: <sip:b@h>\n";
    const struct sip sips[] = {
        {.extra = rows},
        {.method = "INVITE", .extra = rows},
        {.method = "OPTIONS", .uri = "sip:example.com", .extra = rows},
        {.method = "MESSAGE", .uri = "sip:example.com", .extra = rows},
        {.extra = "Record-Route: <sip:p.example.com;lr>\nRequire: path\n"},
    };
    static const unsigned statuses[] = {200, 302, 200, 405, 420};
    for (size_t i = 0; i < sizeof(sips) / sizeof(sips[0]); i++) {
        harness_send(sips[i]);
        cr_assert_eq(answer_status(), statuses[i], "the %zuth", i);
        cr_assert_str_eq(answer_header("Require"), "-");
        cr_assert_str_eq(answer_header("Record-Route"), "-");
    }
}

// ---- 8.2.7

Test(requirements, stateless_server_repeats_nothing_and_answers_anew_with_the_same_tag)
{
    const struct sip sip = {.method = "INVITE", .cseq = 7};
    without_transactions();
    harness_register("Contact: <sip:b@h>\n");
    harness_send(sip);
    const char *const first = kept_answer();
    harness_send(sip);
    cr_assert_str_eq(harness.answer, first);
    harness_send((struct sip){.method = "ACK", .cseq = 7});
    cr_assert_not(harness.answered);
}

Test(requirements, request_beyond_the_budget_is_answered_and_not_remembered)
{
    const struct transactions_config config = {.shards = 1, .budget_bytes = 1};
    without_transactions();
    harness.uas.transactions = transactions_create(&config);
    harness_send((struct sip){.method = "INVITE", .cseq = 7});
    const char *const first = kept_answer();
    cr_assert_eq(answer_status(), 404);
    cr_assert_eq(remembered(), 0);
    cr_assert_eq(count_of(METRIC_TRANSACTIONS_REFUSED), 1);
    harness_send((struct sip){.method = "INVITE", .cseq = 7});
    cr_assert_str_eq(harness.answer, first);
}

// ---- 8.3, 19.1

Test(requirements, redirect_tells_what_a_contact_embeds_escaped_as_it_came)
{
    harness_register("Contact: <sip:b%20b@h;x=%3b?Subject=a%20b%26c&Priority=urgent>\n");
    harness_send((struct sip){.method = "INVITE"});
    cr_assert_str_eq(answer_contacts(), "<sip:b%20b@h;x=%3b?Subject=a%20b%26c&Priority=urgent>"
                                        ";expires=3600");
}

Test(requirements, components_that_a_uri_may_not_have_in_its_place_are_ignored)
{
    harness_send((struct sip){.to = "<sip:bob@example.com:5070;method=INVITE;maddr=192.0.2.9;lr"
                                    ";ttl=3;transport=tcp?Subject=x>",
                              .from = "<sip:bob@example.com:1;method=BYE?a=b>;tag=1",
                              .extra = "Contact: <sip:b@h;unheard-of=1;lr>\n"});
    cr_assert_eq(answer_status(), 200);
    harness_send(
        (struct sip){.method = "INVITE", .uri = "sip:bob@example.com;method=BYE;ttl=9;unheard-of"});
    cr_assert_str_eq(answer_contacts(), "<sip:b@h;unheard-of=1;lr>;expires=3600");
}

// ---- 9.2

Test(requirements, cancel_meets_its_invite_and_has_no_effect_on_it)
{
    char tag[32];
    static const char via[] = "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKone";
    harness_register("Contact: <sip:b@h>\n");
    harness_send((struct sip){.method = "INVITE", .via = via, .cseq = 5});
    (void)snprintf(tag, sizeof(tag), "%s", answer_to_tag());
    const char *const answer = kept_answer();
    harness_send((struct sip){.method = "CANCEL", .via = via, .cseq = 5});
    cr_assert_str_eq(answer_line(), "200 OK");
    cr_assert_str_eq(answer_to_tag(), tag);
    cr_assert_str_eq(answer_header("CSeq"), "5 CANCEL");
    harness_send((struct sip){.method = "INVITE", .via = via, .cseq = 5});
    cr_assert_str_eq(harness.answer, answer);
    harness_advance_ms(TIMER_G_MS);
    cr_assert_eq(repeated(answer), 1);
}

Test(requirements, cancel_of_no_transaction_is_told_so)
{
    static const char via[] = "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKone";
    harness_send((struct sip){.method = "INVITE", .via = via, .cseq = 5});
    harness_send((struct sip){
        .method = "CANCEL", .via = "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKtwo", .cseq = 5});
    cr_assert_eq(answer_status(), 481);
    harness_send((struct sip){
        .method = "CANCEL", .via = "SIP/2.0/UDP 192.0.2.5:5070;branch=z9hG4bKone", .cseq = 5});
    cr_assert_eq(answer_status(), 481, "another sent-by");
    harness_advance_ms(TIMER_H_MS);
    (void)repeated(NULL);
    harness_send((struct sip){.method = "CANCEL", .via = via, .cseq = 5});
    cr_assert_eq(answer_status(), 481, "the INVITE is over");
}

Test(requirements, cancel_of_a_client_of_rfc_2543_meets_its_invite)
{
    harness_send((struct sip){.method = "INVITE", .via = "SIP/2.0/UDP 192.0.2.4", .cseq = 5});
    harness_send((struct sip){.method = "CANCEL", .via = "SIP/2.0/UDP 192.0.2.4", .cseq = 5});
    cr_assert_eq(answer_status(), 200);
    harness_send((struct sip){.method = "CANCEL", .via = "SIP/2.0/UDP 192.0.2.4", .cseq = 6});
    cr_assert_eq(answer_status(), 481);
}

// ---- 10.3

Test(requirements, steps_of_a_register_come_in_their_order)
{
    harness_serve("example.com");
    harness_peer("203.0.113.9", 5060);
    harness_send((struct sip){.uri = "sip:example.org", .extra = "Require: x\n"});
    cr_assert_eq(answer_status(), 404, "step 1 before step 2");
    harness_register("Require: x\n");
    cr_assert_eq(answer_status(), 420, "step 2 before step 4");
    harness_send((struct sip){.to = "<sip:bob@example.org>"});
    cr_assert_eq(answer_status(), 403, "step 4 before step 5");
    harness_peer("192.0.2.4", 5070);
    harness_send((struct sip){.to = "<sip:bob@example.org>", .extra = "Contact: *\n"});
    cr_assert_eq(answer_status(), 404, "step 5 before step 6");
    harness_send((struct sip){.cseq = 90, .extra = "Contact: <sip:b@h>\n"});
    harness_send((struct sip){.cseq = 89, .extra = "Contact: <sip:b@h>;expires=1\n"});
    cr_assert_eq(answer_status(), 423, "expiry before CSeq");
    harness_send((struct sip){.cseq = 88, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_str_eq(answer_line(), "400 CSeq Out of Order");
}

Test(requirements, binding_of_another_call_id_is_updated_and_removed_whatever_its_cseq)
{
    harness_send((struct sip){.cseq = 90, .extra = "Contact: <sip:b@h1>, <sip:b@h2>\n"});
    harness_send((struct sip){.cseq = 1,
                              .call_id = "other",
                              .extra = "Contact: <sip:b@h1>;expires=0, <sip:b@h2>;expires=99\n"});
    cr_assert_str_eq(answer_contacts(), "<sip:b@h2>;expires=99");
    harness_send((struct sip){.cseq = 1, .call_id = "third", .extra = "Contact: *\nExpires: 0\n"});
    cr_assert_eq(answer_status(), 200);
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

// ---- 17.2.1, RFC 6026

Test(requirements, answer_to_an_invite_is_repeated_on_timer_g_until_timer_h)
{
    static const uint64_t at_ms[] = {500,   1500,  3500,  7500,  11500,
                                     15500, 19500, 23500, 27500, 31500};
    uint64_t now_ms = 0;
    harness_send((struct sip){.method = "INVITE"});
    const char *const answer = kept_answer();
    for (size_t i = 0; i < sizeof(at_ms) / sizeof(at_ms[0]); i++) {
        harness_advance_ms(at_ms[i] - 100 - now_ms);
        cr_assert_eq(repeated(NULL), 0, "before the %zuth", i);
        harness_advance_ms(100);
        cr_assert_eq(repeated(answer), 1, "the %zuth", i);
        now_ms = at_ms[i];
    }
    cr_assert_eq(remembered(), 1);
    harness_advance_ms(TIMER_H_MS - now_ms);
    cr_assert_eq(repeated(NULL), 0);
    cr_assert_eq(remembered(), 0, "timer H");
    harness_advance_ms(TIMER_H_MS);
    cr_assert_eq(repeated(NULL), 0);
}

Test(requirements, retransmitted_invite_gets_the_same_bytes_and_leaves_timer_g_alone)
{
    const struct sip sip = {.method = "INVITE", .cseq = 7};
    harness_send(sip);
    const char *const answer = kept_answer();
    harness_register("Contact: <sip:b@h>\n");
    harness_advance_ms(400);
    harness_send(sip);
    cr_assert_str_eq(harness.answer, answer, "what has changed since does not matter");
    cr_assert_eq(repeated(NULL), 0);
    harness_advance_ms(100);
    cr_assert_eq(repeated(answer), 1);
}

Test(requirements, ack_ends_the_repetitions_and_more_are_absorbed_until_timer_i)
{
    const struct sip invite = {.method = "INVITE", .cseq = 7};
    const struct sip ack = {.method = "ACK", .cseq = 7, .to = "<sip:bob@example.com>;tag=any"};
    harness_send(invite);
    harness_send(ack);
    cr_assert_not(harness.answered);
    harness_advance_ms(TIMER_I_MS - 1);
    cr_assert_eq(repeated(NULL), 0);
    harness_send(ack);
    cr_assert_not(harness.answered);
    harness_send(invite);
    cr_assert_not(harness.answered, "a late copy needs no answer any more");
    cr_assert_eq(remembered(), 1);
    harness_advance_ms(100);
    cr_assert_eq(repeated(NULL), 0);
    cr_assert_eq(remembered(), 0, "timer I");
    harness_send(ack);
    cr_assert_not(harness.answered);
}

Test(requirements, ack_of_another_transaction_ends_nothing)
{
    harness_send((struct sip){.method = "INVITE", .cseq = 7});
    harness_send((struct sip){
        .method = "ACK", .cseq = 7, .via = "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKother"});
    harness_send(
        (struct sip){.method = "ACK", .cseq = 7, .via = "SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK7"});
    harness_advance_ms(TIMER_G_MS);
    cr_assert_eq(repeated(NULL), 1);
}

// ---- 17.2.2

Test(requirements, request_that_is_no_invite_is_answered_once_until_timer_j)
{
    const struct sip sip = {.method = "MESSAGE", .cseq = 7};
    harness_send(sip);
    const char *const answer = kept_answer();
    cr_assert_eq(answer_status(), 404);
    harness_register("Contact: <sip:b@h>\n");
    harness_advance_ms(TIMER_J_MS - 1);
    cr_assert_eq(repeated(NULL), 0, "by itself it is not repeated");
    harness_send(sip);
    cr_assert_str_eq(harness.answer, answer, "the final response that was sent first");
    harness_advance_ms(100);
    cr_assert_eq(repeated(NULL), 0);
    harness_send(sip);
    cr_assert_eq(answer_status(), 302, "anew");
}

Test(requirements, retransmitted_register_gets_the_same_bytes)
{
    const struct sip sip = {.cseq = 7, .extra = "Contact: <sip:b@h>;expires=100\n"};
    harness_send(sip);
    const char *const answer = kept_answer();
    harness_advance_ms(3000);
    harness_send((struct sip){.cseq = 8, .extra = "Contact: <sip:b@h>;expires=0\n"});
    harness_send(sip);
    cr_assert_str_eq(harness.answer, answer);
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

// ---- 17.2.3

static bool same_transaction(struct sip first, struct sip second)
{
    const uint64_t before = count_of(METRIC_RETRANSMISSIONS);
    harness_send(first);
    harness_send(second);
    const bool same = count_of(METRIC_RETRANSMISSIONS) > before;
    harness_advance_ms(2 * (uint64_t)TIMER_H_MS);
    (void)repeated(NULL);
    return same;
}

Test(requirements, transaction_is_known_by_branch_sent_by_and_method)
{
    const struct sip sip = {
        .method = "MESSAGE", .cseq = 1, .via = "SIP/2.0/UDP A.example:5070;branch=z9hG4bKone"};
    static const char *const same[] = {"SIP/2.0/UDP a.EXAMPLE:5070;branch=z9hG4bKone",
                                       "SIP / 2.0 / UDP A.example : 5070;rport;branch=z9hG4bKone"};
    static const char *const others[] = {"SIP/2.0/UDP A.example:5070;branch=z9hG4bKtwo",
                                         "SIP/2.0/UDP A.example:5071;branch=z9hG4bKone",
                                         "SIP/2.0/UDP A.example;branch=z9hG4bKone",
                                         "SIP/2.0/UDP B.example:5070;branch=z9hG4bKone"};
    cr_assert(same_transaction(sip, sip));
    for (size_t i = 0; i < 2; i++) {
        cr_assert(same_transaction(sip, by_another_way(sip, same[i])), "%s", same[i]);
    }
    for (size_t i = 0; i < 4; i++) {
        cr_assert_not(same_transaction(sip, by_another_way(sip, others[i])), "%s", others[i]);
    }
    struct sip other = sip;
    other.method = "INFO";
    cr_assert_not(same_transaction(sip, other));
    other = sip;
    other.uri = "sip:carol@example.com"; // what belongs to no transaction's identity
    cr_assert(same_transaction(sip, other));
}

Test(requirements, transaction_of_a_client_of_rfc_2543_is_known_by_its_fields)
{
    static const char *const vias[] = {"SIP/2.0/UDP 192.0.2.4:5070",
                                       "SIP/2.0/UDP 192.0.2.4:5070;branch=1",
                                       "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK"};
    for (size_t i = 0; i < 3; i++) {
        const struct sip sip = {.method = "MESSAGE", .cseq = 1, .via = vias[i]};
        struct sip others[6] = {sip, sip, sip, sip, sip, sip};
        others[0].uri = "sip:carol@example.com";
        others[1].from = "<sip:alice@example.com>;tag=0ther";
        others[2].call_id = "other";
        others[3].cseq = 2;
        others[4].via = "SIP/2.0/UDP 192.0.2.4:5071;branch=1";
        others[5].method = "INFO";
        cr_assert(same_transaction(sip, sip), "%s", vias[i]);
        for (size_t j = 0; j < 6; j++) {
            cr_assert_not(same_transaction(sip, others[j]), "%s, the %zuth", vias[i], j);
        }
    }
}

Test(requirements, ack_of_a_client_of_rfc_2543_is_known_by_the_tag_of_the_answer)
{
    const struct sip invite = {.method = "INVITE", .cseq = 1, .via = "SIP/2.0/UDP 192.0.2.4"};
    struct sip ack = invite;
    char to[80];
    ack.method = "ACK";
    harness_send(invite);
    (void)snprintf(to, sizeof(to), "<sip:bob@example.com>;tag=%s", answer_to_tag());
    ack.to = "<sip:bob@example.com>;tag=0000000000000000";
    harness_send(ack);
    harness_advance_ms(TIMER_G_MS);
    cr_assert_eq(repeated(NULL), 1, "not the tag of the answer");
    ack.to = to;
    harness_send(ack);
    harness_advance_ms(TIMER_T2_MS);
    cr_assert_eq(repeated(NULL), 0);
}

// ---- 8.2.2.3, 8.2.3

Test(requirements, every_row_of_content_encoding_counts)
{
    harness_text("OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP h;branch=z9hG4bKe\n"
                 "To: <sip:example.com>\nFrom: <sip:a@h>;tag=1\nCall-ID: e\nCSeq: 1 OPTIONS\n"
                 "Content-Type: application/sdp\nContent-Encoding: identity\n"
                 "Content-Encoding: gzip\n\nbody");
    cr_assert_eq(answer_status(), 415);
}

Test(requirements, extensions_are_refused_before_a_dialog_is_looked_for)
{
    harness_send(
        (struct sip){.method = "BYE", .uri = "sip:example.com", .extra = "Require: 100rel\n"});
    cr_assert_eq(answer_status(), 420);
    cr_assert_str_eq(answer_header("Unsupported"), "100rel");
}

Test(requirements, require_without_an_option_tag_is_malformed)
{
    harness_send(
        (struct sip){.method = "OPTIONS", .uri = "sip:example.com", .extra = "Require: \n"});
    cr_assert_str_eq(answer_line(), "400 Malformed Require");
}
