// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/walk.h"

#include "signpostctl/newest.h"

// A revision that nobody can have drawn is none.
static enum err next_of(struct slice *block, struct record_state *state)
{
    const enum err e = record_next(block, state);
    return e == ERR_OK && state->revision > INT64_MAX ? ERR_DAMAGED : e;
}

static enum err take_block(struct slice block, const struct walker *walker,
                           struct walk_report *report)
{
    struct record_state state;
    enum err e = ERR_OK;
    report->blocks++;
    report->bytes += block.len;
    while (e == ERR_OK) {
        const enum err found = next_of(&block, &state);
        if (found == ERR_NOT_FOUND) {
            return ERR_OK;
        }
        if (found == ERR_OK) {
            report->records++;
            report->highest_revision = state.revision > report->highest_revision
                                           ? state.revision
                                           : report->highest_revision;
            e = walker->take(walker->context, &state);
        } else if (found == ERR_NEWER) {
            report->newer_records++;
        } else {
            report->damaged_records++;
        }
    }
    return e;
}

static enum err walk_stripe(struct engine *engine, unsigned stripe, const struct walker *walker,
                            struct walk_report *report, struct engine_fault *fault)
{
    struct engine_cursor *cursor = NULL;
    enum err e = engine_cursor_open(engine, stripe, &cursor, fault);
    if (e != ERR_OK) {
        return e;
    }
    while (e == ERR_OK) {
        struct slice block;
        e = engine_cursor_next(engine, cursor, &block, fault);
        if (e == ERR_OK) {
            e = take_block(block, walker, report);
        } else if (e == ERR_DAMAGED) {
            report->damaged_blocks++;
            e = ERR_OK;
        }
    }
    engine_cursor_close(engine, cursor);
    return e == ERR_NOT_FOUND ? ERR_OK : e;
}

enum err walk_all(struct engine *engine, const struct walker *walker, struct walk_report *report,
                  struct engine_fault *fault)
{
    enum err e = ERR_OK;
    *report = (struct walk_report){0};
    for (unsigned stripe = 0; e == ERR_OK && stripe < ENGINE_STRIPES; stripe++) {
        e = walk_stripe(engine, stripe, walker, report, fault);
    }
    return e;
}

// ---- The newest only

struct search {
    struct newest *newest;
    const struct hash_key *key;
    uint64_t parts; // a power of two
    uint64_t part;  // the one that is looked at
    const struct walker *walker;
};

// The parts are told apart by the upper bits, the slots of the table by the lower ones.
static bool is_of_part(const struct search *search, uint64_t hash)
{
    return ((hash >> 32) & (search->parts - 1)) == search->part;
}

static enum err note(void *context, const struct record_state *state)
{
    const struct search *const search = context;
    const uint64_t hash = hash_bytes(search->key, state->aor);
    return is_of_part(search, hash) ? newest_note(search->newest, hash, state->revision) : ERR_OK;
}

static enum err show(void *context, const struct record_state *state)
{
    const struct search *const search = context;
    const uint64_t hash = hash_bytes(search->key, state->aor);
    return is_of_part(search, hash) && newest_take(search->newest, hash, state->revision)
               ? search->walker->take(search->walker->context, state)
               : ERR_OK;
}

// Takes down the revisions of the part.
static enum err look(struct search *search, struct engine *engine, size_t aors_max,
                     struct walk_report *report, struct engine_fault *fault)
{
    const struct walker noting = {note, search};
    newest_clear(search->newest, aors_max);
    return walk_all(engine, &noting, report, fault);
}

static enum err search_all(struct search *search, struct engine *engine, size_t aors_max,
                           struct walk_report *report, struct engine_fault *fault)
{
    const struct walker showing = {show, search};
    struct walk_report again;
    // Parts differ a little in size: the first, by which their number is found, must leave room.
    enum err e = look(search, engine, aors_max - aors_max / 8, report, fault);
    while (e == ERR_FULL && search->parts < UINT32_MAX) {
        search->parts *= 2;
        e = look(search, engine, aors_max - aors_max / 8, report, fault);
    }
    while (e == ERR_OK) {
        e = walk_all(engine, &showing, &again, fault);
        search->part++;
        if (e != ERR_OK || search->part == search->parts) {
            break;
        }
        e = look(search, engine, aors_max, &again, fault);
    }
    return e;
}

enum err walk_newest(struct engine *engine, size_t aors_max, const struct walker *walker,
                     struct walk_report *report, struct engine_fault *fault)
{
    struct newest *const newest = newest_create();
    struct search search = {newest, &engine->key, 1, 0, walker};
    enum err e =
        newest == NULL ? ERR_NO_MEMORY : search_all(&search, engine, aors_max, report, fault);
    if (e == ERR_NO_MEMORY || e == ERR_FULL) {
        e = engine_fail(fault, e, "%s", err_text(e));
    }
    newest_destroy(newest);
    return e;
}
