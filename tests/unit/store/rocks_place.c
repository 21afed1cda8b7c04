// SPDX-License-Identifier: Apache-2.0
// Where it is kept: who else is there, what a later release has left, and disks.
#include "store/rocks.h"

#include <rocksdb/c.h>
#include <sched.h>
#include <sys/mount.h>

#include "tests/unit/store/rocks_bed.h"

enum { NOBODY = 65534 };

TestSuite(rocks_place, .init = setup, .fini = teardown);

// ---- Who else is there

// A child that serves until the parent closes the pipe.
static pid_t start_server(int *hold)
{
    int ready[2];
    int held[2];
    char byte = 'x';
    cr_assert(pipe(ready) == 0 && pipe(held) == 0);
    const pid_t child = fork();
    cr_assert(child >= 0);
    if (child == 0) {
        (void)close(held[1]);
        struct engine *const engine = open_it(ROCKS_SERVE);
        append(engine, 0, 10, 300);
        const bool told = write(ready[1], &byte, 1) == 1 && read(held[0], &byte, 1) == 0;
        _exit(told ? EXIT_SUCCESS : EXIT_FAILURE);
    }
    (void)close(held[0]);
    (void)close(ready[1]);
    cr_assert_eq(read(ready[0], &byte, 1), 1);
    (void)close(ready[0]);
    *hold = held[1];
    return child;
}

static void stop_server(pid_t child, int hold)
{
    int status = 0;
    (void)close(hold);
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == EXIT_SUCCESS);
}

Test(rocks_place, serves_one_process_at_a_time)
{
    int hold = -1;
    const pid_t child = start_server(&hold);
    expect_refused(ROCKS_SERVE, ERR_IN_USE, "in use");
    stop_server(child, hold);
    engine_close(open_it(ROCKS_SERVE));
}

Test(rocks_place, is_in_use_within_one_process_too)
{
    struct engine *const engine = open_it(ROCKS_SERVE);
    expect_refused(ROCKS_SERVE, ERR_IN_USE, "in use");
    engine_close(engine);
}

Test(rocks_place, can_be_read_beside_a_server_and_changes_nothing)
{
    int hold = -1;
    const pid_t child = start_server(&hold);
    const unsigned files = files_of("").count;
    const off_t bytes = disk_use();
    struct engine_fault fault = {""};
    struct engine *const engine = open_it(ROCKS_READ);
    cr_assert(engine->read_only);
    cr_assert_eq(engine_append(engine, block_of(1, 300), &fault), ERR_IO);
    expect_blocks(engine, 0, 10);
    engine_close(engine);
    cr_assert_eq(files_of("").count, files);
    cr_assert_eq(disk_use(), bytes);
    stop_server(child, hold);
}

Test(rocks_place, reading_creates_nothing)
{
    expect_refused(ROCKS_READ, ERR_NOT_FOUND, "nothing");
    cr_assert_eq(access(directory, F_OK), -1);
}

// ---- Later releases

static void write_meta(const char *meta)
{
    char *message = NULL;
    rocksdb_options_t *const options = rocksdb_options_create();
    rocksdb_writeoptions_t *const writing = rocksdb_writeoptions_create();
    rocksdb_options_set_create_if_missing(options, 1);
    rocksdb_t *const db = rocksdb_open(options, directory, &message);
    cr_assert(message == NULL, "%s", message);
    rocksdb_put(db, writing, "meta", 4, meta, strlen(meta), &message);
    cr_assert(message == NULL, "%s", message);
    rocksdb_close(db);
    rocksdb_writeoptions_destroy(writing);
    rocksdb_options_destroy(options);
}

Test(rocks_place, later_format_is_left_alone)
{
    write_meta("format: 2\nsomething: else\n");
    const unsigned files = files_of("").count;
    expect_refused(ROCKS_SERVE, ERR_NEWER, "later release");
    expect_refused(ROCKS_READ, ERR_NEWER, "later release");
    cr_assert_eq(files_of("").count, files);
}

Test(rocks_place, meta_without_sense_is_damage)
{
    static const char *const metas[] = {"format: \n",         "format: 0\n", "format: 1\n",
                                        "format: 1\nkey: 00", "key: 00",     "\n"};
    for (unsigned i = 0; i < LENGTH_OF(metas); i++) {
        write_meta(metas[i]);
        expect_refused(ROCKS_SERVE, ERR_DAMAGED, "signpostctl store check");
    }
}

Test(rocks_place, meta_may_say_more)
{
    write_meta("format: 1\nlater: thing\nkey: 000102030405060708090a0b0c0d0e0f\nmore: things\n");
    struct engine *const engine = open_it(ROCKS_SERVE);
    cr_assert_eq(engine->key.bytes[15], 15);
    append(engine, 0, 1, 300);
    engine_close(engine);
}

Test(rocks_place, interrupted_creation_is_completed)
{
    write_meta("");
    struct engine *engine = open_it(ROCKS_SERVE);
    append(engine, 0, 10, 300);
    engine_close(engine);
    engine = open_it(ROCKS_SERVE);
    cr_assert_arr_eq(engine->key.bytes, key.bytes, HASH_KEY_BYTES);
    expect_blocks(engine, 0, 10);
    engine_close(engine);
}

// ---- Disks

Test(rocks_place, knows_when_it_was_deleted)
{
    struct engine *const engine = open_it(ROCKS_SERVE);
    append(engine, 0, 10, 300);
    cr_assert(engine_in_place(engine));
    remove_tree(directory);
    cr_assert(!engine_in_place(engine));
    engine_close(engine);
}

