// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_EXPORT_H
#define SIGNPOSTCTL_EXPORT_H

#include <stdio.h>

#include "signpostctl/walk.h"

// A store's bindings as JSON lines (jsonl.h).

struct export_rules {
    uint64_t now_ms;  // by the wall clock
    bool all;         // those that have expired, too
    const char *name; // of what is written, in faults
};

struct export_report {
    struct walk_report walk;
    uint64_t aors; // with a binding that is written
    uint64_t bindings;
    uint64_t expired; // of the newest records; left out or not
};

// Errors come with *fault; ERR_SYSTEM: the file could not be written.
ERR_CHECKED enum err export_all(struct engine *engine, const struct export_rules *rules, FILE *out,
                                struct export_report *report, struct engine_fault *fault);

// Counts what an export would write.
ERR_CHECKED enum err export_count(struct engine *engine, uint64_t now_ms,
                                  struct export_report *report, struct engine_fault *fault);

#endif
