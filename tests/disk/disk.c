// SPDX-License-Identifier: Apache-2.0
#include "tests/disk/disk.h"

#include <limits.h>
#include <stdlib.h>

struct block {
    char *at;
    size_t len;
    unsigned generation;
    bool synced;
    bool spoiled;
};

struct order {
    enum disk_outcome outcome;
    unsigned skip;
    unsigned count;
};

struct disk {
    struct hash_key key;
    bool exists;
    unsigned epoch; // one more with each disk_delete
    struct block *blocks;
    size_t count;
    size_t cap;
    unsigned oldest; // generation
    unsigned newest;
    unsigned copies;
    struct order orders[DISK_CALLS];
    unsigned calls[DISK_CALLS];
    struct order death;
    bool dead;
    bool open; // by one engine
};

struct disk_engine {
    struct engine head;
    struct disk *disk;
    unsigned epoch;
};

struct engine_cursor {
    const struct disk *disk;
    size_t next;
};

static enum err disk_append(struct engine *engine, struct slice bytes, struct engine_fault *fault);
static enum err disk_sync(struct engine *engine, struct engine_fault *fault);
static enum err disk_keep_copy(struct engine *engine, struct engine_fault *fault);
static enum err disk_begin(struct engine *engine, struct engine_fault *fault);
static enum err disk_drop_older(struct engine *engine, struct engine_fault *fault);
static bool disk_in_place(struct engine *engine);
static enum err disk_cursor_open(struct engine *engine, unsigned stripe, struct engine_cursor **out,
                                 struct engine_fault *fault);
static enum err disk_cursor_next(struct engine_cursor *cursor, struct slice *block,
                                 struct engine_fault *fault);
static void disk_cursor_close(struct engine_cursor *cursor);
static void disk_close(struct engine *engine);

static const struct engine_ops disk_ops = {.append = disk_append,
                                           .sync = disk_sync,
                                           .keep_copy = disk_keep_copy,
                                           .begin = disk_begin,
                                           .drop_older = disk_drop_older,
                                           .in_place = disk_in_place,
                                           .cursor_open = disk_cursor_open,
                                           .cursor_next = disk_cursor_next,
                                           .cursor_close = disk_cursor_close,
                                           .close = disk_close};

struct disk *disk_create(void)
{
    return calloc(1, sizeof(struct disk));
}

void disk_destroy(struct disk *disk)
{
    if (disk == NULL) {
        return;
    }
    assert(!disk->open);
    for (size_t i = 0; i < disk->count; i++) {
        free(disk->blocks[i].at);
    }
    free(disk->blocks);
    free(disk);
}

// ---- What is ordered

void disk_order(struct disk *disk, enum disk_call call, enum disk_outcome outcome, unsigned skip,
                unsigned count)
{
    disk->orders[call] = (struct order){.outcome = outcome, .skip = skip, .count = count};
}

void disk_kill(struct disk *disk, enum disk_outcome outcome, unsigned skip)
{
    disk->death = (struct order){.outcome = outcome, .skip = skip, .count = 1};
}

bool disk_dead(const struct disk *disk)
{
    return disk->dead;
}

static bool order_falls_due(struct order *order)
{
    if (order->count == 0 || order->skip > 0) {
        order->skip -= order->count == 0 ? 0 : 1;
        return false;
    }
    order->count--;
    return true;
}

static enum disk_outcome outcome_of(struct disk *disk, enum disk_call call)
{
    disk->calls[call]++;
    if (disk->dead) {
        return DISK_REFUSES;
    }
    if (order_falls_due(&disk->death)) {
        disk->dead = true;
        return disk->death.outcome;
    }
    return order_falls_due(&disk->orders[call]) ? disk->orders[call].outcome : DISK_DOES;
}

static enum err told(enum disk_outcome outcome, struct engine_fault *fault)
{
    return outcome == DISK_DOES ? ERR_OK : engine_fail(fault, ERR_IO, "the disk was told to fail");
}

// ---- Blocks

