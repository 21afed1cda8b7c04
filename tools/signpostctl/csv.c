// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/readers.h"

// The separator that the first line is made with.
static char find_delimiter(struct slice ahead)
{
    const struct slice line = slice_of(ahead.at, slice_find(ahead, '\n'));
    if (slice_find(line, '\t') < line.len) {
        return '\t';
    }
    return slice_find(line, ',') < line.len ? ',' : ';';
}

// The rest of a value in quotes, whose first one has been taken. False when it does not end.
static bool take_quoted(struct table *table)
{
    for (;;) {
        const int c = source_take(table->source);
        if (c == SOURCE_END) {
            return false;
        }
        if (c == '"' && !source_take_if(table->source, '"')) {
            return true;
        }
        buf_put_char(&table->row.text, (char)c);
    }
}

static bool ends_value(const struct table *table, int c)
{
    return c == SOURCE_END || c == '\n' || c == table->delimiter;
}

// A value up to what ends it.
static void take_plain(struct table *table)
{
    struct buf *const text = &table->row.text;
    for (int c; !ends_value(table, c = source_peek(table->source));) {
        (void)source_take(table->source);
        if (c == '\\' && table->delimiter == '\t' && source_peek(table->source) != '\n' &&
            source_peek(table->source) != SOURCE_END) {
            const char escaped = (char)source_take(table->source);
            if (escaped == 'N') {
                buf_put_char(text, '\\');
            }
            buf_put_char(text, table_unescape(escaped));
        } else if (c != '\r' || source_peek(table->source) != '\n') {
            buf_put_char(text, (char)c);
        }
    }
}

static bool says_null(struct slice text)
{
    return slice_empty(text) || slice_equal(text, SLICE("NULL")) || slice_equal(text, SLICE("\\N"));
}

// A value and what ends it; false when it was the row's last.
static bool take_value(struct table *table)
{
    struct row *const row = &table->row;
    bool null = false;
    if (table->delimiter != '\t' && source_take_if(table->source, '"')) {
        if (!take_quoted(table)) {
            table->why = "has a quote that does not end";
        }
        const size_t len = row->text.len;
        take_plain(table); // nothing, if all is well
        if (row->text.len > len) {
            table->why = "has something behind a closing quote";
        }
    } else {
        take_plain(table);
        null = says_null(slice_from(buf_slice(&row->text), row->from));
    }
    row_end_value(row, null);
    const int c = source_take(table->source);
    return c != SOURCE_END && c != '\n';
}

static enum err take_row(struct table *table)
{
    while (source_take_if(table->source, '\n') || source_take_if(table->source, '\r')) {
        // a line without anything
    }
    table->line = table->source->line;
    if (source_peek(table->source) == SOURCE_END) {
        return ERR_NOT_FOUND;
    }
    while (take_value(table)) {
        // all of them
    }
    return table->why[0] == '\0' ? ERR_OK : ERR_SYNTAX;
}

enum err csv_open(struct table *table)
{
    table->delimiter = find_delimiter(source_ahead(table->source));
    const enum err e = take_row(table);
    if (e != ERR_OK || !table_take_names(table)) {
        table->why = "names no columns username, contact and expires: the header line is needed";
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

enum err csv_next(struct table *table)
{
    const enum err e = take_row(table);
    return e == ERR_OK ? table_judge_row(table) : e;
}
