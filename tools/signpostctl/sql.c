// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/readers.h"
#include "signpostctl/sql_token.h"

enum { WORD_BYTES_MAX = 128 };

// A token with its text where nobody keeps it.
struct word {
    struct sql_token token;
    struct buf text;
    char bytes[WORD_BYTES_MAX];
};

static void take(struct table *table, struct word *word)
{
    word->text = buf_over(word->bytes, sizeof(word->bytes));
    word->token = sql_token_next(table->source, &table->backslash, &word->text);
}

static bool is_mark(const struct word *word, char mark)
{
    return word->token.kind == SQL_MARK && word->token.mark == mark;
}

static bool is_keyword(const struct word *word, struct slice keyword)
{
    return word->token.kind == SQL_WORD && slice_equal_nocase(buf_slice(&word->text), keyword);
}

static bool is_end(const struct word *word)
{
    return word->token.kind == SQL_END || word->token.kind == SQL_BROKEN;
}

static bool is_name(const struct word *word)
{
    return word->token.kind == SQL_WORD || word->token.kind == SQL_NAME;
}

static void pass_statement(struct table *table, struct word *word)
{
    while (!is_end(word) && !is_mark(word, ';')) {
        take(table, word);
    }
}

// Takes the rest of a table's name, of which *word is the first part ("public.location"), and what
// follows it into *word. Whether it is the one that counts.
static bool take_table_name(struct table *table, struct word *word)
{
    bool is = false;
    while (is_name(word)) {
        is = slice_equal_nocase(buf_slice(&word->text), table->name);
        take(table, word);
        if (!is_mark(word, '.')) {
            return is;
        }
        take(table, word);
    }
    return is;
}

// "(a, b, c)", of which "(" is *word: names of columns into the row. Behind a name may stand what
// CREATE TABLE says of it.
static void take_names(struct table *table, struct word *word)
{
    static const struct slice others[] = {
        SLICE_INIT("PRIMARY"), SLICE_INIT("UNIQUE"),     SLICE_INIT("KEY"),
        SLICE_INIT("INDEX"),   SLICE_INIT("FULLTEXT"),   SLICE_INIT("SPATIAL"),
        SLICE_INIT("FOREIGN"), SLICE_INIT("CHECK"),      SLICE_INIT("EXCLUDE"),
        SLICE_INIT("LIKE"),    SLICE_INIT("CONSTRAINT"),
    };
    row_clear(&table->row);
    unsigned depth = 1;
    bool at_name = true;
    while (depth > 0) {
        take(table, word);
        if (is_end(word)) {
            return;
        }
        bool column = at_name && is_name(word);
        for (size_t i = 0; column && i < sizeof(others) / sizeof(others[0]); i++) {
            column = !is_keyword(word, others[i]);
        }
        if (column) {
            buf_put(&table->row.text, buf_slice(&word->text));
            row_end_value(&table->row, false);
        }
        depth += is_mark(word, '(') ? 1 : 0;
        depth -= is_mark(word, ')') ? 1 : 0;
        at_name = depth == 1 && is_mark(word, ',');
    }
    take(table, word);
}

static void on_create(struct table *table, struct word *word)
{
    take(table, word);
    if (!is_keyword(word, SLICE("TABLE"))) {
        return;
    }
    take(table, word);
    while (is_keyword(word, SLICE("IF")) || is_keyword(word, SLICE("NOT")) ||
           is_keyword(word, SLICE("EXISTS"))) {
        take(table, word);
    }
    if (take_table_name(table, word) && is_mark(word, '(')) {
        take_names(table, word);
        (void)table_take_names(table); // the rows will tell what is missing
    }
}

// Names between a table's and its rows, or those of its CREATE TABLE, or else Kamailio's.
static enum err settle_names(struct table *table, struct word *word)
{
    if (is_mark(word, '(')) {
        take_names(table, word);
        (void)table_take_names(table);
    } else if (!table->named) {
        table_standard_names(table);
    }
    if (table->at[COLUMN_USERNAME] < 0 || table->at[COLUMN_CONTACT] < 0 ||
        table->at[COLUMN_EXPIRES] < 0) {
        table->why = "has no columns username, contact and expires";
        return ERR_SYNTAX;
    }
    return ERR_OK;
}

static enum err on_insert(struct table *table, struct word *word)
{
    do {
        take(table, word);
    } while (is_keyword(word, SLICE("INTO")) || is_keyword(word, SLICE("OR")) ||
             is_keyword(word, SLICE("IGNORE")) || is_keyword(word, SLICE("REPLACE")));
    if (!take_table_name(table, word)) {
        return ERR_OK;
    }
    const enum err e = settle_names(table, word);
    while (e == ERR_OK && !is_end(word) && !is_mark(word, ';') && !table->in_values) {
        table->in_values = is_keyword(word, SLICE("VALUES"));
        if (!table->in_values) {
            take(table, word);
        }
    }
    return e;
}

static void pass_line(struct source *source)
{
    for (int c; (c = source_take(source)) != SOURCE_END && c != '\n';) {
        // up to its end
    }
}

