// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_TRACE_H
#define SIGNPOST_TESTS_SIM_TRACE_H

#include "signpost/base/slice.h"

// What happens in a simulation, line by line: hashed, so that two runs of one seed can be compared;
// the last lines kept, to be told with a failure; all of them printed when the run is verbose.

enum { TRACE_LINES = 24, TRACE_LINE_BYTES = 240, TRACE_WHY_BYTES = 4096 };

struct trace {
    bool verbose;
    bool failed;
    unsigned step; // number of the current one
    uint64_t hash;
    unsigned line_count;
    char lines[TRACE_LINES][TRACE_LINE_BYTES];
    char why[TRACE_WHY_BYTES]; // of the first failure
};

void trace_start(struct trace *trace, bool verbose);

__attribute__((format(printf, 2, 3))) void trace_line(struct trace *trace, const char *format, ...);

// Bytes that count for the hash, and are printed when the run is verbose.
void trace_bytes(struct trace *trace, struct slice bytes);

// Fails the simulation, unless it has failed before.
__attribute__((format(printf, 2, 3))) void trace_fail(struct trace *trace, const char *format, ...);

// FNV-1a, going on from `hash`.
uint64_t trace_hash(uint64_t hash, struct slice bytes);

// The last lines and the reason.
void trace_print_failure(const struct trace *trace);

#endif
