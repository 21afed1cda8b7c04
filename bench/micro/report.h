// SPDX-License-Identifier: Apache-2.0
#ifndef MICRO_REPORT_H
#define MICRO_REPORT_H

#include <stdio.h>

#include "micro/measure.h"
#include "sipflood/json.h"

// Writes figures, row by row as they are measured: for people as an aligned table, for programs as
// one JSON object.
struct report {
    FILE *out;
    bool as_json;
    struct json json;
};

struct report report_begin(FILE *out, bool as_json, size_t rounds);
void report_row(struct report *report, const char *name, const struct figures *figures);

// Costs with many users against those with few.
void report_ratio(struct report *report, const char *name, const struct figures *few,
                  const struct figures *many);

// False when not everything could be written.
bool report_end(struct report *report);

#endif
