// SPDX-License-Identifier: Apache-2.0
#include "state/pool.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE_BYTES = 16384 };

struct pool_free {
    struct pool_free *next;
};

static_assert(sizeof(struct pool_free) <= POOL_STEP, "the least row holds one");
static_assert((int)POOL_ROW_BYTES < (int)PIECE_BYTES, "a piece holds any row");

static size_t rounded(size_t bytes)
{
    return (bytes + POOL_STEP - 1) / POOL_STEP * POOL_STEP;
}

static bool on_ground(const struct pool_ground *ground, const char *at)
{
    return (uintptr_t)at - (uintptr_t)ground->at < ground->bytes;
}

// NULL when there is not so much left.
static char *break_ground(struct pool_ground *ground, size_t bytes)
{
    // relaxed: only that each byte is taken once; the shard's lock orders what is written there
    size_t used = atomic_load_explicit(&ground->used, memory_order_relaxed);
    do {
        if (bytes > ground->bytes - used) {
            return NULL;
        }
    } while (!atomic_compare_exchange_weak_explicit(&ground->used, &used, used + bytes,
                                                    memory_order_relaxed, // as above
                                                    memory_order_relaxed));
    return ground->at + used;
}

static void keep(struct pool *pool, char *at, size_t bytes)
{
    struct pool_free *const row = (void *)at;
    row->next = pool->free[bytes / POOL_STEP];
    pool->free[bytes / POOL_STEP] = row;
}

// What is left of the old piece becomes one row, or is lost where it is too long for one: which
// only happens when a table's old buckets take its place.
static void cut_up(struct pool *pool, char *piece, size_t bytes)
{
    if (pool->left > 0 && pool->left <= POOL_ROW_BYTES) {
        keep(pool, pool->piece, pool->left);
    }
    pool->piece = piece;
    pool->left = bytes;
}

static void *cut_off(struct pool *pool, size_t bytes)
{
    if (pool->left < bytes) {
        char *const piece = break_ground(pool->ground, PIECE_BYTES);
        if (piece == NULL) {
            return malloc(bytes);
        }
        cut_up(pool, piece, PIECE_BYTES);
    }
    char *const at = pool->piece;
    pool->piece += bytes;
    pool->left -= bytes;
    return at;
}

void pool_init(struct pool *pool, struct pool_ground *ground)
{
    memset(pool, 0, sizeof(*pool));
    pool->ground = ground;
}

void *pool_take(struct pool *pool, size_t bytes)
{
    const size_t size = rounded(bytes);
    if (size > POOL_ROW_BYTES) {
        void *const at = break_ground(pool->ground, size);
        return at != NULL ? at : malloc(bytes);
    }
    struct pool_free *const row = pool->free[size / POOL_STEP];
    if (row == NULL) {
        return cut_off(pool, size);
    }
    pool->free[size / POOL_STEP] = row->next;
    return row;
}

void pool_give(struct pool *pool, void *at, size_t bytes)
{
    const size_t size = rounded(bytes);
    if (!on_ground(pool->ground, at)) {
        free(at);
    } else if (size <= POOL_ROW_BYTES) {
        keep(pool, at, size);
    } else if (size > pool->left) {
        cut_up(pool, at, size);
    }
}