// COPY location (id, ...) FROM stdin; and its lines, up to "\.". Those of another table are passed.
static enum err on_copy(struct table *table, struct word *word)
{
    take(table, word);
    const bool ours = take_table_name(table, word);
    const enum err e = ours ? settle_names(table, word) : ERR_OK;
    bool from_here = false;
    while (!is_end(word) && !is_mark(word, ';')) {
        from_here = from_here || is_keyword(word, SLICE("stdin"));
        take(table, word);
    }
    if (!from_here) {
        return e;
    }
    pass_line(table->source);
    if (ours && e == ERR_OK) {
        table->in_copy = true;
        return ERR_OK;
    }
    while (source_peek(table->source) != SOURCE_END) {
        const bool over = source_take_if(table->source, '\\') && source_peek(table->source) == '.';
        pass_line(table->source);
        if (over) {
            break;
        }
    }
    return e;
}

// A statement up to its rows, or to its end.
static enum err take_statement(struct table *table, struct word *word)
{
    enum err e = ERR_OK;
    table->line = table->source->line;
    if (is_mark(word, '\\')) { // psql's own commands
        pass_line(table->source);
        return ERR_OK;
    }
    if (is_keyword(word, SLICE("CREATE"))) {
        on_create(table, word);
    } else if (is_keyword(word, SLICE("INSERT")) || is_keyword(word, SLICE("REPLACE"))) {
        e = on_insert(table, word);
    } else if (is_keyword(word, SLICE("COPY"))) {
        return on_copy(table, word);
    }
    if (!table->in_values) {
        pass_statement(table, word);
    }
    return e;
}

// The rest of a row that none can be made of.
static void pass_row(struct table *table, struct sql_token token)
{
    struct word word = {.token = token};
    for (unsigned depth = 1; depth > 0 && !is_end(&word);) {
        depth += is_mark(&word, '(') ? 1 : 0;
        depth -= is_mark(&word, ')') ? 1 : 0;
        if (depth > 0) {
            take(table, &word);
        }
    }
}

// The values of a row, whose "(" has been taken.
static enum err take_values(struct table *table)
{
    struct row *const row = &table->row;
    row_clear(row);
    struct sql_token token;
    do {
        token = sql_token_next(table->source, &table->backslash, &row->text);
        const bool value = token.kind == SQL_WORD || token.kind == SQL_STRING;
        const bool null =
            token.kind == SQL_WORD &&
            slice_equal_nocase(slice_from(buf_slice(&row->text), row->from), SLICE("NULL"));
        const size_t end = row->text.len;
        const struct sql_token next =
            value ? sql_token_next(table->source, &table->backslash, &row->text) : token;
        row->text.len = end; // what follows a value is none
        row_end_value(row, null);
        token = next;
    } while (token.kind == SQL_MARK && token.mark == ',');
    if (token.kind != SQL_MARK || token.mark != ')') {
        table->why = token.kind == SQL_BROKEN ? "has a quote that does not end"
                                              : "holds something other than plain values";
        pass_row(table, token);
        return ERR_SYNTAX;
    }
    return table_judge_row(table);
}

// A line of COPY. ERR_NOT_FOUND: it was the last.
static enum err take_copied(struct table *table)
{
    struct source *const source = table->source;
    struct row *const row = &table->row;
    row_clear(row);
    int c = SOURCE_END;
    do {
        bool null = false;
        while ((c = source_take(source)) != SOURCE_END && c != '\n' && c != '\t') {
            const int next = source_peek(source);
            if (c != '\\' || next == SOURCE_END || next == '\n') {
                buf_put_char(&row->text, (char)c);
                continue;
            }
            (void)source_take(source);
            if (next == '.' && row->count == 0 && row->text.len == 0) {
                pass_line(source);
                return ERR_NOT_FOUND;
            }
            null = next == 'N' && row->text.len == row->from;
            if (!null) {
                buf_put_char(&row->text, table_unescape((char)next));
            }
        }
        row_end_value(row, null);
    } while (c == '\t');
    return table_judge_row(table);
}

// The next row of the INSERT; ERR_NOT_FOUND when it is over.
static enum err take_inserted(struct table *table)
{
    struct word word;
    do {
        take(table, &word);
        table->line = table->source->line;
        if (is_mark(&word, '(')) {
            return take_values(table);
        }
    } while (is_mark(&word, ','));
    table->in_values = false;
    pass_statement(table, &word);
    table->cut = is_end(&word);
    return ERR_NOT_FOUND;
}

enum err sql_next(struct table *table)
{
    for (;;) {
        enum err e = ERR_NOT_FOUND;
        if (table->in_values) {
            e = take_inserted(table);
        } else if (table->in_copy) {
            table->line = table->source->line;
            table->cut = source_peek(table->source) == SOURCE_END;
            e = table->cut ? ERR_NOT_FOUND : take_copied(table);
            table->in_copy = e != ERR_NOT_FOUND;
        }
        if (e != ERR_NOT_FOUND) {
            return e;
        }
        struct word word;
        take(table, &word);
        if (word.token.kind == SQL_END) {
            return ERR_NOT_FOUND;
        }
        if (word.token.kind == SQL_BROKEN) {
            table->line = table->source->line;
            table->why = "ends within quotes";
            return ERR_SYNTAX;
        }
        if (take_statement(table, &word) != ERR_OK) {
            return ERR_SYNTAX;
        }
    }
}
