// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/table.h"

#include "signpostctl/readers.h"

static const struct slice column_names[] = {
#define X(name, text) SLICE_INIT(text),
    COLUMNS(X)
#undef X
};

void row_clear(struct row *row)
{
    row->count = 0;
    row->too_many = false;
    row->text = buf_over(row->bytes, sizeof(row->bytes));
    row->from = 0;
}

void row_end_value(struct row *row, bool null)
{
    const size_t from = row->from;
    row->from = row->text.len;
    if (row->count == ROW_VALUES_MAX) {
        row->too_many = true;
        return;
    }
    row->nulls[row->count] = null;
    row->values[row->count++] = slice_from(buf_slice(&row->text), from);
}

enum err table_open(struct table *table, struct source *source, enum table_format format,
                    struct slice name)
{
    table->source = source;
    table->format = format;
    table->name = name;
    table->named = false;
    table->columns = 0;
    table->line = source->line;
    table->why = "";
    table->delimiter = '\0';
    table->backslash = false;
    table->in_values = false;
    table->in_copy = false;
    table->cut = false;
    row_clear(&table->row);
    switch (format) {
    case TABLE_CSV: return csv_open(table);
    case TABLE_DBTEXT: return dbtext_open(table);
    case TABLE_SQL: return ERR_OK;
    }
    return ERR_SYNTAX;
}

enum err table_next(struct table *table)
{
    row_clear(&table->row);
    table->why = "";
    switch (table->format) {
    case TABLE_CSV: return csv_next(table);
    case TABLE_DBTEXT: return dbtext_next(table);
    case TABLE_SQL: return sql_next(table);
    }
    return ERR_NOT_FOUND;
}

const struct slice *table_value(const struct table *table, enum column column)
{
    const int at = table->at[column];
    if (at < 0 || (size_t)at >= table->row.count || table->row.nulls[at]) {
        return NULL;
    }
    return &table->row.values[at];
}

static void forget_names(struct table *table)
{
    table->named = true;
    for (size_t i = 0; i < COLUMN_COUNT; i++) {
        table->at[i] = -1;
    }
}

bool table_take_names(struct table *table)
{
    const struct row *const row = &table->row;
    forget_names(table);
    table->columns = row->count;
    for (size_t i = 0; i < row->count; i++) {
        for (size_t column = 0; column < COLUMN_COUNT; column++) {
            if (slice_equal_nocase(slice_trim(row->values[i]), column_names[column])) {
                table->at[column] = (int)i;
            }
        }
    }
    return buf_ok(&row->text) && !row->too_many && table->at[COLUMN_USERNAME] >= 0 &&
           table->at[COLUMN_CONTACT] >= 0 && table->at[COLUMN_EXPIRES] >= 0;
}

void table_standard_names(struct table *table)
{
    // id ruid username domain contact received path expires q callid cseq last_modified flags
    // cflags user_agent socket methods instance reg_id server_id connection_id keepalive partition
    enum { COLUMNS_STANDARD = 23 };

    static const int standard[COLUMN_COUNT] = {
        [COLUMN_ID] = 0,
        [COLUMN_USERNAME] = 2,
        [COLUMN_DOMAIN] = 3,
        [COLUMN_CONTACT] = 4,
        [COLUMN_RECEIVED] = 5,
        [COLUMN_PATH] = 6,
        [COLUMN_EXPIRES] = 7,
        [COLUMN_Q] = 8,
        [COLUMN_CALLID] = 9,
        [COLUMN_CSEQ] = 10,
        [COLUMN_LAST_MODIFIED] = 11,
        [COLUMN_INSTANCE] = 17,
        [COLUMN_REG_ID] = 18,
    };
    table->named = true;
    table->columns = COLUMNS_STANDARD;
    memcpy(table->at, standard, sizeof(standard));
}

enum err table_judge_row(struct table *table)
{
    const struct row *const row = &table->row;
    if (!buf_ok(&row->text)) {
        table->why = "is longer than a binding can be";
    } else if (row->too_many || row->count > table->columns) {
        table->why = "has more values than there are columns";
    } else if (row->count < table->columns) {
        table->why = "has fewer values than there are columns";
    } else {
        return ERR_OK;
    }
    return ERR_SYNTAX;
}

char table_unescape(char c)
{
    switch (c) {
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    case 'b': return '\b';
    case '0': return '\0';
    case 'Z': return '\x1a';
    default: return c;
    }
}
