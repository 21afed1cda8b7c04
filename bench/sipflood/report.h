// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_REPORT_H
#define SIPFLOOD_REPORT_H

#include <stdio.h>

#include "sipflood/cli.h"
#include "sipflood/tally.h"

// What a finished run has to say.
struct run_result {
    const struct cli *cli;
    const struct tally *tally;
    const struct histogram *latency_ns; // of all kinds
    uint64_t elapsed_ns;                // from the start to the last request sent or answered
    uint64_t cpu_ns;                    // of this process
    uint64_t dropped;                   // answers lost in this machine's own receive queues
    bool interrupted;
};

// Every answer right, and no more lost than allowed.
bool report_success(const struct run_result *r);

// The table for people: ends with the verdict, and with the wrong answers kept.
void report_table(FILE *out, const struct run_result *r);

// The same as one JSON object on one line.
void report_json(FILE *out, const struct run_result *r);

// The line of the last second, overwriting the one before it on a terminal; `latency_ns` is of that
// second.
void report_live(FILE *out, const struct tally_counts *whole, const struct tally_counts *second,
                 const struct histogram *latency_ns);

#endif
