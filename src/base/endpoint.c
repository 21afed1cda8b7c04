// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/endpoint.h"

enum { IP4_BYTES = 4, IP6_BYTES = 16, IP6_GROUPS = 8 };

size_t ip_take_v4(struct slice s, struct ip *out)
{
    uint8_t bytes[IP4_BYTES];
    size_t n = 0;
    for (unsigned i = 0; i < IP4_BYTES; i++) {
        if (i > 0 && (n == s.len || s.at[n++] != '.')) {
            return 0;
        }
        const size_t start = n;
        unsigned value = 0;
        while (n < s.len && ascii_digit(s.at[n]) && n - start < 3) {
            value = value * 10 + (unsigned)(s.at[n++] - '0');
        }
        if (n == start || value > UINT8_MAX) {
            return 0;
        }
        bytes[i] = (uint8_t)value;
    }
    *out = (struct ip){.family = IP_V4};
    memcpy(out->bytes, bytes, sizeof(bytes));
    return n;
}

static bool parse_v4(struct slice text, uint8_t out[static IP4_BYTES])
{
    struct ip ip;
    if (text.len == 0 || ip_take_v4(text, &ip) != text.len) {
        return false;
    }
    memcpy(out, ip.bytes, IP4_BYTES);
    return true;
}

// Parses groups separated by ':' into bytes, the last of which may be a dotted quad. Returns how
// many bytes were written, or -1.
static int parse_v6_groups(struct slice text, uint8_t out[static IP6_BYTES])
{
    size_t n = 0;
    if (text.len == 0) {
        return 0;
    }
    for (;;) {
        const size_t len = slice_find(text, ':');
        const struct slice group = slice_of(text.at, len);
        const bool last = len == text.len;
        if (last && slice_find(group, '.') < group.len) {
            if (n + IP4_BYTES > IP6_BYTES || !parse_v4(group, out + n)) {
                return -1;
            }
            return (int)n + IP4_BYTES;
        }
        if (len == 0 || len > 4 || n + 2 > IP6_BYTES) {
            return -1;
        }
        unsigned value = 0;
        for (size_t i = 0; i < len; i++) {
            const int digit = ascii_hex(group.at[i]);
            if (digit < 0) {
                return -1;
            }
            value = value << 4 | (unsigned)digit;
        }
        out[n++] = (uint8_t)(value >> 8);
        out[n++] = (uint8_t)(value & 0xff);
        if (last) {
            return (int)n;
        }
        text = slice_from(text, len + 1);
    }
}

static bool parse_v6(struct slice text, uint8_t out[static IP6_BYTES])
{
    uint8_t tail[IP6_BYTES] = {0};
    size_t gap = text.len;
    for (size_t i = 0; i + 1 < text.len; i++) {
        if (text.at[i] == ':' && text.at[i + 1] == ':') {
            gap = i;
            break;
        }
    }
    memset(out, 0, IP6_BYTES);
    if (gap == text.len) {
        return parse_v6_groups(text, out) == IP6_BYTES;
    }
    const struct slice before = slice_of(text.at, gap);
    const int head_bytes = parse_v6_groups(before, out);
    const int tail_bytes = parse_v6_groups(slice_from(text, gap + 2), tail);
    // "::" stands for at least one group; a dotted quad may only stand at the very end.
    if (head_bytes < 0 || tail_bytes < 0 || head_bytes + tail_bytes > IP6_BYTES - 2 ||
        slice_find(before, '.') < before.len) {
        return false;
    }
    memcpy(out + IP6_BYTES - tail_bytes, tail, (size_t)tail_bytes);
    return true;
}

bool ip_parse(struct slice text, struct ip *out)
{
    *out = (struct ip){.family = IP_NONE};
    if (text.len > 2 && text.at[0] == '[' && text.at[text.len - 1] == ']') {
        text = slice_of(text.at + 1, text.len - 2);
    } else if (parse_v4(text, out->bytes)) {
        out->family = IP_V4;
        return true;
    }
    if (!parse_v6(text, out->bytes)) {
        return false;
    }
    out->family = IP_V6;
    return true;
}

static char *write_octet(char *at, unsigned value)
{
    if (value >= 100) {
        *at++ = (char)('0' + value / 100);
        return buf_write2(at, value % 100);
    }
    if (value >= 10) {
        return buf_write2(at, value);
    }
    *at++ = (char)('0' + value);
    return at;
}

static void put_v4(struct buf *b, const uint8_t *bytes)
{
    char text[sizeof("255.255.255.255")];
    char *at = write_octet(text, bytes[0]);
    for (unsigned i = 1; i < IP4_BYTES; i++) {
        *at++ = '.';
        at = write_octet(at, bytes[i]);
    }
    buf_put(b, slice_between(text, at));
}

static void put_hex16(struct buf *b, unsigned value)
{
    static const char hex[] = "0123456789abcdef";
    bool started = false;
    for (int shift = 12; shift >= 0; shift -= 4) {
        const unsigned digit = value >> shift & 0xf;
        started = started || digit != 0 || shift == 0;
        if (started) {
            buf_put_char(b, hex[digit]);
        }
    }
}

