// SPDX-License-Identifier: Apache-2.0
// What every request goes through (RFC 3261 8.2), and what the server answers for itself.
#include "signpost/service/uas.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/service/harness.h"

TestSuite(uas, .init = harness_start, .fini = harness_stop);

static void expect_silence(void)
{
    cr_assert_not(harness.answered, "%s", harness.answer);
}

// ---- The server's own

Test(uas, options_to_the_server_is_answered_whole)
{
    harness_text("OPTIONS sip:example.com SIP/2.0\n"
                 "Via: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKhjhs8ass877;rport\n"
                 "Max-Forwards: 70\n"
                 "To: <sip:example.com>\n"
                 "From: Alice <sip:alice@example.com>;tag=1928301774\n"
                 "Call-ID: a84b4c76e66710\n"
                 "CSeq: 63104 OPTIONS\n"
                 "Accept: application/sdp\n"
                 "Content-Length: 0\n"
                 "\n");
    expect_answer("SIP/2.0 200 OK\n"
                  "Via: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKhjhs8ass877"
                  ";received=192.0.2.4;rport=5070\n"
                  "From: Alice <sip:alice@example.com>;tag=1928301774\n"
                  "To: <sip:example.com>;tag={tag}\n"
                  "Call-ID: a84b4c76e66710\n"
                  "CSeq: 63104 OPTIONS\n"
                  "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER\n"
                  "Accept: application/sdp\n"
                  "Accept-Encoding: identity\n"
                  "Accept-Language: en\n"
                  "Supported: \n"
                  "Content-Length: 0\n"
                  "\n");
}

Test(uas, options_that_requires_an_extension_is_refused)
{
    harness_send(
        (struct sip){.method = "OPTIONS", .uri = "sip:example.com", .extra = "Require: timer\n"});
    cr_assert_eq(answer_status(), 420);
    cr_assert_str_eq(answer_header("Unsupported"), "timer");
}

Test(uas, known_methods_to_the_server_are_not_allowed_and_unknown_ones_not_implemented)
{
    static const char *const known[] = {"INFO",    "MESSAGE", "NOTIFY",    "PRACK",
                                        "PUBLISH", "REFER",   "SUBSCRIBE", "UPDATE"};
    static const char allowed[] = "INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER";
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        harness_send((struct sip){.method = known[i], .uri = "sip:example.com"});
        cr_assert_str_eq(answer_line(), "405 Method Not Allowed", "%s", known[i]);
        cr_assert_str_eq(answer_header("Allow"), allowed, "%s", known[i]);
    }
    harness_send((struct sip){.method = "BLEND", .uri = "sip:example.com"});
    cr_assert_str_eq(answer_line(), "501 Not Implemented");
    cr_assert_str_eq(answer_header("Allow"), allowed);
    harness_send((struct sip){.method = "invite", .uri = "sip:example.com"});
    cr_assert_eq(answer_status(), 501); // methods are case-sensitive
    cr_assert_eq(count_of(METRIC_REQUESTS + METHOD_UNKNOWN), 2);
}

Test(uas, cancel_and_requests_inside_dialogs_meet_no_transaction)
{
    static const char *const methods[] = {"INVITE", "BYE", "OPTIONS", "INFO", "FROBNICATE"};
    harness_register("Contact: <sip:b@h>\n");
    harness_send((struct sip){.method = "CANCEL"});
    cr_assert_str_eq(answer_line(), "481 Call/Transaction Does Not Exist");
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        harness_send((struct sip){.method = methods[i], .to = "<sip:bob@example.com>;tag=b0b"});
        cr_assert_eq(answer_status(), 481, "%s", methods[i]);
    }
    harness_send((struct sip){.method = "BYE", .uri = "sip:example.com"});
    cr_assert_eq(answer_status(), 481);
}

// ---- What is not answered

Test(uas, acks_are_absorbed)
{
    harness_register("Contact: <sip:b@h>\n");
    harness_send((struct sip){.method = "ACK", .to = "<sip:bob@example.com>;tag=b0b"});
    expect_silence();
    harness_text("ACK sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP h\nnonsense\n\n");
    expect_silence();
    cr_assert_eq(count_of(METRIC_ACKS), 2);
    cr_assert_eq(count_of(METRIC_REQUESTS + METHOD_ACK), 2);
}

