// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_IMPORT_H
#define SIGNPOSTCTL_IMPORT_H

#include <stdio.h>

#include "signpostctl/kamailio.h"
#include "signpostctl/spool.h"
#include "store/engine.h"

// What comes into a store from elsewhere.

enum import_format {
    IMPORT_JSON,
    IMPORT_KAMAILIO_CSV,
    IMPORT_KAMAILIO_SQL,
    IMPORT_KAMAILIO_DBTEXT,
    IMPORT_FORMATS,
};

// As --from has it: "kamailio-csv"; static.
const char *import_format_name(enum import_format format);

// False when no format is called so.
bool import_format_find(const char *name, enum import_format *format);

// Recognizes the format by how the source begins, of which nothing is taken. False when it is none.
bool import_recognize(struct source *source, enum import_format *format);

// Whether it is a database of SQLite itself and no dump. Nothing is taken.
bool import_is_sqlite(struct source *source);

struct import_rules {
    enum import_format format;
    struct kamailio_rules kamailio;
    struct slice table;  // its name in an SQL dump
    const char *name;    // of what is read, for complaints
    const char *scratch; // a directory for temporary files
    FILE *complaints;    // gets a line for each of the first IMPORT_COMPLAINTS_MAX bad rows
};

enum { IMPORT_COMPLAINTS_MAX = 10 };

struct import_report {
    uint64_t rows;
    uint64_t bad;
    uint64_t expired;
    uint64_t permanent;
    uint64_t by_nat;
    uint64_t by_path;
    bool cut; // the source seems to go on: it ends within a row, or between those of a statement
    struct spool_report spool;
};

// An import: all of the source is read first, and then written.
struct import;

// Reads all of the source. ERR_SYNTAX and all else: with *fault, and nothing can be written.
// *report is the import's as long as it lives; *out is to be destroyed, and NULL after an error.
ERR_CHECKED enum err import_read(struct source *source, const struct import_rules *rules,
                                 struct import **out, struct import_report *report,
                                 struct engine_fault *fault);

// Whether there is anything to write.
bool import_has_any(const struct import *import);

// Writes it to the store, once: of each address of record that is named the whole state, in place
// of what the store has of it. Into an empty store with the revisions that the source tells; else
// with one above all that are there. Errors come with *fault; then a part may have been written.
ERR_CHECKED enum err import_write(struct import *import, struct engine *engine,
                                  struct engine_fault *fault);

// NULL is legal.
void import_destroy(struct import *import);

#endif
