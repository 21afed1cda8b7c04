// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_SERVER_H
#define SIGNPOST_TESTS_SIM_SERVER_H

#include "signpost/service/uas.h"
#include "tests/sim/model.h"

// The production core with a configuration and keys made up by the simulation. It is given bytes,
// a peer and the time, and nothing else.

enum { SERVER_DOMAINS_MAX = 2 };

struct server_config {
    struct model_config policy; // what the model knows of it
    unsigned shards;
    bool stateful;
    size_t transaction_bytes;
    uint64_t key;
};

struct server {
    struct uas uas;
    struct uas_scratch *scratch;
    struct metrics metrics;
    struct slice domains[SERVER_DOMAINS_MAX];
    struct cidr register_from[2];
    struct binding_list list;
    unsigned due_shard; // of server_repeat
    bool repeated;      // the last request has been counted as a retransmission
    struct slice answer;
    struct endpoint target;
    char bytes[ANSWER_BYTES_MAX];
};

// False when memory does not suffice.
bool server_start(struct server *server, const struct server_config *config);
void server_stop(struct server *server);

// Gives it a datagram. False: no answer; else server->answer is for server->target.
bool server_handle(struct server *server, struct slice bytes, const struct endpoint *peer,
                   struct now now);

// What the ticker does: removes what has expired ...
void server_expire(struct server *server, struct now now);
// ... and sends answers again: call it until it returns false; as server_handle.
bool server_repeat(struct server *server, struct now now);

// Bindings of "user@domain", in server->list.
void server_lookup(struct server *server, struct slice aor, struct now now);

#endif
