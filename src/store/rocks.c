// SPDX-License-Identifier: Apache-2.0
#include "store/rocks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/rocks_copy.h"
#include "store/rocks_cursor.h"
#include "store/rocks_families.h"

enum {
    FORMAT = 1,
    META_BYTES = 256,
    DIRECTORY_BYTES_MAX = 1000,
    PATH_BYTES = DIRECTORY_BYTES_MAX + 64,
};

struct rocks {
    struct engine engine; // first: a struct engine is one of these
    char *directory;
    int directory_fd; // with the lock of who serves, or -1
    struct rocks_families families;
    rocksdb_writeoptions_t *writing;
    uint64_t next; // number of the next block in the newest generation
    // The file that RocksDB writes when it creates a database, and never again.
    dev_t identity_device;
    ino_t identity_inode;
};

static enum err rocks_append(struct engine *engine, struct slice block, struct engine_fault *fault);
static enum err rocks_sync(struct engine *engine, struct engine_fault *fault);
static enum err rocks_keep_copy(struct engine *engine, struct engine_fault *fault);
static enum err rocks_begin(struct engine *engine, struct engine_fault *fault);
static enum err rocks_drop_older(struct engine *engine, struct engine_fault *fault);
static bool rocks_in_place(struct engine *engine);
static enum err rocks_read(struct engine *engine, unsigned stripe, struct engine_cursor **out,
                           struct engine_fault *fault);
static void rocks_close(struct engine *engine);

static const struct engine_ops ops = {
    .append = rocks_append,
    .sync = rocks_sync,
    .keep_copy = rocks_keep_copy,
    .begin = rocks_begin,
    .drop_older = rocks_drop_older,
    .in_place = rocks_in_place,
    .cursor_open = rocks_read,
    .cursor_next = rocks_cursor_next,
    .cursor_close = rocks_cursor_close,
    .close = rocks_close,
};

static struct rocks *rocks_of(struct engine *engine)
{
    return (struct rocks *)engine;
}

static enum err fail(enum err e, const char *directory, const char *what,
                     struct engine_fault *fault)
{
    return engine_fail(fault, e, "%s: %s", directory, what);
}

// ERR_IO: the disk's fault, which may pass. ERR_SYSTEM: somebody has to do something about it.
static enum err fail_errno(const char *directory, const char *what, struct engine_fault *fault)
{
    const int error = errno;
    const bool disk = error == ENOSPC || error == EDQUOT || error == EROFS || error == EIO;
    return engine_fail(fault, disk ? ERR_IO : ERR_SYSTEM, "%s: %s: %s", directory, what,
                       strerror(error));
}

static enum err writable(const struct rocks *rocks, struct engine_fault *fault)
{
    return rocks->engine.read_only ? fail(ERR_IO, rocks->directory, "is read-only", fault) : ERR_OK;
}

// Says what to do about an error that leaves nothing to be served from. What is known of it comes
// last, for it may be long.
static enum err advise(const char *directory, enum err e, struct engine_fault *fault)
{
    const struct engine_fault told = *fault;
    if (e == ERR_IN_USE) {
        return fail(e, directory, "in use by another server: give each a directory of its own",
                    fault);
    }
    if (e == ERR_NEWER) {
        return fail(e, directory,
                    "written by a later release: run that one, or move the directory away to "
                    "start empty",
                    fault);
    }
    if (e == ERR_DAMAGED) {
        return engine_fail(fault, e,
                           "%s: damaged: see 'signpostctl store check %s', or move the directory "
                           "away to start empty (%s)",
                           directory, directory, told.text);
    }
    return e;
}

// ---- What the default family says: "format: 1\nkey: 32 digits\n"

static void meta_write(const struct hash_key *key, char *meta, size_t meta_bytes)
{
    int len = snprintf(meta, meta_bytes, "format: %d\nkey: ", FORMAT);
    for (unsigned i = 0; i < HASH_KEY_BYTES; i++) {
        len += snprintf(meta + len, meta_bytes - (size_t)len, "%02x", key->bytes[i]);
    }
    (void)snprintf(meta + len, meta_bytes - (size_t)len, "\n");
}

