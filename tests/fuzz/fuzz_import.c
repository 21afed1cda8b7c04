// SPDX-License-Identifier: Apache-2.0
// A file that is imported: every reader comes to its end; what it takes for a binding fits a
// record, and written as a JSON line is read as the same again.
#include "signpost/sip/fields.h"
#include "signpostctl/import.h"
#include "signpostctl/jsonl.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

static const struct kamailio_rules rules = {
    .domain = SLICE_INIT("h"), .zone = {.local = false}, .now_ms = 1795366800000};

static bool same_binding(const struct record_binding *a, const struct record_binding *b)
{
    return slice_equal(a->uri, b->uri) && slice_equal(a->params, b->params) &&
           slice_equal(a->call_id, b->call_id) && slice_equal(a->extra, b->extra) &&
           a->expires_wall_ms == b->expires_wall_ms && a->request_id == b->request_id &&
           a->cseq == b->cseq && a->q == b->q;
}

static void check_line(const struct record_state *state)
{
    static struct jsonl jsonl;
    static struct source source;
    static char bytes[JSONL_BYTES_MAX];
    struct buf b = buf_over(bytes, sizeof(bytes));
    struct entry again;
    jsonl_put(&b, state, 0, rules.now_ms);
    assert(buf_ok(&b));
    source_over(&source, buf_slice(&b));
    jsonl_open(&jsonl, &source, rules.now_ms);
    const enum err e = jsonl_next(&jsonl, &again);
    assert(e == ERR_OK && slice_equal(again.aor, state->aor));
    assert(again.revision == state->revision);
    assert(same_binding(&again.binding, &state->bindings[0]));
    jsonl_close(&jsonl);
    (void)e;
}

static void check_entry(const struct entry *entry)
{
    static char bytes[RECORD_BYTES_MAX];
    struct buf b = buf_over(bytes, sizeof(bytes));
    struct record_state state;
    state.aor = entry->aor;
    state.revision = entry->revision;
    state.count = 1;
    state.bindings[0] = entry->binding;
    record_put(&b, &state);
    assert(buf_ok(&b));
    struct slice block = buf_slice(&b);
    const enum err e = record_next(&block, &state);
    assert(e == ERR_OK && slice_empty(block) && slice_equal(state.aor, entry->aor));
    assert(same_binding(&state.bindings[0], &entry->binding));
    check_line(&state);
    (void)e;
}

static void read_table(struct slice input, enum table_format format)
{
    static struct table table;
    static struct source source;
    static char bytes[KAMAILIO_TEXT_BYTES];
    source_over(&source, input);
    if (table_open(&table, &source, format, SLICE("location")) != ERR_OK) {
        return;
    }
    // Each row takes a byte at least, and one is said to be bad behind the last.
    size_t rows = 0;
    for (enum err e; (e = table_next(&table)) != ERR_NOT_FOUND; rows++) {
        struct buf text = buf_over(bytes, sizeof(bytes));
        struct entry entry;
        const char *why = "";
        assert(rows <= input.len && (e == ERR_OK || table.why[0] != '\0'));
        if (e == ERR_OK && kamailio_entry(&table, &rules, &text, &entry, &why) == ERR_OK) {
            check_entry(&entry);
        }
    }
}

static void read_lines(struct slice input)
{
    static struct jsonl jsonl;
    static struct source source;
    source_over(&source, input);
    jsonl_open(&jsonl, &source, rules.now_ms);
    struct entry entry;
    for (enum err e; (e = jsonl_next(&jsonl, &entry)) != ERR_NOT_FOUND;) {
        if (e == ERR_OK) {
            check_entry(&entry);
        }
    }
    jsonl_close(&jsonl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice input = guarded(0, data, size);
    read_table(input, TABLE_CSV);
    read_table(input, TABLE_DBTEXT);
    read_table(input, TABLE_SQL);
    read_lines(input);
    return 0;
}
