// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/endpoint.h"

#include <signal.h>

#include "tests/unit/support.h"

static struct slice put_ip(const struct ip *ip, char memory[static 64])
{
    struct buf b = buf_over(memory, 64);
    ip_put(&b, ip);
    return buf_slice(&b);
}

static struct ip ip_of(const char *text)
{
    struct ip ip;
    cr_assert(ip_parse(text_slice(text), &ip), "%s", text);
    return ip;
}

// Text and its canonical form.
static const struct {
    const char *text;
    const char *canonical;
    enum ip_family family;
} addresses[] = {
    {"0.0.0.0", "0.0.0.0", IP_V4},
    {"192.0.2.1", "192.0.2.1", IP_V4},
    {"255.255.255.255", "255.255.255.255", IP_V4},
    {"10.020.003.004", "10.20.3.4", IP_V4}, // 1*3DIGIT (RFC 3261 25.1), decimal whatever leads
    {"::", "::", IP_V6},
    {"[::]", "::", IP_V6},
    {"::1", "::1", IP_V6},
    {"[2001:db8::1]", "2001:db8::1", IP_V6},
    {"2001:db8::", "2001:db8::", IP_V6},
    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", IP_V6},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8", IP_V6}, // RFC 5952 4.2.2: not for one group
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0", IP_V6},
    {"1:2:3::5:6:7:8", "1:2:3:0:5:6:7:8", IP_V6},
    // RFC 5952 1 and 4
    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", IP_V6},
    {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1", IP_V6},
    {"2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1", IP_V6},
    {"2001:DB8:0:0:1::1", "2001:db8::1:0:0:1", IP_V6},
    {"2001:db8:0000:0:1::1", "2001:db8::1:0:0:1", IP_V6},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1", IP_V6},
    {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1", IP_V6},
    {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1", IP_V6},
    {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:AAAA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa", IP_V6},
    {"fe80:0:0:0:0:0:0:0", "fe80::", IP_V6},
    {"0:0:1:0:0:0:0:0", "0:0:1::", IP_V6},
    {"00A0:000b:0c00:d000::", "a0:b:c00:d000::", IP_V6},
    // embedded dotted quads
    {"::ffff:192.0.2.1", "::ffff:192.0.2.1", IP_V6}, // RFC 5952 5: the prefix tells
    {"::FFFF:c000:0201", "::ffff:192.0.2.1", IP_V6},
    {"[::ffff:0.0.0.0]", "::ffff:0.0.0.0", IP_V6},
    {"::192.0.2.1", "::c000:201", IP_V6},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221", IP_V6},
    {"1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201", IP_V6},
    {"1:2:3:4:5::192.0.2.1", "1:2:3:4:5:0:c000:201", IP_V6},
    {"1::ffff:192.0.2.1", "1::ffff:c000:201", IP_V6},
};

Test(ip, text_is_read_and_written_canonically)
{
    for (size_t i = 0; i < LENGTH_OF(addresses); i++) {
        char memory[64];
        struct ip ip;
        const bool ok = ip_parse(text_slice(addresses[i].text), &ip);
        cr_expect(ok, "%s", addresses[i].text);
        if (!ok) {
            continue;
        }
        const struct slice text = put_ip(&ip, memory);
        cr_expect_eq(ip.family, addresses[i].family, "%s", addresses[i].text);
        cr_expect(slice_is(text, addresses[i].canonical), "%s is written %.*s", addresses[i].text,
                  PRINTED(text));
    }
}

Test(ip, malformed_text_is_refused)
{
    static const char *const faulty[] = {
        "", ".", "1", "1.2.3", "1.2.3.", ".1.2.3.4", "1.2.3.4.", "1.2.3.4.5", "1..2.3", "1.2.3.256",
        "256.1.1.1", "1.2.3.0004", "1.2.3.4 ", " 1.2.3.4", "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4",
        "1.2.3.4:5060", "1.2.3.a", "1,2,3,4", "999.1.1.1", "[1.2.3.4]", "example.com",
        // IPv6
        ":", ":::", "::::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:", ":2:3:4:5:6:7:8",
        "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8:", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8",
        "1:2:3:4::5:6:7:8", "1::2::3", "::1::", "1:::2", "12345::", "::12345", "::g", "::-1",
        "::1 ", " ::1", "::1%eth0", "fe80::1%1", "::1/64",
        // brackets
        "[", "]", "[]", "[]]", "[::1", "::1]", "[[::1]]", "[::1]:5060", "[::1] ", "[:]",
        // embedded dotted quads
        "::1.2.3", "::1.2.3.4.5", "::1.2.3.256", "1.2.3.4::", "1.2.3.4::1", "::1.2.3.4:5",
        "1.2.3.4:1::", "1:2:3:4:5:6:7:1.2.3.4", "1:2:3:4:5:1.2.3.4", "1:2:3:4:5:6::1.2.3.4",
        "::1.2.3.", "::.1.2.3", "::ffff:1.2.3.x"};
    for (size_t i = 0; i < LENGTH_OF(faulty); i++) {
        struct ip ip = {.family = IP_V4};
        cr_expect_not(ip_parse(text_slice(faulty[i]), &ip), "\"%s\"", faulty[i]);
        cr_expect_eq(ip.family, IP_NONE, "\"%s\"", faulty[i]);
    }
    struct ip ip;
    cr_assert_not(ip_parse(slice_of(NULL, 0), &ip));
    cr_assert_not(ip_parse(SLICE("1.2.3.4\0"), &ip));
}

Test(ip, bytes_are_in_network_order_and_the_rest_zero)
{
    static const uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12, 0x34};
    static const uint8_t v4[16] = {192, 0, 2, 33};
    struct ip ip = ip_of("2001:db8::1234");
    cr_assert_eq(memcmp(ip.bytes, v6, 16), 0);
    cr_assert(ip_parse(SLICE("192.0.2.33"), &ip));
    cr_assert_eq(memcmp(ip.bytes, v4, 16), 0);
}

Test(ip, equal_in_family_and_bytes)
{
    const struct ip a = ip_of("2001:db8::1");
    const struct ip b = ip_of("[2001:DB8:0:0::0001]");
    const struct ip c = ip_of("2001:db8::2");
    const struct ip v4 = ip_of("0.0.0.0");
    const struct ip v6 = ip_of("::");
    const struct ip plain = ip_of("192.0.2.1");
    const struct ip mapped = ip_of("::ffff:192.0.2.1");
    cr_assert(ip_equal(&a, &b));
    cr_assert_not(ip_equal(&a, &c));
    cr_assert_not(ip_equal(&v4, &v6));
    cr_assert_not(ip_equal(&plain, &mapped));
}

Test(ip, random_addresses_survive_writing_and_reading)
{
    uint64_t random = 1;
    for (unsigned round = 0; round < 20000; round++) {
        struct ip ip = {.family = round % 8 == 0 ? IP_V4 : IP_V6};
        struct ip back;
        char memory[64];
        const uint64_t zero_groups = next_random(&random);
        for (unsigned i = 0; i < (ip.family == IP_V4 ? 4U : 16U); i++) {
            const bool zero = (zero_groups >> (i / 2) & 1) != 0;
            ip.bytes[i] = zero ? 0 : (uint8_t)(next_random(&random) >> 32);
        }
        const struct slice text = put_ip(&ip, memory);
        if (text.len > 39 || !ip_parse(text, &back) || !ip_equal(&ip, &back)) {
            cr_assert_fail("%.*s", PRINTED(text));
        }
    }
}

Test(ip, text_is_not_read_beyond_its_end)
{
    const struct guard guard = guard_create(64);
    for (size_t i = 0; i < LENGTH_OF(addresses); i++) {
        const struct slice text = text_slice(addresses[i].text);
        for (size_t len = 0; len <= text.len; len++) {
            struct ip ip;
            struct cidr net;
            const struct slice cut = guard_copy(guard, slice_of(text.at, len));
            const bool ok = ip_parse(cut, &ip);
            cr_assert_eq(ok, ip.family != IP_NONE);
            (void)cidr_parse(cut, &net);
        }
    }
}

Test(ip, none_cannot_be_written, .signal = SIGABRT)
{
    const struct ip none = {.family = IP_NONE};
    char memory[64];
    (void)put_ip(&none, memory);
}

Test(endpoint, ipv6_stands_in_brackets)
{
    static const struct {
        const char *ip;
        uint16_t port;
        const char *text;
    } rows[] = {
        {"203.0.113.7", 5060, "203.0.113.7:5060"},
        {"2001:db8::1", 5060, "[2001:db8::1]:5060"},
        {"::", 65535, "[::]:65535"},
        {"0.0.0.0", 0, "0.0.0.0:0"},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char memory[64];
        struct buf b = buf_over(memory, sizeof(memory));
        const struct endpoint e = {.ip = ip_of(rows[i].ip), .port = rows[i].port};
        endpoint_put(&b, &e);
        ASSERT_TEXT(buf_slice(&b), rows[i].text);
    }
}

static const struct {
    const char *net;
    const char *ip;
    bool inside;
} members[] = {
    {"192.0.2.0/24", "192.0.2.0", true},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "192.0.1.255", false},
    {"172.16.0.0/12", "172.31.255.255", true},
    {"172.16.0.0/12", "172.32.0.0", false},
    {"172.16.0.0/12", "172.15.255.255", false},
    {"128.0.0.0/1", "255.0.0.1", true},
    {"128.0.0.0/1", "127.255.255.255", false},
    {"10.0.0.2/31", "10.0.0.3", true},
    {"10.0.0.2/31", "10.0.0.4", false},
    {"10.0.0.7", "10.0.0.7", true},
    {"10.0.0.7", "10.0.0.6", false},
    {"10.0.0.7/32", "10.0.0.7", true},
    {"0.0.0.0/0", "255.255.255.255", true},
    {"0.0.0.0/0", "::", false},
    {"::/0", "2001:db8::1", true},
    {"::/0", "0.0.0.0", false},
    {"::ffff:0:0/96", "::ffff:10.1.2.3", true},
    {"10.0.0.0/8", "::ffff:10.1.2.3", false}, // another family
    {"2001:db8::/32", "2001:db8:ffff::1", true},
    {"2001:db8::/32", "2001:db9::", false},
    {"[2001:db8::]/32", "2001:db8::1", true},
    {"2001:db8::2/127", "2001:db8::3", true},
    {"2001:db8::2/127", "2001:db8::4", false},
    {"2001:db8::1/128", "2001:db8::1", true},
    {"::1", "::1", true},
    {"::1", "::", false},
};

Test(cidr, contains_exactly_its_addresses)
{
    for (size_t i = 0; i < LENGTH_OF(members); i++) {
        struct cidr net;
        const struct ip ip = ip_of(members[i].ip);
        cr_assert(cidr_parse(text_slice(members[i].net), &net), "%s", members[i].net);
        cr_expect_eq(cidr_contains(&net, &ip), members[i].inside, "%s in %s", members[i].ip,
                     members[i].net);
    }
}

Test(cidr, prefix_of_every_length_splits_at_its_bit)
{
    const struct ip all = ip_of("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff");
    struct cidr net = {.ip = ip_of("::"), .bits = 0};
    for (unsigned bits = 1; bits <= 128; bits++) {
        struct ip ip = all;
        const unsigned last = bits - 1;
        net.ip.bytes[last / 8] |= (uint8_t)(0x80 >> last % 8);
        net.bits = bits;
        cr_assert(cidr_contains(&net, &ip), "/%u", bits);
        ip.bytes[last / 8] ^= (uint8_t)(0x80 >> last % 8);
        cr_assert_not(cidr_contains(&net, &ip), "/%u", bits);
    }
}

Test(cidr, malformed_or_overlong_prefix_is_refused)
{
    static const char *const faulty[] = {
        "", "/", "/24", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/+8",
        "192.0.2.0/ 24", "192.0.2.0 /24", "192.0.2.0/24 ", "192.0.2.0/2a", "192.0.2.0/24/24",
        "192.0.2.0/999999999999999999999", "192.0.2.0/255.255.255.0", "192.0.2/24", "10/8",
        "2001:db8::/129", "2001:db8::/", "::/x", "[::/0]", "example.com/24",
        // bits after the prefix
        "192.0.2.1/24", "192.0.2.0/22", "0.0.0.1/0", "128.0.0.0/0", "10.0.0.3/31", "::1/0",
        "2001:db8::1/32", "2001:db8:8000::/32", "2001:db8::1/127"};
    for (size_t i = 0; i < LENGTH_OF(faulty); i++) {
        struct cidr net;
        cr_expect_not(cidr_parse(text_slice(faulty[i]), &net), "\"%s\"", faulty[i]);
    }
}

Test(ip, dotted_quad_is_taken_off_the_front)
{
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        {"192.0.2.1", 9},
        {"192.0.2.1:5060", 9},
        {"001.002.003.004;x", 15},
        {"1.2.3.4567", 0},
        {"1.2.3.1234", 9},
        {"1.2.3", 0},
        {"1.2.3.", 0},
        {"1..3.4", 0},
        {"1234.1.1.1", 0},
        {"256.1.1.1", 0},
        {"", 0},
        {"a.b.c.d", 0},
        {"1.2.3.4.5", 7},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct ip ip = {.family = IP_NONE};
        cr_expect_eq(ip_take_v4(text_slice(rows[i].text), &ip), rows[i].len, "%s", rows[i].text);
        cr_expect_eq(ip.family, rows[i].len > 0 ? IP_V4 : IP_NONE, "%s", rows[i].text);
    }
}
