// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_STORE_HISTORY_H
#define SIGNPOST_TESTS_SIM_STORE_HISTORY_H

#include "tests/sim_store/phone.h"

// What an address of record has been bound to, one version after the other, and which of them a
// crash may bring back: this is what the store is measured by.

struct bound {
    unsigned phone;
    uint32_t cseq; // of the REGISTER that made it
    uint64_t expires_wall_ms;
};

struct version {
    unsigned count;
    struct bound rows[PHONES_MAX]; // the newest first
};

enum { HISTORY_NOTHING = -1 };

struct history {
    struct version *versions; // the last is what is in the server's memory
    int count;
    int cap;
    int floor;    // this one or a later one is found after a crash; HISTORY_NOTHING: or none
    int written;  // likewise where only the process has died
    int offered;  // the latest that is on its way to the store
    int at_begin; // the latest when the last rewrite began
};

// From now on there is this one version only, and it is not lost any more.
void history_start(struct history *history, const struct version *version);
void history_free(struct history *history);

void history_push(struct history *history, const struct version *version);
void history_keep(struct history *history, int version);
void history_write(struct history *history, int version);

// Without what has expired.
struct version version_at(const struct version *version, uint64_t wall_ms);
bool version_equal(const struct version *a, const struct version *b);

// The latest version, without what has expired.
struct version history_now(const struct history *history, uint64_t wall_ms);

// Whether a crash may leave this.
bool history_allows(const struct history *history, const struct version *found, uint64_t wall_ms);

// What a REGISTER of the phone does to `before`, which has not expired. Returns the status of its
// answer.
unsigned version_after(const struct version *before, const struct deed *deed, uint64_t wall_ms,
                       struct version *after);

#endif
