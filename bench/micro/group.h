// SPDX-License-Identifier: Apache-2.0
#ifndef MICRO_GROUP_H
#define MICRO_GROUP_H

#include "micro/measure.h"

// Operations that are measured on the same stage.
struct micro_group {
    bool sized; // measured with tables of several sizes
    // NULL when memory does not suffice. `users` is 0 unless sized.
    void *(*create)(uint32_t users);
    void (*destroy)(void *stage);
    // The i-th row; false after the last one.
    bool (*row_at)(size_t i, struct micro_row *row);
};

// What a datagram is taken apart and put together with: parsing, addresses, hashes, a response.
extern const struct micro_group wire_group;

// From producers to consumers: the ring.
extern const struct micro_group ring_group;

// What a change costs until it is kept: a record written and read, an entry of the queue that it
// takes to the persister.
extern const struct micro_group keep_group;

// The location table, and the whole of uas_handle by kind.
extern const struct micro_group table_group;

#endif