Test(uas, responses_are_dropped)
{
    harness_text("SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK1\n"
                 "To: <sip:a@h>;tag=1\nFrom: <sip:b@h>;tag=2\nCall-ID: c\nCSeq: 1 INVITE\n\n");
    expect_silence();
    harness_text("SIP/2.0 nonsense\n\n");
    expect_silence();
    cr_assert_eq(count_of(METRIC_DROPPED_RESPONSE), 2);
}

Test(uas, requests_without_a_way_back_are_dropped)
{
    harness_text("OPTIONS sip:example.com SIP/2.0\nTo: <sip:a@h>\nFrom: <sip:b@h>;tag=2\n"
                 "Call-ID: c\nCSeq: 1 OPTIONS\n\n");
    expect_silence();
    harness_send((struct sip){.method = "OPTIONS", .via = "SIP/2.0/UDP"});
    expect_silence();
    harness_send((struct sip){.method = "OPTIONS", .via = "SIP/2.0/UDP [::1"});
    expect_silence();
    cr_assert_eq(count_of(METRIC_DROPPED_NO_VIA), 3);
}

Test(uas, a_peer_without_a_port_cannot_be_answered)
{
    harness_peer("192.0.2.4", 0);
    harness_send((struct sip){.via = "SIP/2.0/UDP 192.0.2.4:5070;rport;branch=z9hG4bK1"});
    expect_silence();
    cr_assert_eq(count_of(METRIC_DROPPED_UNANSWERABLE), 1);
}

Test(uas, garbage_is_dropped)
{
    static const char *const garbage[] = {"hello\n\n",
                                          "GET / HTTP/1.1\nHost: h\n\n",
                                          "INVITE sip:bob@example.com SIP/2.0", // no line end
                                          " INVITE sip:bob@example.com\n\n",
                                          "\x80\x81\x82\n\n",
                                          "INVITE\n\n"};
    const size_t count = sizeof(garbage) / sizeof(garbage[0]);
    for (size_t i = 0; i < count; i++) {
        harness_text(garbage[i]);
        expect_silence();
    }
    cr_assert_eq(count_of(METRIC_DROPPED_GARBAGE), count);
}

// ---- Keep-alives

Test(uas, line_ends_and_nuls_keep_the_way_open_without_an_answer)
{
    harness_text("\n\n");
    expect_silence();
    harness_bytes("\0\0\0\0", 4);
    expect_silence();
    harness_bytes("\n", 1);
    expect_silence();
    harness_bytes("", 0);
    expect_silence();
    cr_assert_eq(count_of(METRIC_KEEPALIVES), 4);
    cr_assert_eq(count_of(METRIC_DROPPED_GARBAGE), 0);
}

static const char stun_request[] = "\x00\x01\x00\x00\x21\x12\xa4\x42"
                                   "abcdefghijkl";

Test(uas, a_stun_request_is_told_where_it_comes_from)
{
    static const char expected[] = "\x01\x01\x00\x0c\x21\x12\xa4\x42"
                                   "abcdefghijkl"
                                   "\x00\x20\x00\x08\x00\x01\x32\xdc\xe1\x12\xa6\x46";
    harness_bytes(stun_request, sizeof(stun_request) - 1);
    cr_assert(harness.answered);
    cr_assert_eq(harness.answer_len, sizeof(expected) - 1);
    cr_assert_arr_eq(harness.answer, expected, sizeof(expected) - 1);
    cr_assert_str_eq(answer_target(), "192.0.2.4:5070");
    cr_assert_eq(count_of(METRIC_STUN_REQUESTS), 1);
}

Test(uas, other_stun_messages_are_dropped)
{
    char bytes[sizeof(stun_request)];
    memcpy(bytes, stun_request, sizeof(bytes));
    bytes[0] = 1; // a success response
    harness_bytes(bytes, sizeof(bytes) - 1);
    expect_silence();
    harness_peer("192.0.2.4", 0);
    harness_bytes(stun_request, sizeof(stun_request) - 1);
    expect_silence();
    cr_assert_eq(count_of(METRIC_DROPPED_GARBAGE), 2);
}

Test(uas, line_ends_before_a_request_are_skipped)
{
    harness_text("\n\nOPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.4\n"
                 "To: <sip:example.com>\nFrom: <sip:a@h>;tag=1\nCall-ID: c\nCSeq: 1 OPTIONS\n\n");
    cr_assert_eq(answer_status(), 200);
}

