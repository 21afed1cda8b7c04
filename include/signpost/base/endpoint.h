// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_ENDPOINT_H
#define SIGNPOST_BASE_ENDPOINT_H

#include "signpost/base/buf.h"

// IP addresses and ports as values, without a socket header: the core computes where an answer
// goes, the shell (net/address.h) turns that into a sockaddr.

enum ip_family {
    IP_NONE,
    IP_V4,
    IP_V6,
};

struct ip {
    enum ip_family family;
    uint8_t bytes[16]; // network order; the first 4 for IP_V4, the rest zero
};

struct endpoint {
    struct ip ip;
    uint32_t scope; // interface index of a link-local IPv6 address, else 0
    uint16_t port;  // host order
};

// Dotted quad or RFC 4291 text (with or without brackets); false when it is neither.
bool ip_parse(struct slice text, struct ip *out);

// The dotted quad that stands at the front of `s`, as *out: its length, or 0 and *out as it was
// when there is none. What follows it, a digit even, is for the caller to judge.
size_t ip_take_v4(struct slice s, struct ip *out);

// Dotted quad, or RFC 5952 text without brackets.
void ip_put(struct buf *b, const struct ip *ip);

// 203.0.113.7:5060 or [2001:db8::1]:5060, for people and logs.
void endpoint_put(struct buf *b, const struct endpoint *e);

bool ip_equal(const struct ip *a, const struct ip *b);

// 127.0.0.0/8 or ::1.
bool ip_is_loopback(const struct ip *ip);

// No single host's address: multicast, limited broadcast, or unspecified.
bool ip_is_group(const struct ip *ip);

// 0.0.0.0 or [::].
bool ip_is_unspecified(const struct ip *ip);

// fe80::/10, which means nothing without an interface.
bool ip_is_link_local(const struct ip *ip);

// A network: the first `bits` of `ip`.
struct cidr {
    struct ip ip;
    unsigned bits;
};

// "192.0.2.0/24", "2001:db8::/32", or a single address; false when it is neither, or when bits
// after the prefix are set.
bool cidr_parse(struct slice text, struct cidr *out);

bool cidr_contains(const struct cidr *net, const struct ip *ip);

#endif
