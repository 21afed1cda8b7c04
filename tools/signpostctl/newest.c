// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/newest.h"

#include <stdlib.h>

enum { SLOTS_MIN = 1024 };

// Of a revision: it has been asked for.
static const uint64_t taken_mark = UINT64_C(1) << 63;

// Open addressing: a thing stands in the slot that its hash says, or in the next one that is free.
struct slot {
    uint64_t hash;     // 0: free
    uint64_t revision; // and taken_mark
};

struct newest {
    struct slot *slots;
    size_t mask; // their number, a power of two, less one
    size_t count;
    size_t count_max;
};

struct newest *newest_create(void)
{
    struct newest *const newest = malloc(sizeof(*newest));
    if (newest == NULL) {
        return NULL;
    }
    *newest =
        (struct newest){.slots = calloc(SLOTS_MIN, sizeof(struct slot)), .mask = SLOTS_MIN - 1};
    if (newest->slots == NULL) {
        free(newest);
        return NULL;
    }
    return newest;
}

void newest_destroy(struct newest *newest)
{
    if (newest != NULL) {
        free(newest->slots);
        free(newest);
    }
}

void newest_clear(struct newest *newest, size_t count_max)
{
    memset(newest->slots, 0, (newest->mask + 1) * sizeof(struct slot));
    newest->count = 0;
    newest->count_max = count_max;
}

static uint64_t never_zero(uint64_t hash)
{
    return hash == 0 ? 1 : hash;
}

static struct slot *find(const struct newest *newest, uint64_t hash)
{
    size_t at = hash & newest->mask;
    while (newest->slots[at].hash != 0 && newest->slots[at].hash != hash) {
        at = (at + 1) & newest->mask;
    }
    return &newest->slots[at];
}

static enum err grow(struct newest *newest)
{
    const struct newest old = *newest;
    const size_t slots = 2 * (old.mask + 1);
    newest->slots = calloc(slots, sizeof(struct slot));
    if (newest->slots == NULL) {
        newest->slots = old.slots;
        return ERR_NO_MEMORY;
    }
    newest->mask = slots - 1;
    for (size_t i = 0; i <= old.mask; i++) {
        if (old.slots[i].hash != 0) {
            *find(newest, old.slots[i].hash) = old.slots[i];
        }
    }
    free(old.slots);
    return ERR_OK;
}

enum err newest_note(struct newest *newest, uint64_t hash, uint64_t revision)
{
    assert(revision < taken_mark);
    hash = never_zero(hash);
    struct slot *slot = find(newest, hash);
    if (slot->hash == hash) {
        slot->revision = revision > slot->revision ? revision : slot->revision;
        return ERR_OK;
    }
    if (newest->count == newest->count_max) {
        return ERR_FULL;
    }
    if (newest->count + 1 > (newest->mask + 1) / 4 * 3) {
        if (grow(newest) != ERR_OK) {
            return ERR_NO_MEMORY;
        }
        slot = find(newest, hash);
    }
    *slot = (struct slot){.hash = hash, .revision = revision};
    newest->count++;
    return ERR_OK;
}

bool newest_take(struct newest *newest, uint64_t hash, uint64_t revision)
{
    hash = never_zero(hash);
    struct slot *const slot = find(newest, hash);
    if (slot->hash != hash || slot->revision != revision) {
        return false;
    }
    slot->revision |= taken_mark;
    return true;
}
