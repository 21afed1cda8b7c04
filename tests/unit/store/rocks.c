// SPDX-License-Identifier: Apache-2.0
// What is kept: appended, read back, dropped; by servers that die, and with damage.
#include "store/rocks.h"

#include <sys/resource.h>

#include "tests/unit/store/rocks_bed.h"

static const struct hash_key other_key = {.bytes = "another test key"};

TestSuite(rocks, .init = setup, .fini = teardown);

// ---- What an engine is for

Test(rocks, directory_is_created_for_its_owner_alone)
{
    struct stat status;
    engine_close(open_it(ROCKS_SERVE));
    cr_assert_eq(stat(directory, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0700, "%o", status.st_mode);
}

Test(rocks, parents_are_not_created)
{
    (void)snprintf(directory, sizeof(directory), "%s/none/store", room);
    expect_refused(ROCKS_SERVE, ERR_SYSTEM, "No such file");
}

Test(rocks, what_was_appended_is_there_when_opened_again)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    append(engine, 0, 100, 300);
    expect_blocks(engine, 0, 100);
    engine_close(engine);
    engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, 100);
    append(engine, 100, 150, 300);
    engine_close(engine);
    engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, 150);
    engine_close(engine);
}

Test(rocks, blocks_come_back_byte_for_byte)
{
    struct engine *const engine = open_it(ROCKS_SERVE);
    struct engine_fault fault;
    struct slice found = {0};
    struct engine_cursor *cursor = NULL;
    const struct slice block = block_of(1, BLOCK_BYTES_MAX);
    for (size_t i = sizeof(unsigned); i < block.len; i++) {
        block_bytes[i] = (char)(i * i >> 8);
    }
    cr_assert_eq(engine_append(engine, block, &fault), ERR_OK);
    cr_assert_eq(engine_cursor_open(engine, 0, &cursor, &fault), ERR_OK);
    cr_assert_eq(engine_cursor_next(engine, cursor, &found, &fault), ERR_OK);
    cr_assert(slice_equal(found, block));
    cr_assert_eq(engine_cursor_next(engine, cursor, &found, &fault), ERR_NOT_FOUND);
    engine_cursor_close(engine, cursor);
    engine_close(engine);
}

Test(rocks, key_stays_the_one_it_was_created_with)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    struct engine_fault fault = {""};
    cr_assert_arr_eq(engine->key.bytes, key.bytes, HASH_KEY_BYTES);
    engine_close(engine);
    cr_assert_eq(rocks_open(directory, ROCKS_SERVE, &other_key, &engine, &fault), ERR_OK, "%s",
                 fault.text);
    cr_assert_arr_eq(engine->key.bytes, key.bytes, HASH_KEY_BYTES);
    engine_close(engine);
}

Test(rocks, generations_are_read_together_until_the_older_are_dropped)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    append(engine, 0, 10, 300);
    begin(engine);
    append(engine, 10, 20, 300);
    begin(engine);
    append(engine, 20, 30, 300);
    expect_blocks(engine, 0, 30);
    engine_close(engine);
    engine = open_it(ROCKS_SERVE);
    append(engine, 30, 40, 300);
    expect_blocks(engine, 0, 40);
    cr_assert_eq(rocks_generations(engine), 3);
    drop_older(engine);
    expect_blocks(engine, 20, 40);
    cr_assert_eq(rocks_generations(engine), 1);
    engine_close(engine);
    engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 20, 40);
    engine_close(engine);
}

Test(rocks, the_tenth_generation_is_newer_than_the_ninth)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    for (unsigned i = 0; i < 11; i++) {
        append(engine, i, i + 1, 300);
        begin(engine);
    }
    engine_close(engine);
    engine = open_it(ROCKS_SERVE);
    append(engine, 11, 12, 300);
    drop_older(engine);
    expect_blocks(engine, 11, 12);
    engine_close(engine);
}

Test(rocks, stripes_share_everything_among_them)
{
    struct engine *const engine = open_it(ROCKS_SERVE);
    append(engine, 0, 64, MIB);
    expect_blocks(engine, 0, 64);
    const struct seen seen = read_all(engine);
    cr_assert_geq(seen.stripes, 3, "%u", seen.stripes);
    engine_close(engine);
}

