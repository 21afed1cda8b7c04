// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/via.h"

#include "tests/unit/support.h"

static struct endpoint endpoint_of(const char *ip, uint16_t port)
{
    struct endpoint e = {.port = port};
    cr_assert(ip_parse(text_slice(ip), &e.ip), "%s", ip);
    return e;
}

static struct via via_of(const char *text)
{
    struct via via;
    cr_assert_eq(via_parse(text_slice(text), &via), ERR_OK, "%s", text);
    return via;
}

static const struct {
    const char *value;
    const char *text;
    const char *sent_by;
    const char *transport;
    const char *host;
    unsigned port;
    const char *branch;
    const char *params;
} vias[] = {
    {"SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds",
     "SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776asdhds", "SIP/2.0/UDP pc33.atlanta.com", "UDP",
     "pc33.atlanta.com", 0, "z9hG4bK776asdhds", ";branch=z9hG4bK776asdhds"},
    {"SIP/2.0/UDP 192.0.2.1:5070", "SIP/2.0/UDP 192.0.2.1:5070", "SIP/2.0/UDP 192.0.2.1:5070",
     "UDP", "192.0.2.1", 5070, "", ""},
    {"sip/2.0/tls-sctp [2001:db8::9:1]:5061;branch=z9hG4bKas3-111;rport",
     "sip/2.0/tls-sctp [2001:db8::9:1]:5061;branch=z9hG4bKas3-111;rport",
     "sip/2.0/tls-sctp [2001:db8::9:1]:5061", "tls-sctp", "[2001:db8::9:1]", 5061, "z9hG4bKas3-111",
     ";branch=z9hG4bKas3-111;rport"},
    // RFC 3261 20.42 and RFC 4475 3.1.1.1
    {"SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1",
     "SIP / 2.0 / UDP first.example.com: 4000;ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1",
     "SIP / 2.0 / UDP first.example.com: 4000", "UDP", "first.example.com", 4000,
     "z9hG4bKa7c6a8dlze.1", ";ttl=16 ;maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1"},
    {"SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw",
     "SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw",
     "SIP  /   2.0\r\n /UDP\r\n    192.0.2.2", "UDP", "192.0.2.2", 0, "390skdjuw",
     ";branch=390skdjuw"},
    {"SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8  ,\r\n"
     " SIP  /    2.0   / UDP  192.168.255.111   ; branch=\r\n z9hG4bK30239",
     "SIP  / 2.0  / TCP     spindle.example.com   ;\r\n  branch  =   z9hG4bK9ikj8",
     "SIP  / 2.0  / TCP     spindle.example.com", "TCP", "spindle.example.com", 0, "z9hG4bK9ikj8",
     ";\r\n  branch  =   z9hG4bK9ikj8"},
    {"SIP/2.0/UDP a:5060 \t,SIP/2.0/UDP b", "SIP/2.0/UDP a:5060", "SIP/2.0/UDP a:5060", "UDP", "a",
     5060, "", ""},
    {"SIP/2.0/UDP a;x=\"q,;\",SIP/2.0/UDP b;branch=2", "SIP/2.0/UDP a;x=\"q,;\"", "SIP/2.0/UDP a",
     "UDP", "a", 0, "", ";x=\"q,;\""},
    {"SIP/2.0/UDP a : 5060 ;BRANCH=1", "SIP/2.0/UDP a : 5060 ;BRANCH=1", "SIP/2.0/UDP a : 5060",
     "UDP", "a", 5060, "1", ";BRANCH=1"},
};

Test(via, parts_are_found)
{
    for (size_t i = 0; i < LENGTH_OF(vias); i++) {
        struct via via;
        cr_expect_eq(via_parse(text_slice(vias[i].value), &via), ERR_OK, "%s", vias[i].value);
        cr_expect_not(via.faulty, "%s", vias[i].value);
        cr_expect(slice_is(via.text, vias[i].text), "%s", vias[i].value);
        cr_expect(slice_is(via.sent_by, vias[i].sent_by), "%s", vias[i].value);
        cr_expect(slice_is(via.transport, vias[i].transport), "%s", vias[i].value);
        cr_expect(slice_is(via.host, vias[i].host), "%s", vias[i].value);
        cr_expect_eq(via.port, vias[i].port, "%s", vias[i].value);
        cr_expect(slice_is(via.branch, vias[i].branch), "%s", vias[i].value);
        cr_expect(slice_is(via.params, vias[i].params), "params \"%.*s\" of %s",
                  PRINTED(via.params), vias[i].value);
    }
}

