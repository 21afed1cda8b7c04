// SPDX-License-Identifier: Apache-2.0
#include "store/load.h"

#include <stdatomic.h>

#include "store/record.h"

static uint64_t expiry(const struct load_into *into, uint64_t wall_ms)
{
    const uint64_t now_ms = into->now.wall_ms;
    const uint64_t most_ms = (uint64_t)into->expires_s_max * MS_PER_S;
    const uint64_t remaining_ms = wall_ms > now_ms ? wall_ms - now_ms : 0;
    return into->now.mono_ms + (remaining_ms < most_ms ? remaining_ms : most_ms);
}

static enum err restore(const struct load_into *into, const struct record_state *record)
{
    struct binding bindings[CONTACTS_PER_AOR_MAX];
    const struct location_state state = {.aor = record->aor,
                                         .revision = record->revision,
                                         .count = record->count,
                                         .bindings = bindings};
    for (size_t i = 0; i < record->count; i++) {
        const struct record_binding *const kept = &record->bindings[i];
        bindings[i] = (struct binding){.uri = kept->uri,
                                       .params = kept->params,
                                       .call_id = kept->call_id,
                                       .extra = kept->extra,
                                       .expires_ms = expiry(into, kept->expires_wall_ms),
                                       .request_id = kept->request_id,
                                       .cseq = kept->cseq,
                                       .q = kept->q};
    }
    return location_restore(into->location, &state, into->now);
}

static enum err load_block(const struct load_into *into, struct slice block,
                           struct load_count *count)
{
    struct record_state record;
    enum err e = ERR_OK;
    count->bytes += block.len;
    while (e == ERR_OK) {
        const enum err found = record_next(&block, &record);
        if (found == ERR_NOT_FOUND) {
            break;
        }
        if (found == ERR_OK) {
            count->records++;
            e = restore(into, &record);
        } else if (found == ERR_NEWER) {
            count->newer++;
        } else {
            count->damaged++;
        }
    }
    return e;
}

static bool stopped(const struct load_into *into)
{
    // relaxed: it orders nothing
    return into->stop != NULL && atomic_load_explicit(into->stop, memory_order_relaxed);
}

static enum err load_blocks(struct engine *engine, struct engine_cursor *cursor,
                            const struct load_into *into, struct load_count *count,
                            struct engine_fault *fault)
{
    enum err e = ERR_OK;
    while (e == ERR_OK && !stopped(into)) {
        struct slice block;
        const enum err found = engine_cursor_next(engine, cursor, &block, fault);
        if (found == ERR_DAMAGED) {
            count->damaged++;
        } else {
            e = found == ERR_OK ? load_block(into, block, count) : found;
        }
    }
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err load_stripe(struct engine *engine, unsigned stripe, const struct load_into *into,
                     struct load_count *count, struct engine_fault *fault)
{
    struct engine_cursor *cursor;
    enum err e = engine_cursor_open(engine, stripe, &cursor, fault);
    if (e == ERR_OK) {
        e = load_blocks(engine, cursor, into, count, fault);
        engine_cursor_close(engine, cursor);
    }
    return e;
}
