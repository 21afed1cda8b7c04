// SPDX-License-Identifier: Apache-2.0
#include "sipflood/json.h"

#include <inttypes.h>

// Failed writes show in ferror at the end, hence no check of each.
static void put_char(const struct json *j, char c)
{
    (void)fputc(c, j->out);
}

static void put_escaped(const struct json *j, struct slice text)
{
    put_char(j, '"');
    for (size_t i = 0; i < text.len; i++) {
        const unsigned char c = (unsigned char)text.at[i];
        if (c == '"' || c == '\\') {
            put_char(j, '\\');
            put_char(j, (char)c);
        } else if (c < ' ' || c > '~') {
            (void)fprintf(j->out, "\\u%04x", c);
        } else {
            put_char(j, (char)c);
        }
    }
    put_char(j, '"');
}

static void begin(struct json *j, const char *key)
{
    if (!j->first) {
        put_char(j, ',');
    }
    j->first = false;
    if (key != NULL) {
        put_escaped(j, slice_of(key, strlen(key)));
        put_char(j, ':');
    }
}

struct json json_on(FILE *out)
{
    return (struct json){.out = out, .first = true};
}

void json_open(struct json *j, const char *key, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    begin(j, key);
    put_char(j, bracket);
    j->first = true;
}

void json_close(struct json *j, char bracket)
{
    assert(bracket == '}' || bracket == ']');
    put_char(j, bracket);
    j->first = false;
}

void json_u64(struct json *j, const char *key, uint64_t value)
{
    begin(j, key);
    (void)fprintf(j->out, "%" PRIu64, value);
}

void json_real(struct json *j, const char *key, double value)
{
    begin(j, key);
    (void)fprintf(j->out, "%.6g", value);
}

void json_bool(struct json *j, const char *key, bool value)
{
    begin(j, key);
    (void)fputs(value ? "true" : "false", j->out);
}

void json_null(struct json *j, const char *key)
{
    begin(j, key);
    (void)fputs("null", j->out);
}

void json_text(struct json *j, const char *key, struct slice value)
{
    begin(j, key);
    put_escaped(j, value);
}
