// SPDX-License-Identifier: Apache-2.0
#include "tests/sim_store/history.h"

#include <stdlib.h>

void history_start(struct history *history, const struct version *version)
{
    history->count = 0;
    history_push(history, version);
    history->floor = history->written = history->offered = history->at_begin = 0;
}

void history_free(struct history *history)
{
    free(history->versions);
}

void history_push(struct history *history, const struct version *version)
{
    if (history->count == history->cap) {
        history->cap = history->cap == 0 ? 8 : 2 * history->cap;
        history->versions =
            realloc(history->versions, (size_t)history->cap * sizeof(history->versions[0]));
        assert(history->versions != NULL);
    }
    history->versions[history->count++] = *version;
}

void history_keep(struct history *history, int version)
{
    history->floor = history->floor < version ? version : history->floor;
}

void history_write(struct history *history, int version)
{
    history->written = history->written < version ? version : history->written;
}

struct version version_at(const struct version *version, uint64_t wall_ms)
{
    struct version alive = {0};
    for (unsigned i = 0; i < version->count; i++) {
        if (version->rows[i].expires_wall_ms > wall_ms) {
            alive.rows[alive.count++] = version->rows[i];
        }
    }
    return alive;
}

bool version_equal(const struct version *a, const struct version *b)
{
    bool same = a->count == b->count;
    for (unsigned i = 0; same && i < a->count; i++) {
        same = a->rows[i].phone == b->rows[i].phone && a->rows[i].cseq == b->rows[i].cseq &&
               a->rows[i].expires_wall_ms == b->rows[i].expires_wall_ms;
    }
    return same;
}

struct version history_now(const struct history *history, uint64_t wall_ms)
{
    return version_at(&history->versions[history->count - 1], wall_ms);
}

bool history_allows(const struct history *history, const struct version *found, uint64_t wall_ms)
{
    bool allowed = history->floor == HISTORY_NOTHING && found->count == 0;
    const int first = history->floor == HISTORY_NOTHING ? 0 : history->floor;
    for (int i = first; !allowed && i < history->count; i++) {
        const struct version alive = version_at(&history->versions[i], wall_ms);
        allowed = version_equal(&alive, found);
    }
    return allowed;
}

// ---- What a REGISTER does (RFC 3261 10.3)

static unsigned find(const struct version *version, unsigned phone)
{
    unsigned i = 0;
    while (i < version->count && version->rows[i].phone != phone) {
        i++;
    }
    return i;
}

static void bind(struct version *version, unsigned at, const struct bound *row)
{
    if (at < version->count) {
        version->rows[at] = *row; // a refresh keeps its place
        return;
    }
    assert(version->count < PHONES_MAX);
    memmove(version->rows + 1, version->rows, version->count * sizeof(version->rows[0]));
    version->rows[0] = *row;
    version->count++;
}

static void take_out(struct version *version, unsigned at)
{
    if (at < version->count) {
        version->count--;
        memmove(version->rows + at, version->rows + at + 1,
                (version->count - at) * sizeof(version->rows[0]));
    }
}

unsigned version_after(const struct version *before, const struct deed *deed, uint64_t wall_ms,
                       struct version *after)
{
    const unsigned at = find(before, deed->phone);
    const bool there = at < before->count;
    const bool same = there && before->rows[at].cseq == deed->cseq;
    const struct bound row = {deed->phone, deed->cseq, wall_ms + 1000 * (uint64_t)deed->expires_s};
    *after = *before;
    if (deed->kind != DEED_ASK && there && before->rows[at].cseq > deed->cseq) {
        return 400; // it has been overtaken
    }
    switch (deed->kind) {
    case DEED_BIND:
        if (!same) {
            bind(after, at, &row);
        }
        break;
    case DEED_REMOVE: take_out(after, at); break;
    case DEED_REMOVE_ALL: after->count = 0; break;
    case DEED_ASK: break;
    }
    return 200;
}
