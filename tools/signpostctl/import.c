// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/import.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "signpostctl/jsonl.h"
#include "signpostctl/walk.h"

enum { BLOCK_BYTES = 1024 * 1024 };

static_assert(BLOCK_BYTES >= (int)RECORD_BYTES_MAX, "a block holds any record");

// ---- Formats

static const char *const format_names[IMPORT_FORMATS] = {
    [IMPORT_JSON] = "json",
    [IMPORT_KAMAILIO_CSV] = "kamailio-csv",
    [IMPORT_KAMAILIO_SQL] = "kamailio-sql",
    [IMPORT_KAMAILIO_DBTEXT] = "kamailio-dbtext",
};

const char *import_format_name(enum import_format format)
{
    return format_names[format];
}

bool import_format_find(const char *name, enum import_format *format)
{
    for (int i = 0; i < IMPORT_FORMATS; i++) {
        if (strcmp(format_names[i], name) == 0) {
            *format = (enum import_format)i;
            return true;
        }
    }
    return false;
}

static bool begins_with(struct slice text, struct slice word)
{
    return text.len >= word.len && slice_equal_nocase(slice_of(text.at, word.len), word);
}

static bool is_sql(struct slice text)
{
    static const struct slice words[] = {
        SLICE_INIT("--"),       SLICE_INIT("/*"),         SLICE_INIT("INSERT "),
        SLICE_INIT("REPLACE "), SLICE_INIT("COPY "),      SLICE_INIT("CREATE "),
        SLICE_INIT("DROP "),    SLICE_INIT("SET "),       SLICE_INIT("BEGIN"),
        SLICE_INIT("PRAGMA "),  SLICE_INIT("LOCK "),      SLICE_INIT("USE "),
        SLICE_INIT("START "),   SLICE_INIT("\\restrict"),
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (begins_with(text, words[i])) {
            return true;
        }
    }
    return false;
}

bool import_recognize(struct source *source, enum import_format *format)
{
    const struct slice ahead = source_ahead(source);
    const struct slice text = slice_trim(ahead);
    const struct slice line = slice_of(text.at, slice_find(text, '\n'));
    const size_t word = slice_find(line, '(');
    const bool typed = word < line.len && slice_find(line, ')') < line.len;
    if (!slice_empty(text) && text.at[0] == '{') {
        *format = IMPORT_JSON;
    } else if (is_sql(text)) {
        *format = IMPORT_KAMAILIO_SQL;
    } else if (typed && slice_find(line, ' ') > word) {
        *format = IMPORT_KAMAILIO_DBTEXT;
    } else if (slice_find(line, ',') < line.len || slice_find(line, '\t') < line.len ||
               slice_find(line, ';') < line.len) {
        *format = IMPORT_KAMAILIO_CSV;
    } else {
        return false;
    }
    return true;
}

bool import_is_sqlite(struct source *source)
{
    static const struct slice magic = SLICE_INIT("SQLite format 3\0");
    const struct slice ahead = source_ahead(source);
    return ahead.len >= magic.len && slice_equal(slice_of(ahead.at, magic.len), magic);
}

// ---- Reading

// What an import works with.
struct import {
    const struct import_rules *rules;
    struct source *source;
    struct engine *engine; // from import_write on
    struct import_report *report;
    struct engine_fault *fault; // of the call that is under way
    struct spool *spool;
    struct table table;
    struct jsonl jsonl;
    char text[KAMAILIO_TEXT_BYTES];
    uint64_t revision; // for everything; 0: as the source tells
    struct buf block;
    char block_bytes[BLOCK_BYTES];
};

enum { QUOTE_BYTES = 60 };

// How a bad row begins, with nothing in it that a terminal would obey.
static void put_quote(struct buf *b, struct slice row)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < row.len && i < QUOTE_BYTES; i++) {
        const unsigned char c = (unsigned char)row.at[i];
        if (c >= ' ' && c <= '~') {
            buf_put_char(b, (char)c);
        } else {
            buf_put(b, SLICE("\\x"));
            buf_put_char(b, digits[c >> 4]);
            buf_put_char(b, digits[c & 0xf]);
        }
    }
    buf_put(b, row.len > QUOTE_BYTES ? SLICE("...") : SLICE(""));
}

