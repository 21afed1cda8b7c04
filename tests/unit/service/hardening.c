// SPDX-License-Identifier: Apache-2.0
// What a client that means harm may try, and what becomes of it.

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/service/harness.h"

TestSuite(hardening, .init = harness_start, .fini = harness_stop);

// A second REGISTER with the first one's Call-ID, From, Via, Request-URI and CSeq.
static void register_again(const char *rows)
{
    harness_send((struct sip){.method = "REGISTER", .cseq = harness.cseq, .extra = rows});
}

Test(hardening, retransmission_with_other_contacts_is_none)
{
    harness_register("Contact: <sip:b@h1>;expires=600\n");
    register_again("Contact: <sip:b@h1>;expires=0\n");
    cr_assert_str_eq(answer_line(), "400 CSeq Out of Order", "removal under a used CSeq");
    register_again("Contact: <sip:B@h1;x=1>;expires=600, <sip:b@h1;x=1>;expires=600\n");
    cr_assert_str_eq(answer_line(), "400 CSeq Out of Order", "equal, but not the same bytes");
    register_again("Contact: <sip:b@h1>;expires=600\n");
    cr_assert_eq(answer_status(), 200);
    cr_assert_eq(location_size(harness.uas.location).bindings, 1);
}

// Each round claims to repeat the bindings there are, removing them, and adds as many as allowed.
Test(hardening, repetition_does_not_lift_the_limit_of_contacts)
{
    static char rows[8192];
    harness_register("Contact: <sip:b@first>\n");
    for (unsigned round = 0; round < 4; round++) {
        size_t used = (size_t)snprintf(rows, sizeof(rows), "Contact: <sip:b@first>;expires=0");
        for (unsigned i = 0; i < 10; i++) {
            used +=
                (size_t)snprintf(rows + used, sizeof(rows) - used, ", <sip:b@r%u-%u>", round, i);
        }
        (void)snprintf(rows + used, sizeof(rows) - used, "\n");
        register_again(rows);
        cr_assert_leq(location_size(harness.uas.location).bindings, 10);
    }
}

Test(hardening, uri_with_more_parts_than_the_limit_is_refused)
{
    char contact[1024];
    for (unsigned parts = URI_PARTS_MAX; parts <= URI_PARTS_MAX + 1; parts++) {
        size_t used = (size_t)snprintf(contact, sizeof(contact), "Contact: <sip:b@h");
        for (unsigned i = 0; i < parts; i++) {
            used += (size_t)snprintf(contact + used, sizeof(contact) - used, ";p%u", i);
        }
        (void)snprintf(contact + used, sizeof(contact) - used, ">\n");
        harness_register(contact);
        cr_assert_eq(answer_status(), parts > URI_PARTS_MAX ? 400 : 200);
    }
}

Test(hardening, more_contacts_in_one_request_than_the_limit_are_refused)
{
    harness.uas.config.register_contacts_max = 2;
    harness_register("Contact: <sip:b@h1>, <sip:b@h2>, <sip:b@h3>;expires=0\n");
    cr_assert_str_eq(answer_line(), "403 Too Many Contacts");
    harness_register("Contact: <sip:b@h1>, <sip:b@h2>, <sip:b@h1>\n");
    cr_assert_eq(answer_status(), 200, "one of them twice");
}

