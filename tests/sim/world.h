// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_WORLD_H
#define SIGNPOST_TESTS_SIM_WORLD_H

#include "tests/sim/command.h"
#include "tests/sim/network.h"
#include "tests/sim/phones.h"
#include "tests/sim/server.h"
#include "tests/sim/transactions.h"

// One simulation: everything that happens in it follows from the seed.

// As the command line has them.
enum world_mode { WORLD_ANY_MODE, WORLD_STATELESS, WORLD_STATEFUL };

// A request and its client.
struct request {
    struct intent intent;
    uint64_t started_ms;
    uint64_t interval_ms;
    bool done;         // it has its answer
    unsigned ack;      // number of the ACK's request; 0 for none yet
    bool never_acks;   // its caller has gone away
    size_t to_tag_len; // 0: not answered yet
    char to_tag[INTENT_TAG_BYTES];
};

struct world {
    struct trace trace;
    struct rng rng;
    struct server_config config;
    struct server server;
    struct model model;
    struct tx_table transactions;
    struct network network;
    struct phones phones;
    struct verdict verdict;
    struct request *requests;
    unsigned request_count;
    unsigned request_cap;
    unsigned step_count;
    unsigned gap_ms_max;
    unsigned fault_percent;
    unsigned tick_ms_max;
    uint64_t time_ms; // of the events; the server sees `now`
    struct now now;
    uint64_t frozen_ms;  // until then the monotonic clock stands still
    uint64_t stalled_ms; // until then the server does nothing
    uint64_t next_tick_ms;
};

// Runs the seed. False when it has failed; then world->trace says how.
bool world_run(struct world *world, uint64_t seed, const struct command_options *options);

#endif
