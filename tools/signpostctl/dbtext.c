// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/readers.h"

// "username(string,null)" and the space behind it; false at the line's end.
static bool take_name(struct table *table)
{
    struct source *const source = table->source;
    int c = source_take(source);
    while (c == ' ' || c == '\t' || c == '\r') {
        c = source_take(source);
    }
    if (c == SOURCE_END || c == '\n') {
        return false;
    }
    for (; c != SOURCE_END && c != '\n' && c != '('; c = source_take(source)) {
        buf_put_char(&table->row.text, (char)c);
    }
    row_end_value(&table->row, false);
    while (c != SOURCE_END && c != '\n' && c != ')') {
        c = source_take(source);
    }
    return c == ')';
}

enum err dbtext_open(struct table *table)
{
    while (take_name(table)) {
        // all of them
    }
    if (!table_take_names(table)) {
        table->why = "names no columns username, contact and expires as db_text writes them";
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

// A value and what ends it; false when it was the row's last.
static bool take_value(struct table *table)
{
    struct source *const source = table->source;
    struct row *const row = &table->row;
    int c;
    while ((c = source_take(source)) != SOURCE_END && c != '\n' && c != ':') {
        const int next = source_peek(source);
        if (c == '\\' && next != SOURCE_END && next != '\n') {
            buf_put_char(&row->text, table_unescape((char)source_take(source)));
        } else if (c != '\r' || next != '\n') {
            buf_put_char(&row->text, (char)c);
        }
    }
    row_end_value(row, row->text.len == row->from);
    return c == ':';
}

enum err dbtext_next(struct table *table)
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
    return table_judge_row(table);
}
