// SPDX-License-Identifier: Apache-2.0
// Threads that read all stripes of a store side by side, after one has appended while RocksDB wrote
// files in the background: every block comes to exactly one of them.
#include "store/rocks.h"

#include <ftw.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ALARM_S = 200,
    THREADS = 4,
    BLOCKS = 400,
    BLOCK_BYTES = 200000,
    PATH_BYTES = 128,
};

static struct engine *engine;
static _Atomic unsigned next_stripe;
static _Atomic unsigned seen[BLOCKS];
static char bytes[BLOCK_BYTES];

static void check(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void read_stripe(unsigned stripe)
{
    struct engine_fault fault = {""};
    struct engine_cursor *cursor = NULL;
    struct slice block = {0};
    check(engine_cursor_open(engine, stripe, &cursor, &fault) == ERR_OK, fault.text);
    enum err e = ERR_OK;
    while ((e = engine_cursor_next(engine, cursor, &block, &fault)) == ERR_OK) {
        unsigned number = BLOCKS;
        memcpy(&number, block.at, sizeof(number));
        check(number < BLOCKS && block.len == BLOCK_BYTES, "block is whole");
        // a count; what it counts is read after joining
        atomic_fetch_add_explicit(&seen[number], 1, memory_order_relaxed);
    }
    check(e == ERR_NOT_FOUND, fault.text);
    engine_cursor_close(engine, cursor);
}

static void *read_stripes(void *unused)
{
    (void)unused;
    for (;;) {
        // only who gets which number matters
        const unsigned stripe = atomic_fetch_add_explicit(&next_stripe, 1, memory_order_relaxed);
        if (stripe >= ENGINE_STRIPES) {
            return NULL;
        }
        read_stripe(stripe);
    }
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static void append_all(void)
{
    struct engine_fault fault = {""};
    for (unsigned i = 0; i < BLOCKS; i++) {
        if (i == BLOCKS / 2) {
            check(engine_begin(engine, &fault) == ERR_OK, fault.text);
        }
        memcpy(bytes, &i, sizeof(i));
        check(engine_append(engine, slice_of(bytes, sizeof(bytes)), &fault) == ERR_OK, fault.text);
    }
}

static void read_all(void)
{
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        check(pthread_create(&threads[i], NULL, read_stripes, NULL) == 0, "pthread_create");
    }
    for (unsigned i = 0; i < THREADS; i++) {
        check(pthread_join(threads[i], NULL) == 0, "pthread_join");
    }
    for (unsigned i = 0; i < BLOCKS; i++) {
        // joining has ordered it
        check(atomic_load_explicit(&seen[i], memory_order_relaxed) == 1, "each block once");
    }
}

int main(void)
{
    enum { FDS = 16 };

    const struct hash_key key = {.bytes = "a fixed test key"};
    struct engine_fault fault = {""};
    const char *const temporary = getenv("TMPDIR");
    char directory[PATH_BYTES];
    (void)alarm(ALARM_S);
    (void)snprintf(directory, sizeof(directory), "%.100s/signpost-rocks-XXXXXX",
                   temporary == NULL ? "/tmp" : temporary);
    check(mkdtemp(directory) != NULL, "mkdtemp");
    check(rocks_open(directory, ROCKS_SERVE, &key, &engine, &fault) == ERR_OK, fault.text);
    append_all();
    read_all();
    check(engine_drop_older(engine, &fault) == ERR_OK, fault.text);
    engine_close(engine);
    check(nftw(directory, remove_one, FDS, FTW_DEPTH | FTW_PHYS) == 0, "nftw");
    return EXIT_SUCCESS;
}
