// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_SIGNPOSTCTL_BED_H
#define SIGNPOST_TESTS_UNIT_SIGNPOSTCTL_BED_H

#include "signpostctl/export.h"
#include "signpostctl/import.h"
#include "tests/unit/signpostctl/memory_engine.h"
#include "tests/unit/support.h"

// A store in memory, what is imported into it and what is exported from it.

// 2026-11-22T17:00:00Z
#define NOW_MS UINT64_C(1795366800000)

enum { TOLD_BYTES = 256 * 1024 };

struct bed {
    struct memory_engine memory;
    struct import_report imported;
    struct export_report exported;
    struct engine_fault fault;
    struct source source;
    char told[TOLD_BYTES];       // the export, a C string
    char complaints[TOLD_BYTES]; // of the import, a C string
};

// For a test's own static memory: it is large. An empty store again after bed_clear.
void bed_init(struct bed *bed);
void bed_clear(struct bed *bed);

// Imports the text in the format that it is recognized as, rows without a domain into "h".
enum err bed_import(struct bed *bed, struct slice text);

// Exports into bed->told.
enum err bed_export(struct bed *bed, bool all);

// Writes a record: one binding "sip:<contact>@h" for each character of `contacts`; a capital one
// has expired. Small ones do in 60 s.
void bed_put(struct buf *b, const char *aor, uint64_t revision, const char *contacts);

#endif