// What follows the name up to the end of its line; empty when there is none.
static struct slice meta_field(const char *meta, const char *name)
{
    const size_t len = strlen(name);
    for (const char *line = meta; *line != '\0';) {
        const size_t line_len = strcspn(line, "\n");
        if (line_len > len && memcmp(line, name, len) == 0) {
            return slice_of(line + len, line_len - len);
        }
        line += line_len + (line[line_len] == '\n' ? 1 : 0);
    }
    return slice_of(NULL, 0);
}

static bool meta_key(const char *meta, struct hash_key *key)
{
    const struct slice digits = meta_field(meta, "key: ");
    if (digits.len != 2 * (size_t)HASH_KEY_BYTES) {
        return false;
    }
    for (size_t i = 0; i < HASH_KEY_BYTES; i++) {
        const int high = ascii_hex(digits.at[2 * i]);
        const int low = ascii_hex(digits.at[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        key->bytes[i] = (unsigned char)(high << 4 | low);
    }
    return true;
}

// Empty: its creation was interrupted, or it is none of ours.
static enum err meta_read(const char *directory, const char *meta, struct hash_key *key,
                          struct engine_fault *fault)
{
    uint64_t format = 0;
    if (meta[0] == '\0') {
        return ERR_NOT_FOUND;
    }
    if (!slice_to_u64(meta_field(meta, "format: "), UINT32_MAX, &format) || format == 0) {
        return fail(ERR_DAMAGED, directory, "its format is not told", fault);
    }
    if (format > FORMAT) {
        return ERR_NEWER;
    }
    return meta_key(meta, key) ? ERR_OK : fail(ERR_DAMAGED, directory, "its key is gone", fault);
}

// ---- Opening

// A path in the directory, or beside it.
struct path {
    char text[PATH_BYTES];
};

static struct path path_of(const char *directory, const char *suffix)
{
    struct path path = {""};
    const size_t len = strlen(directory);
    const size_t suffix_len = strlen(suffix);
    assert(len + suffix_len < sizeof(path.text));
    memcpy(path.text, directory, len);
    memcpy(path.text + len, suffix, suffix_len);
    return path;
}

static bool is_there(const char *directory, const char *suffix)
{
    return access(path_of(directory, suffix).text, F_OK) == 0;
}

static bool ends_with(const char *text, const char *with)
{
    const size_t len = strlen(text);
    const size_t with_len = strlen(with);
    return len > with_len && strcmp(text + len - with_len, with) == 0;
}

// Without the file CURRENT RocksDB would begin anew and in time delete what it does not know.
static bool has_kept(const char *directory)
{
    bool found = false;
    DIR *const list = opendir(directory);
    const struct dirent *entry = NULL;
    while (list != NULL && !found && (entry = readdir(list)) != NULL) {
        found = ends_with(entry->d_name, ".sst") || ends_with(entry->d_name, ".log");
    }
    if (list != NULL) {
        (void)closedir(list);
    }
    return found;
}

// The names of the directory, and of copies beside it, are to survive a power cut.
static void sync_names(const struct rocks *rocks)
{
    const int parent = openat(rocks->directory_fd, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (parent >= 0) {
        (void)fsync(parent);
        (void)close(parent);
    }
}

// Opens the directory, and creates it when it is not there.
static enum err hold_directory(struct rocks *rocks, struct engine_fault *fault)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    const bool created = mkdir(rocks->directory, S_IRWXU) == 0;
    if (!created && errno != EEXIST) {
        return fail_errno(rocks->directory, "cannot be created", fault);
    }
    rocks->directory_fd = open(rocks->directory, flags);
    if (rocks->directory_fd < 0) {
        return fail_errno(rocks->directory, "cannot be opened", fault);
    }
    if (created) {
        sync_names(rocks);
    }
    // Where there are no such locks (some network file systems), RocksDB's own has to do.
    if (flock(rocks->directory_fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return ERR_IN_USE;
    }
    return ERR_OK;
}

// Where the next block goes: behind all others of the newest generation, readable or not.
static enum err find_next(struct rocks *rocks, struct engine_fault *fault)
{
    struct rocks_range *ranges = NULL;
    size_t count = 0;
    const enum err e = rocks_families_ranges(&rocks->families, &ranges, &count, fault);
    for (size_t i = 0; i < count; i++) {
        if (ranges[i].generation + 1 == rocks->families.count && ranges[i].last >= rocks->next) {
            rocks->next = ranges[i].last + 1;
        }
    }
    free(ranges);
    return e;
}

static enum err note_identity(struct rocks *rocks, struct engine_fault *fault)
{
    struct stat identity;
    if (stat(path_of(rocks->directory, "/IDENTITY").text, &identity) != 0) {
        return fail_errno(rocks->directory, "its file IDENTITY", fault);
    }
    rocks->identity_device = identity.st_dev;
    rocks->identity_inode = identity.st_ino;
    return ERR_OK;
}

// A database without meta and generations was being created when its server died.
static enum err complete(struct rocks *rocks, const struct hash_key *fresh_key, bool has_meta,
                         struct engine_fault *fault)
{
    enum err e = ERR_OK;
    if (!has_meta) {
        if (rocks->families.count > 0) {
            return fail(ERR_DAMAGED, rocks->directory, "does not say what wrote it", fault);
        }
        char meta[META_BYTES];
        meta_write(fresh_key, meta, sizeof(meta));
        e = rocks_families_write_meta(&rocks->families, meta, fault);
    }
    if (e == ERR_OK && rocks->families.count == 0) {
        e = rocks_families_add(&rocks->families, fault);
    }
    return e;
}

static bool write_all(int fd, size_t bytes)
{
    static const char nothing[4096];
    ssize_t len = 1;
    for (size_t done = 0; done < bytes && len > 0; done += (size_t)len) {
        len = write(fd, nothing, sizeof(nothing));
    }
    return len > 0 && fdatasync(fd) == 0;
}

// Whether the disk takes anything. RocksDB is not to find out: what it always tells in its log when
// it opens a database or adds a family would end the process (set_quiet in rocks_families.c).
static enum err probe(const char *directory, struct engine_fault *fault)
{
    enum { ROOM_BYTES = 256 << 10 };

    enum err e = ERR_OK;
    const struct path path = path_of(directory, "/probe");
    const int fd = open(path.text, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd < 0 || !write_all(fd, ROOM_BYTES)) {
        e = fail_errno(directory, "cannot be written", fault);
    }
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(path.text);
    }
    return e;
}

// Under another name until it is whole.
static enum err copy_to(const struct rocks *rocks, const char *to, struct engine_fault *fault)
{
    const bool open = rocks->families.db != NULL;
    const struct path new = path_of(to, ".new");
    if (open) {
        rocks_families_hold_files(&rocks->families, true);
    }
    const bool copied = rocks_copy(rocks->directory_fd, new.text) && rename(new.text, to) == 0;
    const enum err e = copied ? ERR_OK : fail_errno(to, "cannot be written", fault);
    sync_names(rocks);
    if (open) {
        rocks_families_hold_files(&rocks->families, false);
    }
    return e;
}

static enum err put_aside(const struct rocks *rocks, struct engine_fault *fault)
{
    enum { SUFFIX_BYTES = 24 };

    for (int i = 1; i <= ROCKS_COPIES_MAX; i++) {
        char suffix[SUFFIX_BYTES];
        (void)snprintf(suffix, sizeof(suffix), ".damaged-%d", i);
        if (!is_there(rocks->directory, suffix)) {
            return copy_to(rocks, path_of(rocks->directory, suffix).text, fault);
        }
    }
    return fail(ERR_FULL, rocks->directory,
                "too many damaged copies are kept beside it; remove some", fault);
}

// What is there, for writing; where that fails for reading, and the fault says why. When a log is
// opened for writing what is damaged in it is gone.
static enum err open_existing(struct rocks *rocks, struct engine_fault *fault)
{
    const bool salvaged = rocks->engine.salvaged;
    enum err e = probe(rocks->directory, fault);
    if (e == ERR_OK && salvaged) {
        e = put_aside(rocks, fault);
    }
    if (e == ERR_OK) {
        e = rocks_families_open(rocks->directory, salvaged ? ROCKS_MODE_MEND : ROCKS_MODE_WRITE,
                                &rocks->families, fault);
    }
    if (e == ERR_IO || e == ERR_SYSTEM || e == ERR_FULL) {
        struct engine_fault reading;
        rocks->engine.read_only = true;
        e = rocks_families_open(rocks->directory, salvaged ? ROCKS_MODE_SALVAGE : ROCKS_MODE_READ,
                                &rocks->families, &reading);
        *fault = e == ERR_OK ? *fault : reading;
    }
    return e;
}

static enum err create(struct rocks *rocks, struct engine_fault *fault)
{
    const enum err e = probe(rocks->directory, fault);
    if (e != ERR_OK) {
        return e;
    }
    return rocks_families_open(rocks->directory, ROCKS_MODE_CREATE, &rocks->families, fault);
}

// Looks at the meta first, which changes nothing: what a later release has written stays as it is,
// and damage in the log is found while all of it is still there.
static enum err peek(struct rocks *rocks, char *meta, struct engine_fault *fault)
{
    const enum err e =
        rocks_families_peek(rocks->directory, ROCKS_MODE_READ, meta, META_BYTES, fault);
    struct engine_fault again;
    if (e == ERR_DAMAGED && rocks_families_peek(rocks->directory, ROCKS_MODE_SALVAGE, meta,
                                                META_BYTES, &again) == ERR_OK) {
        rocks->engine.salvaged = true;
        return ERR_OK;
    }
    return e == ERR_NOT_FOUND ? ERR_DAMAGED : e; // one of its lists of files is gone
}

static enum err open_checked(struct rocks *rocks, const struct hash_key *fresh_key,
                             struct engine_fault *fault)
{
    char meta[META_BYTES] = "";
    const char *const directory = rocks->directory;
    const bool exists = is_there(directory, "/CURRENT");
    rocks->engine.key = *fresh_key; // unless another is kept
    if (!exists && has_kept(directory)) {
        return fail(ERR_DAMAGED, directory, "its file CURRENT is gone", fault);
    }
    enum err e = exists ? peek(rocks, meta, fault) : ERR_OK;
    if (e == ERR_OK) {
        e = meta_read(directory, meta, &rocks->engine.key, fault);
    }
    const bool has_meta = e != ERR_NOT_FOUND;
    if (e == ERR_OK || e == ERR_NOT_FOUND) {
        e = exists ? open_existing(rocks, fault) : create(rocks, fault);
    }
    if (e == ERR_OK && !rocks->engine.read_only) {
        e = complete(rocks, fresh_key, has_meta, fault);
    }
    return e;
}

static enum err serve(struct rocks *rocks, const struct hash_key *fresh_key,
                      struct engine_fault *fault)
{
    enum err e = hold_directory(rocks, fault);
    if (e == ERR_OK) {
        e = open_checked(rocks, fresh_key, fault);
    }
    if (e == ERR_IO && rocks->families.db == NULL && !has_kept(rocks->directory)) {
        rocks->engine.read_only = true;
        rocks->engine.key = *fresh_key;
        return ERR_OK;
    }
    if (e == ERR_OK) {
        e = find_next(rocks, fault);
    }
    return e == ERR_OK ? note_identity(rocks, fault) : e;
}

// The file that says which files there are. What a server beside us moves from the log into a file
// is said there before it leaves the log.
static struct stat manifest_of(const char *directory)
{
    enum { NAME_BYTES = 64 };

    struct stat manifest = {0};
    char name[NAME_BYTES] = "/";
    const int fd = open(path_of(directory, "/CURRENT").text, O_RDONLY | O_CLOEXEC);
    const ssize_t len = fd < 0 ? -1 : read(fd, name + 1, sizeof(name) - 2);
    if (fd >= 0) {
        (void)close(fd);
    }
    name[strcspn(name, "\n")] = '\0';
    if (len <= 0 || stat(path_of(directory, name).text, &manifest) != 0) {
        manifest = (struct stat){0};
    }
    return manifest;
}

static enum err try_to_read(struct rocks *rocks, enum rocks_mode mode, struct engine_fault *fault)
{
    char meta[META_BYTES];
    enum err e = rocks_families_peek(rocks->directory, mode, meta, sizeof(meta), fault);
    if (e == ERR_OK) {
        e = meta_read(rocks->directory, meta, &rocks->engine.key, fault);
        // Its creation goes on, or was interrupted: nothing is kept yet.
        return e == ERR_NOT_FOUND ? fail(e, rocks->directory, "is empty", fault)
               : e == ERR_OK ? rocks_families_open(rocks->directory, mode, &rocks->families, fault)
                             : e;
    }
    return e;
}

// Again while a server beside us changes what there is under our hands.
static enum err read_beside(struct rocks *rocks, enum rocks_mode mode, struct engine_fault *fault)
{
    enum { TRIES_MAX = 10 };

    rocks->engine.read_only = true;
    if (!is_there(rocks->directory, "/CURRENT")) {
        return has_kept(rocks->directory)
                   ? fail(ERR_DAMAGED, rocks->directory, "its file CURRENT is gone", fault)
                   : fail(ERR_NOT_FOUND, rocks->directory, "there is nothing in it that was kept",
                          fault);
    }
    for (unsigned tries = 1;; tries++) {
        const struct stat before = manifest_of(rocks->directory);
        const enum err e = try_to_read(rocks, mode, fault);
        const struct stat after = manifest_of(rocks->directory);
        if ((before.st_ino == after.st_ino && before.st_size == after.st_size) ||
            tries == TRIES_MAX) {
            return e;
        }
        if (e == ERR_OK) {
            rocks_families_close(&rocks->families);
        }
    }
}

static struct rocks *rocks_create(const char *directory)
{
    struct rocks *const rocks = calloc(1, sizeof(*rocks));
    char *const copy = strdup(directory);
    if (rocks == NULL || copy == NULL) {
        free(rocks);
        free(copy);
        return NULL;
    }
    // So that "DIRECTORY.damaged-1" is beside it.
    for (size_t len = strlen(copy); len > 1 && copy[len - 1] == '/'; len--) {
        copy[len - 1] = '\0';
    }
    *rocks = (struct rocks){.engine = {.ops = &ops},
                            .directory = copy,
                            .directory_fd = -1,
                            .next = ROCKS_MARK + 1,
                            .writing = rocksdb_writeoptions_create()};
    return rocks;
}

enum err rocks_open(const char *directory, enum rocks_access access,
                    const struct hash_key *fresh_key, struct engine **out,
                    struct engine_fault *fault)
{
    assert(access != ROCKS_SERVE || fresh_key != NULL);
    if (strlen(directory) > DIRECTORY_BYTES_MAX) {
        return fail(ERR_IO, "store", "the directory's name is too long", fault);
    }
    struct rocks *const rocks = rocks_create(directory);
    if (rocks == NULL) {
        return fail(ERR_NO_MEMORY, directory, "out of memory", fault);
    }
    enum err e = ERR_OK;
    switch (access) {
    case ROCKS_SERVE: e = serve(rocks, fresh_key, fault); break;
    case ROCKS_READ: e = read_beside(rocks, ROCKS_MODE_READ, fault); break;
    case ROCKS_SALVAGE: e = read_beside(rocks, ROCKS_MODE_SALVAGE, fault); break;
    }
    if (e != ERR_OK) {
        // To see 'store check' is no advice for 'store check'.
        e = e == ERR_DAMAGED && access != ROCKS_SERVE ? e : advise(rocks->directory, e, fault);
        rocks_close(&rocks->engine);
        return e;
    }
    *out = &rocks->engine;
    return ERR_OK;
}

size_t rocks_generations(struct engine *engine)
{
    return rocks_of(engine)->families.count;
}

// ---- What an engine does

static enum err rocks_append(struct engine *engine, struct slice block, struct engine_fault *fault)
{
    struct rocks *const rocks = rocks_of(engine);
    const enum err e = writable(rocks, fault);
    if (e != ERR_OK) {
        return e;
    }
    char *message = NULL;
    const struct rocks_families *const families = &rocks->families;
    const struct rocks_key key = rocks_key_of(rocks->next++);
    rocksdb_put_cf(families->db, rocks->writing, families->generations[families->count - 1].handle,
                   key.bytes, sizeof(key.bytes), block.at, block.len, &message);
    return rocks_error(rocks->directory, message, fault);
}

static enum err rocks_sync(struct engine *engine, struct engine_fault *fault)
{
    char *message = NULL;
    const struct rocks *const rocks = rocks_of(engine);
    const enum err e = writable(rocks, fault);
    if (e != ERR_OK) {
        return e;
    }
    rocksdb_flush_wal(rocks->families.db, 1, &message);
    return rocks_error(rocks->directory, message, fault);
}

static enum err rocks_begin(struct engine *engine, struct engine_fault *fault)
{
    struct rocks *const rocks = rocks_of(engine);
    enum err e = writable(rocks, fault);
    if (e == ERR_OK) {
        e = probe(rocks->directory, fault);
    }
    if (e == ERR_OK) {
        e = rocks_families_add(&rocks->families, fault);
    }
    if (e == ERR_OK) {
        rocks->next = ROCKS_MARK + 1;
    }
    return e;
}

static enum err rocks_drop_older(struct engine *engine, struct engine_fault *fault)
{
    struct rocks *const rocks = rocks_of(engine);
    enum err e = writable(rocks, fault);
    while (e == ERR_OK && rocks->families.count > 1) {
        e = rocks_families_drop(&rocks->families, fault);
    }
    return e;
}

static enum err rocks_keep_copy(struct engine *engine, struct engine_fault *fault)
{
    const struct rocks *const rocks = rocks_of(engine);
    const enum err e = writable(rocks, fault);
    return e == ERR_OK ? put_aside(rocks, fault) : e;
}

static bool rocks_in_place(struct engine *engine)
{
    struct stat identity;
    const struct rocks *const rocks = rocks_of(engine);
    return stat(path_of(rocks->directory, "/IDENTITY").text, &identity) == 0 &&
           identity.st_dev == rocks->identity_device && identity.st_ino == rocks->identity_inode;
}

static enum err rocks_read(struct engine *engine, unsigned stripe, struct engine_cursor **out,
                           struct engine_fault *fault)
{
    struct rocks *const rocks = rocks_of(engine);
    // RocksDB may still be moving what was appended last, and stripes are cut by where things are.
    const enum err e = engine->read_only ? ERR_OK : rocks_families_settle(&rocks->families, fault);
    return e == ERR_OK ? rocks_cursor_open(&rocks->families, stripe, out, fault) : e;
}

static void rocks_close(struct engine *engine)
{
    struct rocks *const rocks = rocks_of(engine);
    rocks_families_close(&rocks->families);
    rocksdb_writeoptions_destroy(rocks->writing);
    if (rocks->directory_fd >= 0) {
        (void)close(rocks->directory_fd);
    }
    free(rocks->directory);
    free(rocks);
}
