// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_PROGRESS_H
#define SIPFLOOD_PROGRESS_H

#include <stdio.h>

#include "sipflood/tally.h"

// What is said while a run goes on, once a second.

struct progress {
    uint64_t rate_per_s;                // aimed at; 0 in closed loop
    double at_s;                        // since the run began
    double done;                        // part of the run, from 0 to 1; below 0 when nobody knows
    const struct tally_counts *run;     // so far
    const struct tally_counts *since;   // the last time
    const struct histogram *latency_ns; // since the last time
};

// A bar and a line over the one before it on a terminal; progress_hide takes it away.
void progress_show(FILE *terminal, const struct progress *p);
void progress_hide(FILE *terminal);

// Comma-separated: the names of the columns, and a line.
void progress_csv_head(FILE *out);
void progress_csv(FILE *out, const struct progress *p);

#endif
