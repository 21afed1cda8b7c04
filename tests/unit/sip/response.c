// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/response.h"

#include "tests/unit/sip/messages.h"
#include "tests/unit/support.h"

static struct message request;
static struct message response;

static struct endpoint peer_at(const char *ip, uint16_t port)
{
    struct endpoint e = {.port = port};
    cr_assert(ip_parse(text_slice(ip), &e.ip));
    return e;
}

static struct via parse_request(struct slice bytes)
{
    struct via via;
    const enum err e = message_parse(bytes, &request);
    cr_assert(e == ERR_OK || request.problem != NULL);
    cr_assert_eq(via_parse(message_first(&request, HEADER_VIA)->value, &via), ERR_OK);
    return via;
}

// The request answered for a peer at 192.0.2.4:5060, and nothing between head and end.
static struct slice answer(struct slice bytes, struct response_head head, char memory[static 4096])
{
    struct buf b = buf_over(memory, 4096);
    const struct via via = parse_request(bytes);
    const struct endpoint peer = peer_at("192.0.2.4", 5060);
    head.request = &request;
    head.via = &via;
    head.peer = &peer;
    response_begin(&b, &head);
    response_end(&b);
    cr_assert(buf_ok(&b));
    return buf_slice(&b);
}

// RFC 3261 24.1, message F2, with our tag.
Test(response, copies_what_the_request_asks_for)
{
    char memory[4096];
    const uint64_t tag = 0x0123456789abcdef;
    const struct response_head head = {
        .status = STATUS_OK, .server = SLICE("Signpost"), .to_tag = &tag};
    ASSERT_TEXT(answer(SLICE(REGISTER_BOB), head, memory),
                "SIP/2.0 200 OK\r\n"
                "Via: SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bKnashds7"
                ";received=192.0.2.4\r\n"
                "From: Bob <sip:bob@biloxi.com>;tag=456248\r\n"
                "To: Bob <sip:bob@biloxi.com>;tag=0123456789abcdef\r\n"
                "Call-ID: 843817637684230@998sdasdh09\r\n"
                "CSeq: 1826 REGISTER\r\n"
                "Server: Signpost\r\n"
                "Content-Length: 0\r\n\r\n");
}

Test(response, to_stays_without_a_tag_to_add_and_server_may_lack)
{
    char memory[4096];
    const struct slice text =
        answer(SLICE(REGISTER_BOB), (struct response_head){.status = STATUS_FORBIDDEN}, memory);
    cr_assert(slice_equal(slice_of(text.at, 23), SLICE("SIP/2.0 403 Forbidden\r\n")));
    cr_assert_eq(message_parse(text, &response), ERR_OK);
    ASSERT_TEXT(message_first(&response, HEADER_TO)->value, "Bob <sip:bob@biloxi.com>");
    cr_assert_eq(response.row_count, 6);
}

Test(response, phrase_of_ones_own_replaces_that_of_the_status)
{
    char memory[4096];
    const struct response_head head = {.status = STATUS_BAD_REQUEST,
                                       .phrase = SLICE("Malformed Content-Length")};
    const struct slice text = answer(SLICE(REGISTER_BOB), head, memory);
    const struct slice line = SLICE("SIP/2.0 400 Malformed Content-Length\r\n");
    cr_assert(slice_equal(slice_of(text.at, line.len), line));
}

// RFC 3261 8.2.6.2: all Vias, in their order; only the topmost says where it came from.
Test(response, all_vias_stay_in_order)
{
    char memory[4096];
    const struct response_head head = {.status = STATUS_OK};
    const struct slice text =
        answer(SLICE("INVITE sip:bob@biloxi.com SIP/2.0\r\n"
                     "v: SIP/2.0/UDP a.com;rport;branch=1 , SIP/2.0/UDP b.com;rport\r\n"
                     "f: <sip:alice@atlanta.com>;tag=1\r\nt: <sip:bob@biloxi.com>;tag=2\r\n"
                     "VIA: SIP/2.0/TCP c.com;received=192.0.2.3,\r\n SIP/2.0/TCP d.com\r\n"
                     "i: 1\r\ncseq: 1\r\n INVITE\r\nSubject: no\r\nContact: <sip:no@c>\r\n\r\n"),
               head, memory);
    ASSERT_TEXT(text, "SIP/2.0 200 OK\r\n"
                      "Via: SIP/2.0/UDP a.com;branch=1;received=192.0.2.4;rport=5060"
                      " , SIP/2.0/UDP b.com;rport\r\n"
                      "Via: SIP/2.0/TCP c.com;received=192.0.2.3,\r\n SIP/2.0/TCP d.com\r\n"
                      "From: <sip:alice@atlanta.com>;tag=1\r\n"
                      "To: <sip:bob@biloxi.com>;tag=2\r\n"
                      "Call-ID: 1\r\n"
                      "CSeq: 1\r\n INVITE\r\n"
                      "Content-Length: 0\r\n\r\n");
}

