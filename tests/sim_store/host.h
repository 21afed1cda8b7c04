// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_STORE_HOST_H
#define SIGNPOST_TESTS_SIM_STORE_HOST_H

#include "signpost/service/uas.h"
#include "store/keeper.h"
#include "store/load.h"
#include "tests/disk/disk.h"
#include "tests/sim/rng.h"

// The server as one process: the production core and the production keeper over a disk that
// outlives it. Its workers take turns, and one may be held up between the table and the queue.

enum { HOST_WORKERS = 3, HOST_EXPIRES_MAX_S = 7200, HOST_QUEUE_BYTES = KEEPER_QUEUE_BYTES_MIN };

struct host_config {
    bool answers_wait;
    uint32_t sync_ms;
    bool stateful;
    unsigned shards;
};

// What travels with an answer that waits.
struct host_ticket {
    unsigned aor;
    unsigned phone;
    uint32_t cseq;
    unsigned contacts; // that the answer tells
    int version;
};

struct host_worker {
    struct uas_scratch *scratch;
    struct uas_output out;
    enum uas_service service; // when it handled its last request
    bool answered;
    bool holds; // out->state has not been offered
    struct now now;
    struct host_ticket ticket;
    char bytes[ANSWER_BYTES_MAX];
};

struct host {
    struct uas uas;
    struct engine *engine; // the keeper's; for host_load
    struct keeper *keeper;
    struct disk *disk;
    struct metrics metrics; // of the workers
    struct metrics store_metrics;
    struct load_count loaded;
    struct cidr register_from;
    struct host_worker workers[HOST_WORKERS];
};

// Opens the disk and creates what is empty; then host_load. False: it cannot be opened, or memory
// does not suffice.
bool host_start(struct host *host, const struct host_config *config, struct disk *disk,
                struct rng *rng);

// Fills the table, from the parts of the disk in a random order; more_bytes is what the keeper is
// told besides to have been there.
bool host_load(struct host *host, struct rng *rng, uint64_t more_bytes, struct now now);

// As a killed process ends. Scratch memory stays for the next.
void host_end(struct host *host);
void host_free(struct host *host);

// Gives a worker a datagram. What comes of it is in the worker.
void host_handle(struct host *host, unsigned worker, struct slice bytes, struct now now);

// Offers what the worker holds. True when it is in the queue.
bool host_offer(struct host *host, unsigned worker);

// Status of the worker's answer; 0: none.
unsigned host_status(const struct host_worker *worker);

#endif
