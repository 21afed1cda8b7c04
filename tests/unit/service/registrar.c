// SPDX-License-Identifier: Apache-2.0
// REGISTER, step by step of RFC 3261 10.3.
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/service/harness.h"

TestSuite(registrar, .init = harness_start, .fini = harness_stop);

Test(registrar, registration_is_answered_whole)
{
    harness.uas.config.server = SLICE("Signpost/test");
    harness_text("REGISTER sip:registrar.example.com SIP/2.0\n"
                 "Via: SIP/2.0/UDP bobspc.example.com:5060;branch=z9hG4bKnashds7\n"
                 "Max-Forwards: 70\n"
                 "To: Bob <sip:bob@example.com>\n"
                 "From: Bob <sip:bob@example.com>;tag=456248\n"
                 "Call-ID: 843817637684230@998sdasdh09\n"
                 "CSeq: 1826 REGISTER\n"
                 "Contact: <sip:bob@192.0.2.4>\n"
                 "Expires: 1800\n"
                 "Content-Length: 0\n"
                 "\n");
    expect_answer("SIP/2.0 200 OK\n"
                  "Via: SIP/2.0/UDP bobspc.example.com:5060;branch=z9hG4bKnashds7"
                  ";received=192.0.2.4\n"
                  "From: Bob <sip:bob@example.com>;tag=456248\n"
                  "To: Bob <sip:bob@example.com>;tag={tag}\n"
                  "Call-ID: 843817637684230@998sdasdh09\n"
                  "CSeq: 1826 REGISTER\n"
                  "Server: Signpost/test\n"
                  "Contact: <sip:bob@192.0.2.4>;expires=1800\n"
                  "Date: Sat, 13 Nov 2010 23:29:00 GMT\n"
                  "Content-Length: 0\n"
                  "\n");
    cr_assert_str_eq(answer_target(), "192.0.2.4:5060");
}

// ---- Step 1

