// SPDX-License-Identifier: Apache-2.0
#ifndef MICRO_KIND_H
#define MICRO_KIND_H

#include "micro/bed.h"

// The kinds of datagrams whose handling is measured, and how to have a batch of each.

struct kind {
    const char *name;
    enum phone_text text;
    unsigned status; // of the right answer, as bed_handle tells it
    bool stranger;   // said by users that are not registered
    bool same;       // has the numbers of the datagram of `before`
    // What must have been said before each, and is to be said after the batch so that the tables
    // are as they were; NULL for nothing.
    const struct kind *before;
    const struct kind *after;
};

// The i-th kind, or NULL after the last one.
const struct kind *kind_at(size_t i);

// Datagrams of one kind.
struct kind_batch {
    const struct kind *kind;
    uint64_t first; // number of the first one
    size_t count;
    struct slice datagrams[BED_BATCH_MAX];
    char bytes[BED_BATCH_MAX][PHONE_BYTES_MAX];
};

// Writes `count` datagrams of the kind, and says what must have been said before them. False when
// an answer to that was wrong.
bool kind_prepare(const struct kind *kind, struct bed *bed, size_t count, struct kind_batch *batch);

// The measured part: handles every datagram. Returns how many answers were right.
size_t kind_handle(struct bed *bed, const struct kind_batch *batch);

// The same as a worker does it: each datagram is read while others before it wait to be answered.
size_t kind_handle_ahead(struct bed *bed, const struct kind_batch *batch);

// Says what puts the tables back. False when an answer to that was wrong.
bool kind_finish(struct bed *bed, struct kind_batch *batch);

#endif
