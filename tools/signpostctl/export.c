// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/export.h"

#include <errno.h>

#include "signpostctl/jsonl.h"

struct writing {
    const struct export_rules *rules;
    FILE *out; // NULL: only count
    struct export_report *report;
    struct engine_fault *fault;
    char line[JSONL_BYTES_MAX];
};

static enum err fail_writing(const struct writing *writing)
{
    return engine_fail(writing->fault, ERR_SYSTEM, "%s: %s", writing->rules->name, strerror(errno));
}

static enum err write_binding(struct writing *writing, const struct record_state *state, size_t i)
{
    struct buf line = buf_over(writing->line, sizeof(writing->line));
    if (writing->out == NULL) {
        return ERR_OK;
    }
    jsonl_put(&line, state, i, writing->rules->now_ms);
    assert(buf_ok(&line));
    return fwrite(line.at, line.len, 1, writing->out) == 1 ? ERR_OK : fail_writing(writing);
}

static enum err write_state(void *context, const struct record_state *state)
{
    struct writing *const writing = context;
    uint64_t written = 0;
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < state->count; i++) {
        const bool expired = state->bindings[i].expires_wall_ms <= writing->rules->now_ms;
        writing->report->expired += expired ? 1 : 0;
        if (!expired || writing->rules->all) {
            e = write_binding(writing, state, i);
            written++;
        }
    }
    writing->report->bindings += written;
    writing->report->aors += written > 0 ? 1 : 0;
    return e;
}

static enum err walk(struct engine *engine, struct writing *writing)
{
    const struct walker walker = {write_state, writing};
    *writing->report = (struct export_report){0};
    return walk_newest(engine, WALK_AORS_MAX, &walker, &writing->report->walk, writing->fault);
}

enum err export_all(struct engine *engine, const struct export_rules *rules, FILE *out,
                    struct export_report *report, struct engine_fault *fault)
{
    struct writing writing;
    writing.rules = rules;
    writing.out = out;
    writing.report = report;
    writing.fault = fault;
    const enum err e = walk(engine, &writing);
    return e == ERR_OK && fflush(out) != 0 ? fail_writing(&writing) : e;
}

enum err export_count(struct engine *engine, uint64_t now_ms, struct export_report *report,
                      struct engine_fault *fault)
{
    const struct export_rules rules = {.now_ms = now_ms, .all = false};
    struct writing writing;
    writing.rules = &rules;
    writing.out = NULL;
    writing.report = report;
    writing.fault = fault;
    return walk(engine, &writing);
}
