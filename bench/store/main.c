// SPDX-License-Identifier: Apache-2.0

// What the store's engine costs: groups of changes are appended, each of them on disk before the
// next one comes, and everything is read back. The same groups written into a plain file are the
// floor.

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "sipflood/stopwatch.h"
#include "store/rocks.h"

enum {
    RECORD_BYTES = 260,
    GROUP_RECORDS_MAX = 4000,
    RECORDS_MAX = 20000000,
};

static const char usage[] =
    "usage: store append DIRECTORY RECORDS GROUP  RECORDS records of 260 bytes, GROUP at a time;\n"
    "                                             the directory is made, or appended to\n"
    "       store file FILE RECORDS GROUP         the same into a plain file\n"
    "       store read DIRECTORY                  reads everything, in one thread\n";

enum { EXIT_USAGE = 2 }; // the command line is wrong

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "store: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

static void expect(enum err e, const char *what, const struct engine_fault *fault)
{
    if (e != ERR_OK) {
        die(what, fault->text);
    }
}

// Processor time counts RocksDB's own threads in, and what closing takes.
static void report(uint64_t wall_ns, uint64_t cpu_ns, size_t groups, size_t records)
{
    enum { NS_PER_US = 1000 };

    (void)printf(
        "%zu groups, %zu records: %.1f us a group, %.3f us CPU a record, %.3f us a record\n",
        groups, records, (double)wall_ns / NS_PER_US / (double)groups,
        (double)cpu_ns / NS_PER_US / (double)records,
        (double)wall_ns / NS_PER_US / (double)records);
}

// Bytes that do not compress much better than records do.
static char *group_create(size_t records)
{
    uint64_t state = 1;
    char *const bytes = malloc(records * RECORD_BYTES);
    if (bytes == NULL) {
        die("append", "out of memory");
    }
    for (size_t i = 0; i < records * RECORD_BYTES; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        bytes[i] = (char)('a' + (state >> 60));
    }
    return bytes;
}

static void write_file(const char *path, const char *group, size_t bytes, size_t groups)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (size_t i = 0; i < groups; i++) {
        if (write(fd, group, bytes) != (ssize_t)bytes || fdatasync(fd) != 0) {
            die(path, "cannot be written");
        }
    }
    (void)close(fd);
}

static void append(const char *directory, const char *group, size_t bytes, size_t groups)
{
    const struct hash_key key = {.bytes = "a fixed test key"};
    struct engine *engine = NULL;
    struct engine_fault fault;
    expect(rocks_open(directory, ROCKS_SERVE, &key, &engine, &fault), "open", &fault);
    for (size_t i = 0; i < groups; i++) {
        expect(engine_append(engine, slice_of(group, bytes), &fault), "append", &fault);
        expect(engine_sync(engine, &fault), "sync", &fault);
    }
    engine_close(engine);
}

static void measure_writing(bool plain, const char *path, size_t records, size_t per_group)
{
    char *const group = group_create(per_group);
    const size_t groups = records / per_group;
    const uint64_t wall_ns = stopwatch_now_ns();
    const uint64_t cpu_ns = stopwatch_cpu_ns();
    (plain ? write_file : append)(path, group, per_group * RECORD_BYTES, groups);
    report(stopwatch_now_ns() - wall_ns, stopwatch_cpu_ns() - cpu_ns, groups, groups * per_group);
    free(group);
}

static void measure_reading(const char *directory)
{
    struct engine *engine = NULL;
    struct engine_fault fault;
    struct slice block;
    size_t blocks = 0;
    size_t bytes = 0;
    const uint64_t wall_ns = stopwatch_now_ns();
    const uint64_t cpu_ns = stopwatch_cpu_ns();
    expect(rocks_open(directory, ROCKS_READ, NULL, &engine, &fault), "open", &fault);
    const uint64_t opened_ns = stopwatch_now_ns();
    for (unsigned stripe = 0; stripe < ENGINE_STRIPES; stripe++) {
        struct engine_cursor *cursor = NULL;
        enum err e = engine_cursor_open(engine, stripe, &cursor, &fault);
        expect(e, "read", &fault);
        while ((e = engine_cursor_next(engine, cursor, &block, &fault)) == ERR_OK) {
            blocks++;
            bytes += block.len;
        }
        expect(e == ERR_NOT_FOUND ? ERR_OK : e, "read", &fault);
        engine_cursor_close(engine, cursor);
    }
    engine_close(engine);
    if (blocks == 0) {
        die(directory, "is empty");
    }
    (void)printf("opened in %.1f ms; ", (double)(opened_ns - wall_ns) / 1e6);
    report(stopwatch_now_ns() - wall_ns, stopwatch_cpu_ns() - cpu_ns, blocks, bytes / RECORD_BYTES);
}

static size_t number(const char *text, uint64_t max)
{
    uint64_t value = 0;
    if (!slice_to_u64(slice_of(text, strlen(text)), max, &value) || value == 0) {
        (void)fprintf(stderr, "store: %s: not a number from 1 to %" PRIu64 "\n", text, max);
        exit(EXIT_USAGE);
    }
    return value;
}

int main(int argc, char **argv)
{
    const char *const what = argc > 2 ? argv[1] : "";
    const bool plain = strcmp(what, "file") == 0;
    if (argc == 5 && (plain || strcmp(what, "append") == 0)) {
        measure_writing(plain, argv[2], number(argv[3], RECORDS_MAX),
                        number(argv[4], GROUP_RECORDS_MAX));
    } else if (argc == 3 && strcmp(what, "read") == 0) {
        measure_reading(argv[2]);
    } else {
        (void)fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return EXIT_SUCCESS;
}
