// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_OPTION_H
#define SIGNPOST_ENV_OPTION_H

#include <stdio.h>

#include "env/options.h"

// The rows of env/options.h at run time, and the texts that somebody gave for them.

enum option_type {
    OPTION_TYPE_UINT,
    OPTION_TYPE_POWER_OF_TWO,
    OPTION_TYPE_TEXT,
    OPTION_TYPE_LOG_LEVEL,
    OPTION_TYPE_STORE,
    OPTION_TYPE_CHOICE,
    OPTION_TYPE_ADMIN,
    OPTION_TYPE_CPUS,
    OPTION_TYPE_LISTENERS,
    OPTION_TYPE_DOMAINS,
    OPTION_TYPE_NETWORKS,
};

enum option_shape {
    OPTION_ONE,
    OPTION_LIST,
};

struct option_row {
    const char *name;
    enum option_type type;
    enum option_shape shape;
    char letter;
    uint32_t min;
    uint32_t max;
    size_t offset; // of the field in struct config
    const char *unit;
    const char *defaults[OPTION_DEFAULTS_MAX + 1]; // ends with NULL
    const char *metavar;
    const char *help;
};

// Static.
const struct option_row *option_row(enum option_id id);

// The row's shape, default, range and unit in words, as one line: for help and example.
void option_print_facts(const struct option_row *row, FILE *out);

// What one source gives for one option: `one` for an OPTION_ONE, `items` for an OPTION_LIST, NULL
// when it gives nothing. NUL-terminated, for that is what command line and YAML library hand over.
struct option_given {
    const char *one;
    const char *const *items;
    unsigned items_count;
};

// What one source (defaults, file, command line) gives. The texts belong to the source.
struct option_texts {
    struct option_given at[OPTION_COUNT];
};

// The defaults' texts; they live forever.
struct option_texts option_defaults(void);

static inline bool option_is_given(const struct option_given *given)
{
    return given->one != NULL || given->items != NULL;
}

// How many texts there are, and the i-th of them.
static inline unsigned option_given_count(const struct option_given *given)
{
    return given->one != NULL ? 1 : given->items_count;
}

static inline const char *option_given_text(const struct option_given *given, unsigned i)
{
    assert(i < option_given_count(given));
    return given->one != NULL ? given->one : given->items[i];
}

#endif
