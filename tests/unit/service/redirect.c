// SPDX-License-Identifier: Apache-2.0
// Requests for somebody: RFC 3261 8.3.
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/service/harness.h"

TestSuite(redirect, .init = harness_start, .fini = harness_stop);

static void invite(const char *uri)
{
    harness_send((struct sip){.method = "INVITE", .uri = uri});
}

Test(redirect, a_call_for_a_registered_address_is_answered_whole)
{
    harness_register("Contact: \"Bob\" <sip:bob@192.0.2.4:5070;ob>;+sip.instance=\"<urn:x>\"\n");
    harness_advance_ms(100500);
    harness_peer("198.51.100.7", 40000);
    harness_text("INVITE sip:bob@example.com SIP/2.0\n"
                 "Via: SIP/2.0/UDP pc33.example.com;rport;branch=z9hG4bK776asdhds\n"
                 "Max-Forwards: 70\n"
                 "To: Bob <sip:bob@example.com>\n"
                 "From: Alice <sip:alice@example.com>;tag=1928301774\n"
                 "Call-ID: a84b4c76e66710@pc33.example.com\n"
                 "CSeq: 314159 INVITE\n"
                 "Contact: <sip:alice@pc33.example.com>\n"
                 "Content-Type: application/sdp\n"
                 "Content-Length: 4\n"
                 "\n"
                 "v=0\n");
    expect_answer("SIP/2.0 302 Moved Temporarily\n"
                  "Via: SIP/2.0/UDP pc33.example.com;branch=z9hG4bK776asdhds"
                  ";received=198.51.100.7;rport=40000\n"
                  "From: Alice <sip:alice@example.com>;tag=1928301774\n"
                  "To: Bob <sip:bob@example.com>;tag={tag}\n"
                  "Call-ID: a84b4c76e66710@pc33.example.com\n"
                  "CSeq: 314159 INVITE\n"
                  "Contact: <sip:bob@192.0.2.4:5070;ob>;expires=3500\n"
                  "Content-Length: 0\n"
                  "\n");
    cr_assert_str_eq(answer_target(), "198.51.100.7:40000");
}

Test(redirect, all_contacts_come_best_q_first)
{
    harness_register("Contact: <sip:b@h1>;q=0.3, <sip:b@h2>;q=0.9, <sip:b@h3>, <sip:b@h4>;q=0.9, "
                     "<sip:b@h5>;q=0, <mailto:b@h6>;q=0.31\n");
    invite(NULL);
    cr_assert_eq(answer_status(), 302);
    cr_assert_str_eq(answer_contacts(),
                     "<sip:b@h3>;expires=3600 | <sip:b@h4>;q=0.9;expires=3600 | "
                     "<sip:b@h2>;q=0.9;expires=3600 | <mailto:b@h6>;q=0.31;expires=3600 | "
                     "<sip:b@h1>;q=0.3;expires=3600 | <sip:b@h5>;q=0;expires=3600");
}

Test(redirect, an_unknown_address_is_not_found)
{
    invite("sip:nobody@example.com");
    cr_assert_str_eq(answer_line(), "404 Not Found");
    cr_assert_str_eq(answer_contacts(), "");
}

Test(redirect, a_binding_that_has_ended_is_not_found)
{
    harness_register("Contact: <sip:b@h>;expires=60\n");
    harness_advance_ms(60000 - 1);
    invite(NULL);
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=1");
    harness_advance_ms(1);
    invite(NULL);
    cr_assert_eq(answer_status(), 404);
}

Test(redirect, the_address_is_found_in_any_form)
{
    static const char *const forms[] = {"sip:bob@EXAMPLE.COM", "sip:%62ob@example.com:5060",
                                        "sip:bob:secret@example.com;transport=udp",
                                        "SIP:bob@example.com."};
    harness_register("Contact: <sip:b@h>\n");
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        invite(forms[i]);
        cr_assert_eq(answer_status(), 302, "%s", forms[i]);
    }
    invite("sip:Bob@example.com");
    cr_assert_eq(answer_status(), 404);
    invite("sip:bob@example.org");
    cr_assert_eq(answer_status(), 404);
}

Test(redirect, other_domains_are_not_served_if_some_are_configured)
{
    harness_send((struct sip){.to = "<sip:bob@example.org>", .extra = "Contact: <sip:b@h>\n"});
    cr_assert_eq(answer_status(), 200);
    invite("sip:bob@example.org");
    cr_assert_eq(answer_status(), 302);
    harness_serve("example.com");
    invite("sip:bob@example.org");
    cr_assert_str_eq(answer_line(), "404 Domain Not Served Here");
    invite("sip:example.org");
    cr_assert_str_eq(answer_line(), "404 Domain Not Served Here");
}

Test(redirect, a_served_domain_may_be_written_with_its_final_dot)
{
    harness_serve("example.com");
    harness_register("Contact: <sip:b@h>\n");
    invite("sip:bob@example.com.");
    cr_assert_eq(answer_status(), 302);
}

