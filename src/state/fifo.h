// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STATE_FIFO_H
#define SIGNPOST_STATE_FIFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A queue of pieces of memory of any size in one block that is allocated once: made at one end,
// given back at the other, and never moved in between. Piece for piece it costs no call to the
// allocator, and memory is written in the order of its addresses. The block is cut into chunks,
// which are used again as soon as their last piece has gone, so that of a large block only so much
// is ever touched as is needed at a time.
//
// No locks: one thread at a time. The fields are for fifo.c alone.
struct fifo {
    char *at;
    struct fifo_chunk *chunks;
    size_t chunk_bytes;
    uint32_t oldest; // chunk with the oldest piece; while there is none, as newest: FIFO_NO_CHUNK
    uint32_t newest; // chunk with the newest piece
    uint32_t spare;  // first of the chunks that are free
    size_t first;    // offset of the oldest piece in its chunk
    size_t used;     // bytes of all pieces
    size_t count;
};

enum { FIFO_NO_CHUNK = 0x7fffffff };

// A block of that many bytes. False when memory does not suffice; fifo_destroy is to be called all
// the same.
bool fifo_create(struct fifo *fifo, size_t capacity);
void fifo_destroy(struct fifo *fifo);

// The newest piece, of that many bytes and aligned to 8; NULL when there is no room for it.
void *fifo_push(struct fifo *fifo, size_t bytes);

// NULL when there is none.
void *fifo_oldest(const struct fifo *fifo);

// Gives the oldest piece back; there must be one.
void fifo_drop(struct fifo *fifo);

// A number for a piece, never 0, by which it is found again while it stands. Blocks of up to 32 GB.
uint32_t fifo_ref(const struct fifo *fifo, const void *piece);
void *fifo_piece(const struct fifo *fifo, uint32_t ref);

// A piece of that many bytes can stand in the block: it is no longer than a chunk. Chunks are of
// 128 KB, or an eighth of a smaller block.
bool fifo_fits(const struct fifo *fifo, size_t bytes);

#endif
