// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_DISK_DISK_H
#define SIGNPOST_TESTS_DISK_DISK_H

#include "store/engine.h"

// A store engine in memory, for tests of what stands on one: a disk that does as it is told, also
// when that is to fail. It outlives its engines as a disk outlives processes. One thread.
struct disk;

// What can be made to fail.
enum disk_call {
    DISK_APPEND,
    DISK_SYNC,
    DISK_BEGIN,
    DISK_DROP,
    DISK_OPEN,
    DISK_COPY,
    DISK_CALLS,
};

enum disk_outcome {
    DISK_DOES,    // what it is asked
    DISK_REFUSES, // nothing has happened, and that is told
    DISK_LIES,    // it has happened, and an error is told
    // An error, when half of it has happened: of a block the first part is there, of the blocks to
    // be synced the first half, of the older generations the oldest is gone, what has been opened
    // is read-only.
    DISK_HALVES,
};

// NULL when memory does not suffice.
struct disk *disk_create(void);

// Engines over it have been closed. NULL is legal.
void disk_destroy(struct disk *disk);

// Opens it as an engine; `fresh_key` becomes the key of an empty one.
ERR_CHECKED enum err disk_open(struct disk *disk, const struct hash_key *fresh_key,
                               struct engine **out, struct engine_fault *fault);

// After `skip` more of these calls the next `count` end like that. The latest order holds.
void disk_order(struct disk *disk, enum disk_call call, enum disk_outcome outcome, unsigned skip,
                unsigned count);

// After `skip` more calls of whatever kind the machine is dead: the next call ends like that, and
// from then on nothing happens any more and everything is refused, until disk_revive.
void disk_kill(struct disk *disk, enum disk_outcome outcome, unsigned skip);
bool disk_dead(const struct disk *disk);

// After a crash: all orders are forgotten. When the power has been off, of each block that has not
// been synced so much is left: 0 nothing, 100 all of it; `percent` is asked for each.
void disk_revive(struct disk *disk, unsigned (*percent)(void *context), void *context);

// What is kept is no longer to be found: engines that are open write into nothing.
void disk_delete(struct disk *disk);

// The n-th block cannot be read any more / has one bit turned at that offset.
void disk_spoil(struct disk *disk, size_t block);
void disk_turn_bit(struct disk *disk, size_t block, size_t offset);

// Blocks that the power could take.
size_t disk_unsynced(const struct disk *disk);

// What is kept at present.
size_t disk_blocks(const struct disk *disk);
uint64_t disk_bytes(const struct disk *disk);
unsigned disk_generations(const struct disk *disk);
unsigned disk_copies(const struct disk *disk);

// How often it has been called since it was created, whatever came of it.
unsigned disk_calls(const struct disk *disk, enum disk_call call);

#endif
