// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_ENTRY_H
#define SIGNPOSTCTL_ENTRY_H

#include "store/record.h"

// What a line or row of an import says: one binding of one address of record.
struct entry {
    struct slice aor;
    uint64_t revision; // of the address of record; 0: unknown
    uint64_t newness;  // of the bindings of one address of record the highest stands first
    struct record_binding binding;
    bool permanent; // without an expiry; it is given the longest there can be
    bool by_nat;    // reached where its packets came from, and perhaps not by its Contact
    bool by_path;   // reached by way of other proxies (RFC 3327), and perhaps not without them
};

// Writes the canonical address of record (sip/uri.h) of a user whose escapes are decoded. False
// when the host is none.
bool entry_put_aor(struct buf *b, struct slice user, struct slice host);

// NULL, or what of the entry no phone could have registered; static.
const char *entry_fault(const struct entry *entry);

#endif
