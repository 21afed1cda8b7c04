// SPDX-License-Identifier: Apache-2.0
#include "net/shares.h"

#include <string.h>

enum {
    GREEDY_PART = 4,
    MODEST_PART = 16,
    // Datagrams: soon enough for the smallest rings, and seldom enough to cost nothing.
    STOCK_EVERY = 512,
    NETWORK_BYTES = 8, // of an IPv6 address; all of an IPv4 address, with zeros
};

// Not keyed: who finds another's bucket can send from there with his own share only.
static unsigned bucket_of(const struct ip *address)
{
    const struct ip source = shares_source(address);
    uint64_t bits;
    memcpy(&bits, source.bytes, sizeof(bits));
    bits ^= bits >> 32; // the product's middle is of the lower half alone
    return (unsigned)(bits * UINT64_C(0x9e3779b97f4a7c15) >> 32) % SHARES_BUCKETS;
}

static bool exceeds(const struct shares *shares, uint32_t count)
{
    return count > shares->total / GREEDY_PART;
}

// The old counts less than the new, and what a source has stopped sending is soon forgotten.
static void halve(struct shares *shares)
{
    shares->total = 0;
    for (unsigned i = 0; i < SHARES_BUCKETS; i++) {
        shares->counts[i] /= 2;
        shares->total += shares->counts[i];
    }
}

static void take_stock(struct shares *shares)
{
    if (shares->total >= SHARES_WINDOW) {
        halve(shares);
    }
    shares->modest = 0;
    for (unsigned i = 0; i < SHARES_BUCKETS; i++) {
        shares->greedy[i] = exceeds(shares, shares->counts[i]);
        shares->modest += shares->greedy[i] ? 0 : shares->counts[i];
    }
    shares->since = 0;
}

struct ip shares_source(const struct ip *address)
{
    struct ip source = {.family = address->family};
    memcpy(source.bytes, address->bytes, NETWORK_BYTES);
    return source;
}

bool shares_count(struct shares *shares, const struct ip *address, uint32_t datagrams)
{
    const unsigned bucket = bucket_of(address);
    shares->since += datagrams;
    if (shares->since >= STOCK_EVERY) {
        take_stock(shares);
    }
    shares->counts[bucket] += datagrams;
    shares->total += datagrams;
    // both of the same moment: nobody is greedy beside himself
    return shares->greedy[bucket] && shares->modest > shares->total / MODEST_PART;
}
