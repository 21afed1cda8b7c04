// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_SHARES_H
#define SIGNPOST_NET_SHARES_H

#include <stdbool.h>

#include "signpost/base/endpoint.h"

// Who sends how much: which sources have had more than their part of the latest datagrams, so that
// these can wait when there is not room for all. For one thread, the receiver; each datagram that
// it reads is counted, whatever becomes of it. Sources are told apart by their address (of IPv6 by
// its first 64 bits, which is what one customer has), in so many buckets that few share one.
//
// Where one source sends nearly all there is nobody to be protected from it: it may be an edge
// proxy that speaks for all phones, and it is not called greedy.

enum {
    SHARES_BUCKETS = 1024,
    SHARES_WINDOW = 4096, // datagrams after which all that has been counted counts half
};

struct shares {
    uint32_t counts[SHARES_BUCKETS];
    uint32_t total;
    uint32_t modest; // of the total, a while ago: from those who have no more than their part
    uint32_t since;  // datagrams since then
};

// Counts so many datagrams of that source. True when the source is greedy: it has more than a
// quarter of the latest datagrams, and those who have not have a sixteenth at least.
bool shares_count(struct shares *shares, const struct ip *source, uint32_t datagrams);

#endif