Test(hardening, full_table_takes_no_new_bindings_but_refreshes_and_removes)
{
    const struct location_config table = {.shards = 4, .contacts_max = 10, .bindings_max = 2};
    location_destroy(harness.uas.location);
    harness.uas.location = location_create(&table);
    harness_register("Contact: <sip:b@h1>, <sip:b@h2>\n");
    cr_assert_eq(answer_status(), 200);
    harness_register("Contact: <sip:b@h3>\n");
    cr_assert_str_eq(answer_line(), "503 No Room for Bindings");
    cr_assert_eq(count_of(METRIC_REGISTER_FULL), 1);
    harness_register("Contact: <sip:b@h1>;expires=60\n");
    cr_assert_eq(answer_status(), 200, "a refresh");
    harness_register("Contact: <sip:b@h1>;expires=0, <sip:b@h3>\n");
    cr_assert_eq(answer_status(), 200, "one for another");
    harness_register("Contact: *\nExpires: 0\n");
    cr_assert_eq(answer_status(), 200);
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

Test(hardening, redirect_stays_within_its_bytes_and_names_the_best)
{
    char rows[4096];
    (void)snprintf(rows, sizeof(rows),
                   "Contact: <sip:b@h1;t=%0*d>;q=0.1, <sip:b@h2;t=%0*d>;q=0.9, <sip:b@h3>;q=0.5\n",
                   300, 0, 300, 0);
    harness_register(rows);
    harness.uas.config.redirect_bytes_max = 700;
    harness_send((struct sip){.method = "INVITE"});
    cr_assert_eq(answer_status(), 302);
    cr_assert_leq(harness.answer_len, 700);
    cr_assert(strncmp(answer_row("Contact", 0), "<sip:b@h2;", 10) == 0);
    cr_assert(strncmp(answer_row("Contact", 1), "<sip:b@h3>", 10) == 0);
    cr_assert_str_eq(answer_row("Contact", 2), "-");
    cr_assert_eq(count_of(METRIC_REDIRECT_CUT), 1);
    harness.uas.config.redirect_bytes_max = 512;
    harness_send((struct sip){.method = "INVITE"});
    cr_assert_str_eq(answer_row("Contact", 1), "-", "the best, however long, and no other");
    cr_assert(strncmp(answer_row("Contact", 0), "<sip:b@h2;", 10) == 0);
}

Test(hardening, callee_named_by_sips_in_to_is_not_given_less)
{
    harness_register("Contact: <sip:b@plain>\n");
    harness_send(
        (struct sip){.method = "INVITE", .uri = "sip:example.com", .to = "<sips:bob@example.com>"});
    cr_assert_eq(answer_status(), 480);
}

Test(hardening, maddr_leads_to_no_group_and_not_to_our_own_loopback)
{
    static const char *const maddrs[] = {"127.0.0.9", "0.0.0.0", "239.255.255.1",
                                         "255.255.255.255"};
    for (size_t i = 0; i < sizeof(maddrs) / sizeof(maddrs[0]); i++) {
        char via[128];
        (void)snprintf(via, sizeof(via), "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1;maddr=%s",
                       maddrs[i]);
        harness_send((struct sip){.method = "OPTIONS", .via = via});
        cr_assert_str_eq(answer_target(), "192.0.2.4:5070", "%s", maddrs[i]);
    }
    harness_peer("127.0.0.1", 5070);
    harness_send((struct sip){.method = "OPTIONS", .via = "SIP/2.0/UDP h;maddr=127.0.0.9"});
    cr_assert_str_eq(answer_target(), "127.0.0.9:5060");
}

Test(hardening, second_via_does_not_take_the_place_of_a_faulty_first)
{
    harness_text("OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.4:1111\r;x\n"
                 "Via: SIP/2.0/UDP 192.0.2.5:2222\nTo: <sip:b@h>\nFrom: <sip:a@h>;tag=1\n"
                 "Call-ID: c\nCSeq: 1 OPTIONS\n\n");
    cr_assert_eq(answer_status(), 0);
    cr_assert_eq(count_of(METRIC_DROPPED_NO_VIA), 1);
}

Test(hardening, register_too_long_for_its_answer_changes_nothing)
{
    static char rows[REGISTER_BYTES_MAX + 64];
    (void)snprintf(rows, sizeof(rows), "X: %0*d\nContact: <sip:b@h>\n", REGISTER_BYTES_MAX, 0);
    harness_register(rows);
    cr_assert_str_eq(answer_line(), "513 Message Too Large");
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

Test(hardening, domain_that_is_an_address_is_known_in_any_spelling)
{
    harness_serve("[2001:db8::1]");
    harness_send((struct sip){.method = "OPTIONS", .uri = "sip:[2001:DB8:0::1]"});
    cr_assert_eq(answer_status(), 200);
    harness_send((struct sip){.method = "OPTIONS", .uri = "sip:[2001:DB8:0::2]"});
    cr_assert_eq(answer_status(), 404);
}

// Timer G would multiply what maddr aims at somebody else.
Test(hardening, answer_that_maddr_leads_elsewhere_is_sent_once)
{
    static char memory[ANSWER_BYTES_MAX];
    struct transaction_path path;
    harness_stateful(1 << 20);
    for (unsigned own = 0; own < 2; own++) {
        unsigned shard = 0;
        struct buf b = buf_over(memory, sizeof(memory));
        harness_send((struct sip){.method = "INVITE",
                                  .via = own == 1
                                             ? "SIP/2.0/UDP h;branch=z9hG4bKa"
                                             : "SIP/2.0/UDP h;branch=z9hG4bKb;maddr=192.0.2.99"});
        harness_advance_ms(600);
        cr_assert_eq(
            transactions_next_due(harness.uas.transactions, &shard, harness.now, &b, &path),
            own == 1);
    }
}