Test(redirect, an_invite_that_names_only_the_server_is_for_the_callee_in_to)
{
    static const char *const forms[] = {"sip:example.com", "sip:192.0.2.1", "sip:192.0.2.1:5060",
                                        "sip:example.com;transport=udp"};
    harness_register("Contact: <sip:b@h>\n");
    for (unsigned domains = 0; domains < 2; domains++) {
        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
            invite(forms[i]);
            cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600", "%s", forms[i]);
        }
        harness_serve("example.com");
    }
    invite("sip:192.0.2.2");
    cr_assert_eq(answer_status(), 404);
    harness_send((struct sip){
        .method = "INVITE", .uri = "sip:example.com", .to = "<sip:nobody@example.com>"});
    cr_assert_eq(answer_status(), 404);
    harness_send(
        (struct sip){.method = "INVITE", .uri = "sip:example.com", .to = "<sip:example.com>"});
    cr_assert_eq(answer_status(), 404);
    harness_send((struct sip){.method = "INVITE", .uri = "sip:example.com", .to = "<tel:+49301>"});
    cr_assert_eq(answer_status(), 404);
    harness_send((struct sip){.method = "INVITE", .uri = "sip:example.com", .to = "<sip:b@>"});
    cr_assert_str_eq(answer_line(), "400 Malformed To");
}

Test(redirect, any_method_is_redirected_and_required_extensions_are_ignored)
{
    static const char *const methods[] = {"INVITE",  "OPTIONS", "MESSAGE",   "SUBSCRIBE",
                                          "PUBLISH", "REFER",   "INFO",      "NOTIFY",
                                          "UPDATE",  "BYE",     "FROBNICATE"};
    harness_register("Contact: <sip:b@h>\n");
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        harness_send((struct sip){.method = methods[i], .extra = "Require: 100rel, x\n"});
        cr_assert_eq(answer_status(), 302, "%s", methods[i]);
    }
}

Test(redirect, the_request_uri_itself_is_never_a_contact)
{
    harness_register("Contact: <sip:bob@example.com>, <sip:b@h>\n");
    invite(NULL);
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    invite("sip:%62ob@EXAMPLE.com;x=1"); // equal by 19.1.4
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    invite("sip:bob@example.com:5060"); // not equal
    cr_assert_str_eq(answer_contacts(),
                     "<sip:b@h>;expires=3600 | <sip:bob@example.com>;expires=3600");
}

Test(redirect, no_contact_but_the_request_uri_means_temporarily_unavailable)
{
    harness_register("Contact: <sip:bob@example.com>\n");
    invite(NULL);
    cr_assert_str_eq(answer_line(), "480 Temporarily Unavailable");
    cr_assert_str_eq(answer_contacts(), "");
    cr_assert_eq(count_of(METRIC_RESPONSES + STATUS_TEMPORARILY_UNAVAILABLE), 1);
    cr_assert_eq(count_of(METRIC_RESPONSES + STATUS_MOVED_TEMPORARILY), 0);
}

Test(redirect, a_sips_request_gets_no_sip_contact)
{
    harness_register("Contact: <sip:b@h1>, <sips:b@h2>\n");
    invite("sips:bob@example.com");
    cr_assert_str_eq(answer_contacts(), "<sips:b@h2>;expires=3600");
    invite("sip:bob@example.com");
    cr_assert_str_eq(answer_contacts(), "<sips:b@h2>;expires=3600 | <sip:b@h1>;expires=3600");
    harness_register("Contact: <sips:b@h2>;expires=0\n");
    invite("sips:bob@example.com");
    cr_assert_eq(answer_status(), 480);
}

Test(redirect, neither_the_request_uri_nor_who_stands_for_it_in_to_is_offered)
{
    harness_register("Contact: <sip:bob@example.com>\n");
    harness_send((struct sip){.method = "INVITE", .uri = "sip:example.com"});
    cr_assert_eq(answer_status(), 480);
    harness_register("Contact: <sip:bob@example.com.>, <sip:b@h>\n");
    harness_send((struct sip){.method = "INVITE"});
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    harness_send((struct sip){.method = "INVITE", .uri = "sip:bob@EXAMPLE.com."});
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
}

Test(redirect, too_long_an_address_is_refused)
{
    static char uri[2 * AOR_BYTES_MAX];
    (void)snprintf(uri, sizeof(uri), "sip:%0*d@example.com", AOR_BYTES_MAX, 0);
    invite(uri);
    cr_assert_str_eq(answer_line(), "414 Request-URI Too Long");
}

Test(redirect, contacts_that_do_not_fit_are_left_out_from_the_end_and_counted)
{
    static char text[30000];
    static char via[61000];
    for (unsigned i = 0; i < 5; i++) {
        (void)snprintf(text, sizeof(text), "Contact: <sip:%0*d@h%u>;q=0.%u\n", 3900, 0, i, 9 - i);
        harness_register(text);
        cr_assert_eq(answer_status(), 200);
    }
    (void)snprintf(via, sizeof(via), "SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK%0*d", 52000, 0);
    harness_send((struct sip){.method = "INVITE", .via = via});
    cr_assert_eq(answer_status(), 302);
    cr_assert_str_neq(answer_row("Contact", 2), "-");
    cr_assert_str_eq(answer_row("Contact", 3), "-");
    cr_assert_not_null(strstr(answer_row("Contact", 0), ";q=0.9;"));
    cr_assert_eq(count_of(METRIC_REDIRECT_CUT), 2);
    cr_assert_leq(harness.answer_len, ANSWER_BYTES_MAX);
}
