// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_KEEPER_H
#define SIGNPOST_STORE_KEEPER_H

#include "signpost/service/uas.h"
#include "signpost/state/metrics.h"
#include "store/engine.h"
#include "store/load.h"

// Keeps in an engine what REGISTERs leave in the location table, and the answers that wait for it.
//
// Workers offer; each has a queue of its own, lock-free and bounded, and never waits. One thread,
// the persister (run/persister.c), works in rounds:
//
//     keeper_round        takes what is in the queues, of each address of record the latest, and
//                         appends it as one group; syncs when sync_ms have passed since the last
//                         time, or when there is nothing else to do
//     keeper_next_answer  tells the answers that waited for that
//     keeper_end_round    gives the queues their room back
//
// When something goes wrong the table in memory is still the truth. The engine is closed and
// opened again later, and then a rewrite puts the whole table into a new generation. The same
// rewrite follows when a queue was full and a change was let go, and when what is kept has grown
// to several times what is bound.
//
// Without a thread of its own, so that a simulator can drive it; time is an argument.
struct keeper;

struct keeper_config {
    struct location *location; // borrowed
    struct metrics *metrics;   // borrowed; written by the thread that works alone
    // Opens the engine again after it had to be closed.
    enum err (*open)(const void *context, struct engine **out, struct engine_fault *fault);
    const void *context;
    const char *name; // of what is kept, in messages; borrowed
    unsigned producers;
    size_t queue_bytes; // of each producer's queue: a power of two, KEEPER_QUEUE_BYTES_MIN at least
    bool answers_wait;  // for the disk (durability sync)
    uint32_t sync_ms;   // 0 where answers wait: each round has to sync
    struct hash_key key; // secret, of its own index
};

enum {
    KEEPER_QUEUE_BYTES_MIN = 1 << 20,
    KEEPER_TICKET_BYTES_MAX = 256,
};

// The engine becomes the keeper's, also after an error (ERR_NO_MEMORY). Until keeper_begin the
// location table is to be filled from it.
ERR_CHECKED enum err keeper_create(const struct keeper_config *config, struct engine *engine,
                                   struct keeper **out);

// Closes the engine. Nobody may be using it any more. keeper_destroy(NULL) is legal.
void keeper_destroy(struct keeper *keeper);

// ---- For workers

// What the location table may be asked for, as far as the store is concerned. For a thread with a
// queue; to be asked before each change that is offered, and holds for that.
enum uas_service keeper_service(struct keeper *keeper, unsigned producer);

// An answer that is to leave when what it promises is on disk. The ticket is handed back with it
// and not looked into; KEEPER_TICKET_BYTES_MAX at most. Both empty: nothing waits.
struct keeper_answer {
    struct slice ticket;
    struct slice answer;
};

// Hands over what uas_handle has left in out->state, and with answers_wait the answer. What does
// not fit the queue is let go, counted, and made good by a rewrite; with answers_wait there is
// always room when keeper_service has just said UAS_SERVES.
void keeper_offer(struct keeper *keeper, unsigned producer, const struct uas_output *out,
                  struct now now, const struct keeper_answer *answer);

// ---- For the one that works

// The table has been filled with what was counted, and may be asked from now on. Was a part not to
// be read, a copy of all that is kept is put aside, and then a rewrite lets go of that part; as
// long as there is no copy nothing is written. The fault says why the engine is read-only, if it
// is.
void keeper_begin(struct keeper *keeper, const struct load_count *loaded,
                  const struct engine_fault *fault, struct now now);

enum keeper_did {
    KEEPER_IDLE,     // nothing was there to do
    KEEPER_WORKED,   // the queues were emptied
    KEEPER_REWRITES, // and a rewrite is under way, which goes on in the next round
    KEEPER_BUSY,     // there is more in the queues
    KEEPER_FAILS,    // the queues were emptied, but nothing can be written at present
};

enum keeper_did keeper_round(struct keeper *keeper, struct now now);

// The next answer that may leave now, or false. Valid until keeper_end_round.
bool keeper_next_answer(struct keeper *keeper, struct keeper_answer *answer);

void keeper_end_round(struct keeper *keeper);

// Why nothing is kept at present, or NULL when all is well. A C string, good until the next round.
const char *keeper_trouble(const struct keeper *keeper);

// Something that was taken from the queues, or had no room in them, is not on disk yet: it waits
// for the next sync, or for a rewrite to end.
bool keeper_owes(const struct keeper *keeper);

// After a failure the next round tries again, however long it was to wait.
void keeper_hurry(struct keeper *keeper);

// The last round has been: closes the engine, which may take as long as a disk does.
void keeper_end(struct keeper *keeper);

// Bytes waiting in the queue of one of the workers, and in all of them. Any thread.
size_t keeper_queued_bytes(const struct keeper *keeper, unsigned producer);
size_t keeper_waiting_bytes(const struct keeper *keeper);

#endif
