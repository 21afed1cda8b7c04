// SPDX-License-Identifier: Apache-2.0
#ifndef MICRO_RUN_H
#define MICRO_RUN_H

#include <stdio.h>

#include "micro/bed.h"

enum { RUN_USERS_FEW = 10000 };

struct run_options {
    const char *filter; // only rows whose name, with its size, holds this; "" for all
    uint32_t users_max; // sizes of tables: RUN_USERS_FEW and ten times more each, up to this
    uint32_t scale;     // 0, or the size that is compared with RUN_USERS_FEW
    uint64_t rounds;    // batches of each row
    bool json;
};

enum run_end {
    RUN_OK,
    RUN_WRONG,  // an operation did not do what it should, which was named on `why`
    RUN_BROKEN, // nothing to measure, no memory, or the report could not be written
};

// Measures everything that the options want and reports it on `out`.
enum run_end run_all(const struct run_options *options, FILE *out, FILE *why);

// How the cost of a row grows from RUN_USERS_FEW users to `scale` users. The sizes are measured by
// turns, so that what else happens on the machine hits both alike.
enum run_end run_scale(const struct run_options *options, FILE *out, FILE *why);

#endif
