// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_ENGINE_H
#define SIGNPOST_STORE_ENGINE_H

#include "signpost/base/err.h"
#include "signpost/base/hash.h"
#include "signpost/base/slice.h"

// A store engine keeps blocks of records (store/record.h) where they outlive the process. It does
// not look into them. The truth is in the location table; what is kept serves only to fill it
// again, so nothing is ever looked up by its key, and an engine need do three things well: append,
// forget, and read everything.
//
// What is appended outlives the process at once, and the machine from the next engine_sync on.
//
// Blocks belong to generations. A table's changes are appended to the newest. A rewrite begins a
// new generation, appends every address of record to it once more (and the changes of meanwhile),
// and then drops those before it. At any moment the union of all that is kept, of each address of
// record the highest revision, is the table; an interrupted rewrite is just a longer union.
//
// One thread at a time calls the functions, but for cursors: each thread may have one of its own,
// while nobody appends. All cursors are closed before the engine is.

enum {
    ENGINE_STRIPES = 16, // parts into which what is kept can be divided for reading
    ENGINE_FAULT_BYTES = 512,
};

// Why something failed, in words for an operator; a C string of one line. Written only with an
// error.
struct engine_fault {
    char text[ENGINE_FAULT_BYTES];
};

// For engines and what stands on them: what snprintf makes of the format becomes the fault,
// shortened and in one line. Returns `e`.
enum err engine_fail(struct engine_fault *fault, enum err e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

struct engine_cursor;
struct engine;

// What an engine does; each function as the one below that calls it.
struct engine_ops {
    enum err (*append)(struct engine *engine, struct slice block, struct engine_fault *fault);
    enum err (*sync)(struct engine *engine, struct engine_fault *fault);
    enum err (*keep_copy)(struct engine *engine, struct engine_fault *fault);
    enum err (*begin)(struct engine *engine, struct engine_fault *fault);
    enum err (*drop_older)(struct engine *engine, struct engine_fault *fault);
    bool (*in_place)(struct engine *engine);
    enum err (*cursor_open)(struct engine *engine, unsigned stripe, struct engine_cursor **out,
                            struct engine_fault *fault);
    enum err (*cursor_next)(struct engine_cursor *cursor, struct slice *block,
                            struct engine_fault *fault);
    void (*cursor_close)(struct engine_cursor *cursor);
    void (*close)(struct engine *engine);
};

// The head of every engine's own struct.
struct engine {
    const struct engine_ops *ops;
    // A secret that lives as long as what is kept (drawn by who created it): To tags and request
    // identities are made with it, so that a request that is retransmitted after a restart is
    // recognized.
    struct hash_key key;
    bool read_only; // nothing can be appended; what is kept can be read
    bool salvaged;  // a part of what was appended last could not be read
};

// Appends a block to the newest generation. After an error of this or of engine_sync nobody knows
// what is kept; the engine is then to be closed.
ERR_CHECKED static inline enum err engine_append(struct engine *engine, struct slice block,
                                                 struct engine_fault *fault)
{
    return engine->ops->append(engine, block, fault);
}

// Back when all that has been appended is on disk (fdatasync).
ERR_CHECKED static inline enum err engine_sync(struct engine *engine, struct engine_fault *fault)
{
    return engine->ops->sync(engine, fault);
}

// Keeps a copy of all that is kept now, damaged parts too, where no later call of any engine
// touches it; for when something could not be read, before it is dropped. ERR_FULL: there are
// copies enough already, for someone to look at and to remove.
ERR_CHECKED static inline enum err engine_keep_copy(struct engine *engine,
                                                    struct engine_fault *fault)
{
    return engine->ops->keep_copy(engine, fault);
}

// Begins a new generation.
ERR_CHECKED static inline enum err engine_begin(struct engine *engine, struct engine_fault *fault)
{
    return engine->ops->begin(engine, fault);
}

// Drops all generations but the newest, which has been synced, the oldest first: a removal may be
// in a later one than what it has removed, so that what an interruption leaves must be the last
// ones.
ERR_CHECKED static inline enum err engine_drop_older(struct engine *engine,
                                                     struct engine_fault *fault)
{
    return engine->ops->drop_older(engine, fault);
}

// False when what is kept is no longer to be found where it was opened (its directory has been
// deleted or replaced), though appending to it may seem to succeed.
static inline bool engine_in_place(struct engine *engine)
{
    return engine->ops->in_place(engine);
}

// A cursor over one of ENGINE_STRIPES parts. A block that cannot be read is told by ERR_DAMAGED
// from engine_cursor_next, which may be called again for what comes behind it; ERR_NOT_FOUND is
// the end. ERR_NO_MEMORY: the process is short of memory or file descriptors, and the block may be
// well. A block is valid until the next call with this cursor.
ERR_CHECKED static inline enum err engine_cursor_open(struct engine *engine, unsigned stripe,
                                                      struct engine_cursor **out,
                                                      struct engine_fault *fault)
{
    return engine->ops->cursor_open(engine, stripe, out, fault);
}

ERR_CHECKED static inline enum err engine_cursor_next(struct engine *engine,
                                                      struct engine_cursor *cursor,
                                                      struct slice *block,
                                                      struct engine_fault *fault)
{
    return engine->ops->cursor_next(cursor, block, fault);
}

static inline void engine_cursor_close(struct engine *engine, struct engine_cursor *cursor)
{
    engine->ops->cursor_close(cursor);
}

// Does not sync. NULL is legal.
static inline void engine_close(struct engine *engine)
{
    if (engine != NULL) {
        engine->ops->close(engine);
    }
}

#endif
