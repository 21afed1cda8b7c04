// SPDX-License-Identifier: Apache-2.0
#include "sipflood/roster.h"

#include <assert.h>
#include <stdlib.h>

#include "sipflood/random.h"

struct entry {
    uint64_t due_ns;
    struct refresh refresh;
};

// A binary heap, the earliest first.
struct roster {
    struct roster_config config;
    uint64_t end_ns;
    uint64_t drawn; // random numbers so far
    struct entry entries[];
};

struct roster *roster_create(const struct roster_config *config)
{
    assert(config->users > 0 && config->interval_ns > 0);
    assert(config->jitter_ns < config->interval_ns);
    struct roster *r = calloc(1, sizeof(*r) + config->users * sizeof(r->entries[0]));
    if (r == NULL) {
        return NULL;
    }
    r->config = *config;
    for (uint32_t i = 0; i < config->users; i++) {
        r->entries[i].refresh.user = i;
    }
    return r;
}

void roster_destroy(struct roster *r)
{
    free(r);
}

// From 0 to limit - 1; a time may need more than 32 bits.
static uint64_t draw(struct roster *r, uint64_t limit)
{
    return random_mix(r->config.random + r->drawn++) % limit;
}

// Moves an entry down to its place.
static void sift(struct roster *r, uint32_t at)
{
    const struct entry moved = r->entries[at];
    for (;;) {
        uint64_t child = (uint64_t)at * 2 + 1;
        if (child >= r->config.users) {
            break;
        }
        if (child + 1 < r->config.users &&
            r->entries[child + 1].due_ns < r->entries[child].due_ns) {
            child++;
        }
        if (r->entries[child].due_ns >= moved.due_ns) {
            break;
        }
        r->entries[at] = r->entries[child];
        at = (uint32_t)child;
    }
    r->entries[at] = moved;
}

void roster_start(struct roster *r, uint64_t start_ns, uint64_t end_ns)
{
    r->end_ns = end_ns;
    for (uint32_t i = 0; i < r->config.users; i++) {
        r->entries[i].due_ns = start_ns + draw(r, r->config.interval_ns);
    }
    for (uint32_t i = r->config.users / 2; i > 0; i--) {
        sift(r, i - 1);
    }
}

uint64_t roster_due_ns(const struct roster *r)
{
    const uint64_t due_ns = r->entries[0].due_ns;
    return due_ns < r->end_ns ? due_ns : UINT64_MAX;
}

struct refresh roster_take(struct roster *r)
{
    struct entry *first = &r->entries[0];
    const struct refresh taken = first->refresh;
    first->due_ns += r->config.interval_ns - draw(r, r->config.jitter_ns + 1);
    first->refresh.turn++;
    sift(r, 0);
    return taken;
}
