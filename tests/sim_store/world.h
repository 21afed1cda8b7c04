// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_STORE_WORLD_H
#define SIGNPOST_TESTS_SIM_STORE_WORLD_H

#include "tests/sim/command.h"
#include "tests/sim_store/history.h"
#include "tests/sim_store/host.h"

// One simulation of a server with a store, whose disk fails and whose machine crashes; everything
// that happens follows from the seed. What is judged:
//
// - the table always tells the latest state, whatever the disk does, and refuses nothing in async;
// - after a crash each address of record is as some version of its history was, of one piece, and
//   none older than the latest that the store has promised: by an answer (sync), or by a round
//   that ended without trouble and with all synced, or by any without trouble if only the process
//   has died;
// - nothing waits longer to be synced than it may;
// - a REGISTER that comes again is recognized, also by the next process;
// - when the disk is well again all is soon made good, and then a crash loses nothing.

enum { WORLD_AORS_MAX = 128 };

// As the command line has them.
enum world_mode { WORLD_ANY_MODE, WORLD_ASYNC, WORLD_SYNC };

struct world {
    struct trace trace;
    struct rng rng;
    struct host_config config;
    struct disk *disk;
    struct host host;
    struct hash_key key; // of the store
    bool deleted;        // the store, and it has not been written anew
    bool big;
    unsigned aor_count;
    unsigned pad_bytes;
    unsigned step_count;
    unsigned gap_ms_max;
    unsigned fault_percent;
    unsigned hold_percent;
    unsigned frozen_steps; // for so many more the disk does not come back
    uint64_t unsynced_ms;  // since when something is to be synced
    unsigned invites;
    struct now now;
    struct phone phones[WORLD_AORS_MAX][PHONES_MAX];
    struct history histories[WORLD_AORS_MAX];
    struct binding_list list;
    struct buf text;
    char text_bytes[PHONE_TEXT_BYTES];
};

// Runs the seed. False when it has failed; then world->trace says how. The world is zero before its
// first run.
bool world_run(struct world *world, uint64_t seed, const struct command_options *options);

#endif
