// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_REPORT_H
#define SIPFLOOD_REPORT_H

#include <stdio.h>

#include "sipflood/cli.h"
#include "sipflood/steps.h"
#include "sipflood/tally.h"

// What a finished run has to say.
struct run_result {
    const struct cli *cli;
    const struct tally *tally;
    const struct histogram *latency_ns; // of all kinds
    const struct steps *steps;          // of a ramp or a search, else none
    uint64_t best_per_s;                // what the search found
    uint64_t elapsed_ns; // from the start to the last request sent or answered, of all steps
    uint64_t cpu_ns;     // of this process
    uint64_t dropped;    // answers lost in this machine's own receive queues
    bool interrupted;
};

// No answer wrong, and no more lost or refused than allowed; or, in a search, a rate found where it
// is so.
bool report_success(const struct run_result *r);

// The table for people, whose steps have been printed: ends with the verdict, and with the wrong
// answers kept.
void report_table(FILE *out, const struct run_result *r);

// The same as one JSON object on one line.
void report_json(FILE *out, const struct run_result *r);

#endif