Test(via, addresses_and_flags_are_read)
{
    cr_assert_eq(via_of("SIP/2.0/UDP 192.0.2.1").host_ip.family, IP_V4);
    cr_assert_eq(via_of("SIP/2.0/UDP [2001:db8::1]").host_ip.family, IP_V6);
    cr_assert_eq(via_of("SIP/2.0/UDP atlanta.com").host_ip.family, IP_NONE);
    cr_assert(via_of("SIP/2.0/UDP a;rport").rport);
    cr_assert(via_of("SIP/2.0/UDP a;RPORT=5060").rport);
    cr_assert(via_of("SIP/2.0/UDP a;rport=").rport);
    cr_assert(via_of("SIP/2.0/UDP a;rport=;branch=1").rport);
    cr_assert_not(via_of("SIP/2.0/UDP a;xrport").rport);
    cr_assert_eq(via_of("SIP/2.0/UDP a;maddr=192.0.2.9").maddr.family, IP_V4);
    cr_assert_eq(via_of("SIP/2.0/UDP a;maddr=[2001:db8::9]").maddr.family, IP_V6);
    cr_assert_eq(via_of("SIP/2.0/UDP a;maddr=example.com").maddr.family, IP_NONE);
    cr_assert_eq(via_of("SIP/2.0/UDP a").maddr.family, IP_NONE);
}

Test(via, malformed_ones_are_refused)
{
    static const char *const values[] = {"",
                                         " ",
                                         "SIP",
                                         "SIP/",
                                         "SIP/2.0",
                                         "SIP/2.0/",
                                         "SIP/2.0/UDP",
                                         "SIP/2.0/UDP ",
                                         "SIP/2.0/UDP;branch=1",
                                         "SIP/2.0 UDP a",
                                         "SIP/2.0//UDP a",
                                         "/2.0/UDP a",
                                         "SIP//UDP a",
                                         "HTTP/2.0/UDP a",
                                         "SIP/2.0/U<P a",
                                         "SIP/2.0/UDP ,",
                                         "SIP/2.0/UDP :5060",
                                         "SIP/2.0/UDP a:",
                                         "SIP/2.0/UDP a:0",
                                         "SIP/2.0/UDP a:65536",
                                         "SIP/2.0/UDP a:x",
                                         "SIP/2.0/UDP a:-1",
                                         "SIP/2.0/UDP a:5060x",
                                         "SIP/2.0/UDP a b",
                                         "SIP/2.0/UDP a:5060 5061",
                                         "SIP/2.0/UDP a@b",
                                         "SIP/2.0/UDP <a>",
                                         "SIP/2.0/UDP \"a\"",
                                         "SIP/2.0/UDP 2001:db8::1",
                                         "SIP/2.0/UDP [2001:db8::1",
                                         "SIP/2.0/UDP [a]",
                                         "SIP/2.0/UDP []",
                                         "SIP/2.0/UDP [192.0.2.1]",
                                         "SIP/2.0/UDP [::1]x",
                                         "SIP/2.0/UDP a;",
                                         "SIP/2.0/UDP a;;rport",
                                         "SIP/2.0/UDP a;branch=",
                                         "SIP/2.0/UDP a;branch=;x",
                                         "SIP/2.0/UDP a;=1",
                                         "SIP/2.0/UDP a;x=\"open",
                                         "SIP/2.0/UDP a;branch=1 2",
                                         "SIP/2.0/UDP a;branch=1;,",
                                         "SIP/2.0/UDP b\xc3\xb6",
                                         "SIP/2.0/UDP a..b",
                                         "SIP/2.0/UDP -a",
                                         "SIP/2.0/UDP 1.2.3.256",
                                         "192.0.2.1:5060"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct via via;
        cr_expect_eq(via_parse(text_slice(values[i]), &via), ERR_SYNTAX, "\"%s\"", values[i]);
    }
    struct via via;
    cr_assert_eq(via_parse(slice_of(NULL, 0), &via), ERR_SYNTAX);
    cr_assert_eq(via_parse(SLICE("SIP/2.0/UDP a\0b"), &via), ERR_SYNTAX);
}