static void complain(struct import *import, uint64_t line, const char *why, struct slice row)
{
    char bytes[4 * QUOTE_BYTES + 3];
    struct buf quote = buf_over(bytes, sizeof(bytes));
    import->report->bad++;
    if (import->report->bad <= IMPORT_COMPLAINTS_MAX) {
        put_quote(&quote, row);
        (void)fprintf(import->rules->complaints, "signpostctl: %s:%" PRIu64 ": %s%s%.*s\n",
                      import->rules->name, line, why, quote.len > 0 ? ": " : "", (int)quote.len,
                      quote.at);
    }
}

// Of a table's row, its values.
static void complain_of_row(struct import *import, const char *why)
{
    const struct table *const table = &import->table;
    char bytes[QUOTE_BYTES + 1];
    struct buf text = buf_over(bytes, sizeof(bytes));
    for (size_t i = 0; i < table->row.count && buf_ok(&text); i++) {
        const struct slice value = table->row.values[i];
        buf_put(&text, i > 0 ? SLICE(",") : SLICE(""));
        for (size_t at = 0; at < value.len && buf_ok(&text); at++) {
            buf_put_char(&text, value.at[at]);
        }
    }
    complain(import, table->line, why, buf_slice(&text));
}

static enum err take_entry(struct import *import, const struct entry *entry)
{
    struct import_report *const report = import->report;
    if (entry->binding.expires_wall_ms <= import->rules->kamailio.now_ms) {
        report->expired++;
        return ERR_OK;
    }
    report->permanent += entry->permanent ? 1 : 0;
    report->by_nat += entry->by_nat ? 1 : 0;
    report->by_path += entry->by_path ? 1 : 0;
    char why[SPOOL_WHY_BYTES];
    const enum err e = spool_add(import->spool, entry, why);
    return e == ERR_OK ? e : engine_fail(import->fault, e, "%s", why);
}

static enum err read_json(struct import *import)
{
    struct jsonl *const jsonl = &import->jsonl;
    enum err e = ERR_OK;
    jsonl_open(jsonl, import->source, import->rules->kamailio.now_ms);
    while (e == ERR_OK) {
        struct entry entry;
        const enum err found = jsonl_next(jsonl, &entry);
        if (found == ERR_NOT_FOUND) {
            break;
        }
        import->report->rows++;
        if (found == ERR_OK) {
            e = take_entry(import, &entry);
        } else {
            complain(import, jsonl->line, jsonl->why, jsonl->row);
            import->report->cut = jsonl->object == NULL && source_ends_in_line(import->source);
        }
    }
    jsonl_close(jsonl);
    return e;
}

static enum err take_row(struct import *import)
{
    struct entry entry;
    const char *why = "";
    struct buf text = buf_over(import->text, sizeof(import->text));
    const struct table *const table = &import->table;
    const enum err e = kamailio_entry(table, &import->rules->kamailio, &text, &entry, &why);
    if (e == ERR_OK) {
        return take_entry(import, &entry);
    }
    if (e == ERR_NOT_FOUND) {
        return engine_fail(import->fault, e,
                           "%s:%" PRIu64 ": the row has no domain (use_domain was 0): say which it "
                           "is with --domain NAME",
                           import->rules->name, table->line);
    }
    complain_of_row(import, why);
    return ERR_OK;
}

static enum err read_table(struct import *import, enum table_format format)
{
    struct table *const table = &import->table;
    if (table_open(table, import->source, format, import->rules->table) != ERR_OK) {
        return engine_fail(import->fault, ERR_SYNTAX, "%s:%" PRIu64 ": %s", import->rules->name,
                           table->line, table->why);
    }
    enum err e = ERR_OK;
    while (e == ERR_OK) {
        const enum err found = table_next(table);
        if (found == ERR_NOT_FOUND) {
            break;
        }
        import->report->rows++;
        if (found == ERR_OK) {
            e = take_row(import);
        } else {
            complain_of_row(import, table->why);
            import->report->cut = source_ends_in_line(import->source);
        }
    }
    import->report->cut = import->report->cut || table->cut;
    return e;
}

