// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STATE_POOL_H
#define SIGNPOST_STATE_POOL_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

// Memory of the location table's rows. A large stretch of it, the ground, is common to all shards,
// and each shard's pool takes pieces of it, cuts them up, and keeps what is given back for the next
// row of the same size. So rows lie close together, on few pages, and on large ones where the
// kernel gives such: a look-up among millions waits less for addresses to be translated. Where
// there is no ground, or it is used up, memory comes from malloc.

// All may be zero: no ground.
struct pool_ground {
    char *at;
    size_t bytes;
    _Atomic size_t used;
};

enum {
    POOL_STEP = 16,        // sizes are rounded up to a multiple of it
    POOL_ROW_BYTES = 5120, // what is larger is not kept for its like, but cut up for rows
};

// Used under the lock of its shard.
struct pool {
    struct pool_ground *ground;
    char *piece; // what is left of the piece that is being cut up
    size_t left;
    struct pool_free *free[POOL_ROW_BYTES / POOL_STEP + 1]; // given back, by size
};

// The ground is borrowed as long as the pool is used.
void pool_init(struct pool *pool, struct pool_ground *ground);

// Memory for any type; NULL when there is none.
void *pool_take(struct pool *pool, size_t bytes);

// Takes back what pool_take gave for so many bytes. NULL is legal.
void pool_give(struct pool *pool, void *at, size_t bytes);

#endif