static enum err read_on(struct engine *engine, unsigned stripe, unsigned *blocks)
{
    struct engine_fault fault = {""};
    struct engine_cursor *cursor = NULL;
    struct slice block;
    enum err e = engine_cursor_open(engine, stripe, &cursor, &fault);
    cr_assert_eq(e, ERR_OK, "%s", fault.text);
    while ((e = engine_cursor_next(engine, cursor, &block, &fault)) == ERR_OK) {
        ++*blocks;
    }
    engine_cursor_close(engine, cursor);
    return e;
}

Test(rocks, what_cannot_be_opened_for_want_of_descriptors_is_not_called_damaged)
{
    enum { GENERATIONS = 100 }; // RocksDB opens some of their files ahead

    struct engine *engine = open_it(ROCKS_SERVE);
    for (unsigned i = 0; i < GENERATIONS; i++) {
        append(engine, i, i + 1, 300);
        begin(engine);
    }
    engine_close(engine);
    struct rlimit all;
    cr_assert_eq(getrlimit(RLIMIT_NOFILE, &all), 0);
    const int next = dup(STDIN_FILENO);
    cr_assert_geq(next, 0);
    (void)close(next);
    const struct rlimit few = {.rlim_cur = (rlim_t)next + GENERATIONS / 2,
                               .rlim_max = all.rlim_max};
    struct engine_fault fault = {""};
    unsigned blocks = 0;
    engine = NULL;
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    enum err e = rocks_open(directory, ROCKS_SERVE, &key, &engine, &fault);
    for (unsigned i = 0; e == ERR_OK && i < ENGINE_STRIPES; i++) {
        const enum err end = read_on(engine, i, &blocks);
        e = end == ERR_NOT_FOUND ? ERR_OK : end;
    }
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &all), 0);
    cr_assert_eq(e, ERR_NO_MEMORY, "%d, %u blocks: %s", (int)e, blocks, fault.text);
    engine_close(engine);
    engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, GENERATIONS);
    engine_close(engine);
}

Test(rocks, what_is_dropped_is_gone_from_the_disk)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    append(engine, 0, 40, MIB);
    const off_t before = disk_use();
    cr_assert_geq(before, 40 * (off_t)MIB);
    begin(engine);
    append(engine, 40, 42, MIB);
    drop_older(engine);
    expect_blocks(engine, 40, 42);
    engine_close(engine); // what RocksDB was still writing is not waited for before
    engine_close(open_it(ROCKS_SERVE));
    cr_assert_leq(disk_use(), 4 * (off_t)MIB, "%ld", (long)disk_use());
}

Test(rocks, rewriting_for_long_takes_no_more_and_more_disk)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    for (unsigned i = 0; i < 20; i++) {
        append(engine, i, i + 1, MIB);
        begin(engine);
        append(engine, i, i + 1, MIB);
        drop_older(engine);
    }
    // As much as the log may have, which goes when its blocks are in a file or dropped.
    cr_assert_leq(disk_use(), 80 * (off_t)MIB, "%ld", (long)disk_use());
    engine_close(engine);
    engine_close(open_it(ROCKS_SERVE));
    cr_assert_leq(disk_use(), 4 * (off_t)MIB, "%ld", (long)disk_use());
}

// ---- Death and torn ends

static void append_40_large(void)
{
    append(open_it(ROCKS_SERVE), 0, 40, MIB);
}

static void begin_and_append(void)
{
    struct engine *const engine = open_it(ROCKS_SERVE);
    append(engine, 0, 50, 300);
    begin(engine);
    append(engine, 50, 60, 300);
}

Test(rocks, death_loses_nothing_that_was_appended)
{
    in_process_that_dies(append_100);
    struct engine *const engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, 100);
    engine_close(engine);
}

Test(rocks, death_among_files_loses_nothing)
{
    in_process_that_dies(append_40_large);
    struct engine *const engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, 40);
    append(engine, 40, 41, 300);
    expect_blocks(engine, 0, 41);
    engine_close(engine);
}

Test(rocks, death_during_a_rewrite_keeps_both_generations)
{
    in_process_that_dies(begin_and_append);
    struct engine *const engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, 60);
    drop_older(engine);
    expect_blocks(engine, 50, 60);
    engine_close(engine);
}

Test(rocks, torn_end_of_the_log_loses_the_torn_block_only)
{
    struct files logs;
    in_process_that_dies(append_100);
    const char *const log = last_log(&logs);
    cr_assert_eq(truncate(log, size_of(log) - 5), 0);
    struct engine *const engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, 99);
    append(engine, 99, 101, 300);
    expect_blocks(engine, 0, 101);
    engine_close(engine);
}

