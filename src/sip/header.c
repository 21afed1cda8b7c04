// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/header.h"

struct header_row {
    struct slice name;
    char compact;
    bool once;
};

static const struct header_row rows[] = {
#define X(id, name, compact, once) {SLICE_INIT(name), compact, once},
    HEADERS(X)
#undef X
};

static_assert(sizeof(rows) / sizeof(rows[0]) == HEADER_OTHER, "one row a header");

enum header header_of(struct slice name)
{
    if (name.len == 0) {
        return HEADER_OTHER;
    }
    const char first = ascii_lower(name.at[0]);
    for (unsigned i = 0; i < HEADER_OTHER; i++) {
        const struct header_row *row = &rows[i];
        const bool hit = name.len == 1
                             ? row->compact != '\0' && row->compact == first
                             : row->name.len == name.len && ascii_lower(row->name.at[0]) == first &&
                                   slice_equal_nocase(row->name, name);
        if (hit) {
            return (enum header)i;
        }
    }
    return HEADER_OTHER;
}

struct slice header_name(enum header h)
{
    assert(h < HEADER_OTHER);
    return rows[h].name;
}

bool header_once(enum header h)
{
    return h < HEADER_OTHER && rows[h].once;
}
