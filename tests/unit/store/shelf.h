// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_STORE_SHELF_H
#define SIGNPOST_TESTS_UNIT_STORE_SHELF_H

#include "store/keeper.h"
#include "store/load.h"
#include "tests/disk/disk.h"
#include "tests/unit/state/bed.h"

// A location table (the bed's), a keeper, and the disk under it, for tests of what is kept.
// Criterion runs each test in a process of its own, so one is enough.

enum {
    SHELF_PRODUCERS = 2,
    SHELF_EXPIRES_MAX_S = 7200,
    SHELF_SYNC_MS = 50,
    SHELF_PAD_BYTES = 3500, // of a binding that is to take room
};

struct shelf {
    struct disk *disk;
    struct engine *engine; // the keeper's, for appending what no keeper would
    struct keeper *keeper;
    struct metrics metrics;
    bool answers_wait;
    uint32_t sync_ms;
    uint64_t begin_bytes; // that the keeper is told there were
    struct load_count loaded;
    enum keeper_did did; // in the last round
    uint32_t cseq;
    char answers[4096]; // that have left in it, each with a space behind
    char fault[ENGINE_FAULT_BYTES];
};

extern struct shelf shelf;

// Suite fixtures: an empty disk, and a server over it.
void shelf_start(void);
void shelf_start_sync(void);
void shelf_start_lazy(void); // syncs when SHELF_SYNC_MS have passed
void shelf_stop(void);

// Time passes, on both clocks.
void shelf_advance_ms(uint64_t ms);

// Changes the table, and offers the change to the first queue. The answer, which is the URI, waits
// in sync. With `padded` parameters that take room.
void shelf_bind(const char *aor, const char *uri);
void shelf_bind_padded(const char *aor, const char *uri);
void shelf_remove(const char *aor);

// In two parts: what has changed, for one at a time ...
void shelf_change(const char *aor, const char *uri); // NULL: removes all
struct binding_list *shelf_take(void);               // to be freed
// ... and the offer.
void shelf_offer(unsigned producer, const char *aor, const struct binding_list *state,
                 const char *answer);

// One round, with its answers.
enum keeper_did shelf_round(void);

// Rounds without time between them until there is nothing to do; returns how many.
unsigned shelf_settle(void);

// The process ends, or the machine; shelf_restart loads what is kept into a new table.
void shelf_crash(void);
void shelf_lose_power(void); // which takes all that is not synced
void shelf_restart(void);

uint64_t shelf_count(enum metric id);

#endif