static void set_bytes(struct block *block, struct slice bytes)
{
    block->at = malloc(bytes.len + 1);
    assert(block->at != NULL);
    memcpy(block->at, bytes.at, bytes.len);
    block->len = bytes.len;
}

static void add_block(struct disk *disk, struct slice bytes)
{
    if (disk->count == disk->cap) {
        disk->cap = disk->cap == 0 ? 16 : 2 * disk->cap;
        disk->blocks = realloc(disk->blocks, disk->cap * sizeof(disk->blocks[0]));
        assert(disk->blocks != NULL);
    }
    struct block *const block = &disk->blocks[disk->count++];
    *block = (struct block){.generation = disk->newest};
    set_bytes(block, bytes);
}

// From that generation on, and what is left of them.
static void keep_blocks(struct disk *disk, unsigned oldest)
{
    size_t kept = 0;
    for (size_t i = 0; i < disk->count; i++) {
        if (disk->blocks[i].generation >= oldest && disk->blocks[i].len > 0) {
            disk->blocks[kept++] = disk->blocks[i];
        } else {
            free(disk->blocks[i].at);
        }
    }
    disk->count = kept;
    disk->oldest = oldest;
}

void disk_revive(struct disk *disk, unsigned (*percent)(void *context), void *context)
{
    assert(!disk->open);
    for (size_t i = 0; percent != NULL && i < disk->count; i++) {
        struct block *const block = &disk->blocks[i];
        block->len = block->synced ? block->len : block->len * percent(context) / 100;
    }
    keep_blocks(disk, disk->oldest);
    memset(disk->orders, 0, sizeof(disk->orders));
    disk->death = (struct order){0};
    disk->dead = false;
}

void disk_delete(struct disk *disk)
{
    keep_blocks(disk, UINT_MAX);
    disk->epoch++;
    disk->exists = false;
}

void disk_spoil(struct disk *disk, size_t block)
{
    assert(block < disk->count);
    disk->blocks[block].spoiled = true;
}

void disk_turn_bit(struct disk *disk, size_t block, size_t offset)
{
    assert(block < disk->count && offset < disk->blocks[block].len);
    disk->blocks[block].at[offset] ^= 1;
}

size_t disk_unsynced(const struct disk *disk)
{
    size_t count = 0;
    for (size_t i = 0; i < disk->count; i++) {
        count += disk->blocks[i].synced ? 0 : 1;
    }
    return count;
}

size_t disk_blocks(const struct disk *disk)
{
    return disk->count;
}

uint64_t disk_bytes(const struct disk *disk)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < disk->count; i++) {
        sum += disk->blocks[i].len;
    }
    return sum;
}

unsigned disk_generations(const struct disk *disk)
{
    return disk->newest - disk->oldest + 1;
}

unsigned disk_copies(const struct disk *disk)
{
    return disk->copies;
}

unsigned disk_calls(const struct disk *disk, enum disk_call call)
{
    return disk->calls[call];
}

// ---- The engine

// What an earlier process left is made sure of when it is opened, as a log that is replayed is.
static void create_or_recover(struct disk *disk, const struct hash_key *fresh_key)
{
    for (size_t i = 0; i < disk->count; i++) {
        disk->blocks[i].synced = true;
    }
    if (!disk->exists) {
        disk->exists = true;
        disk->key = *fresh_key;
        disk->oldest = disk->newest = 1;
    }
}

enum err disk_open(struct disk *disk, const struct hash_key *fresh_key, struct engine **out,
                   struct engine_fault *fault)
{
    const enum disk_outcome outcome = outcome_of(disk, DISK_OPEN);
    *out = NULL;
    if (outcome == DISK_REFUSES || outcome == DISK_LIES) {
        return told(outcome, fault);
    }
    struct disk_engine *const engine = calloc(1, sizeof(*engine));
    assert(engine != NULL && !disk->open);
    create_or_recover(disk, fresh_key);
    engine->head = (struct engine){
        .ops = &disk_ops, .key = disk->key, .read_only = told(outcome, fault) != ERR_OK};
    engine->disk = disk;
    engine->epoch = disk->epoch;
    disk->open = true;
    *out = &engine->head;
    return ERR_OK;
}