// ---- The To tag (RFC 3261 8.2.6.2, 8.2.7)

Test(uas, a_retransmission_gets_the_same_tag_and_another_request_another)
{
    char tag[32];
    const struct sip sip = {.method = "INVITE", .cseq = 7};
    harness_send(sip);
    (void)snprintf(tag, sizeof(tag), "%s", answer_to_tag());
    cr_assert_eq(strlen(tag), 16);
    harness_advance_ms(500);
    harness_send(sip);
    cr_assert_str_eq(answer_to_tag(), tag);

    struct sip others[5] = {sip, sip, sip, sip, sip};
    others[0].cseq = 8;
    others[1].call_id = "call-2@192.0.2.4";
    others[2].from = "<sip:alice@example.com>;tag=other";
    others[3].via = "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKother";
    others[4].method = "OPTIONS";
    for (size_t i = 0; i < 5; i++) {
        harness_send(others[i]);
        cr_assert_eq(strlen(answer_to_tag()), 16);
        cr_assert_str_neq(answer_to_tag(), tag, "the %zuth", i);
    }
}

Test(uas, tags_cannot_be_foretold_without_the_key)
{
    char tag[32];
    const struct sip sip = {.method = "INVITE", .cseq = 7};
    harness_send(sip);
    (void)snprintf(tag, sizeof(tag), "%s", answer_to_tag());
    harness.uas.config.key.bytes[15] ^= 1;
    harness_send(sip);
    cr_assert_str_neq(answer_to_tag(), tag);
}

Test(uas, a_tag_that_to_has_is_kept)
{
    harness_send((struct sip){.method = "BYE", .to = "Bob <sip:bob@example.com>;x=1;tag=b0b"});
    cr_assert_str_eq(answer_header("To"), "Bob <sip:bob@example.com>;x=1;tag=b0b");
    harness_send((struct sip){.to = "<sip:bob@example.com>;tag=b0b"}); // REGISTER
    cr_assert_eq(answer_status(), 200);
    cr_assert_str_eq(answer_header("To"), "<sip:bob@example.com>;tag=b0b");
}

Test(uas, a_bare_to_uri_gets_its_tag_behind_it)
{
    harness_send((struct sip){.to = "sip:bob@example.com"});
    cr_assert_eq(strncmp(answer_header("To"), "sip:bob@example.com;tag=", 24), 0);
    cr_assert_eq(strlen(answer_to_tag()), 16);
}

// ---- Bad messages

struct bad {
    const char *rows; // header of an OPTIONS whose Via is good
    const char *line;
};

static void expect_bad(const struct bad *bad)
{
    static char text[4096];
    (void)snprintf(text, sizeof(text),
                   "OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.4:5070\n%s\n",
                   bad->rows);
    harness_text(text);
    cr_assert_str_eq(answer_line(), bad->line, "%s", text);
}

#define FROM    "From: <sip:a@h>;tag=1\n"
#define TO      "To: <sip:b@h>\n"
#define CALL_ID "Call-ID: c\n"
#define CSEQ    "CSeq: 1 OPTIONS\n"