Test(rocks, zeros_behind_the_log_are_its_end)
{
    struct files logs;
    in_process_that_dies(append_100);
    const char *const log = last_log(&logs);
    cr_assert_eq(truncate(log, size_of(log) + 100000), 0);
    struct engine *const engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, 100);
    engine_close(engine);
}

// ---- Damage

static void damage_amid_the_log(void)
{
    struct files logs;
    in_process_that_dies(append_100);
    const char *const log = last_log(&logs);
    overwrite(log, size_of(log) / 2, 20);
}

Test(rocks, damage_amid_the_log_is_told_and_passed_over_by_who_wants_that)
{
    damage_amid_the_log();
    const off_t before = disk_use();
    expect_refused(ROCKS_READ, ERR_DAMAGED, "Corruption");
    struct engine *const engine = open_it(ROCKS_SALVAGE);
    cr_assert_geq(read_all(engine).blocks, 40);
    engine_close(engine);
    cr_assert_geq(disk_use(), before);
}

Test(rocks, damage_amid_the_log_is_put_aside_and_the_rest_served)
{
    damage_amid_the_log();
    struct engine *engine = open_it(ROCKS_SERVE);
    cr_assert(engine->salvaged && !engine->read_only);
    const unsigned found = read_all(engine).blocks;
    cr_assert(found >= 40 && found < 100, "%u", found);
    append(engine, 100, 101, 300);
    engine_close(engine);
    engine = open_it(ROCKS_SERVE);
    cr_assert_not(engine->salvaged, "it is told once");
    cr_assert_eq(read_all(engine).blocks, found + 1);
    engine_close(engine);
    (void)snprintf(directory, sizeof(directory), "%s/store.damaged-1", room);
    expect_refused(ROCKS_READ, ERR_DAMAGED, "Corruption");
}

Test(rocks, damage_amid_the_log_stays_where_it_is_as_long_as_there_is_no_copy)
{
    damage_amid_the_log();
    for (unsigned i = 1; i <= ROCKS_COPIES_MAX; i++) {
        char copy[PATH_BYTES + 32];
        (void)snprintf(copy, sizeof(copy), "%s.damaged-%u", directory, i);
        cr_assert_eq(mkdir(copy, 0700), 0);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct engine *const engine = open_it(ROCKS_SERVE);
        cr_assert(engine->salvaged && engine->read_only);
        cr_assert_geq(read_all(engine).blocks, 40);
        engine_close(engine);
    }
}

// 40 MiB in files, of the first of which the middle is overwritten, or its end.
static struct seen seen_with_damage_at(double part)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    append(engine, 0, 40, MIB);
    begin(engine);
    append(engine, 40, 50, 300);
    engine_close(engine);
    const struct files files = files_of(".sst");
    unsigned largest = 0; // the first of them, not the small one with the meta
    while (largest < files.count && size_of(files.paths[largest]) < 10 * (off_t)MIB) {
        largest++;
    }
    cr_assert_lt(largest, files.count);
    const off_t size = size_of(files.paths[largest]);
    const off_t at = (off_t)(part * (double)size);
    overwrite(files.paths[largest], at < size - 4096 ? at : size - 4096, 4096);
    engine = open_it(ROCKS_SERVE);
    const struct seen seen = read_all(engine);
    append(engine, 60, 61, 300);
    struct engine_fault fault = {""};
    cr_assert_eq(engine_keep_copy(engine, &fault), ERR_OK, "%s", fault.text);
    drop_older(engine);
    engine_close(engine);
    return seen;
}

Test(rocks, a_block_that_cannot_be_read_hides_no_other)
{
    const struct seen seen = seen_with_damage_at(0.5);
    cr_assert_eq(seen.damaged, 1, "%u", seen.damaged);
    cr_assert_eq(seen.blocks, 49, "%u", seen.blocks);
}

Test(rocks, a_file_that_cannot_be_read_hides_no_other)
{
    const struct seen seen = seen_with_damage_at(1);
    cr_assert_geq(seen.damaged, 10, "%u", seen.damaged);
    cr_assert_eq(seen.damaged + seen.blocks, 50, "%u %u", seen.damaged, seen.blocks);
    for (unsigned number = 20; number < 50; number++) {
        cr_assert_eq(seen.times[number], 1, "block %u", number);
    }
}

enum { FEW_FILES = 4 }; // as RocksDB would look into all of, and one more

