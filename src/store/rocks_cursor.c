// SPDX-License-Identifier: Apache-2.0
#include "store/rocks_cursor.h"

#include <stdlib.h>

// An iterator goes through a range of blocks. RocksDB's iterators open all files of a family and go
// no further when one of them has a fault anywhere they look. From there on the blocks are looked
// up one by one, which touches only the file in which each is.
struct engine_cursor {
    const struct rocks_families *families;
    rocksdb_readoptions_t *options;
    struct rocks_range *ranges; // of this stripe only
    size_t count;
    size_t at; // the range we are in
    // Of the range we are in; NULL before the range's first block and when it is of no use.
    rocksdb_iterator_t *iterator;
    rocksdb_pinnableslice_t *pinned; // the block that was looked up last, or NULL
    bool one_by_one;
    uint64_t next; // in one_by_one the number to look up, else one behind the block given last
};

static void leave_range(struct engine_cursor *cursor)
{
    if (cursor->iterator != NULL) {
        rocksdb_iter_destroy(cursor->iterator);
    }
    rocksdb_pinnableslice_destroy(cursor->pinned);
    cursor->iterator = NULL;
    cursor->pinned = NULL;
    cursor->one_by_one = false;
}

enum err rocks_cursor_open(const struct rocks_families *families, unsigned stripe,
                           struct engine_cursor **out, struct engine_fault *fault)
{
    assert(stripe < ENGINE_STRIPES);
    struct rocks_range *ranges = NULL;
    size_t count = 0;
    const enum err e = rocks_families_ranges(families, &ranges, &count, fault);
    struct engine_cursor *const cursor = e == ERR_OK ? calloc(1, sizeof(*cursor)) : NULL;
    if (cursor == NULL) {
        free(ranges);
        return e == ERR_OK
                   ? engine_fail(fault, ERR_NO_MEMORY, "%s: out of memory", families->directory)
                   : e;
    }
    cursor->families = families;
    cursor->ranges = ranges;
    for (size_t i = stripe; i < count; i += ENGINE_STRIPES) {
        ranges[cursor->count++] = ranges[i];
    }
    // Without a read-ahead of RocksDB's, which copies all it reads once more: the kernel has its
    // own.
    cursor->options = rocksdb_readoptions_create();
    *out = cursor;
    return ERR_OK;
}

void rocks_cursor_close(struct engine_cursor *cursor)
{
    if (cursor == NULL) {
        return;
    }
    leave_range(cursor);
    rocksdb_readoptions_destroy(cursor->options);
    free(cursor->ranges);
    free(cursor);
}

static rocksdb_column_family_handle_t *handle_of(const struct engine_cursor *cursor)
{
    return cursor->families->generations[cursor->ranges[cursor->at].generation].handle;
}

static enum err next_look_up(struct engine_cursor *cursor, struct slice *block,
                             struct engine_fault *fault)
{
    while (cursor->next <= cursor->ranges[cursor->at].last) {
        char *message = NULL;
        const struct rocks_key key = rocks_key_of(cursor->next++);
        rocksdb_pinnableslice_destroy(cursor->pinned);
        cursor->pinned =
            rocksdb_get_pinned_cf(cursor->families->db, cursor->options, handle_of(cursor),
                                  key.bytes, sizeof(key.bytes), &message);
        if (message != NULL) {
            const enum err e = rocks_error(cursor->families->directory, message, fault);
            // What the process is short of is no fault of the block's.
            return e == ERR_OK || e == ERR_NO_MEMORY ? e : ERR_DAMAGED;
        }
        if (cursor->pinned != NULL) {
            block->at = rocksdb_pinnableslice_value(cursor->pinned, &block->len);
            return ERR_OK;
        }
    }
    return ERR_NOT_FOUND;
}

static void iterate(struct engine_cursor *cursor)
{
    if (cursor->iterator != NULL) {
        rocksdb_iter_next(cursor->iterator);
        return;
    }
    cursor->next = cursor->ranges[cursor->at].first;
    const struct rocks_key key = rocks_key_of(cursor->next);
    cursor->iterator =
        rocksdb_create_iterator_cf(cursor->families->db, cursor->options, handle_of(cursor));
    rocksdb_iter_seek(cursor->iterator, key.bytes, sizeof(key.bytes));
}

static enum err next_in_range(struct engine_cursor *cursor, struct slice *block,
                              struct engine_fault *fault)
{
    if (cursor->one_by_one) {
        return next_look_up(cursor, block, fault);
    }
    iterate(cursor);
    if (rocksdb_iter_valid(cursor->iterator)) {
        size_t len = 0;
        const uint64_t number = rocks_key_number(rocksdb_iter_key(cursor->iterator, &len));
        cursor->next = number + 1;
        block->at = rocksdb_iter_value(cursor->iterator, &block->len);
        return number <= cursor->ranges[cursor->at].last ? ERR_OK : ERR_NOT_FOUND;
    }
    char *message = NULL;
    rocksdb_iter_get_error(cursor->iterator, &message);
    if (message == NULL) {
        return ERR_NOT_FOUND;
    }
    rocksdb_free(message); // which of the blocks it is about, the look-up tells
    cursor->one_by_one = true;
    return next_look_up(cursor, block, fault);
}

enum err rocks_cursor_next(struct engine_cursor *cursor, struct slice *block,
                           struct engine_fault *fault)
{
    while (cursor->at < cursor->count) {
        const enum err e = next_in_range(cursor, block, fault);
        if (e == ERR_NOT_FOUND) {
            leave_range(cursor);
            cursor->at++;
        } else if (e != ERR_OK || !slice_empty(*block)) { // the mark is
            return e;
        }
    }
    return ERR_NOT_FOUND;
}
