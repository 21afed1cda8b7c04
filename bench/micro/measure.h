// SPDX-License-Identifier: Apache-2.0
#ifndef MICRO_MEASURE_H
#define MICRO_MEASURE_H

#include <stddef.h>

#include "micro/counters.h"

// How an operation is measured: a batch of it many times over. The median of the batches is what
// is reported, for others use the machine too and make some batches slow, and the quartiles beside
// it tell how far to trust it.

enum {
    MEASURE_ROUNDS_MAX = 10001,
    MEASURE_WARM_UP = 40, // batches that do not count, or as many as are to count if these are less
    MICRO_NAME_BYTES = 32,
};

// One operation. `stage` is what its group has built; `before` and `after` make a batch possible
// and undo it, are not measured, and may be NULL.
struct micro_row {
    char name[MICRO_NAME_BYTES];
    size_t ops; // in a batch
    const void *arg;
    bool stateful;
    bool threads; // more than one works on it: measured by the wall clock, and not counted
    bool (*before)(void *stage, const struct micro_row *row);
    size_t (*batch)(void *stage, const struct micro_row *row); // returns how many went right
    bool (*after)(void *stage, const struct micro_row *row);
};

// Of one operation.
struct figures {
    double ns; // median
    double ns_low;
    double ns_high; // quartiles
    bool counted;   // the next two are known
    double cycles;
    double instructions;
};

// The batches of one row.
struct series {
    size_t ops;
    size_t rounds;
    bool uncounted;                // some batch of it
    double ns[MEASURE_ROUNDS_MAX]; // of a batch
    double cycles[MEASURE_ROUNDS_MAX];
    double instructions[MEASURE_ROUNDS_MAX];
};

// Warms up, and adds `rounds` batches to the series, which is all zero at first. False when
// something went wrong, which makes any figure worthless.
bool measure_row(const struct micro_row *row, void *stage, size_t rounds,
                 const struct counters *counters, struct series *series);

// Sorts the series.
struct figures series_figures(struct series *series);

#endif
