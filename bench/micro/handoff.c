// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "micro/group.h"
#include "net/ring.h"

enum {
    SLOTS = 1024, // as the server has by default
    BATCH = 32,   // as receiver and worker take them
    OPS = 8192,
};

struct stage {
    struct ring *own;    // used by one thread alone
    struct ring *shared; // which the consumer empties
    pthread_t consumer;
    // What the consumer has given back. It adds with release, and the producer reads with acquire,
    // so that a batch ends when its last slot is free again.
    _Atomic size_t consumed;
};

static void *consume(void *arg)
{
    struct stage *const s = arg;
    for (;;) {
        const struct ring_span span = ring_claim(s->shared, BATCH);
        if (span.count == 0) {
            return NULL;
        }
        ring_release(s->shared, span);
        (void)atomic_fetch_add_explicit(&s->consumed, span.count, memory_order_release);
    }
}

static void *create(uint32_t users)
{
    (void)users;
    struct stage *const s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->own = ring_create(SLOTS, 0);
    s->shared = ring_create(SLOTS, 0);
    if (s->own == NULL || s->shared == NULL ||
        pthread_create(&s->consumer, NULL, consume, s) != 0) {
        ring_destroy(s->own);
        ring_destroy(s->shared);
        free(s);
        return NULL;
    }
    return s;
}

static void destroy(void *stage)
{
    struct stage *const s = stage;
    ring_close(s->shared);
    (void)pthread_join(s->consumer, NULL);
    ring_destroy(s->own);
    ring_destroy(s->shared);
    free(s);
}

static unsigned step_of(const struct micro_row *row)
{
    return *(const unsigned *)row->arg;
}

static unsigned publish(struct ring *ring, unsigned want)
{
    const struct ring_span span = ring_reserve(ring, want);
    for (unsigned i = 0; i < span.count; i++) {
        ring_packet(ring, span, i)->len = i;
    }
    if (span.count > 0) {
        ring_publish(ring, span);
    }
    return span.count;
}

static size_t alone(void *stage, const struct micro_row *row)
{
    const struct stage *const s = stage;
    const unsigned step = step_of(row);
    size_t done = 0;
    while (done < row->ops) {
        if (publish(s->own, step) != step) {
            return 0;
        }
        const struct ring_span span = ring_claim(s->own, step);
        ring_release(s->own, span);
        done += span.count;
    }
    return done;
}

static size_t to_other(void *stage, const struct micro_row *row)
{
    struct stage *const s = stage;
    const size_t goal = atomic_load_explicit(&s->consumed, memory_order_acquire) + row->ops;
    size_t left = row->ops;
    while (left > 0) {
        const unsigned step = step_of(row);
        const unsigned sent = publish(s->shared, left < step ? (unsigned)left : step);
        if (sent == 0) {
            (void)sched_yield(); // full: also on a machine with one core the consumer must run
        }
        left -= sent;
    }
    while (atomic_load_explicit(&s->consumed, memory_order_acquire) != goal) {
        (void)sched_yield();
    }
    return row->ops;
}

static bool row_at(size_t i, struct micro_row *row)
{
    static const unsigned one = 1;
    static const unsigned many = BATCH;
    static const struct micro_row rows[] = {
        {.name = "ring/one-thread/1", .ops = OPS, .arg = &one, .batch = alone},
        {.name = "ring/one-thread/32", .ops = OPS, .arg = &many, .batch = alone},
        {.name = "ring/two-threads/1", .ops = OPS, .arg = &one, .threads = true, .batch = to_other},
        {.name = "ring/two-threads/32",
         .ops = OPS,
         .arg = &many,
         .threads = true,
         .batch = to_other},
    };
    if (i >= sizeof(rows) / sizeof(rows[0])) {
        return false;
    }
    *row = rows[i];
    return true;
}

const struct micro_group ring_group = {.create = create, .destroy = destroy, .row_at = row_at};
