// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/text.h"

#include <stdio.h>
#include <stdlib.h>

static bool take_line(struct slice *rest, struct slice *line)
{
    for (size_t i = 0; i + 1 < rest->len; i++) {
        if (rest->at[i] == '\r' && rest->at[i + 1] == '\n') {
            *line = slice_of(rest->at, i);
            *rest = slice_of(rest->at + i + 2, rest->len - i - 2);
            return true;
        }
    }
    return false;
}

bool text_equals(struct slice s, const char *text)
{
    return slice_equal(s, slice_of(text, strlen(text)));
}

bool text_contains(struct slice s, struct slice part)
{
    return part.len == 0 || (s.len > 0 && memmem(s.at, s.len, part.at, part.len) != NULL);
}

static bool read_status_line(struct slice line, struct text *out)
{
    static const char version[] = "SIP/2.0 ";
    const size_t at = sizeof(version) - 1;
    if (line.len < at + 5 || memcmp(line.at, version, at) != 0 || line.at[at + 3] != ' ') {
        return false;
    }
    out->status = (unsigned)strtoul(line.at + at, NULL, 10);
    return out->status >= 100 && out->status <= 699;
}

bool text_read(struct slice bytes, struct text *out)
{
    struct slice rest = bytes;
    struct slice line;
    out->row_count = 0;
    if (!take_line(&rest, &line) || !read_status_line(line, out)) {
        return false;
    }
    while (take_line(&rest, &line)) {
        const size_t colon = slice_find(line, ':');
        if (line.len == 0) {
            return rest.len == 0;
        }
        if (colon + 1 >= line.len || line.at[colon + 1] != ' ' || out->row_count == TEXT_ROWS_MAX) {
            return false;
        }
        out->rows[out->row_count++] = (struct text_row){
            slice_of(line.at, colon), slice_of(line.at + colon + 2, line.len - colon - 2)};
    }
    return false;
}

const struct slice *text_find(const struct text *text, const char *name, unsigned n)
{
    for (unsigned i = 0; i < text->row_count; i++) {
        if (text_equals(text->rows[i].name, name) && n-- == 0) {
            return &text->rows[i].value;
        }
    }
    return NULL;
}

// Length of the parameter at the front, up to the next ";" outside of a quoted string.
static size_t param_length(struct slice s)
{
    bool quoted = false;
    size_t n = 1;
    while (n < s.len && (quoted || s.at[n] != ';')) {
        quoted = s.at[n] == '"' ? !quoted : quoted;
        n++;
    }
    return n;
}

bool text_read_contact(struct slice value, struct text_contact *out)
{
    const size_t close = slice_find(value, '>');
    *out = (struct text_contact){0};
    if (value.len == 0 || value.at[0] != '<' || close == value.len) {
        return false;
    }
    out->uri = slice_of(value.at + 1, close - 1);
    struct slice rest = slice_of(value.at + close + 1, value.len - close - 1);
    while (rest.len > 0) {
        if (rest.at[0] != ';') {
            return false;
        }
        const struct slice param = slice_of(rest.at, param_length(rest));
        const size_t equals = slice_find(param, '=');
        const struct slice name = slice_of(param.at, equals);
        const size_t from = equals < param.len ? equals + 1 : equals;
        const struct slice its_value = slice_of(param.at + from, param.len - from);
        if (text_equals(name, ";q")) {
            out->q = its_value;
        } else if (text_equals(name, ";expires")) {
            out->expires = its_value;
        } else {
            out->others = param;
        }
        rest = slice_of(rest.at + param.len, rest.len - param.len);
    }
    return true;
}
