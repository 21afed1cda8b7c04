// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_SIGNPOSTCTL_MEMORY_ENGINE_H
#define SIGNPOST_TESTS_UNIT_SIGNPOSTCTL_MEMORY_ENGINE_H

#include "store/engine.h"

enum {
    MEMORY_BLOCKS_MAX = 64,
    MEMORY_BLOCK_BYTES_MAX = 1024 * 1024,
};

// A store that lives as long as the test.
struct memory_engine {
    struct engine engine;
    size_t count;
    struct slice blocks[MEMORY_BLOCKS_MAX]; // one whose text is NULL cannot be read
    void *owned[MEMORY_BLOCKS_MAX];
    size_t synced; // of them, the first
    unsigned generations;
    bool full; // nothing can be appended
};

void memory_engine_init(struct memory_engine *memory);

// Frees the blocks and leaves an empty store.
void memory_engine_clear(struct memory_engine *memory);

// Copies the block.
void memory_engine_add(struct memory_engine *memory, struct slice block);

#endif