static struct disk_engine *engine_of(struct engine *engine)
{
    return (struct disk_engine *)engine;
}

// The disk, or NULL when what the engine had opened has been deleted.
static struct disk *present(struct engine *engine)
{
    struct disk *const disk = engine_of(engine)->disk;
    assert(!engine->read_only);
    return engine_of(engine)->epoch == disk->epoch ? disk : NULL;
}

static enum err disk_append(struct engine *engine, struct slice bytes, struct engine_fault *fault)
{
    struct disk *const disk = present(engine);
    if (disk == NULL) {
        return ERR_OK;
    }
    const enum disk_outcome outcome = outcome_of(disk, DISK_APPEND);
    if (outcome != DISK_REFUSES) {
        const size_t len = outcome == DISK_HALVES ? (bytes.len + 1) / 2 : bytes.len;
        add_block(disk, slice_of(bytes.at, len));
    }
    return told(outcome, fault);
}

static enum err disk_sync(struct engine *engine, struct engine_fault *fault)
{
    struct disk *const disk = present(engine);
    if (disk == NULL) {
        return ERR_OK;
    }
    const enum disk_outcome outcome = outcome_of(disk, DISK_SYNC);
    const size_t unsynced = disk_unsynced(disk);
    size_t left = outcome == DISK_REFUSES ? 0 : outcome == DISK_HALVES ? unsynced / 2 : unsynced;
    for (size_t i = 0; left > 0; i++) {
        left -= disk->blocks[i].synced ? 0 : 1;
        disk->blocks[i].synced = true;
    }
    return told(outcome, fault);
}

static enum err disk_keep_copy(struct engine *engine, struct engine_fault *fault)
{
    struct disk *const disk = engine_of(engine)->disk;
    const enum disk_outcome outcome = outcome_of(disk, DISK_COPY);
    disk->copies += outcome == DISK_DOES ? 1 : 0;
    return told(outcome, fault);
}

static enum err disk_begin(struct engine *engine, struct engine_fault *fault)
{
    struct disk *const disk = present(engine);
    if (disk == NULL) {
        return ERR_OK;
    }
    const enum disk_outcome outcome = outcome_of(disk, DISK_BEGIN);
    disk->newest += outcome == DISK_DOES || outcome == DISK_LIES ? 1 : 0;
    return told(outcome, fault);
}

static enum err disk_drop_older(struct engine *engine, struct engine_fault *fault)
{
    struct disk *const disk = present(engine);
    if (disk == NULL) {
        return ERR_OK;
    }
    const enum disk_outcome outcome = outcome_of(disk, DISK_DROP);
    if (outcome == DISK_HALVES && disk->oldest < disk->newest) {
        keep_blocks(disk, disk->oldest + 1);
    } else if (outcome == DISK_DOES || outcome == DISK_LIES) {
        keep_blocks(disk, disk->newest);
    }
    return told(outcome, fault);
}

static bool disk_in_place(struct engine *engine)
{
    return present(engine) != NULL;
}

static enum err disk_cursor_open(struct engine *engine, unsigned stripe, struct engine_cursor **out,
                                 struct engine_fault *fault)
{
    (void)fault;
    assert(stripe < ENGINE_STRIPES);
    *out = calloc(1, sizeof(**out));
    assert(*out != NULL);
    **out = (struct engine_cursor){.disk = engine_of(engine)->disk, .next = stripe};
    return ERR_OK;
}

static enum err disk_cursor_next(struct engine_cursor *cursor, struct slice *block,
                                 struct engine_fault *fault)
{
    (void)fault;
    if (cursor->next >= cursor->disk->count) {
        return ERR_NOT_FOUND;
    }
    const struct block *const here = &cursor->disk->blocks[cursor->next];
    cursor->next += ENGINE_STRIPES;
    *block = slice_of(here->at, here->len);
    return here->spoiled ? ERR_DAMAGED : ERR_OK;
}

static void disk_cursor_close(struct engine_cursor *cursor)
{
    free(cursor);
}

static void disk_close(struct engine *engine)
{
    engine_of(engine)->disk->open = false;
    free(engine);
}
