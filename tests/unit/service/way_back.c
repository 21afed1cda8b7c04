// SPDX-License-Identifier: Apache-2.0
// Where an answer goes and what its Via says (RFC 3261 18.2, RFC 3581).
#include <criterion/criterion.h>

#include "tests/unit/service/harness.h"

TestSuite(way_back, .init = harness_start, .fini = harness_stop);

struct route {
    const char *via;
    const char *answered; // first Via row of the answer
    const char *target;
};

// All from the peer that is set.
static void expect_routes(const struct route *routes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        harness_send((struct sip){.method = "OPTIONS", .via = routes[i].via});
        cr_assert(harness.answered, "%s", routes[i].via);
        cr_assert_str_eq(answer_header("Via"), routes[i].answered);
        cr_assert_str_eq(answer_target(), routes[i].target, "%s", routes[i].via);
    }
}

#define EXPECT_ROUTES(routes) expect_routes(routes, sizeof(routes) / sizeof((routes)[0]))

Test(way_back, without_rport_the_answer_goes_to_the_port_of_sent_by)
{
    static const struct route routes[] = {
        {"SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1", "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1",
         "192.0.2.4:5070"},
        {"SIP/2.0/UDP 192.0.2.4:6000", "SIP/2.0/UDP 192.0.2.4:6000", "192.0.2.4:6000"},
        {"SIP/2.0/UDP 192.0.2.4", "SIP/2.0/UDP 192.0.2.4", "192.0.2.4:5060"},
        {"SIP/2.0/UDP 10.0.0.1:6000;branch=z9hG4bK1",
         "SIP/2.0/UDP 10.0.0.1:6000;branch=z9hG4bK1;received=192.0.2.4", "192.0.2.4:6000"},
        {"SIP/2.0/UDP phone.example.com", "SIP/2.0/UDP phone.example.com;received=192.0.2.4",
         "192.0.2.4:5060"},
    };
    EXPECT_ROUTES(routes);
}

Test(way_back, with_rport_the_answer_goes_where_the_request_came_from)
{
    static const struct route routes[] = {
        {"SIP/2.0/UDP 10.0.0.1:6000;rport;branch=z9hG4bK1",
         "SIP/2.0/UDP 10.0.0.1:6000;branch=z9hG4bK1;received=192.0.2.4;rport=5070",
         "192.0.2.4:5070"},
        {"SIP/2.0/UDP 192.0.2.4:5070;rport",
         "SIP/2.0/UDP 192.0.2.4:5070;received=192.0.2.4;rport=5070", "192.0.2.4:5070"},
        {"SIP/2.0/UDP 10.0.0.1;RPORT=1;received=9.9.9.9;branch=z9hG4bK1",
         "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.4;rport=5070", "192.0.2.4:5070"},
    };
    EXPECT_ROUTES(routes);
}

Test(way_back, what_the_client_claims_to_have_been_received_is_dropped)
{
    static const struct route routes[] = {
        {"SIP/2.0/UDP 192.0.2.4:5070;received=9.9.9.9;branch=z9hG4bK1",
         "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK1", "192.0.2.4:5070"},
    };
    EXPECT_ROUTES(routes);
}

Test(way_back, maddr_goes_before_the_source)
{
    static const struct route routes[] = {
        {"SIP/2.0/UDP 10.0.0.1:6000;maddr=192.0.2.99",
         "SIP/2.0/UDP 10.0.0.1:6000;maddr=192.0.2.99;received=192.0.2.4", "192.0.2.99:6000"},
        {"SIP/2.0/UDP 10.0.0.1;maddr=192.0.2.99",
         "SIP/2.0/UDP 10.0.0.1;maddr=192.0.2.99;received=192.0.2.4", "192.0.2.99:5060"},
        {"SIP/2.0/UDP 10.0.0.1:6000;maddr=name.example.com",
         "SIP/2.0/UDP 10.0.0.1:6000;maddr=name.example.com;received=192.0.2.4", "192.0.2.4:6000"},
        // of another family, which the socket cannot reach
        {"SIP/2.0/UDP 10.0.0.1:6000;rport;maddr=[2001:db8::9]",
         "SIP/2.0/UDP 10.0.0.1:6000;maddr=[2001:db8::9];received=192.0.2.4;rport=5070",
         "192.0.2.4:5070"},
    };
    EXPECT_ROUTES(routes);
}

Test(way_back, ipv6_addresses_compare_as_addresses)
{
    static const struct route routes[] = {
        {"SIP/2.0/UDP [2001:DB8:0::7]:6000", "SIP/2.0/UDP [2001:DB8:0::7]:6000",
         "[2001:db8::7]:6000"},
        {"SIP/2.0/UDP [2001:db8::8]", "SIP/2.0/UDP [2001:db8::8];received=2001:db8::7",
         "[2001:db8::7]:5060"},
        {"SIP/2.0/UDP [2001:db8::8]:6000;rport",
         "SIP/2.0/UDP [2001:db8::8]:6000;received=2001:db8::7;rport=5071", "[2001:db8::7]:5071"},
        {"SIP/2.0/UDP h;maddr=[2001:db8::9]",
         "SIP/2.0/UDP h;maddr=[2001:db8::9];received=2001:db8::7", "[2001:db8::9]:5060"},
    };
    harness_peer("2001:db8::7", 5071);
    EXPECT_ROUTES(routes);
}

Test(way_back, only_the_topmost_via_is_touched_and_all_come_back_in_order)
{
    harness_text("OPTIONS sip:example.com SIP/2.0\n"
                 "Via: SIP / 2.0 / UDP 10.0.0.1 : 6000 ; branch=z9hG4bK3;rport , "
                 "SIP/2.0/TCP p2.example.com;rport;branch=z9hG4bK2\n"
                 "To: <sip:example.com>\nFrom: <sip:a@h>;tag=1\n"
                 "v: SIP/2.0/UDP 10.0.0.9;received=9.9.9.9\n"
                 "Call-ID: c\nCSeq: 1 OPTIONS\nVIA: SIP/2.0/UDP last.example.com\n\n");
    cr_assert_eq(answer_status(), 200);
    cr_assert_str_eq(answer_row("Via", 0),
                     "SIP / 2.0 / UDP 10.0.0.1 : 6000; branch=z9hG4bK3;received=192.0.2.4"
                     ";rport=5070 , SIP/2.0/TCP p2.example.com;rport;branch=z9hG4bK2");
    cr_assert_str_eq(answer_row("Via", 1), "SIP/2.0/UDP 10.0.0.9;received=9.9.9.9");
    cr_assert_str_eq(answer_row("Via", 2), "SIP/2.0/UDP last.example.com");
    cr_assert_str_eq(answer_row("Via", 3), "-");
}

Test(way_back, the_scope_of_a_link_local_peer_is_kept)
{
    harness_peer("fe80::1", 5070);
    harness.peer.scope = 3;
    harness_send((struct sip){.method = "OPTIONS", .via = "SIP/2.0/UDP [fe80::1];rport"});
    cr_assert_eq(harness.target.scope, 3);
    cr_assert_str_eq(answer_target(), "[fe80::1]:5070");
}
