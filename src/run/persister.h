// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_PERSISTER_H
#define SIGNPOST_RUN_PERSISTER_H

#include "env/log.h"
#include "net/flow.h"
#include "store/keeper.h"

// The thread of the store: at start it fills the location table, with helpers, from what is kept;
// then it runs the keeper's rounds and sends the answers that waited for them. The only thread that
// ever waits for a disk.
struct persister;

struct persister_config {
    struct location *location; // this and metrics are borrowed until persister_stop
    struct metrics *metrics;   // of this thread alone
    const char *directory;     // copied
    struct log log;
    unsigned workers;       // who offer, numbered from 0
    unsigned load_threads;  // that fill the table at the same time
    uint32_t expires_s_max; // no binding may have more left, whatever the clock says
    uint32_t flush_ms;      // a change is on disk within this time, if the disk can do it
    size_t queue_bytes;     // of each worker's queue, a power of two
    bool answers_wait;      // durability sync
};

// Opens the store, and starts the thread, which begins to load. *key becomes the secret that is
// kept with the bindings, of To tags and request identities. ERR_RANGE: the store is not to be
// opened, and one line has been logged that says what to do; ERR_SYSTEM; ERR_NO_MEMORY.
ERR_CHECKED enum err persister_start(const struct persister_config *config, struct hash_key *key,
                                     struct persister **out);

enum persister_state {
    PERSISTER_LOADING,
    PERSISTER_SERVING,
    PERSISTER_BROKEN, // the table could not be filled; the server is to be stopped
};

// Any thread.
enum persister_state persister_state(const struct persister *persister);

// ---- For workers, each with its number. None of these waits.

// What may be asked of the location table. Holds for the next offer.
enum uas_service persister_service(const struct persister *persister, unsigned worker);

// Takes over what uas_handle has left in out->state. True when the answer in *out, if it has been
// answered, is to leave by the persister, when the state is on disk; else it is the worker's to
// send.
bool persister_offer(struct persister *persister, unsigned worker, const struct flow *flow,
                     const struct uas_output *out, bool answered, struct now now);

// The worker has offered something, and the persister may be asleep. Once a batch is enough.
void persister_wake(struct persister *persister, unsigned worker);

// ---- For people; any thread

// Bindings are kept at present.
bool persister_up(const struct persister *persister);

// Bytes of changes on their way.
size_t persister_waiting_bytes(const struct persister *persister);

enum persister_end {
    PERSISTER_KEPT_ALL,
    PERSISTER_LOST_SOME, // the last changes could not be written, which has been logged
    // The thread waits for a disk that does not answer, which has been logged. It goes on, and so
    // whatever it has been given is to stay; the process is to be left by _exit.
    PERSISTER_STUCK,
};

// All workers have ended: writes what has been offered, sends the answers, closes the store, and
// joins the thread. Waits for a disk as long as something moves. NULL is legal.
enum persister_end persister_stop(struct persister *persister);

#endif
