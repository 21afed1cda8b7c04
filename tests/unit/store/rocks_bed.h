// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_STORE_ROCKS_BED_H
#define SIGNPOST_TESTS_UNIT_STORE_ROCKS_BED_H

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "store/rocks.h"
#include "tests/unit/support.h"

// What the tests of the embedded engine share.

enum {
    ROOM_BYTES = 128,
    PATH_BYTES = 256,
    NUMBERS_MAX = 4096,
    BLOCK_BYTES_MAX = 1 << 20,
    MIB = 1 << 20,
};

static const struct hash_key key = {.bytes = "a fixed test key"};

// ---- A directory for each test

static char room[ROOM_BYTES];      // everything of this test
static char directory[PATH_BYTES]; // of the database
static char *block_bytes;

static inline int remove_one(const char *path, const struct stat *status, int kind,
                             struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

static inline void remove_tree(const char *path)
{
    enum { FDS = 16 };

    cr_assert_eq(nftw(path, remove_one, FDS, FTW_DEPTH | FTW_PHYS), 0, "%s", path);
}

static inline void setup(void)
{
    const char *const temporary = getenv("TMPDIR");
    (void)snprintf(room, sizeof(room), "%s/signpost-rocks-XXXXXX",
                   temporary == NULL ? "/tmp" : temporary);
    cr_assert(mkdtemp(room) != NULL);
    (void)snprintf(directory, sizeof(directory), "%s/store", room);
    block_bytes = calloc(1, BLOCK_BYTES_MAX);
    cr_assert(block_bytes != NULL);
}

static inline void teardown(void)
{
    remove_tree(room);
    free(block_bytes);
}

// ---- Blocks: a number, and as many bytes as the test wants

static inline struct engine *open_it(enum rocks_access access)
{
    struct engine *engine = NULL;
    struct engine_fault fault = {""};
    cr_assert_eq(rocks_open(directory, access, &key, &engine, &fault), ERR_OK, "%s", fault.text);
    return engine;
}

// Opening must fail so, and the fault name the directory and say this.
static inline void expect_refused(enum rocks_access access, enum err expected, const char *says)
{
    struct engine *engine = NULL;
    struct engine_fault fault = {""};
    cr_assert_eq(rocks_open(directory, access, &key, &engine, &fault), expected, "%s", fault.text);
    cr_assert(engine == NULL);
    cr_assert(strstr(fault.text, directory) != NULL, "%s", fault.text);
    cr_assert(strstr(fault.text, says) != NULL, "%s", fault.text);
}

static inline struct slice block_of(unsigned number, size_t bytes)
{
    cr_assert(number < NUMBERS_MAX && bytes >= sizeof(number) && bytes <= BLOCK_BYTES_MAX);
    memcpy(block_bytes, &number, sizeof(number));
    return slice_of(block_bytes, bytes);
}

static inline void append(struct engine *engine, unsigned first, unsigned end, size_t bytes)
{
    for (unsigned number = first; number < end; number++) {
        struct engine_fault fault = {""};
        cr_assert_eq(engine_append(engine, block_of(number, bytes), &fault), ERR_OK, "%s",
                     fault.text);
    }
}

static inline void begin(struct engine *engine)
{
    struct engine_fault fault = {""};
    cr_assert_eq(engine_begin(engine, &fault), ERR_OK, "%s", fault.text);
}

static inline void drop_older(struct engine *engine)
{
    struct engine_fault fault = {""};
    cr_assert_eq(engine_drop_older(engine, &fault), ERR_OK, "%s", fault.text);
}

// What all stripes together have.
struct seen {
    unsigned times[NUMBERS_MAX];
    unsigned blocks;
    unsigned damaged;
    unsigned stripes; // that have anything
};

static inline void read_stripe(struct engine *engine, unsigned stripe, struct seen *seen)
{
    struct engine_cursor *cursor = NULL;
    struct engine_fault fault = {""};
    struct slice block = {0};
    unsigned blocks = 0;
    cr_assert_eq(engine_cursor_open(engine, stripe, &cursor, &fault), ERR_OK, "%s", fault.text);
    for (;;) {
        const enum err e = engine_cursor_next(engine, cursor, &block, &fault);
        if (e == ERR_NOT_FOUND) {
            break;
        }
        cr_assert(e == ERR_OK || e == ERR_DAMAGED, "%s", fault.text);
        if (e == ERR_DAMAGED) {
            cr_assert(strstr(fault.text, directory) != NULL, "%s", fault.text);
            seen->damaged++;
            continue;
        }
        unsigned number = 0;
        cr_assert(block.len >= sizeof(number));
        memcpy(&number, block.at, sizeof(number));
        cr_assert(number < NUMBERS_MAX);
        seen->times[number]++;
        blocks++;
    }
    engine_cursor_close(engine, cursor);
    seen->blocks += blocks;
    seen->stripes += blocks > 0 ? 1 : 0;
}

static inline struct seen read_all(struct engine *engine)
{
    struct seen seen = {.blocks = 0};
    for (unsigned stripe = 0; stripe < ENGINE_STRIPES; stripe++) {
        read_stripe(engine, stripe, &seen);
    }
    return seen;
}

// Exactly the blocks from first to before end, each once.
static inline void expect_blocks(struct engine *engine, unsigned first, unsigned end)
{
    const struct seen seen = read_all(engine);
    cr_assert_eq(seen.damaged, 0);
    cr_assert_eq(seen.blocks, end - first, "%u blocks", seen.blocks);
    for (unsigned number = first; number < end; number++) {
        cr_assert_eq(seen.times[number], 1, "block %u: %u times", number, seen.times[number]);
    }
}

// ---- Files of the database

enum { FILES_MAX = 64 };

struct files {
    char paths[FILES_MAX][PATH_BYTES];
    unsigned count;
};

static inline int later_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

// Those whose names end so, in their order.
static inline struct files files_of(const char *ending)
{
    struct files files = {.count = 0};
    DIR *const list = opendir(directory);
    cr_assert(list != NULL);
    for (const struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        const size_t len = strlen(entry->d_name);
        if (len >= strlen(ending) && strcmp(entry->d_name + len - strlen(ending), ending) == 0) {
            cr_assert(files.count < FILES_MAX);
            const int put =
                snprintf(files.paths[files.count++], PATH_BYTES, "%s/%s", directory, entry->d_name);
            cr_assert(put > 0 && put < PATH_BYTES);
        }
    }
    (void)closedir(list);
    qsort(files.paths, files.count, PATH_BYTES, later_name);
    return files;
}

static inline off_t size_of(const char *path)
{
    struct stat status;
    cr_assert_eq(stat(path, &status), 0, "%s", path);
    return status.st_size;
}

// Everything in the directory, what is deleted and still open left out.
static inline off_t disk_use(void)
{
    off_t bytes = 0;
    const struct files files = files_of("");
    for (unsigned i = 0; i < files.count; i++) {
        bytes += size_of(files.paths[i]);
    }
    return bytes;
}

static inline void overwrite(const char *path, off_t offset, size_t bytes)
{
    static const char garbage[4096] = "what no database writes";
    const int fd = open(path, O_WRONLY);
    cr_assert(fd >= 0 && bytes <= sizeof(garbage));
    cr_assert_eq(pwrite(fd, garbage, bytes, offset), (ssize_t)bytes);
    (void)close(fd);
}

// The file in which the latest blocks are, which were never brought into others.
static inline const char *last_log(struct files *logs)
{
    *logs = files_of(".log");
    cr_assert(logs->count > 0);
    return logs->paths[logs->count - 1];
}

// A child process that does this and dies at once, as by kill -9. Before this process has opened
// anything: a child would miss the threads of RocksDB.
static inline void in_process_that_dies(void (*work)(void))
{
    const pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        work();
        _exit(EXIT_SUCCESS);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

static inline void append_100(void)
{
    append(open_it(ROCKS_SERVE), 0, 100, 300);
}

#endif
