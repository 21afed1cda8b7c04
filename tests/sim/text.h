// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_TEXT_H
#define SIGNPOST_TESTS_SIM_TEXT_H

#include "signpost/base/slice.h"

// A reader for the server's answers that is good for nothing else: rows "Name: value", one line
// each, in the long form. It shares nothing with the server's own parser.

enum { TEXT_ROWS_MAX = 128 };

struct text_row {
    struct slice name;
    struct slice value;
};

struct text {
    unsigned status;
    unsigned row_count;
    struct text_row rows[TEXT_ROWS_MAX];
};

// False when it is no such answer: status line, rows, an empty line, and nothing behind it.
bool text_read(struct slice bytes, struct text *out);

// The n-th row of that name, or NULL.
const struct slice *text_find(const struct text *text, const char *name, unsigned n);

// "<uri>;name=value;..." with quoted strings in values; NULL in the slices for what is not there.
struct text_contact {
    struct slice uri;
    struct slice q;
    struct slice expires;
    struct slice others; // the last of the other parameters, from its ";"
};

bool text_read_contact(struct slice value, struct text_contact *out);

bool text_equals(struct slice s, const char *text);
bool text_contains(struct slice s, struct slice part);

#endif