// What is wrong behind sent-by leaves a way back (RFC 4475 3.1.2.1): what is left of the via-parm,
// and how it stands in a response before what follows it in the row.
static const struct {
    const char *value;
    const char *text;
    const char *written;
} faulty[] = {
    {"SIP/2.0/UDP 192.0.2.15;;,;,,", "SIP/2.0/UDP 192.0.2.15", "SIP/2.0/UDP 192.0.2.15"},
    {"SIP/2.0/UDP 192.0.2.15:5070;branch=1;;x", "SIP/2.0/UDP 192.0.2.15:5070;branch=1",
     "SIP/2.0/UDP 192.0.2.15:5070;branch=1"},
    {"SIP/2.0/UDP a;branch=1;rport;branch=1", "SIP/2.0/UDP a;branch=1;rport",
     "SIP/2.0/UDP a;branch=1;received=192.0.2.15;rport=9"},
    {"SIP/2.0/UDP a;rport;x;Rport", "SIP/2.0/UDP a;rport;x",
     "SIP/2.0/UDP a;x;received=192.0.2.15;rport=9"},
    {"SIP/2.0/UDP a;branch=\"1\"", "SIP/2.0/UDP a", "SIP/2.0/UDP a;received=192.0.2.15"},
    {"SIP/2.0/UDP a;branch", "SIP/2.0/UDP a", "SIP/2.0/UDP a;received=192.0.2.15"},
    {"SIP/2.0/UDP a;branch=1 2", "SIP/2.0/UDP a;branch=1",
     "SIP/2.0/UDP a;branch=1;received=192.0.2.15"},
    {"SIP/2.0/UDP a b", "SIP/2.0/UDP a", "SIP/2.0/UDP a;received=192.0.2.15"},
};

Test(via, fault_behind_sent_by_leaves_a_way_back)
{
    for (size_t i = 0; i < LENGTH_OF(faulty); i++) {
        const struct endpoint peer = endpoint_of("192.0.2.15", 9);
        char memory[256];
        struct buf b = buf_over(memory, sizeof(memory));
        struct via via;
        cr_expect_eq(via_parse(text_slice(faulty[i].value), &via), ERR_SYNTAX, "%s",
                     faulty[i].value);
        cr_assert(via.faulty, "%s", faulty[i].value);
        ASSERT_TEXT(via.text, faulty[i].text);
        via_put_response(&b, &via, &peer);
        ASSERT_TEXT(buf_slice(&b), faulty[i].written);
    }
}

Test(via, fault_in_sent_by_leaves_none)
{
    static const char *const values[] = {"",
                                         "SIP/2.0/UDP",
                                         "HTTP/2.0/UDP a",
                                         "SIP/2.0/UDP a:0",
                                         "SIP/2.0/UDP a:x;branch=1",
                                         "SIP/2.0/UDP ;branch=1",
                                         "SIP/2.0/UDP [::1;branch=1",
                                         "SIP/2.0/UDP a..b;branch=1"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct via via;
        cr_expect_eq(via_parse(text_slice(values[i]), &via), ERR_SYNTAX, "%s", values[i]);
        cr_expect_not(via.faulty, "%s", values[i]);
    }
}