Test(response, faulty_request_gets_what_it_has)
{
    char memory[4096];
    const uint64_t tag = 1;
    const struct response_head head = {.status = STATUS_BAD_REQUEST, .to_tag = &tag};
    ASSERT_TEXT(answer(SLICE("INVITE sip:bob@biloxi.com SIP/2.0\r\n"
                             "Via: SIP/2.0/UDP 192.0.2.4\r\nCSeq: x\r\n\r\n"),
                       head, memory),
                "SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP 192.0.2.4\r\nCSeq: x\r\n"
                "Content-Length: 0\r\n\r\n");
}

Test(response, tortuous_request_is_answered_legibly)
{
    char memory[4096];
    const struct response_head head = {.status = STATUS_NOT_FOUND};
    const struct slice text = answer(SLICE(WSINV_HEADER WSINV_BODY), head, memory);
    cr_assert_eq(message_parse(text, &response), ERR_OK);
    cr_assert_eq(response.kind, MESSAGE_RESPONSE);
    for (unsigned id = HEADER_TO; id <= HEADER_CSEQ; id++) {
        cr_assert(slice_equal(message_first(&request, (enum header)id)->value,
                              message_first(&response, (enum header)id)->value),
                  "header %u", id);
    }
    const struct message_row *const via = message_first(&response, HEADER_VIA);
    ASSERT_TEXT(via->value,
                "SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw;received=192.0.2.4");
    cr_assert(slice_equal(message_next(&response, via)->value,
                          message_next(&request, message_first(&request, HEADER_VIA))->value));
}

Test(response, ipv6_peer_is_received)
{
    char memory[1024];
    struct buf b = buf_over(memory, sizeof(memory));
    const struct via via = parse_request(SLICE(REGISTER_BOB));
    const struct endpoint peer = peer_at("2001:db8::4", 5060);
    const struct response_head head = {
        .request = &request, .via = &via, .peer = &peer, .status = STATUS_OK};
    response_begin(&b, &head);
    response_end(&b);
    cr_assert_eq(message_parse(buf_slice(&b), &response), ERR_OK);
    ASSERT_TEXT(message_first(&response, HEADER_VIA)->value,
                "SIP/2.0/UDP bobspc.biloxi.com:5060;branch=z9hG4bKnashds7;received=2001:db8::4");
}

Test(response, header_is_one_line_and_end_says_no_body)
{
    char memory[128];
    struct buf b = buf_over(memory, sizeof(memory));
    response_header(&b, SLICE("Allow"), SLICE("INVITE, ACK"));
    response_header(&b, SLICE("Supported"), SLICE(""));
    response_end(&b);
    ASSERT_TEXT(buf_slice(&b), "Allow: INVITE, ACK\r\nSupported: \r\nContent-Length: 0\r\n\r\n");
}

Test(response, overflow_shows_for_every_size_that_is_too_small)
{
    char memory[4096];
    const uint64_t tag = 7;
    const struct response_head wanted = {
        .status = STATUS_OK, .server = SLICE("Signpost"), .to_tag = &tag};
    const size_t needed = answer(SLICE(REGISTER_BOB), wanted, memory).len;
    const struct guard guard = guard_create(needed);
    const struct via via = parse_request(SLICE(REGISTER_BOB));
    const struct endpoint peer = peer_at("192.0.2.4", 5060);
    struct response_head head = wanted;
    head.request = &request;
    head.via = &via;
    head.peer = &peer;
    for (size_t cap = 0; cap <= needed; cap++) {
        struct buf b = buf_over(guard.end - cap, cap);
        response_begin(&b, &head);
        response_end(&b);
        if (buf_ok(&b) != (cap == needed)) {
            cr_assert_fail("%zu bytes of %zu", cap, needed);
        }
    }
}
