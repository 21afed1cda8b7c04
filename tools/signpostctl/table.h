// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_TABLE_H
#define SIGNPOSTCTL_TABLE_H

#include "signpostctl/source.h"

// A database's table as a text: rows of values under named columns, read one at a time from CSV, a
// db_text file, or an SQL dump.

// Of Kamailio's location table (usrloc), what is asked for.
#define COLUMNS(X)                                                                                 \
    X(ID, "id")                                                                                    \
    X(USERNAME, "username")                                                                        \
    X(DOMAIN, "domain")                                                                            \
    X(CONTACT, "contact")                                                                          \
    X(RECEIVED, "received")                                                                        \
    X(PATH, "path")                                                                                \
    X(EXPIRES, "expires")                                                                          \
    X(Q, "q")                                                                                      \
    X(CALLID, "callid")                                                                            \
    X(CSEQ, "cseq")                                                                                \
    X(LAST_MODIFIED, "last_modified")                                                              \
    X(INSTANCE, "instance")                                                                        \
    X(REG_ID, "reg_id")

enum column {

#define X(name, text) COLUMN_##name,
    COLUMNS(X)
#undef X
        COLUMN_COUNT
};

enum {
    ROW_VALUES_MAX = 64,
    ROW_BYTES_MAX = 64 * 1024,
};

// Values in the order of the columns; what they point to is the row's own.
struct row {
    size_t count;
    struct slice values[ROW_VALUES_MAX];
    bool nulls[ROW_VALUES_MAX];
    bool too_many;
    struct buf text; // over bytes; when it has overflowed the row is too long
    size_t from;     // where the value that is being written begins
    char bytes[ROW_BYTES_MAX];
};

void row_clear(struct row *row);

// Ends the value that has been written to row->text since the one before.
void row_end_value(struct row *row, bool null);

enum table_format {
    TABLE_CSV,
    TABLE_DBTEXT,
    TABLE_SQL,
};

struct table {
    struct source *source;
    enum table_format format;
    struct slice name;    // of the table that counts; an SQL dump may hold others
    bool named;           // the columns are known
    size_t columns;       // their number
    int at[COLUMN_COUNT]; // where a column stands, or -1
    struct row row;
    uint64_t line;   // where the row began
    const char *why; // what is wrong with the row; static
    char delimiter;  // CSV
    bool backslash;  // SQL: "\" escapes in every string, as MySQL has it
    bool in_values;  // SQL: between two rows of an INSERT
    bool in_copy;    // SQL: between two lines of a COPY
    bool cut;        // SQL: the dump has ended within one of these
};

// Reads what stands before the rows of CSV and db_text. ERR_SYNTAX: it names no columns, or not
// those that there must be (table->why).
ERR_CHECKED enum err table_open(struct table *table, struct source *source,
                                enum table_format format, struct slice name);

// Reads the next row. ERR_SYNTAX: this one is none (table->why, table->line), and the next may be.
// ERR_NOT_FOUND: there is none any more.
ERR_CHECKED enum err table_next(struct table *table);

// The row's value under the column, or NULL where there is no such column or no value.
const struct slice *table_value(const struct table *table, enum column column);

// ---- For the readers

// The row's values are the names of columns. False when those without which nobody is found are
// missing.
bool table_take_names(struct table *table);

// The columns in the order of Kamailio's own schema, version 9, for an INSERT without their names.
void table_standard_names(struct table *table);

// What is wrong with the row as such, if anything.
ERR_CHECKED enum err table_judge_row(struct table *table);

// What a backslash and this character stand for.
char table_unescape(char c);

#endif
