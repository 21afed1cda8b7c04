// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_STEPS_H
#define SIPFLOOD_STEPS_H

#include <stdio.h>

#include "sipflood/json.h"
#include "sipflood/tally.h"

// The steps of a ramp or of a search for the highest rate: what each rate did.

enum { STEPS_MAX = 1000 };

struct step_aim {
    uint64_t rate_per_s;
    uint64_t duration_ns;
};

struct step_limits {
    double loss_max_percent;
    uint64_t p99_max_ns;
};

struct step_result {
    uint64_t rate_per_s;
    uint64_t sent;
    uint64_t answers;
    uint64_t lost;
    uint64_t refused;
    uint64_t wrong;
    double sent_per_s;
    double answers_per_s;
    double goodput_per_s; // right answers
    double loss_percent;
    uint64_t p50_ns, p99_ns, max_ns;
    const char *why; // it failed; NULL when all was within the limits
};

struct steps {
    unsigned count;
    struct step_result step[STEPS_MAX];
};

// Judges a step that took `elapsed_ns` until its last answer and counted this.
struct step_result step_judge(const struct step_aim *aim, uint64_t elapsed_ns,
                              const struct tally *tally, const struct histogram *latency_ns,
                              const struct step_limits *limits);

void steps_print_head(FILE *out);
void steps_print(FILE *out, const struct step_result *r);

// A member "steps" of the object that is open.
void steps_write(struct json *j, const struct steps *steps);

#endif