Test(registrar, another_domain_is_not_registered_here)
{
    harness_serve("example.com");
    harness_send((struct sip){.uri = "sip:example.org", .extra = "Contact: <sip:b@192.0.2.4>\n"});
    cr_assert_str_eq(answer_line(), "404 Domain Not Served Here");
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

Test(registrar, the_domain_may_be_named_in_any_case_or_by_the_servers_address)
{
    harness_serve("example.com");
    harness_send((struct sip){.uri = "sip:EXAMPLE.com"});
    cr_assert_eq(answer_status(), 200);
    harness_send((struct sip){.uri = "sip:192.0.2.1:5060"});
    cr_assert_eq(answer_status(), 200);
    harness_send((struct sip){.uri = "sip:192.0.2.2"});
    cr_assert_eq(answer_status(), 404);
}

// ---- Step 2

Test(registrar, required_extensions_are_listed_as_unsupported)
{
    harness_register("Require: gruu, outbound\nRequire: path\nContact: <sip:b@192.0.2.4>\n");
    cr_assert_str_eq(answer_line(), "420 Bad Extension");
    cr_assert_str_eq(answer_row("Unsupported", 0), "gruu, outbound");
    cr_assert_str_eq(answer_row("Unsupported", 1), "path");
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

// ---- Step 4

Test(registrar, peers_that_are_not_admitted_are_forbidden)
{
    harness_peer("203.0.113.9", 5060);
    harness_register("Contact: <sip:b@203.0.113.9>\n");
    cr_assert_str_eq(answer_line(), "403 Registration Not Allowed From Here");
    cr_assert_eq(count_of(METRIC_REGISTER_NOT_ADMITTED), 1);
    harness_peer("2001:db8::7", 5060);
    harness_register("Contact: <sip:b@[2001:db8::7]>\n");
    cr_assert_eq(answer_status(), 200);
    cr_assert_eq(location_size(harness.uas.location).bindings, 1);
}

// ---- Step 5

Test(registrar, an_address_of_record_of_another_domain_is_not_found)
{
    harness_serve("example.com");
    harness_send((struct sip){.to = "<sip:bob@example.org>", .extra = "Contact: <sip:b@h>\n"});
    cr_assert_str_eq(answer_line(), "404 No Such Address of Record Here");
    harness_send((struct sip){.to = "<tel:+4930123>", .extra = "Contact: <sip:b@h>\n"});
    cr_assert_str_eq(answer_line(), "400 To Is No SIP or SIPS URI");
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

Test(registrar, a_malformed_address_of_record_is_refused)
{
    harness_send((struct sip){.to = "<sip:bob@exa mple.com>", .extra = "Contact: <sip:b@h>\n"});
    cr_assert_str_eq(answer_line(), "400 Malformed To");
}

Test(registrar, an_address_of_record_beyond_the_limit_is_too_long)
{
    static char to[2 * AOR_BYTES_MAX];
    (void)snprintf(to, sizeof(to), "<sip:%0*d@example.com>", AOR_BYTES_MAX - 12, 0);
    harness_send((struct sip){.to = to, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_eq(answer_status(), 200);
    (void)snprintf(to, sizeof(to), "<sip:%0*d@example.com>", AOR_BYTES_MAX - 11, 0);
    harness_send((struct sip){.to = to, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_str_eq(answer_line(), "400 Address of Record Too Long");
}

Test(registrar, folded_parameters_are_told_again_in_one_line)
{
    harness_register("Contact: <sip:b@h>;x=\"a\n Evil: 1 \n \n\tb\";y=1\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600;x=\"a Evil: 1 b\";y=1");
}

Test(registrar, an_expiry_without_a_value_counts_as_an_hour)
{
    harness_register("Contact: <sip:b@h>;expires=\nExpires: 120\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
}

Test(registrar, forms_of_one_address_of_record_share_their_bindings)
{
    harness_send((struct sip){.to = "<sip:bob@example.com>", .extra = "Contact: <sip:b@h1>\n"});
    harness_send((struct sip){.to = "\"B\" <sips:%62ob@EXAMPLE.com:5061;x=1>;y=2",
                              .extra = "Contact: <sip:b@h2>\n"});
    cr_assert_str_eq(answer_contacts(), "<sip:b@h2>;expires=3600 | <sip:b@h1>;expires=3600");
    harness_send((struct sip){.to = "<sip:Bob@example.com>"});
    cr_assert_str_eq(answer_contacts(), "");
}

// ---- Step 6: what is asked for

Test(registrar, a_fetch_lists_the_bindings_with_the_time_left)
{
    harness_register("Contact: <sip:b@h1>;q=0.5;expires=100\n");
    harness_register("Contact: <sip:b@h2>;expires=200\n");
    harness_advance_ms(1001);
    harness_register("");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h2>;expires=199 | <sip:b@h1>;q=0.5;expires=99");
    harness_send((struct sip){.to = "<sip:alice@example.com>"});
    cr_assert_eq(answer_status(), 200);
    cr_assert_str_eq(answer_contacts(), "");
}

Test(registrar, a_fetch_is_not_too_brief)
{
    harness_register("Expires: 1\n");
    cr_assert_eq(answer_status(), 200);
}

Test(registrar, expiry_of_the_contact_goes_before_the_header_field_and_that_before_the_default)
{
    harness_register("Contact: <sip:b@h1>;expires=100, <sip:b@h2>\nExpires: 200\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h2>;expires=200 | <sip:b@h1>;expires=100");
    harness.uas.config.expires_default_s = 300;
    harness_register("Contact: <sip:b@h1>;expires=101, <sip:b@h2>\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h2>;expires=300 | <sip:b@h1>;expires=101");
}

Test(registrar, a_malformed_expiry_counts_as_an_hour)
{
    harness.uas.config.expires_default_s = 300;
    harness_register("Contact: <sip:b@h>;expires=soon\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    harness_register("Contact: <sip:b@h>;expires\nExpires: 200\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    harness_register("Contact: <sip:b@h>;expires=\"60\"\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    harness_register("Contact: <sip:b@h>\nExpires: -1\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    harness_register("Contact: <sip:b@h>\nExpires: Sat, 13 Nov 2010 23:29:00 GMT\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
}

Test(registrar, too_long_an_expiry_is_cut_to_the_maximum)
{
    harness_register("Contact: <sip:b@h>;expires=7201\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=7200");
    harness_register("Contact: <sip:b@h>\nExpires: 4294967295\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=7200");
    harness_register("Contact: <sip:b@h>;expires=99999999999999999999999\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600", "no number of the grammar's");
}

Test(registrar, too_brief_an_expiry_is_refused_with_the_minimum)
{
    harness_register("Contact: <sip:b@h1>;expires=60\n");
    cr_assert_eq(answer_status(), 200);
    harness_register("Contact: <sip:b@h2>, <sip:b@h1>;expires=59\n");
    cr_assert_str_eq(answer_line(), "423 Interval Too Brief");
    cr_assert_str_eq(answer_header("Min-Expires"), "60");
    cr_assert_str_eq(answer_contacts(), "");
    harness_register("Contact: <sip:b@h1>\nExpires: 1\n");
    cr_assert_str_eq(answer_header("Min-Expires"), "60");
    cr_assert_eq(count_of(METRIC_REGISTER_TOO_BRIEF), 2);
    harness_register("");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h1>;expires=60"); // all or nothing
}

Test(registrar, an_hour_is_never_too_brief)
{
    harness.uas.config.expires_min_s = 7000;
    harness_register("Contact: <sip:b@h>;expires=3599\n");
    cr_assert_eq(answer_status(), 423);
    harness_register("Contact: <sip:b@h>;expires=3600\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    harness_register("Contact: <sip:b@h>;expires=nonsense\n");
    cr_assert_eq(answer_status(), 200);
}

Test(registrar, an_expiry_of_zero_removes_and_is_never_too_brief)
{
    harness_register("Contact: <sip:b@h1>, <sip:b@h2>, <sip:b@h3>\n");
    harness_register("Contact: <sip:b@h2>;expires=0\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h3>;expires=3600 | <sip:b@h1>;expires=3600");
    harness_register("Contact: <sip:b@h1>, <sip:b@h3>;expires=90\nExpires: 0\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h3>;expires=90");
    harness_register("Contact: <sip:b@never>;expires=0\n");
    cr_assert_eq(answer_status(), 200);
    cr_assert_eq(count_of(METRIC_BINDINGS_REMOVED), 2);
}

Test(registrar, a_binding_ends_on_its_second)
{
    harness_register("Contact: <sip:b@h>;expires=60\n");
    harness_advance_ms(59999);
    harness_register("");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=1");
    harness_advance_ms(1);
    harness_register("");
    cr_assert_str_eq(answer_contacts(), "");
}

Test(registrar, contacts_come_in_rows_and_lists_folded_and_compact)
{
    harness_register("Contact: \"A, B\" <sip:b@h1>;q=0.1 ,\n\t<sip:b@h2> ; q=0.2\n"
                     "m: sip:b@h3;q=0.3\n"
                     "CONTACT : sip:b@h4 ; q=0.4 , Bob <sip:b@h5;lr?s=1>;q=0.05\n");
    cr_assert_str_eq(answer_contacts(),
                     "<sip:b@h4>;q=0.4;expires=3600 | <sip:b@h3>;q=0.3;expires=3600 | "
                     "<sip:b@h2>;q=0.2;expires=3600 | <sip:b@h1>;q=0.1;expires=3600 | "
                     "<sip:b@h5;lr?s=1>;q=0.05;expires=3600");
}

Test(registrar, q_is_written_in_its_shortest_form)
{
    harness_register("Contact: <sip:b@h1>;q=1.000, <sip:b@h2>;q=0.999, <sip:b@h3>;q=0.500, "
                     "<sip:b@h4>;q=0.010, <sip:b@h5>;q=0.001, <sip:b@h6>;q=0, <sip:b@h7>\n");
    cr_assert_str_eq(answer_contacts(),
                     "<sip:b@h7>;expires=3600 | <sip:b@h1>;q=1;expires=3600 | "
                     "<sip:b@h2>;q=0.999;expires=3600 | <sip:b@h3>;q=0.5;expires=3600 | "
                     "<sip:b@h4>;q=0.01;expires=3600 | <sip:b@h5>;q=0.001;expires=3600 | "
                     "<sip:b@h6>;q=0;expires=3600");
}

Test(registrar, the_phones_own_parameters_are_kept_and_told)
{
    harness_register("Contact: <sip:b@h;transport=udp> ; +sip.instance=\"<urn:uuid:1>\" ;Q=0.7; "
                     "reg-id = 1 ;EXPIRES=90;audio\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h;transport=udp>;q=0.7;expires=90"
                                        ";+sip.instance=\"<urn:uuid:1>\";reg-id=1;audio");
}

Test(registrar, of_two_equal_contacts_in_one_request_the_later_counts)
{
    harness_register("Contact: <sip:b@h>;expires=100;q=0.1, <sip:%62@H>;expires=200;q=0.2\n");
    cr_assert_str_eq(answer_contacts(), "<sip:%62@H>;q=0.2;expires=200");
    harness_register("Contact: <sip:b@h>;expires=100, <sip:b@h>;expires=0\n");
    cr_assert_str_eq(answer_contacts(), "");
}

Test(registrar, malformed_contacts_are_refused_and_change_nothing)
{
    static const struct {
        const char *rows;
        const char *line;
    } cases[] = {
        {"Contact: <sip:b@h2>, <sip:b@>\n", "400 Malformed Contact URI"},
        {"Contact: <sip:b@h2>,\n", "400 Malformed Contact"},
        {"Contact: ,<sip:b@h2>\n", "400 Malformed Contact"},
        {"Contact:\n", "400 Malformed Contact"},
        {"Contact: <sip:b@h2>\nContact: <sip:b@h3\n", "400 Malformed Contact"},
        {"Contact: <sip:b@h2>;q=1.5\n", "400 Malformed Contact"},
        {"Contact: <sip:b@h2>;q=high\n", "400 Malformed Contact"},
        {"Contact: <sip:b@h2> <sip:b@h3>\n", "400 Malformed Contact"},
        {"Contact: <bob>\n", "400 Malformed Contact URI"},
    };

    harness_register("Contact: <sip:b@h1>\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        harness_register(cases[i].rows);
        cr_assert_str_eq(answer_line(), cases[i].line, "%s", cases[i].rows);
        harness_register("");
        cr_assert_str_eq(answer_contacts(), "<sip:b@h1>;expires=3600", "%s", cases[i].rows);
    }
}

Test(registrar, too_many_contacts_are_refused_and_change_nothing)
{
    harness_register(
        "Contact: <sip:b@h1>, <sip:b@h2>, <sip:b@h3>, <sip:b@h4>, <sip:b@h5>, <sip:b@h6>, "
        "<sip:b@h7>, <sip:b@h8>, <sip:b@h9>\n");
    cr_assert_eq(answer_status(), 200);
    harness_register("Contact: <sip:b@h10>, <sip:b@h11>\n");
    cr_assert_str_eq(answer_line(), "403 Too Many Contacts");
    cr_assert_eq(count_of(METRIC_REGISTER_TOO_MANY), 1);
    cr_assert_eq(location_size(harness.uas.location).bindings, 9);
    harness_register("Contact: <sip:b@h10>\n");
    cr_assert_eq(answer_status(), 200);
}

Test(registrar, more_contacts_in_one_request_than_any_table_takes_are_refused)
{
    static char rows[CONTACTS_PER_AOR_MAX * 32 + 64];
    size_t used = 0;
    for (unsigned i = 0; i <= CONTACTS_PER_AOR_MAX; i++) {
        used += (size_t)snprintf(rows + used, sizeof(rows) - used, "m: <sip:b@h%u>;expires=0\n", i);
    }
    harness_register(rows);
    cr_assert_str_eq(answer_line(), "403 Too Many Contacts");
    *strrchr(rows, 'm') = '\0';
    harness_register(rows);
    cr_assert_eq(answer_status(), 200);
}

Test(registrar, a_contact_or_call_id_beyond_its_limit_is_refused)
{
    static char text[CONTACT_BYTES_MAX + 64];
    (void)snprintf(text, sizeof(text), "Contact: <sip:b@h>;p=%0*d\n", CONTACT_BYTES_MAX - 10, 0);
    harness_register(text);
    cr_assert_eq(answer_status(), 200);
    (void)snprintf(text, sizeof(text), "Contact: <sip:b@h>;p=%0*d\n", CONTACT_BYTES_MAX - 9, 0);
    harness_register(text);
    cr_assert_str_eq(answer_line(), "400 Contact Too Long");
    (void)snprintf(text, sizeof(text), "%0*d", CALL_ID_BYTES_MAX, 0);
    harness_send((struct sip){.call_id = text, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_eq(answer_status(), 200);
    (void)snprintf(text, sizeof(text), "%0*d", CALL_ID_BYTES_MAX + 1, 0);
    harness_send((struct sip){.call_id = text, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_str_eq(answer_line(), "400 Call-ID Too Long");
}

// ---- "*"

Test(registrar, a_star_with_expiry_zero_removes_all)
{
    harness_register("Contact: <sip:b@h1>, <sip:b@h2>\n");
    harness_register("Contact: *\nExpires: 0\n");
    cr_assert_eq(answer_status(), 200);
    cr_assert_str_eq(answer_contacts(), "");
    cr_assert_eq(location_size(harness.uas.location).aors, 0);
    cr_assert_eq(count_of(METRIC_BINDINGS_REMOVED), 2);
}

Test(registrar, a_star_stands_alone_and_with_expiry_zero_only)
{
    static const struct {
        const char *rows;
        const char *line;
    } cases[] = {
        {"Contact: *\n", "400 Contact * Without Expires 0"},
        {"Contact: *\nExpires: 1\n", "400 Contact * Without Expires 0"},
        {"Contact: *\nExpires: zero\n", "400 Contact * Without Expires 0"},
        {"Contact: *\nContact: <sip:b@h1>\nExpires: 0\n", "400 Contact * With Other Contacts"},
        {"Contact: <sip:b@h1>\nContact: *\nExpires: 0\n", "400 Contact * With Other Contacts"},
        {"Contact: *\nContact: *\nExpires: 0\n", "400 Contact * With Other Contacts"},
        {"Contact: <sip:b@h1>, *\nExpires: 0\n", "400 Malformed Contact URI"},
        {"Contact: *, <sip:b@h1>\nExpires: 0\n", "400 Malformed Contact URI"},
        {"Contact: *;expires=0\nExpires: 0\n", "400 Malformed Contact URI"},
    };

    harness_register("Contact: <sip:b@h1>\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        harness_register(cases[i].rows);
        cr_assert_str_eq(answer_line(), cases[i].line, "%s", cases[i].rows);
    }
    harness_register("");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h1>;expires=3600");
}

// ---- Step 7: order

Test(registrar, requests_out_of_order_are_refused)
{
    harness_send((struct sip){.cseq = 10, .extra = "Contact: <sip:b@h>;expires=100\n"});
    harness_send((struct sip){.cseq = 9, .extra = "Contact: <sip:b@h>;expires=200\n"});
    cr_assert_str_eq(answer_line(), "400 CSeq Out of Order");
    harness_send((struct sip){.cseq = 9, .extra = "Contact: *\nExpires: 0\n"});
    cr_assert_str_eq(answer_line(), "400 CSeq Out of Order");
    cr_assert_eq(count_of(METRIC_REGISTER_OUT_OF_ORDER), 2);
    harness_send((struct sip){.cseq = 9});
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=100");
    harness_send(
        (struct sip){.cseq = 1, .call_id = "another", .extra = "Contact: <sip:b@h>;expires=300\n"});
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=300");
}

Test(registrar, a_retransmission_gets_the_same_answer_and_changes_nothing)
{
    const struct sip sip = {.cseq = 10, .extra = "Contact: <sip:b@h>;expires=100\n"};
    static char first[ANSWER_BYTES_MAX + 1];
    harness_send(sip);
    memcpy(first, harness.answer, harness.answer_len + 1);
    harness_send(sip);
    cr_assert_str_eq(harness.answer, first);
    cr_assert_eq(count_of(METRIC_REGISTER_REPEATED), 1);
    cr_assert_eq(count_of(METRIC_BINDINGS_ADDED), 1);
    cr_assert_eq(count_of(METRIC_BINDINGS_REFRESHED), 0);
    harness_advance_ms(10000);
    harness_send(sip);
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=90");
}

Test(registrar, the_same_cseq_in_another_transaction_is_no_retransmission)
{
    harness_send((struct sip){.cseq = 10, .extra = "Contact: <sip:b@h>;expires=100\n"});
    harness_send((struct sip){.cseq = 10,
                              .via = "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKother",
                              .extra = "Contact: <sip:b@h>;expires=200\n"});
    cr_assert_str_eq(answer_line(), "400 CSeq Out of Order");
}

// The phone of RFC 5626 4.4.2 and many an older one learns its address in the first answer.
Test(registrar, a_phone_replaces_its_contact_by_the_one_that_nat_shows)
{
    harness_register("Contact: <sip:b@10.0.0.1:5060>\n");
    harness_register("Contact: <sip:b@10.0.0.1:5060>;expires=0, <sip:b@192.0.2.4:5070>\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@192.0.2.4:5070>;expires=3600");
}

Test(registrar, two_contacts_that_both_equal_one_binding_are_two_bindings)
{
    harness_register("Contact: <sip:b@h>\n");
    harness_register(
        "Contact: <sip:b@h;x=1>;longer-than=before, <sip:b@h;x=2>;longer-than=before\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h;x=2>;expires=3600;longer-than=before | "
                                        "<sip:b@h;x=1>;expires=3600;longer-than=before");
    harness_register("Contact: <sip:b@h;x=1>;expires=0, <sip:b@h;x=2>;expires=0\n");
    cr_assert_str_eq(answer_contacts(), "");
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

Test(registrar, what_it_does_is_counted)
{
    harness_register("Contact: <sip:b@h1>, <sip:b@h2>;expires=60\n");
    harness_register("Contact: <sip:b@h1>\n");
    harness_advance_ms(60000);
    harness_register("Contact: <sip:b@h1>;expires=0\n");
    cr_assert_eq(count_of(METRIC_BINDINGS_ADDED), 2);
    cr_assert_eq(count_of(METRIC_BINDINGS_REFRESHED), 1);
    cr_assert_eq(count_of(METRIC_BINDINGS_EXPIRED), 1);
    cr_assert_eq(count_of(METRIC_BINDINGS_REMOVED), 1);
    cr_assert_eq(count_of(METRIC_REQUESTS + METHOD_REGISTER), 3);
    cr_assert_eq(count_of(METRIC_RESPONSES + STATUS_OK), 3);
}