// RFC 5952 5: of these addresses the prefix tells that they end in a dotted quad.
static bool v4_mapped(const uint8_t *bytes)
{
    static const uint8_t prefix[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(bytes, prefix, sizeof(prefix)) == 0;
}

// RFC 5952 4: lower case, no leading zeros, the longest run of two or more zero groups as "::",
// the first one when two are equally long.
static void put_v6(struct buf *b, const uint8_t *bytes)
{
    unsigned groups[IP6_GROUPS];
    unsigned best = IP6_GROUPS;
    unsigned best_len = 1;
    for (unsigned i = 0; i < IP6_GROUPS; i++) {
        const unsigned high = bytes[2 * (size_t)i];
        groups[i] = high << 8 | bytes[2 * (size_t)i + 1];
    }
    for (unsigned i = 0; i < IP6_GROUPS; i++) {
        unsigned run = 0;
        while (i + run < IP6_GROUPS && groups[i + run] == 0) {
            run++;
        }
        if (run > best_len) {
            best = i;
            best_len = run;
        }
    }
    for (unsigned i = 0; i < IP6_GROUPS; i++) {
        if (i == best) {
            buf_put(b, SLICE("::"));
            i += best_len - 1;
            continue;
        }
        if (i > 0 && i != best + best_len) {
            buf_put_char(b, ':');
        }
        put_hex16(b, groups[i]);
    }
}

void ip_put(struct buf *b, const struct ip *ip)
{
    assert(ip->family != IP_NONE);
    if (ip->family == IP_V4) {
        put_v4(b, ip->bytes);
    } else if (v4_mapped(ip->bytes)) {
        buf_put(b, SLICE("::ffff:"));
        put_v4(b, ip->bytes + IP6_BYTES - IP4_BYTES);
    } else {
        put_v6(b, ip->bytes);
    }
}

void endpoint_put(struct buf *b, const struct endpoint *e)
{
    const bool v6 = e->ip.family == IP_V6;
    buf_put(b, v6 ? SLICE("[") : SLICE(""));
    ip_put(b, &e->ip);
    buf_put(b, v6 ? SLICE("]:") : SLICE(":"));
    buf_put_u64(b, e->port);
}

bool ip_equal(const struct ip *a, const struct ip *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static bool v6_is(const struct ip *ip, uint8_t last)
{
    static const uint8_t zero[IP6_BYTES - 1];
    return memcmp(ip->bytes, zero, sizeof(zero)) == 0 && ip->bytes[IP6_BYTES - 1] == last;
}

bool ip_is_loopback(const struct ip *ip)
{
    return ip->family == IP_V4 ? ip->bytes[0] == 127 : v6_is(ip, 1);
}

bool ip_is_group(const struct ip *ip)
{
    // 0.0.0.0/8 is "this network"; 224.0.0.0/3 multicast, reserved, and broadcast at its end.
    return ip->family == IP_V4 ? ip->bytes[0] == 0 || ip->bytes[0] >= 224
                               : ip->bytes[0] == 0xff || v6_is(ip, 0);
}

bool ip_is_unspecified(const struct ip *ip)
{
    static const uint8_t zero[IP6_BYTES];
    return memcmp(ip->bytes, zero, sizeof(zero)) == 0;
}

bool ip_is_link_local(const struct ip *ip)
{
    return ip->family == IP_V6 && ip->bytes[0] == 0xfe && (ip->bytes[1] & 0xc0) == 0x80;
}

static bool bits_after_prefix_set(const struct ip *ip, unsigned bits, unsigned bits_max)
{
    for (unsigned i = bits; i < bits_max; i++) {
        if ((ip->bytes[i / 8] >> (7 - i % 8) & 1) != 0) {
            return true;
        }
    }
    return false;
}

bool cidr_parse(struct slice text, struct cidr *out)
{
    const size_t slash = slice_find(text, '/');
    if (!ip_parse(slice_of(text.at, slash), &out->ip)) {
        return false;
    }
    const unsigned bits_max = out->ip.family == IP_V4 ? 32 : 128;
    uint64_t bits = bits_max;
    if (slash < text.len && !slice_to_u64(slice_from(text, slash + 1), bits_max, &bits)) {
        return false;
    }
    out->bits = (unsigned)bits;
    return !bits_after_prefix_set(&out->ip, out->bits, bits_max);
}

bool cidr_contains(const struct cidr *net, const struct ip *ip)
{
    const unsigned whole = net->bits / 8;
    const unsigned rest = net->bits % 8;
    if (net->ip.family != ip->family || memcmp(net->ip.bytes, ip->bytes, whole) != 0) {
        return false;
    }
    return rest == 0 || ((net->ip.bytes[whole] ^ ip->bytes[whole]) >> (8 - rest)) == 0;
}
