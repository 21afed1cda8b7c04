// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_SHARES_H
#define SIGNPOST_NET_SHARES_H

#include <stdbool.h>

#include "signpost/base/endpoint.h"

// Who sends how much: which sources have had more than their part of the latest datagrams, so that
// these can wait when there is not room for all. For one thread, the receiver; each datagram that
// it reads is counted, whatever becomes of it, and with one that has come past a fence those that
// have not (warden.h). Sources are told apart by their address (of IPv6 by its first 64 bits, which
// is what one customer has), in so many buckets that few share one.
//
// Where one source sends nearly all there is nobody to be protected from it: it may be an edge
// proxy that speaks for all phones, and it is not called greedy.

enum {
    SHARES_BUCKETS = 1024,
    // Datagrams after which all that has been counted counts half: some tenth of a second of what
    // can be read, so that a source which had to wait and sends all at once then is not called
    // greedy.
    SHARES_WINDOW = 32768,
};

struct shares {
    uint32_t counts[SHARES_BUCKETS];
    bool greedy[SHARES_BUCKETS]; // a while ago: those who had more than their part
    uint32_t total;
    uint32_t modest; // of the total, then: from those who had not
    uint32_t since;  // datagrams since then
};

// The source that an address belongs to: an IPv6 address without its last 64 bits.
struct ip shares_source(const struct ip *address);

// Counts so many datagrams of that address. True when its source is greedy: it has more than a
// quarter of the latest datagrams, and those who have not have a sixteenth at least.
bool shares_count(struct shares *shares, const struct ip *address, uint32_t datagrams);

#endif
