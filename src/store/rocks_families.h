// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_ROCKS_FAMILIES_H
#define SIGNPOST_STORE_ROCKS_FAMILIES_H

#include <rocksdb/c.h>

#include "store/engine.h"

// A RocksDB database with its column families: the default one and the generations. For rocks.c
// and rocks_cursor.c.

enum rocks_mode {
    ROCKS_MODE_CREATE, // there is no database yet
    ROCKS_MODE_WRITE,
    ROCKS_MODE_READ,
    ROCKS_MODE_SALVAGE, // as READ, but passes over what is damaged in the log
    ROCKS_MODE_MEND,    // as WRITE, likewise
};

struct rocks_generation {
    uint64_t number;
    rocksdb_column_family_handle_t *handle;
};

struct rocks_families {
    const char *directory; // borrowed
    rocksdb_t *db;
    rocksdb_options_t *options; // of the database and of all families
    rocksdb_column_family_handle_t *meta;
    struct rocks_generation *generations; // the oldest first
    size_t count;
};

// Blocks that lie together: in one file, or not yet in any. Numbers from first to last; there may
// be gaps where something was lost.
struct rocks_range {
    size_t generation; // its place in rocks_families.generations
    uint64_t first;
    uint64_t last;
};

enum {
    ROCKS_KEY_BYTES = 8,
    ROCKS_MARK =
        0, // number of an empty block that each generation begins with (rocks_families_add)
};

struct rocks_key {
    char bytes[ROCKS_KEY_BYTES];
};

static inline struct rocks_key rocks_key_of(uint64_t number)
{
    struct rocks_key key;
    for (unsigned i = 0; i < ROCKS_KEY_BYTES; i++) {
        key.bytes[i] = (char)(number >> (8 * (ROCKS_KEY_BYTES - 1 - i)));
    }
    return key;
}

static inline uint64_t rocks_key_number(const char *bytes)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < ROCKS_KEY_BYTES; i++) {
        number = number << 8 | (unsigned char)bytes[i];
    }
    return number;
}

// What RocksDB says in `message`, which is freed, as an error and in the fault. ERR_OK for NULL.
ERR_CHECKED enum err rocks_error(const char *directory, char *message, struct engine_fault *fault);

// Reads the value "meta" of the default family without changing anything in the directory, as a C
// string; empty when there is none. Damage in the log is found here, and only here.
ERR_CHECKED enum err rocks_families_peek(const char *directory, enum rocks_mode mode, char *meta,
                                         size_t meta_bytes, struct engine_fault *fault);

// Writes it, once: into a file, so that it does not depend on the log.
ERR_CHECKED enum err rocks_families_write_meta(struct rocks_families *families, const char *meta,
                                               struct engine_fault *fault);

// Opens the database. ERR_NEWER: there is a family that is no generation. After an error there is
// nothing to be closed.
ERR_CHECKED enum err rocks_families_open(const char *directory, enum rocks_mode mode,
                                         struct rocks_families *out, struct engine_fault *fault);

void rocks_families_close(struct rocks_families *families);

// Puts a generation behind the others. Those get nothing any more, and what they have is brought
// into files, so that the log need not be kept for them.
ERR_CHECKED enum err rocks_families_add(struct rocks_families *families,
                                        struct engine_fault *fault);

// Drops the oldest generation.
ERR_CHECKED enum err rocks_families_drop(struct rocks_families *families,
                                         struct engine_fault *fault);

// Deletes no file as long as it holds them.
void rocks_families_hold_files(const struct rocks_families *families, bool hold);

// Brings everything into files, so that nothing moves until the next block comes.
ERR_CHECKED enum err rocks_families_settle(struct rocks_families *families,
                                           struct engine_fault *fault);

// Where everything is: always in the same order, as long as nothing moves. The caller frees
// *ranges.
ERR_CHECKED enum err rocks_families_ranges(const struct rocks_families *families,
                                           struct rocks_range **ranges, size_t *count,
                                           struct engine_fault *fault);

#endif