Test(rocks_place, knows_when_it_was_replaced)
{
    char elsewhere[PATH_BYTES + 8];
    struct engine *const engine = open_it(ROCKS_SERVE);
    (void)snprintf(elsewhere, sizeof(elsewhere), "%s-gone", directory);
    cr_assert_eq(rename(directory, elsewhere), 0);
    cr_assert(!engine_in_place(engine));
    cr_assert_eq(mkdir(directory, 0700), 0);
    char identity[PATH_BYTES + 16];
    (void)snprintf(identity, sizeof(identity), "%s/IDENTITY", directory);
    (void)close(open(identity, O_WRONLY | O_CREAT, 0600));
    cr_assert_eq(access(identity, F_OK), 0);
    cr_assert(!engine_in_place(engine));
    engine_close(engine);
}

Test(rocks_place, stays_in_place_while_it_grows)
{
    struct engine *const engine = open_it(ROCKS_SERVE);
    for (unsigned i = 0; i < 5; i++) {
        append(engine, i, i + 1, MIB);
        begin(engine);
        drop_older(engine);
        cr_assert(engine_in_place(engine));
    }
    engine_close(engine);
}

static void expect_read_only(void)
{
    struct engine *engine = NULL;
    struct engine_fault fault = {""};
    cr_assert_eq(rocks_open(directory, ROCKS_SERVE, &key, &engine, &fault), ERR_OK, "%s",
                 fault.text);
    cr_assert(engine->read_only);
    cr_assert(strstr(fault.text, directory) != NULL, "%s", fault.text);
    expect_blocks(engine, 0, 100);
    cr_assert_eq(engine_append(engine, block_of(1, 300), &fault), ERR_IO);
    cr_assert_eq(engine_begin(engine, &fault), ERR_IO);
    cr_assert_eq(engine_drop_older(engine, &fault), ERR_IO);
    cr_assert_eq(engine_keep_copy(engine, &fault), ERR_IO);
    cr_assert(engine_in_place(engine));
    engine_close(engine);
}

static void become_nobody(void)
{
    if (geteuid() == 0) { // who may write everywhere
        cr_assert_eq(chown(room, NOBODY, NOBODY), 0);
        cr_assert_eq(setresgid(NOBODY, NOBODY, NOBODY), 0);
        cr_assert_eq(setresuid(NOBODY, NOBODY, NOBODY), 0);
    }
}

Test(rocks_place, directory_without_write_permission_is_read)
{
    become_nobody();
    in_process_that_dies(append_100);
    cr_assert_eq(chmod(directory, 0500), 0);
    expect_read_only();
    cr_assert_eq(chmod(directory, 0700), 0);
    engine_close(open_it(ROCKS_SERVE));
}

Test(rocks_place, interrupted_creation_that_cannot_be_completed_has_a_key_nobody_knows)
{
    become_nobody();
    write_meta("");
    cr_assert_eq(chmod(directory, 0500), 0);
    struct engine *const engine = open_it(ROCKS_SERVE);
    cr_assert(engine->read_only);
    cr_assert_arr_eq(engine->key.bytes, key.bytes, HASH_KEY_BYTES);
    engine_close(engine);
    cr_assert_eq(chmod(directory, 0700), 0);
}

// A file system of so many MiB under the test's directory, seen by this process alone.
static void mount_small(unsigned mib)
{
    char size[32];
    (void)snprintf(size, sizeof(size), "size=%um", mib);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("none", room, "tmpfs", 0, size) != 0) {
        cr_skip_test("needs the right to mount a file system");
    }
}

static void unmount_small(void)
{
    cr_assert_eq(umount(room), 0);
}

Test(rocks_place, read_only_file_system_is_read)
{
    mount_small(64);
    in_process_that_dies(append_100);
    cr_assert_eq(mount("none", room, NULL, MS_REMOUNT | MS_RDONLY, NULL), 0);
    expect_read_only();
    cr_assert_eq(mount("none", room, NULL, MS_REMOUNT, NULL), 0);
    engine_close(open_it(ROCKS_SERVE));
    unmount_small();
}

// As many as go, of one MiB each.
static unsigned append_until_full(struct engine *engine, unsigned first)
{
    struct engine_fault fault = {""};
    unsigned number = first;
    while (engine_append(engine, block_of(number, MIB), &fault) == ERR_OK) {
        number++;
    }
    cr_assert(strstr(fault.text, "No space left") != NULL, "%s", fault.text);
    cr_assert(strstr(fault.text, directory) != NULL, "%s", fault.text);
    return number;
}

Test(rocks_place, full_disk_is_an_error_until_there_is_room)
{
    mount_small(48);
    struct engine *engine = open_it(ROCKS_SERVE);
    append(engine, 0, 1, 300);
    const unsigned end = append_until_full(engine, 1);
    engine_close(engine);

    struct engine_fault fault = {""};
    if (rocks_open(directory, ROCKS_SERVE, &key, &engine, &fault) == ERR_OK) {
        const struct seen seen = read_all(engine); // full as it is, all can be read
        cr_assert_geq(seen.blocks, end, "%u of %u", seen.blocks, end);
        engine_close(engine);
    }

    cr_assert_eq(mount("none", room, NULL, MS_REMOUNT, "size=256m"), 0);
    engine = open_it(ROCKS_SERVE);
    cr_assert(!engine->read_only);
    const struct seen seen = read_all(engine);
    for (unsigned number = 0; number < end; number++) {
        cr_assert_eq(seen.times[number], 1, "block %u of %u", number, end);
    }
    append(engine, end + 1, end + 10, 300);
    engine_close(engine);
    unmount_small();
}
