// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_METRIC_H
#define SIGNPOST_BASE_METRIC_H

#include <stdatomic.h>
#include <stdint.h>

// One number that one thread counts up and any thread may read. Only the owner writes, so a count
// is a plain load and store: no locked instruction, and no line shared between writers.

struct metric_counter {
    _Atomic uint64_t value;
};

static inline void metric_add(struct metric_counter *c, uint64_t n)
{
    // relaxed: a reader needs no order between counters, only values that are not torn
    const uint64_t value = atomic_load_explicit(&c->value, memory_order_relaxed);
    atomic_store_explicit(&c->value, value + n, memory_order_relaxed);
}

static inline uint64_t metric_read(const struct metric_counter *c)
{
    return atomic_load_explicit(&c->value, memory_order_relaxed);
}

enum metric_kind {
    METRIC_COUNTER, // only grows
    METRIC_GAUGE,   // goes up and down; set by whoever takes the snapshot, or summed over threads
};

// How a metric presents itself; rows stand in state/metrics.h.
struct metric_row {
    const char *name;   // Prometheus name with its unit
    const char *labels; // "method=\"INVITE\"", or "" for none
    enum metric_kind kind;
    const char *help;
};

#endif
