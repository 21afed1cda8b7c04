// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_families.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define DEFAULT_FAMILY "default"
#define META           "meta"

static bool begins_with(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static bool ends_with_errno(const char *message, int number)
{
    const char *const text = strerror(number);
    const size_t len = strlen(message);
    const size_t text_len = strlen(text);
    return len >= text_len && strcmp(message + len - text_len, text) == 0;
}

// RocksDB has an error's kind in its first words only, and what the system said at the end.
static enum err kind_of(const char *message)
{
    if (begins_with(message, "Corruption")) {
        return ERR_DAMAGED;
    }
    if (begins_with(message, "IO error: lock ") || begins_with(message, "IO error: While lock ")) {
        return ERR_IN_USE;
    }
    if (begins_with(message, "IO error: No such file or directory")) {
        return ERR_NOT_FOUND;
    }
    if (ends_with_errno(message, EMFILE) || ends_with_errno(message, ENFILE) ||
        ends_with_errno(message, ENOMEM)) {
        return ERR_NO_MEMORY;
    }
    return ERR_IO;
}

enum err rocks_error(const char *directory, char *message, struct engine_fault *fault)
{
    if (message == NULL) {
        return ERR_OK;
    }
    const enum err e = engine_fail(fault, kind_of(message), "%s: %s", directory, message);
    rocksdb_free(message);
    return e;
}

// Files. What is read is read once and from end to end, so nothing is cached, and large blocks keep
// the indices small. These tell first keys too: an iterator is over all files of a family, and
// would else read a block of each to find where it begins, for every range anew.
static void set_table(rocksdb_options_t *options)
{
    enum {
        BLOCK_BYTES = 32 << 10,
        FIRST_KEYS = 3, // kBinarySearchWithFirstKey, for which the C API has no name
    };

    rocksdb_block_based_table_options_t *const table = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_no_block_cache(table, 1);
    rocksdb_block_based_options_set_block_size(table, BLOCK_BYTES);
    rocksdb_block_based_options_set_index_type(table, FIRST_KEYS);
    rocksdb_options_set_block_based_table_factory(options, table);
    rocksdb_block_based_options_destroy(table);
    rocksdb_options_set_compression(options, rocksdb_no_compression);
}

// Nothing is compacted, and so no writer may be made to wait for compaction.
static void set_no_compaction(rocksdb_options_t *options)
{
    enum { NEVER = 1 << 30 };

    rocksdb_options_set_disable_auto_compactions(options, 1);
    rocksdb_options_set_level0_file_num_compaction_trigger(options, NEVER);
    rocksdb_options_set_level0_slowdown_writes_trigger(options, NEVER);
    rocksdb_options_set_level0_stop_writes_trigger(options, NEVER);
    rocksdb_options_set_soft_pending_compaction_bytes_limit(options, 0);
    rocksdb_options_set_hard_pending_compaction_bytes_limit(options, 0);
}

// What RocksDB tells of itself: bounded, and nothing but what it always tells of its options. For
// Debian's has its assertions on, one of which ends the process when a disk that did not take a
// line of its log is given another.
static void set_quiet(rocksdb_options_t *options)
{
    enum { LEVEL_FATAL = 4, LOG_BYTES_MAX = 64 << 10, LOGS_KEPT = 2 };

    rocksdb_options_set_info_log_level(options, LEVEL_FATAL);
    rocksdb_options_set_max_log_file_size(options, LOG_BYTES_MAX);
    rocksdb_options_set_keep_log_file_num(options, LOGS_KEPT);
    rocksdb_options_set_stats_dump_period_sec(options, 0);
    rocksdb_options_set_stats_persist_period_sec(options, 0);
}

static bool writes(enum rocks_mode mode)
{
    return mode == ROCKS_MODE_CREATE || mode == ROCKS_MODE_WRITE || mode == ROCKS_MODE_MEND;
}

static void set_pace(rocksdb_options_t *options, int64_t rate_bytes, int64_t piece_bytes)
{
    enum { US_PER_S = 1000000, FAIRNESS = 10 };

    rocksdb_ratelimiter_t *const limiter =
        rocksdb_ratelimiter_create(rate_bytes, piece_bytes * US_PER_S / rate_bytes, FAIRNESS);
    rocksdb_options_set_ratelimiter(options, limiter);
    rocksdb_ratelimiter_destroy(limiter);
}

// Nothing is reserved on disk in advance. On one that is nearly full it would take what is left,
// and then a line of RocksDB's log finds no room (set_quiet). The C API has no call for that.
static rocksdb_options_t *without_reserves(rocksdb_options_t *options)
{
    char *message = NULL;
    rocksdb_options_t *const changed = rocksdb_options_create();
    rocksdb_get_options_from_string(options, "allow_fallocate=false", changed, &message);
    assert(message == NULL);
    rocksdb_options_destroy(options);
    return changed;
}

static rocksdb_options_t *options_create(enum rocks_mode mode)
{
    enum {
        // What is in memory until it becomes a file; RocksDB may have so many at a time. A log
        // file holds as much, which is what is read again after a crash.
        BUFFER_BYTES = 16 << 20,
        BUFFERS_MAX = 3,
        LOG_BYTES_MAX = 4 * BUFFER_BYTES,
        MANIFEST_BYTES_MAX = 4 << 20,
        // All at once: who reads all of them would open them again and again, and a server beside
        // who only reads may delete them.
        ALL_FILES = -1,
        SYNC_BYTES = 1 << 20,
        // Files are written in pieces of so many bytes, at so many a second at most: half a
        // million REGISTERs', for whoever answers on the same CPU waits for each piece.
        PIECE_BYTES = 32 << 10,
        RATE_BYTES = 128 << 20,
    };

    rocksdb_options_t *const options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(options, mode == ROCKS_MODE_CREATE);
    rocksdb_options_set_skip_stats_update_on_db_open(options, 1);
    rocksdb_options_set_skip_checking_sst_file_sizes_on_db_open(options, 1);
    // The end of the log may be torn, by a crash; nothing else may.
    const bool salvages = mode == ROCKS_MODE_SALVAGE || mode == ROCKS_MODE_MEND;
    rocksdb_options_set_wal_recovery_mode(
        options, salvages ? rocksdb_skip_any_corrupted_records_recovery
                          : rocksdb_tolerate_corrupted_tail_records_recovery);
    rocksdb_options_set_write_buffer_size(options, BUFFER_BYTES);
    rocksdb_options_set_max_write_buffer_number(options, BUFFERS_MAX);
    rocksdb_options_set_max_total_wal_size(options, LOG_BYTES_MAX);
    rocksdb_options_set_max_manifest_file_size(options, MANIFEST_BYTES_MAX);
    rocksdb_options_set_max_open_files(options, ALL_FILES);
    rocksdb_options_set_bytes_per_sync(options, SYNC_BYTES);
    set_pace(options, RATE_BYTES, PIECE_BYTES);
    set_table(options);
    set_no_compaction(options);
    set_quiet(options);
    return without_reserves(options);
}

enum err rocks_families_peek(const char *directory, enum rocks_mode mode, char *meta,
                             size_t meta_bytes, struct engine_fault *fault)
{
    assert(meta_bytes > 0);
    char *message = NULL;
    rocksdb_options_t *const options = options_create(mode);
    rocksdb_options_set_paranoid_checks(options, mode != ROCKS_MODE_SALVAGE);
    rocksdb_readoptions_t *const reading = rocksdb_readoptions_create();
    rocksdb_t *const db = rocksdb_open_for_read_only(options, directory, 0, &message);
    meta[0] = '\0';
    if (message == NULL) {
        size_t len = 0;
        char *const value = rocksdb_get(db, reading, META, strlen(META), &len, &message);
        if (value != NULL) {
            const size_t kept = len < meta_bytes ? len : meta_bytes - 1;
            memcpy(meta, value, kept);
            meta[kept] = '\0';
            rocksdb_free(value);
        }
        rocksdb_close(db);
    }
    rocksdb_readoptions_destroy(reading);
    rocksdb_options_destroy(options);
    return rocks_error(directory, message, fault);
}

static enum err flush(struct rocks_families *families, rocksdb_column_family_handle_t *handle,
                      bool wait, struct engine_fault *fault)
{
    char *message = NULL;
    rocksdb_flushoptions_t *const options = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(options, wait ? 1 : 0);
    rocksdb_flush_cf(families->db, options, handle, &message);
    rocksdb_flushoptions_destroy(options);
    return rocks_error(families->directory, message, fault);
}

enum err rocks_families_write_meta(struct rocks_families *families, const char *meta,
                                   struct engine_fault *fault)
{
    char *message = NULL;
    rocksdb_writeoptions_t *const writing = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(writing, 1);
    rocksdb_put_cf(families->db, writing, families->meta, META, strlen(META), meta, strlen(meta),
                   &message);
    rocksdb_writeoptions_destroy(writing);
    const enum err e = rocks_error(families->directory, message, fault);
    return e == ERR_OK ? flush(families, families->meta, true, fault) : e;
}

// Families as RocksDB lists and opens them: in arrays side by side.
struct arrays {
    char **names;
    const rocksdb_options_t **options;
    rocksdb_column_family_handle_t **handles;
    size_t count;
};

// Puts the handles where they belong. False when there is a name that no generation has.
static bool take_handles(struct rocks_families *families, const struct arrays *arrays)
{
    bool known = true;
    for (size_t i = 0; i < arrays->count; i++) {
        uint64_t number = 0;
        const struct slice name = slice_of(arrays->names[i], strlen(arrays->names[i]));
        if (slice_equal(name, SLICE(DEFAULT_FAMILY))) {
            families->meta = arrays->handles[i];
            continue;
        }
        known = slice_to_u64(name, UINT64_MAX, &number) && known;
        // They are few, and listed in their order or nearly.
        size_t at = families->count++;
        for (; at > 0 && families->generations[at - 1].number > number; at--) {
            families->generations[at] = families->generations[at - 1];
        }
        families->generations[at] = (struct rocks_generation){number, arrays->handles[i]};
    }
    return known;
}

static enum err open_listed(struct rocks_families *families, enum rocks_mode mode,
                            struct arrays *arrays, struct engine_fault *fault)
{
    char *message = NULL;
    arrays->options = calloc(arrays->count, sizeof(const rocksdb_options_t *));
    arrays->handles = calloc(arrays->count, sizeof(rocksdb_column_family_handle_t *));
    families->generations = calloc(arrays->count, sizeof(struct rocks_generation));
    if (arrays->options == NULL || arrays->handles == NULL || families->generations == NULL) {
        return engine_fail(fault, ERR_NO_MEMORY, "%s: out of memory", families->directory);
    }
    for (size_t i = 0; i < arrays->count; i++) {
        arrays->options[i] = families->options;
    }
    const char *const *const names = (const char *const *)arrays->names;
    families->db = writes(mode)
                       ? rocksdb_open_column_families(families->options, families->directory,
                                                      (int)arrays->count, names, arrays->options,
                                                      arrays->handles, &message)
                       : rocksdb_open_for_read_only_column_families(
                             families->options, families->directory, (int)arrays->count, names,
                             arrays->options, arrays->handles, 0, &message);
    if (message != NULL) {
        return rocks_error(families->directory, message, fault);
    }
    if (!take_handles(families, arrays)) {
        return engine_fail(fault, ERR_NEWER, "%s: unknown column family", families->directory);
    }
    return ERR_OK;
}

enum err rocks_families_open(const char *directory, enum rocks_mode mode,
                             struct rocks_families *out, struct engine_fault *fault)
{
    char *message = NULL;
    char name[] = DEFAULT_FAMILY;
    char *fresh[] = {name};
    struct arrays arrays = {.names = fresh, .count = 1};
    *out = (struct rocks_families){.directory = directory, .options = options_create(mode)};
    // What a file lacks is told when it is read, so that all others are read too.
    rocksdb_options_set_paranoid_checks(out->options, 0);
    if (mode != ROCKS_MODE_CREATE) {
        arrays.names =
            rocksdb_list_column_families(out->options, directory, &arrays.count, &message);
    }
    const enum err e = message == NULL ? open_listed(out, mode, &arrays, fault)
                                       : rocks_error(directory, message, fault);
    if (mode != ROCKS_MODE_CREATE && arrays.names != NULL) {
        rocksdb_list_column_families_destroy(arrays.names, arrays.count);
    }
    free(arrays.options);
    free(arrays.handles);
    if (e != ERR_OK) {
        rocks_families_close(out);
    }
    return e;
}

void rocks_families_close(struct rocks_families *families)
{
    for (size_t i = 0; i < families->count; i++) {
        rocksdb_column_family_handle_destroy(families->generations[i].handle);
    }
    if (families->meta != NULL) {
        rocksdb_column_family_handle_destroy(families->meta);
    }
    if (families->db != NULL) {
        rocksdb_close(families->db);
    }
    rocksdb_options_destroy(families->options);
    free(families->generations);
    *families = (struct rocks_families){0};
}

enum err rocks_families_settle(struct rocks_families *families, struct engine_fault *fault)
{
    const size_t count = families->count;
    enum err e = ERR_OK;
    for (size_t i = 0; i < count && e == ERR_OK; i++) {
        e = flush(families, families->generations[i].handle, true, fault);
    }
    return e;
}

// A file that RocksDB can take in, with an empty block.
static void write_mark(const struct rocks_families *families, const char *path, char **message)
{
    const struct rocks_key key = rocks_key_of(ROCKS_MARK);
    rocksdb_envoptions_t *const how = rocksdb_envoptions_create();
    rocksdb_sstfilewriter_t *const writer = rocksdb_sstfilewriter_create(how, families->options);
    rocksdb_sstfilewriter_open(writer, path, message);
    if (*message == NULL) {
        rocksdb_sstfilewriter_put(writer, key.bytes, sizeof(key.bytes), "", 0, message);
    }
    if (*message == NULL) {
        rocksdb_sstfilewriter_finish(writer, message);
    }
    rocksdb_sstfilewriter_destroy(writer);
    rocksdb_envoptions_destroy(how);
}

// An empty block, on the last level, where what is taken in goes. As long as a family has three
// files and all are on the first level, RocksDB looks into each of them for any block, so that one
// that is damaged or gone would hide what is in the others.
static enum err mark(struct rocks_families *families, rocksdb_column_family_handle_t *handle,
                     struct engine_fault *fault)
{
    enum { PATH_BYTES = 1280 };

    char path[PATH_BYTES];
    char *message = NULL;
    (void)snprintf(path, sizeof(path), "%s/mark", families->directory);
    write_mark(families, path, &message);
    if (message == NULL) {
        const char *const list[] = {path};
        rocksdb_ingestexternalfileoptions_t *const how = rocksdb_ingestexternalfileoptions_create();
        rocksdb_ingestexternalfileoptions_set_move_files(how, 1);
        rocksdb_ingest_external_file_cf(families->db, handle, list, 1, how, &message);
        rocksdb_ingestexternalfileoptions_destroy(how);
    }
    return rocks_error(families->directory, message, fault);
}

enum err rocks_families_add(struct rocks_families *families, struct engine_fault *fault)
{
    enum { NAME_BYTES = 24 };

    const size_t count = families->count;
    const uint64_t number = count == 0 ? 1 : families->generations[count - 1].number + 1;
    // Nobody is to wait for that: it may be much.
    const enum err e = count == 0
                           ? ERR_OK
                           : flush(families, families->generations[count - 1].handle, false, fault);
    if (e != ERR_OK) {
        return e;
    }
    struct rocks_generation *const more =
        realloc(families->generations, (count + 1) * sizeof(*more));
    if (more == NULL) {
        return engine_fail(fault, ERR_NO_MEMORY, "%s: out of memory", families->directory);
    }
    families->generations = more;
    char *message = NULL;
    char name[NAME_BYTES];
    (void)snprintf(name, sizeof(name), "%" PRIu64, number);
    rocksdb_column_family_handle_t *const handle =
        rocksdb_create_column_family(families->db, families->options, name, &message);
    if (message != NULL) {
        return rocks_error(families->directory, message, fault);
    }
    more[families->count++] = (struct rocks_generation){number, handle};
    return mark(families, handle, fault);
}

enum err rocks_families_drop(struct rocks_families *families, struct engine_fault *fault)
{
    assert(families->count > 0);
    char *message = NULL;
    rocksdb_drop_column_family(families->db, families->generations[0].handle, &message);
    if (message != NULL) {
        return rocks_error(families->directory, message, fault);
    }
    // The files go with the last handle.
    rocksdb_column_family_handle_destroy(families->generations[0].handle);
    families->count--;
    memmove(families->generations, families->generations + 1,
            families->count * sizeof(*families->generations));
    return ERR_OK;
}

void rocks_families_hold_files(const struct rocks_families *families, bool hold)
{
    char *message = NULL;
    if (hold) {
        rocksdb_disable_file_deletions(families->db, &message);
    } else {
        rocksdb_enable_file_deletions(families->db, 0, &message);
    }
    rocksdb_free(message);
}

// The generation that has this name, or families->count.
static size_t generation_named(const struct rocks_families *families, const char *name)
{
    uint64_t number = 0;
    size_t at = 0;
    if (!slice_to_u64(slice_of(name, strlen(name)), UINT64_MAX, &number)) {
        return families->count;
    }
    while (at < families->count && families->generations[at].number != number) {
        at++;
    }
    return at;
}

// What of a generation is in no file yet. RocksDB tells of files without opening them, but not of
// its memory: that takes an iterator, over the memory alone.
static bool range_in_memory(const struct rocks_families *families, size_t generation,
                            struct rocks_range *range)
{
    enum { MEMORY_ONLY = 3 }; // kMemtableTier

    size_t len = 0;
    rocksdb_readoptions_t *const options = rocksdb_readoptions_create();
    rocksdb_readoptions_set_read_tier(options, MEMORY_ONLY);
    rocksdb_iterator_t *const iterator =
        rocksdb_create_iterator_cf(families->db, options, families->generations[generation].handle);
    rocksdb_iter_seek_to_first(iterator);
    const bool some = rocksdb_iter_valid(iterator) != 0;
    if (some) {
        const uint64_t first = rocks_key_number(rocksdb_iter_key(iterator, &len));
        assert(len == ROCKS_KEY_BYTES);
        rocksdb_iter_seek_to_last(iterator);
        const uint64_t last = rocks_key_number(rocksdb_iter_key(iterator, &len));
        *range = (struct rocks_range){.generation = generation, .first = first, .last = last};
    }
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(options);
    return some;
}

enum err rocks_families_ranges(const struct rocks_families *families, struct rocks_range **ranges,
                               size_t *count, struct engine_fault *fault)
{
    *count = 0;
    *ranges = NULL;
    if (families->db == NULL) {
        return ERR_OK;
    }
    const rocksdb_livefiles_t *const files = rocksdb_livefiles(families->db);
    const int file_count = rocksdb_livefiles_count(files);
    struct rocks_range *const list =
        calloc((size_t)file_count + families->count + 1, sizeof(*list));
    *ranges = list;
    for (int i = 0; list != NULL && i < file_count; i++) {
        size_t first_len = 0;
        size_t last_len = 0;
        const char *const first = rocksdb_livefiles_smallestkey(files, i, &first_len);
        const char *const last = rocksdb_livefiles_largestkey(files, i, &last_len);
        const size_t generation =
            generation_named(families, rocksdb_livefiles_column_family_name(files, i));
        if (generation < families->count && first_len == ROCKS_KEY_BYTES &&
            last_len == ROCKS_KEY_BYTES) {
            list[(*count)++] =
                (struct rocks_range){generation, rocks_key_number(first), rocks_key_number(last)};
        }
    }
    rocksdb_livefiles_destroy(files);
    if (list == NULL) {
        return engine_fail(fault, ERR_NO_MEMORY, "%s: out of memory", families->directory);
    }
    for (size_t i = 0; i < families->count; i++) {
        *count += range_in_memory(families, i, &list[*count]) ? 1 : 0;
    }
    return ERR_OK;
}
