// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/host.h"

#include "tests/unit/support.h"

// What is taken, and what stands behind it.
static const struct {
    const char *text;
    const char *host;
    enum ip_family family;
} hosts[] = {
    {"biloxi.com", "biloxi.com", IP_NONE},
    {"biloxi.com.", "biloxi.com.", IP_NONE},
    {"a", "a", IP_NONE},
    {"A.b-c.d--e.F1", "A.b-c.d--e.F1", IP_NONE},
    {"1and1.com", "1and1.com", IP_NONE},
    {"3com.2x.c0", "3com.2x.c0", IP_NONE},
    {"my_host", "my_host", IP_NONE},
    {"_sip._udp.a_", "_sip._udp.a_", IP_NONE},
    {"biloxi.com:5060", "biloxi.com", IP_NONE},
    {"biloxi.com;lr", "biloxi.com", IP_NONE},
    {"biloxi.com b", "biloxi.com", IP_NONE},
    {"1.2.3.4.in-addr.arpa", "1.2.3.4.in-addr.arpa", IP_NONE},
    {"192.0.2.4", "192.0.2.4", IP_V4},
    {"192.0.2.4:5060", "192.0.2.4", IP_V4},
    {"[2001:db8::1]", "[2001:db8::1]", IP_V6},
    {"[2001:db8::1]x", "[2001:db8::1]", IP_V6},
    {"[::ffff:192.0.2.10]:1", "[::ffff:192.0.2.10]", IP_V6},
    {"[2001:db8::10:5070]", "[2001:db8::10:5070]", IP_V6},       // RFC 5118 4.3
    {"[2001:db8:::192.0.2.1]", "[2001:db8:::192.0.2.1]", IP_V6}, // RFC 5118 4.10
    {"[:::192.0.2.1]", "[:::192.0.2.1]", IP_V6},
    // none
    {"", NULL, IP_NONE},
    {".", NULL, IP_NONE},
    {"a..b", NULL, IP_NONE},
    {"a..", NULL, IP_NONE},
    {".a", NULL, IP_NONE},
    {"-a", NULL, IP_NONE},
    {"a-", NULL, IP_NONE},
    {"a-.b", NULL, IP_NONE},
    {"a.-b", NULL, IP_NONE},
    {"a.b-", NULL, IP_NONE},
    {"a.b-.", NULL, IP_NONE},
    {"1.2.3.256", NULL, IP_NONE},
    {"1.2.3", NULL, IP_NONE},
    {"1.2.3.4.5", NULL, IP_NONE},
    {"192.0.2.4.", NULL, IP_NONE},
    {"a.1", NULL, IP_NONE},
    {"a.1b", "a.1b", IP_NONE}, // by leniency: a name, for it is no number
    {"358", NULL, IP_NONE},
    {":5060", NULL, IP_NONE},
    {"%61", NULL, IP_NONE},
    {"\xc3\xb6", NULL, IP_NONE},
    {"[", NULL, IP_NONE},
    {"[]", NULL, IP_NONE},
    {"[::1", NULL, IP_NONE},
    {"[192.0.2.1]", NULL, IP_NONE},
    {"[biloxi.com]", NULL, IP_NONE},
    {"[::1%25eth0]", NULL, IP_NONE},
    {"[2001:db8:::1]", NULL, IP_NONE}, // only before a dotted quad
    {"[2001:db8::::192.0.2.1]", NULL, IP_NONE},
    {"[2001:db8:::1:192.0.2.1]", NULL, IP_NONE},
    {"[1::2:::192.0.2.1]", NULL, IP_NONE},
    {"[:::]", NULL, IP_NONE},
    {"[0000000000000000000000000000000000000000000:::192.0.2.1]", NULL, IP_NONE},
};

Test(host, is_a_name_or_an_address)
{
    for (size_t i = 0; i < LENGTH_OF(hosts); i++) {
        const char *const text = hosts[i].text;
        struct slice rest = text_slice(text);
        struct slice host = slice_of(NULL, 0);
        struct ip ip;
        const enum err e = host_take(&rest, &host, &ip);
        cr_expect_eq(e, hosts[i].host != NULL ? ERR_OK : ERR_SYNTAX, "\"%s\"", text);
        cr_expect(slice_is(host, hosts[i].host != NULL ? hosts[i].host : ""), "\"%s\"", text);
        cr_expect_eq(ip.family, hosts[i].family, "\"%s\"", text);
        cr_expect(slice_is(rest, text + host.len), "\"%s\"", text);
    }
}

Test(host, colon_too_many_is_no_other_address)
{
    struct slice rest = SLICE("[2001:db8:::192.0.2.1]");
    struct slice host;
    struct ip lenient;
    struct ip strict;
    cr_assert_eq(host_take(&rest, &host, &lenient), ERR_OK);
    cr_assert(ip_parse(SLICE("2001:db8::192.0.2.1"), &strict));
    cr_assert(ip_equal(&lenient, &strict));
}

Test(host, port_is_a_number_from_1_to_65535)
{
    static const struct {
        const char *text;
        unsigned port; // 0: none
        const char *rest;
    } rows[] = {{"5060", 5060, ""},
                {"05060;lr", 5060, ";lr"},
                {"1", 1, ""},
                {"65535", 65535, ""},
                {"65536", 0, "65536"},
                {"0", 0, "0"},
                {"", 0, ""},
                {"-1", 0, "-1"},
                {"x", 0, "x"},
                {"5060x", 5060, "x"},
                {"4294972356", 0, "4294972356"}};

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct slice rest = text_slice(rows[i].text);
        uint16_t port = 0;
        cr_expect_eq(host_take_port(&rest, &port), rows[i].port != 0 ? ERR_OK : ERR_SYNTAX, "%s",
                     rows[i].text);
        cr_expect_eq(port, rows[i].port, "%s", rows[i].text);
        cr_expect(slice_is(rest, rows[i].rest), "%s", rows[i].text);
    }
}

Test(host, cut_anywhere_is_not_read_beyond)
{
    const struct guard guard = guard_create(128);
    for (size_t i = 0; i < LENGTH_OF(hosts); i++) {
        for (size_t len = 0; len <= strlen(hosts[i].text); len++) {
            const struct slice cut = guard_copy(guard, slice_of(hosts[i].text, len));
            struct slice rest = cut;
            struct slice host;
            struct ip ip;
            if (host_take(&rest, &host, &ip) == ERR_OK) {
                cr_assert(slice_within(host, cut) && host.len + rest.len == cut.len);
            }
        }
    }
}