static enum err read_source(struct import *import)
{
    enum err e = ERR_OK;
    switch (import->rules->format) {
    case IMPORT_JSON: e = read_json(import); break;
    case IMPORT_KAMAILIO_CSV: e = read_table(import, TABLE_CSV); break;
    case IMPORT_KAMAILIO_SQL: e = read_table(import, TABLE_SQL); break;
    case IMPORT_KAMAILIO_DBTEXT: e = read_table(import, TABLE_DBTEXT); break;
    case IMPORT_FORMATS: break;
    }
    if (e == ERR_OK && import->source->failed) {
        return engine_fail(import->fault, ERR_IO, "%s: cannot be read to its end: %s",
                           import->rules->name, strerror(errno));
    }
    return e;
}

enum err import_read(struct source *source, const struct import_rules *rules, struct import **out,
                     struct import_report *report, struct engine_fault *fault)
{
    char why[SPOOL_WHY_BYTES];
    *report = (struct import_report){0};
    *out = NULL;
    struct import *const import = malloc(sizeof(*import));
    if (import == NULL) {
        return engine_fail(fault, ERR_NO_MEMORY, "%s", err_text(ERR_NO_MEMORY));
    }
    import->rules = rules;
    import->source = source;
    import->report = report;
    import->fault = fault;
    import->spool = NULL;
    enum err e = spool_create(rules->scratch, &import->spool, why);
    if (e != ERR_OK) {
        e = engine_fail(fault, e, "%s", why);
    } else {
        e = read_source(import);
    }
    if (e != ERR_OK) {
        import_destroy(import);
        return e;
    }
    *out = import;
    return ERR_OK;
}

bool import_has_any(const struct import *import)
{
    const struct import_report *const report = import->report;
    return report->rows > report->bad + report->expired;
}

// ---- Writing

static enum err nothing(void *context, const struct record_state *state)
{
    (void)context;
    (void)state;
    return ERR_OK;
}

// One above all that are there; 0 where there is nothing.
static enum err find_revision(struct import *import)
{
    const struct walker walker = {nothing, NULL};
    struct walk_report report;
    const enum err e = walk_all(import->engine, &walker, &report, import->fault);
    if (e == ERR_OK && report.newer_records > 0) {
        return engine_fail(import->fault, ERR_NEWER,
                           "the store has records of a later release: import with its signpostctl");
    }
    import->revision = report.records == 0 ? 0 : report.highest_revision + 1;
    return e;
}

static enum err write_block(struct import *import)
{
    const struct slice block = buf_slice(&import->block);
    import->block.len = 0;
    return slice_empty(block) ? ERR_OK : engine_append(import->engine, block, import->fault);
}

static enum err write_state(void *context, const struct record_state *joined)
{
    struct import *const import = context;
    struct record_state state = *joined;
    if (import->revision > 0 || state.revision == 0) {
        state.revision = import->revision > 0 ? import->revision : 1;
    }
    const enum err e =
        import->block.cap - import->block.len < record_bytes(&state) ? write_block(import) : ERR_OK;
    record_put(&import->block, &state);
    assert(buf_ok(&import->block));
    return e;
}

enum err import_write(struct import *import, struct engine *engine, struct engine_fault *fault)
{
    if (!import_has_any(import)) {
        return ERR_OK;
    }
    const struct walker writing = {write_state, import};
    char why[SPOOL_WHY_BYTES] = "";
    import->engine = engine;
    import->fault = fault;
    enum err e = find_revision(import);
    if (e == ERR_OK) {
        e = engine_begin(import->engine, import->fault);
    }
    if (e != ERR_OK) {
        return e;
    }
    import->block = buf_over(import->block_bytes, sizeof(import->block_bytes));
    e = spool_join(import->spool, &writing, &import->report->spool, why);
    if (why[0] != '\0') {
        e = engine_fail(import->fault, e, "%s", why);
    }
    if (e == ERR_OK) {
        e = write_block(import);
    }
    return e == ERR_OK ? engine_sync(import->engine, import->fault) : e;
}

void import_destroy(struct import *import)
{
    if (import != NULL) {
        spool_destroy(import->spool);
        free(import);
    }
}
