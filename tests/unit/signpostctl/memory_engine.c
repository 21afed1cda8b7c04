// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/signpostctl/memory_engine.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/support.h"

struct engine_cursor {
    const struct memory_engine *memory;
    size_t next;
};

static struct memory_engine *of(struct engine *engine)
{
    return (struct memory_engine *)engine; // its head
}

void memory_engine_add(struct memory_engine *memory, struct slice block)
{
    char *const bytes = malloc(block.len > 0 ? block.len : 1);
    cr_assert(bytes != NULL && memory->count < MEMORY_BLOCKS_MAX);
    cr_assert_leq(block.len, MEMORY_BLOCK_BYTES_MAX);
    if (block.len > 0) {
        memcpy(bytes, block.at, block.len);
    }
    memory->owned[memory->count] = bytes;
    memory->blocks[memory->count++] = slice_of(bytes, block.len);
}

void memory_engine_clear(struct memory_engine *memory)
{
    for (size_t i = 0; i < memory->count; i++) {
        free(memory->owned[i]);
    }
    memory->count = 0;
}

static enum err append(struct engine *engine, struct slice block, struct engine_fault *fault)
{
    struct memory_engine *const memory = of(engine);
    if (memory->full) {
        (void)snprintf(fault->text, sizeof(fault->text), "no space left");
        return ERR_IO;
    }
    cr_assert_gt(memory->generations, 0, "a generation is begun first");
    memory_engine_add(memory, block);
    return ERR_OK;
}

static enum err sync_all(struct engine *engine, struct engine_fault *fault)
{
    (void)fault;
    of(engine)->synced = of(engine)->count;
    return ERR_OK;
}

static enum err begin(struct engine *engine, struct engine_fault *fault)
{
    (void)fault;
    of(engine)->generations++;
    return ERR_OK;
}

// A block is in the stripe of its number.
static enum err cursor_open(struct engine *engine, unsigned stripe, struct engine_cursor **out,
                            struct engine_fault *fault)
{
    (void)fault;
    *out = malloc(sizeof(**out));
    cr_assert(*out != NULL);
    **out = (struct engine_cursor){.memory = of(engine), .next = stripe};
    return ERR_OK;
}

static enum err cursor_next(struct engine_cursor *cursor, struct slice *block,
                            struct engine_fault *fault)
{
    (void)fault;
    if (cursor->next >= cursor->memory->count) {
        return ERR_NOT_FOUND;
    }
    *block = cursor->memory->blocks[cursor->next];
    cursor->next += ENGINE_STRIPES;
    return block->at == NULL ? ERR_DAMAGED : ERR_OK;
}

static void cursor_close(struct engine_cursor *cursor)
{
    free(cursor);
}

void memory_engine_init(struct memory_engine *memory)
{
    static const struct engine_ops ops = {
        .append = append,
        .sync = sync_all,
        .begin = begin,
        .cursor_open = cursor_open,
        .cursor_next = cursor_next,
        .cursor_close = cursor_close,
    };
    *memory = (struct memory_engine){.engine = {.ops = &ops}};
}
