// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_ROCKS_H
#define SIGNPOST_STORE_ROCKS_H

#include "store/engine.h"

// The embedded engine: a RocksDB database in a directory, made for a log of blocks. A generation is
// a column family named by its number, "1", "2" and so on, so that dropping one deletes its files
// and nothing is ever compacted; a block is a value under its number in the generation, from 1 on,
// 8 bytes, big-endian; number 0 is an empty mark. The default column family says in readable text
// what wrote all this: "format" is "1", "key" is engine->key in hexadecimal digits.
//
// Copies of a damaged database (engine_keep_copy) stand beside it as DIRECTORY.damaged-1 to -3,
// hard links where that is possible.

enum rocks_access {
    ROCKS_SERVE, // for one process at a time; creates what is not there, but no parents
    ROCKS_READ,  // beside a process that serves, too; what is not there is ERR_NOT_FOUND

    // As ROCKS_READ, and passes over what is damaged in the log of the latest changes. Damage in
    // files is for the cursors to tell, however it was opened.
    ROCKS_SALVAGE,
};

enum { ROCKS_COPIES_MAX = 3 };

// Opens the database in the directory. `fresh_key` is the key of one that is created now; it may be
// NULL but for ROCKS_SERVE.
//
// ERR_IN_USE: another process serves from it (ROCKS_SERVE). ERR_NEWER: a later release has written
// it. ERR_DAMAGED: it is there and cannot be read. ERR_IO, ERR_SYSTEM, ERR_NO_MEMORY: everything
// else. In all these cases what is kept is left as it was found; the fault names the directory and
// says what to do, about ERR_DAMAGED only to who wants to serve. What can be read and not written,
// because the directory is read-only or the disk full, is opened by ROCKS_SERVE with
// engine->read_only set, and the fault says why; empty, if it could not be created for the disk's
// fault. Then appending, and all else that writes, is ERR_IO.
//
// RocksDB starts threads of its own, in this call and in later ones. They have the signal mask of
// the thread that calls.
ERR_CHECKED enum err rocks_open(const char *directory, enum rocks_access access,
                                const struct hash_key *fresh_key, struct engine **out,
                                struct engine_fault *fault);

// How many generations an engine of rocks_open keeps: more than one while they are rewritten, when
// that was interrupted, and after an import.
size_t rocks_generations(struct engine *engine);

#endif
