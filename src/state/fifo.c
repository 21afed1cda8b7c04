// SPDX-License-Identifier: Apache-2.0
#include "state/fifo.h"

#include <assert.h>
#include <stdlib.h>

enum {
    ALIGNMENT = 8,
    CHUNK_BYTES = 128 * 1024,
    CHUNKS_MIN = 8,
};

struct fifo_chunk {
    uint32_t next; // the next newer, or the next spare one, or FIFO_NO_CHUNK
    uint32_t end;  // offset behind its last piece
};

// What stands before each piece.
struct head {
    size_t bytes; // with the head
};

static_assert(sizeof(struct head) % ALIGNMENT == 0, "a piece behind its head is aligned");

static size_t cost_of(size_t bytes)
{
    return (sizeof(struct head) + bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

bool fifo_fits(const struct fifo *fifo, size_t bytes)
{
    return cost_of(bytes) <= fifo->chunk_bytes;
}

bool fifo_create(struct fifo *fifo, size_t bytes)
{
    const size_t part = bytes / CHUNKS_MIN / ALIGNMENT * ALIGNMENT;
    const size_t chunk_bytes = part < CHUNK_BYTES ? part : CHUNK_BYTES;
    const uint32_t count = chunk_bytes == 0 ? 0 : (uint32_t)(bytes / chunk_bytes);
    *fifo = (struct fifo){
        .chunk_bytes = chunk_bytes,
        .oldest = FIFO_NO_CHUNK,
        .newest = FIFO_NO_CHUNK,
        .spare = count == 0 ? FIFO_NO_CHUNK : 0,
    };
    assert(bytes / ALIGNMENT < UINT32_MAX);
    // malloc, not calloc: what is never used is never touched
    fifo->at = malloc(bytes);
    fifo->chunks = malloc((count + 1) * sizeof(struct fifo_chunk));
    if (fifo->at == NULL || fifo->chunks == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        fifo->chunks[i].next = i + 1 < count ? i + 1 : FIFO_NO_CHUNK;
    }
    return true;
}

void fifo_destroy(struct fifo *fifo)
{
    free(fifo->at);
    free(fifo->chunks);
}

// Makes the newest chunk one with room for that much. False when none is left.
static bool find_chunk(struct fifo *fifo, size_t cost)
{
    const uint32_t spare = fifo->spare;
    if (fifo->newest != FIFO_NO_CHUNK &&
        cost <= fifo->chunk_bytes - fifo->chunks[fifo->newest].end) {
        return true;
    }
    if (spare == FIFO_NO_CHUNK || cost > fifo->chunk_bytes) {
        return false;
    }
    fifo->spare = fifo->chunks[spare].next;
    fifo->chunks[spare] = (struct fifo_chunk){.next = FIFO_NO_CHUNK};
    if (fifo->newest == FIFO_NO_CHUNK) {
        fifo->oldest = spare;
        fifo->first = 0;
    } else {
        fifo->chunks[fifo->newest].next = spare;
    }
    fifo->newest = spare;
    return true;
}

static struct head *head_at(const struct fifo *fifo, uint32_t chunk, size_t offset)
{
    return (struct head *)(void *)(fifo->at + chunk * fifo->chunk_bytes + offset);
}

void *fifo_push(struct fifo *fifo, size_t bytes)
{
    const size_t cost = cost_of(bytes);
    if (!find_chunk(fifo, cost)) {
        return NULL;
    }
    struct fifo_chunk *const chunk = &fifo->chunks[fifo->newest];
    struct head *const head = head_at(fifo, fifo->newest, chunk->end);
    head->bytes = cost;
    chunk->end += (uint32_t)cost;
    fifo->used += cost;
    fifo->count++;
    return head + 1;
}

void *fifo_oldest(const struct fifo *fifo)
{
    return fifo->count == 0 ? NULL : head_at(fifo, fifo->oldest, fifo->first) + 1;
}

// The oldest chunk is empty. The spare ones are used again from the last that became one, whose
// memory is the likeliest to be in a cache.
static void give_chunk_back(struct fifo *fifo)
{
    const uint32_t empty = fifo->oldest;
    fifo->oldest = fifo->chunks[empty].next;
    fifo->first = 0;
    if (fifo->oldest == FIFO_NO_CHUNK) {
        fifo->newest = FIFO_NO_CHUNK;
    }
    fifo->chunks[empty].next = fifo->spare;
    fifo->spare = empty;
}

void fifo_drop(struct fifo *fifo)
{
    assert(fifo->count > 0);
    const size_t cost = head_at(fifo, fifo->oldest, fifo->first)->bytes;
    fifo->first += cost;
    fifo->used -= cost;
    fifo->count--;
    if (fifo->first == fifo->chunks[fifo->oldest].end) {
        give_chunk_back(fifo);
    }
}

uint32_t fifo_ref(const struct fifo *fifo, const void *piece)
{
    return (uint32_t)((size_t)((const char *)piece - fifo->at) / ALIGNMENT);
}

void *fifo_piece(const struct fifo *fifo, uint32_t ref)
{
    return fifo->at + (size_t)ref * ALIGNMENT;
}