Test(uas, a_bad_message_is_told_what_is_wrong_with_it)
{
    static const struct bad cases[] = {
        {TO CALL_ID CSEQ, "400 Missing From Header Field"},
        {FROM CALL_ID CSEQ, "400 Missing To Header Field"},
        {FROM TO CSEQ, "400 Missing Call-ID Header Field"},
        {FROM TO CALL_ID, "400 Missing CSeq Header Field"},
        {FROM TO TO CALL_ID CSEQ, "400 Repeated To Header Field"},
        {FROM FROM TO CALL_ID CSEQ, "400 Repeated From Header Field"},
        {FROM TO CALL_ID CSEQ CSEQ, "400 Repeated CSeq Header Field"},
        {"From: <sip:a@h\n" TO CALL_ID CSEQ, "400 Malformed From"},
        {"From: <sip:a@h>;tag=\n" TO CALL_ID CSEQ, "400 Malformed From"},
        {FROM "To: \"B <sip:b@h>\n" CALL_ID CSEQ, "400 Malformed To"},
        {FROM "To: <sip:b@h>, <sip:c@h>\n" CALL_ID CSEQ, "400 Malformed To"},
        {FROM TO "Call-ID: a b\n" CSEQ, "400 Malformed Call-ID"},
        {FROM TO "Call-ID:\n" CSEQ, "400 Malformed Call-ID"},
        {FROM TO CALL_ID "CSeq: one OPTIONS\n", "400 Malformed CSeq"},
        {FROM TO CALL_ID "CSeq: 2147483648 OPTIONS\n", "400 Malformed CSeq"},
        {FROM TO CALL_ID "CSeq: 1 INVITE\n", "400 CSeq Method Does Not Match"},
        {FROM TO CALL_ID CSEQ "Content-Length: 1\n", "400 Content-Length Exceeds Message"},
        {FROM TO CALL_ID CSEQ "Content-Length: x\n", "400 Malformed Content-Length"},
        {FROM TO CALL_ID CSEQ "no colon\n", "400 Malformed Header Field"},
        {FROM TO CALL_ID CSEQ "X: a\rb\n", "400 Carriage Return Inside a Line"},
        {FROM TO CALL_ID CSEQ "X: no line end", "400 Missing Empty Line After Header"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_bad(&cases[i]);
    }
    cr_assert_eq(count_of(METRIC_REQUESTS + METHOD_OPTIONS), 0); // none was well-formed
    cr_assert_eq(count_of(METRIC_RESPONSES + STATUS_BAD_REQUEST), sizeof(cases) / sizeof(cases[0]));
}

Test(uas, what_a_bad_message_has_is_copied_and_to_gets_a_tag_if_it_can_be_read)
{
    harness_text("OPTIONS sip:example.com SIP/2.0\nv: SIP/2.0/UDP 192.0.2.4:5070\n"
                 "t: <sip:b@h>\nCSeq: 1 OPTIONS\n\n");
    expect_answer("SIP/2.0 400 Missing From Header Field\nVia: SIP/2.0/UDP 192.0.2.4:5070\n"
                  "To: <sip:b@h>;tag={tag}\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
    harness_text("OPTIONS sip:example.com SIP/2.0\nv: SIP/2.0/UDP 192.0.2.4:5070\n"
                 "t: <sip:b@h\nCSeq: 1 OPTIONS\nf: <sip:a@h>\ni: x\n\n");
    expect_answer("SIP/2.0 400 Malformed To\nVia: SIP/2.0/UDP 192.0.2.4:5070\nFrom: <sip:a@h>\n"
                  "To: <sip:b@h\nCall-ID: x\nCSeq: 1 OPTIONS\nContent-Length: 0\n\n");
}

Test(uas, a_bad_request_line_is_told_what_is_wrong_with_it)
{
    static const char *const uris[][2] = {{"sip:bob@", "400 Malformed Request-URI"},
                                          {"sip:bob@example.com;", "400 Malformed Request-URI"},
                                          {"sip:a b@example.com", "400 Malformed Request-Line"},
                                          {" sip:example.com", "400 Malformed Request-Line"},
                                          {"bob", "400 Malformed Request-URI"},
                                          {"<sip:bob@example.com>", "400 Malformed Request-URI"},
                                          {"tel:+49301", "416 Unsupported URI Scheme"},
                                          {"mailto:bob@example.com", "416 Unsupported URI Scheme"}};
    for (size_t i = 0; i < sizeof(uris) / sizeof(uris[0]); i++) {
        harness_send((struct sip){.method = "INVITE", .uri = uris[i][0]});
        cr_assert_str_eq(answer_line(), uris[i][1], "%s", uris[i][0]);
        harness_send((struct sip){.method = "REGISTER", .uri = uris[i][0]});
        cr_assert_str_eq(answer_line(), uris[i][1], "%s", uris[i][0]);
    }
}

Test(uas, another_version_of_sip_is_not_supported)
{
    harness_text("INVITE sip:bob@example.com SIP/7.0\nVia: SIP/7.0/UDP 192.0.2.4:5070\n"
                 "To: <sip:b@h>\nFrom: <sip:a@h>;tag=1\nCall-ID: c\nCSeq: 1 INVITE\n\n");
    cr_assert_str_eq(answer_line(), "505 Version Not Supported");
    harness_text("INVITE sip:bob@example.com sip/2.0\nVia: SIP/2.0/UDP 192.0.2.4:5070\n"
                 "To: <sip:b@h>\nFrom: <sip:a@h>;tag=1\nCall-ID: c\nCSeq: 1 INVITE\n\n");
    cr_assert_eq(answer_status(), 404); // the same version in lower case
}

Test(uas, more_header_fields_than_the_limit_are_refused)
{
    static char rows[HEADER_ROWS_MAX * 16];
    size_t used = 0;
    for (unsigned i = 0; i < HEADER_ROWS_MAX; i++) {
        used += (size_t)snprintf(rows + used, sizeof(rows) - used, "Require: %u\n", i);
    }
    harness_send((struct sip){.extra = rows});
    cr_assert_str_eq(answer_line(), "400 Too Many Header Fields");
    cr_assert_str_eq(answer_header("Call-ID"), "call-1@192.0.2.4");
}

Test(uas, header_fields_in_compact_form_and_odd_case_are_the_same)
{
    harness_text("REGISTER sip:example.com SIP/2.0\nv: SIP/2.0/UDP 192.0.2.4:5070\n"
                 "t: <sip:bob@example.com>\nf: <sip:bob@example.com>;tag=1\ni: c\n"
                 "cSEQ: 1 REGISTER\nm: <sip:b@h>\nEXPIRES: 90\nl: 0\n\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=90");
}

// Compact names in the request, full ones in the answer.
Test(uas, an_answer_that_cannot_be_built_at_all_is_dropped)
{
    static char text[MESSAGE_BYTES_MAX];
    const int len = snprintf(text, sizeof(text),
                             "OPTIONS sip:h SIP/2.0\nv:SIP/2.0/UDP 192.0.2.4\nt:sip:h\n"
                             "i:c\nCSeq:1 OPTIONS\nf:sip:a@h;x=%0*d\n\n",
                             65400, 0);
    cr_assert(len > 0 && len < 65507); // what IPv4 can carry
    harness_text(text);
    expect_silence();
    cr_assert_eq(count_of(METRIC_DROPPED_UNANSWERABLE), 1);
    for (unsigned s = 0; s < STATUS_COUNT; s++) {
        cr_assert_eq(count_of(METRIC_RESPONSES + s), 0);
    }
}

Test(uas, requests_and_responses_are_counted_once_each)
{
    harness_send((struct sip){.method = "INVITE"});
    harness_send((struct sip){.method = "OPTIONS", .uri = "sip:example.com"});
    harness_send((struct sip){.method = "MESSAGE", .uri = "sip:example.com"});
    cr_assert_eq(count_of(METRIC_REQUESTS + METHOD_INVITE), 1);
    cr_assert_eq(count_of(METRIC_REQUESTS + METHOD_OPTIONS), 1);
    cr_assert_eq(count_of(METRIC_REQUESTS + METHOD_MESSAGE), 1);
    cr_assert_eq(count_of(METRIC_RESPONSES + STATUS_NOT_FOUND), 1);
    cr_assert_eq(count_of(METRIC_RESPONSES + STATUS_OK), 1);
    cr_assert_eq(count_of(METRIC_RESPONSES + STATUS_METHOD_NOT_ALLOWED), 1);
}

// Each prefix of a datagram, in memory of its very length.
Test(uas, a_datagram_cut_anywhere_does_no_harm)
{
    static const char text[] =
        "REGISTER sip:example.com SIP/2.0\r\n"
        "Via: SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bK1;rport, "
        "SIP/2.0/UDP h\r\n"
        "To: \"B\\\"\" <sip:b@h>;x=\"y\"\r\nFrom: <sip:a@h>;tag=1\r\n"
        "Call-ID: c@h\r\nCSeq: 1 REGISTER\r\n"
        "Contact: \"x,\" <sip:b@h;p=%41?h=v>;q=0.5;expires=90;e=\"\\\"\",\r\n"
        " <sips:b@[::1]:99>\r\nExpires: 70\r\nContent-Length: 0\r\n\r\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        harness_bytes(text, len);
        cr_assert(!harness.answered || answer_status() == 400 || len == sizeof(text) - 1,
                  "%zu bytes: %s", len, harness.answer);
    }
    harness_bytes(text, sizeof(text) - 1);
    cr_assert_eq(answer_status(), 200);
}