// From where the request came, where the response goes, and what it says.
static const struct {
    const char *value;
    const char *peer_ip;
    uint16_t peer_port;
    const char *target_ip;
    uint16_t target_port;
    const char *written;
} responses[] = {
    // RFC 3261 18.2.1: received when sent-by is a name or another address
    {"SIP/2.0/UDP 192.0.2.1:5070;branch=1", "192.0.2.1", 4000, "192.0.2.1", 5070,
     "SIP/2.0/UDP 192.0.2.1:5070;branch=1"},
    {"SIP/2.0/UDP 192.0.2.1;branch=1", "192.0.2.1", 4000, "192.0.2.1", 5060,
     "SIP/2.0/UDP 192.0.2.1;branch=1"},
    {"SIP/2.0/UDP bobspc.biloxi.com:5060", "192.0.2.4", 5060, "192.0.2.4", 5060,
     "SIP/2.0/UDP bobspc.biloxi.com:5060;received=192.0.2.4"},
    {"SIP/2.0/UDP 10.1.1.1:5070;branch=1", "192.0.2.1", 4000, "192.0.2.1", 5070,
     "SIP/2.0/UDP 10.1.1.1:5070;branch=1;received=192.0.2.1"},
    // RFC 3581 4
    {"SIP/2.0/UDP 10.1.1.1:4540;rport;branch=z9hG4bKkjshdyff", "192.0.2.1", 9988, "192.0.2.1", 9988,
     "SIP/2.0/UDP 10.1.1.1:4540;branch=z9hG4bKkjshdyff;received=192.0.2.1;rport=9988"},
    {"SIP/2.0/UDP 192.0.2.1:5060;rport", "192.0.2.1", 5060, "192.0.2.1", 5060,
     "SIP/2.0/UDP 192.0.2.1:5060;received=192.0.2.1;rport=5060"},
    // what the client claims is dropped
    {"SIP/2.0/UDP 10.1.1.1;received=203.0.113.9;rport=7;branch=1", "192.0.2.1", 9988, "192.0.2.1",
     9988, "SIP/2.0/UDP 10.1.1.1;branch=1;received=192.0.2.1;rport=9988"},
    {"SIP/2.0/UDP 10.1.1.1;RPort=7", "192.0.2.1", 9988, "192.0.2.1", 9988,
     "SIP/2.0/UDP 10.1.1.1;received=192.0.2.1;rport=9988"},
    {"SIP/2.0/UDP 192.0.2.1;RECEIVED=203.0.113.9", "192.0.2.1", 9988, "192.0.2.1", 5060,
     "SIP/2.0/UDP 192.0.2.1"},
    // 18.2.2: maddr comes first, with the port of sent-by
    {"SIP/2.0/UDP 192.0.2.1:5070;maddr=192.0.2.99", "192.0.2.1", 4000, "192.0.2.99", 5070,
     "SIP/2.0/UDP 192.0.2.1:5070;maddr=192.0.2.99"},
    {"SIP/2.0/UDP 192.0.2.1;maddr=192.0.2.99;rport", "192.0.2.1", 4000, "192.0.2.99", 5060,
     "SIP/2.0/UDP 192.0.2.1;maddr=192.0.2.99;received=192.0.2.1;rport=4000"},
    {"SIP/2.0/UDP 192.0.2.1:5070;maddr=example.com;rport", "192.0.2.1", 4000, "192.0.2.1", 4000,
     "SIP/2.0/UDP 192.0.2.1:5070;maddr=example.com;received=192.0.2.1;rport=4000"},
    {"SIP/2.0/UDP 192.0.2.1:5070;maddr=2001:db8::9", "192.0.2.1", 4000, "192.0.2.1", 5070,
     "SIP/2.0/UDP 192.0.2.1:5070;maddr=2001:db8::9"}, // cannot be reached from here
    // IPv6: RFC 5118 4.5
    {"SIP/2.0/UDP [2001:DB8:0::1]:5070;branch=1", "2001:db8::1", 4000, "2001:db8::1", 5070,
     "SIP/2.0/UDP [2001:DB8:0::1]:5070;branch=1"},
    {"SIP/2.0/UDP [2001:db8::9];rport", "2001:db8::1", 4000, "2001:db8::1", 4000,
     "SIP/2.0/UDP [2001:db8::9];received=2001:db8::1;rport=4000"},
    {"SIP/2.0/UDP [2001:db8::9];maddr=[2001:db8::99]", "2001:db8::1", 4000, "2001:db8::99", 5060,
     "SIP/2.0/UDP [2001:db8::9];maddr=[2001:db8::99];received=2001:db8::1"},
    {"SIP/2.0/UDP 192.0.2.1", "2001:db8::1", 4000, "2001:db8::1", 5060,
     "SIP/2.0/UDP 192.0.2.1;received=2001:db8::1"},
    // what follows the first via-parm is not its own
    {"SIP/2.0/UDP 192.0.2.1;branch=1 , SIP/2.0/UDP b;rport", "192.0.2.1", 4000, "192.0.2.1", 5060,
     "SIP/2.0/UDP 192.0.2.1;branch=1"},
};