// Five blocks in each; tells which file they are in.
static void store_of_files(unsigned count, char paths[FEW_FILES][PATH_BYTES])
{
    for (unsigned i = 0; i <= count; i++) {
        struct engine *const engine = open_it(ROCKS_SERVE); // moves the log into a file
        const struct files files = files_of(".sst");
        if (i > 0) {
            memcpy(paths[i - 1], files.paths[files.count - 1], PATH_BYTES);
        }
        if (i < count) {
            append(engine, 5 * i, 5 * (i + 1), 300);
        }
        engine_close(engine);
    }
}

static void check_without(const char *file, unsigned left)
{
    struct engine_fault fault = {""};
    cr_assert_eq(remove(file), 0, "%s", file);
    struct engine *engine = open_it(ROCKS_SERVE);
    const struct seen seen = read_all(engine);
    cr_assert_eq(seen.damaged, 5, "%s: %u damaged", file, seen.damaged);
    cr_assert_eq(seen.blocks, left, "%s: %u of %u blocks", file, seen.blocks, left);
    append(engine, 40, 41, 300);
    cr_assert_eq(engine_keep_copy(engine, &fault), ERR_OK, "%s", fault.text);
    engine_close(engine);
    (void)snprintf(directory, sizeof(directory), "%s/store.damaged-1", room);
    engine = open_it(ROCKS_SERVE);
    cr_assert_eq(read_all(engine).blocks, left + 1, "%s: in the copy", file);
    engine_close(engine);
}

Test(rocks, a_file_that_is_gone_hides_no_other)
{
    char paths[FEW_FILES][PATH_BYTES];
    for (unsigned count = 1; count <= FEW_FILES; count++) {
        for (unsigned gone = 0; gone < count; gone++) {
            teardown();
            setup();
            store_of_files(count, paths);
            check_without(paths[gone], 5 * (count - 1));
        }
    }
}

Test(rocks, without_its_list_of_files_it_is_damaged)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    append(engine, 0, 10, 300);
    engine_close(engine);
    char current[PATH_BYTES + 16];
    (void)snprintf(current, sizeof(current), "%s/CURRENT", directory);
    overwrite(current, 0, 8);
    expect_refused(ROCKS_SERVE, ERR_DAMAGED, "move the directory away");
    cr_assert_eq(remove(current), 0);
    expect_refused(ROCKS_SERVE, ERR_DAMAGED, "move the directory away");
    expect_refused(ROCKS_READ, ERR_DAMAGED, "CURRENT");
    expect_refused(ROCKS_SALVAGE, ERR_DAMAGED, "CURRENT");
}

Test(rocks, copies_are_whole_private_and_few)
{
    struct engine *engine = open_it(ROCKS_SERVE);
    struct engine_fault fault = {""};
    append(engine, 0, 40, MIB);
    for (unsigned i = 0; i < ROCKS_COPIES_MAX; i++) {
        cr_assert_eq(engine_keep_copy(engine, &fault), ERR_OK, "%s", fault.text);
    }
    cr_assert_eq(engine_keep_copy(engine, &fault), ERR_FULL);
    cr_assert(strstr(fault.text, directory) != NULL, "%s", fault.text);
    begin(engine);
    drop_older(engine);
    engine_close(engine);
    struct stat status;
    (void)snprintf(directory, sizeof(directory), "%s/store.damaged-3", room);
    cr_assert_eq(stat(directory, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0700, "%o", status.st_mode);
    engine = open_it(ROCKS_SERVE);
    cr_assert_arr_eq(engine->key.bytes, key.bytes, HASH_KEY_BYTES);
    expect_blocks(engine, 0, 40);
    engine_close(engine);
}

Test(rocks, copy_that_was_interrupted_is_made_anew)
{
    char copy[PATH_BYTES + 32];
    char copying[PATH_BYTES + 32];
    struct engine_fault fault = {""};
    struct engine *engine = open_it(ROCKS_SERVE);
    append(engine, 0, 10, 300);
    cr_assert_eq(engine_keep_copy(engine, &fault), ERR_OK, "%s", fault.text);
    (void)snprintf(copy, sizeof(copy), "%s.damaged-1", directory);
    (void)snprintf(copying, sizeof(copying), "%s.damaged-1.new", directory);
    cr_assert_eq(rename(copy, copying), 0);
    append(engine, 10, 20, 300);
    cr_assert_eq(engine_keep_copy(engine, &fault), ERR_OK, "%s", fault.text);
    engine_close(engine);
    (void)snprintf(directory, sizeof(directory), "%s/store.damaged-1", room);
    engine = open_it(ROCKS_SERVE);
    expect_blocks(engine, 0, 20);
    engine_close(engine);
}
