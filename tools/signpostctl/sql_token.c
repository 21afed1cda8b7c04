// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/sql_token.h"

#include "signpostctl/table.h"

static bool is_space(int c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool in_word(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || c >= 0x80;
}

// "-- MySQL dump 10.13 ..." tells whose it is.
static void pass_line(struct source *source, bool *backslash)
{
    char bytes[32];
    struct buf start = buf_over(bytes, sizeof(bytes));
    for (int c; (c = source_take(source)) != SOURCE_END && c != '\n';) {
        if (start.len < start.cap) {
            buf_put_char(&start, (char)c);
        }
    }
    const struct slice text = slice_trim(buf_slice(&start));
    const struct slice head = slice_of(text.at, slice_find(text, ' '));
    *backslash = *backslash || slice_equal(head, SLICE("MySQL")) ||
                 slice_equal(head, SLICE("MariaDB")) || slice_equal(head, SLICE("phpMyAdmin"));
}

// "/*!" is MySQL's; what stands in it is for its server only.
static void pass_block(struct source *source, bool *backslash)
{
    int c = source_take(source);
    *backslash = *backslash || c == '!';
    while (c != SOURCE_END && !(c == '*' && source_peek(source) == '/')) {
        c = source_take(source);
    }
    (void)source_take(source);
}

static bool take_quoted(struct source *source, char quote, bool backslash, struct buf *text)
{
    for (int c; (c = source_take(source)) != SOURCE_END;) {
        if (c == quote && !source_take_if(source, quote)) {
            return true;
        }
        if (c == '\\' && backslash && source_peek(source) != SOURCE_END) {
            c = (unsigned char)table_unescape((char)source_take(source));
        }
        buf_put_char(text, (char)c);
    }
    return false;
}

static struct sql_token take_string(struct source *source, bool backslash, struct buf *text)
{
    const bool ends = take_quoted(source, '\'', backslash, text);
    return (struct sql_token){.kind = ends ? SQL_STRING : SQL_BROKEN};
}

static struct sql_token take_name(struct source *source, char end, struct buf *text)
{
    const bool ends = take_quoted(source, end, false, text);
    return (struct sql_token){.kind = ends ? SQL_NAME : SQL_BROKEN};
}

// A word; or a string, of which E'...' is PostgreSQL's way to have backslashes, and _utf8mb4'...'
// MySQL's to name a character set.
static struct sql_token take_word(struct source *source, int first, bool backslash,
                                  struct buf *text)
{
    const size_t from = text->len;
    buf_put_char(text, (char)first);
    while (in_word(source_peek(source))) {
        buf_put_char(text, (char)source_take(source));
    }
    const bool escapes = (first == 'E' || first == 'e') && text->len == from + 1;
    const bool charset = first == '_';
    if (charset && source_peek(source) == ' ') {
        (void)source_take(source);
    }
    if ((escapes || charset) && source_take_if(source, '\'')) {
        text->len = from;
        return take_string(source, backslash || escapes, text);
    }
    return (struct sql_token){.kind = SQL_WORD};
}

// Numbers may have a point in them; between names it is a mark.
static struct sql_token take_number(struct source *source, int first, struct buf *text)
{
    buf_put_char(text, (char)first);
    for (int c; in_word(c = source_peek(source)) || c == '.' || c == '-' || c == '+';) {
        buf_put_char(text, (char)source_take(source));
    }
    return (struct sql_token){.kind = SQL_WORD};
}

// Passes over a comment that begins with the character, which has been taken; false if none does.
static bool pass_comment(struct source *source, int c, bool *backslash)
{
    if (c == '#' || (c == '-' && source_peek(source) == '-')) {
        if (c == '-') {
            (void)source_take(source);
        }
        pass_line(source, backslash);
        return true;
    }
    if (c == '/' && source_take_if(source, '*')) {
        pass_block(source, backslash);
        return true;
    }
    return false;
}

struct sql_token sql_token_next(struct source *source, bool *backslash, struct buf *text)
{
    int c = source_take(source);
    while (is_space(c) || pass_comment(source, c, backslash)) {
        c = source_take(source);
    }
    switch (c) {
    case SOURCE_END: return (struct sql_token){.kind = SQL_END};
    case '\'': return take_string(source, *backslash, text);
    case '"': return take_name(source, '"', text);
    case '[': return take_name(source, ']', text);
    case '`': *backslash = true; return take_name(source, '`', text);
    default: break;
    }
    if ((c >= '0' && c <= '9') || ((c == '-' || c == '+') && in_word(source_peek(source)))) {
        return take_number(source, c, text);
    }
    if (in_word(c)) {
        return take_word(source, c, *backslash, text);
    }
    return (struct sql_token){.kind = SQL_MARK, .mark = (char)c};
}