Test(via, response_goes_to_its_target)
{
    for (size_t i = 0; i < LENGTH_OF(responses); i++) {
        const struct via via = via_of(responses[i].value);
        const struct endpoint peer = endpoint_of(responses[i].peer_ip, responses[i].peer_port);
        const struct endpoint wanted =
            endpoint_of(responses[i].target_ip, responses[i].target_port);
        const struct endpoint target = via_response_target(&via, &peer);
        char memory[64];
        struct buf b = buf_over(memory, sizeof(memory));
        endpoint_put(&b, &target);
        cr_expect(ip_equal(&target.ip, &wanted.ip) && target.port == wanted.port, "%s to %.*s",
                  responses[i].value, PRINTED(buf_slice(&b)));
    }
}

Test(via, response_to_a_link_local_peer_keeps_its_interface)
{
    struct endpoint peer = endpoint_of("fe80::1", 4000);
    peer.scope = 7;
    struct via via = via_of("SIP/2.0/UDP [fe80::1]:5070");
    cr_assert_eq(via_response_target(&via, &peer).scope, 7);
    via = via_of("SIP/2.0/UDP [fe80::1]:5070;rport");
    cr_assert_eq(via_response_target(&via, &peer).scope, 7);
}

Test(via, response_says_where_the_request_came_from)
{
    for (size_t i = 0; i < LENGTH_OF(responses); i++) {
        const struct via via = via_of(responses[i].value);
        const struct endpoint peer = endpoint_of(responses[i].peer_ip, responses[i].peer_port);
        char memory[256];
        struct buf b = buf_over(memory, sizeof(memory));
        via_put_response(&b, &via, &peer);
        cr_expect(slice_is(buf_slice(&b), responses[i].written), "\"%.*s\" instead of \"%s\"",
                  PRINTED(buf_slice(&b)), responses[i].written);
    }
}

// Parsed, written, parsed and written again, it is the same.
Test(via, what_is_written_can_be_read)
{
    for (size_t i = 0; i < LENGTH_OF(responses) + LENGTH_OF(vias); i++) {
        const char *const value =
            i < LENGTH_OF(responses) ? responses[i].value : vias[i - LENGTH_OF(responses)].value;
        const struct endpoint peer = endpoint_of(i % 2 == 0 ? "2001:db8::77" : "192.0.2.77", 9);
        const struct via via = via_of(value);
        char memory[2][256];
        struct buf once = buf_over(memory[0], sizeof(memory[0]));
        struct buf twice = buf_over(memory[1], sizeof(memory[1]));
        struct via back;
        via_put_response(&once, &via, &peer);
        cr_assert_eq(via_parse(buf_slice(&once), &back), ERR_OK, "%s", value);
        cr_assert(slice_equal(back.branch, via.branch) && slice_equal(back.sent_by, via.sent_by));
        via_put_response(&twice, &back, &peer);
        cr_assert(slice_equal(buf_slice(&once), buf_slice(&twice)), "%.*s",
                  PRINTED(buf_slice(&twice)));
    }
}

Test(via, cut_anywhere_is_not_read_beyond)
{
    const struct guard guard = guard_create(512);
    const struct endpoint peer = endpoint_of("192.0.2.1", 4000);
    for (size_t i = 0; i < LENGTH_OF(vias); i++) {
        const struct slice whole = text_slice(vias[i].value);
        for (size_t len = 0; len <= whole.len; len++) {
            const struct slice cut = guard_copy(guard, slice_of(whole.at, len));
            struct via via;
            if (via_parse(cut, &via) != ERR_OK && !via.faulty) {
                continue;
            }
            char memory[512];
            struct buf b = buf_over(memory, sizeof(memory));
            via_put_response(&b, &via, &peer);
            cr_assert(buf_ok(&b) && slice_within(via.text, cut) && slice_within(via.params, cut));
        }
    }
}
