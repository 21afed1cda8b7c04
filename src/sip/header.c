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

// Both searches are one condition a row, with lengths and letters that the compiler knows: that is
// what makes them complex and fast.
// NOLINTBEGIN(readability-function-cognitive-complexity,bugprone-macro-parentheses)

// The header field that a full name may be: no two have the same length and last letter.
static enum header candidate(struct slice name)
{
    const char last = ascii_lower(name.at[name.len - 1]);
    return
#define X(id, text, compact, once)                                                                 \
    name.len == sizeof(text) - 1 && last == ascii_lower((text)[sizeof(text) - 2]) ? HEADER_##id:
        HEADERS(X)
#undef X
            HEADER_OTHER;
}

static enum header header_of_compact(char c)
{
    const char letter = ascii_lower(c);
    for (unsigned i = 0; i < HEADER_OTHER; i++) {
        if (rows[i].compact != '\0' && rows[i].compact == letter) {
            return (enum header)i;
        }
    }
    return HEADER_OTHER;
}

enum header header_of(struct slice name)
{
    if (name.len < 2) {
        return name.len == 0 ? HEADER_OTHER : header_of_compact(name.at[0]);
    }
    const enum header h = candidate(name);
    return h != HEADER_OTHER && slice_equal_nocase(name, rows[h].name) ? h : HEADER_OTHER;
}

// The header field that may stand at the front of a line: it has the name's first letter, a colon
// where the name would end, and its last letter before that, as no two have.
static enum header candidate_at(struct slice line)
{
    const char first = ascii_lower(line.at[0]);
    return
#define X(id, text, compact, once)                                                                 \
    first == ascii_lower((text)[0]) && line.len >= sizeof(text) &&                                 \
            line.at[sizeof(text) - 1] == ':' &&                                                    \
            ascii_lower(line.at[sizeof(text) - 2]) == ascii_lower((text)[sizeof(text) - 2])        \
        ? HEADER_##id                                                                              \
        :
        HEADERS(X)
#undef X
            HEADER_OTHER;
}

// NOLINTEND(readability-function-cognitive-complexity,bugprone-macro-parentheses)

enum header header_at(struct slice line, size_t *name_len)
{
    const enum header h = slice_empty(line) ? HEADER_OTHER : candidate_at(line);
    if (h == HEADER_OTHER) {
        return h;
    }
    *name_len = rows[h].name.len;
    return slice_equal_nocase(slice_of(line.at, *name_len), rows[h].name) ? h : HEADER_OTHER;
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
