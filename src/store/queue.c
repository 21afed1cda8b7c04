// SPDX-License-Identifier: Apache-2.0
#include "store/queue.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
    CACHE_LINE = 64,
    UNIT = 8, // entries begin at its multiples, so that there is always room for a head
};

// The head that stands before each entry's bytes is their number, or this where the next entry is
// at the front of the room again.
#define SKIP UINT64_MAX

// Positions only grow; a 64-bit counter does not come round. What a side keeps for itself does not
// share a line with what the other reads.
struct queue {
    char *room;
    uint64_t bytes;

    alignas(CACHE_LINE) _Atomic uint64_t tail; // up to which it is published
    alignas(CACHE_LINE) _Atomic uint64_t head; // up to which it is released

    // The producer's. The other side's index is asked for only when what was last seen of it does
    // not do, for that takes the line from the other processor.
    alignas(CACHE_LINE) uint64_t write; // as tail
    uint64_t head_seen;
    uint64_t reserved; // position of the reserved entry
    size_t reserved_bytes;

    // The consumer's.
    alignas(CACHE_LINE) uint64_t read; // up to which it is told
    uint64_t tail_seen;
};

struct queue *queue_create(size_t bytes)
{
    assert(bytes >= QUEUE_BYTES_MIN && (bytes & (bytes - 1)) == 0);
    struct queue *const queue = aligned_alloc(alignof(struct queue), sizeof(*queue));
    void *const room = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (queue == NULL || room == MAP_FAILED) {
        if (room != MAP_FAILED) {
            (void)munmap(room, bytes);
        }
        free(queue);
        return NULL;
    }
    memset(queue, 0, sizeof(*queue));
    queue->room = room;
    queue->bytes = bytes;
    return queue;
}

void queue_destroy(struct queue *queue)
{
    if (queue == NULL) {
        return;
    }
    (void)munmap(queue->room, queue->bytes);
    free(queue);
}

static char *byte_at(const struct queue *queue, uint64_t position)
{
    return queue->room + (position & (queue->bytes - 1));
}

// From this position to where the room begins again.
static uint64_t to_end(const struct queue *queue, uint64_t position)
{
    return queue->bytes - (position & (queue->bytes - 1));
}

static uint64_t entry_bytes(size_t bytes)
{
    return UNIT + (bytes + UNIT - 1) / UNIT * UNIT;
}

// ---- Producer

// Everything before `end` may be written.
static bool has_room(struct queue *queue, uint64_t end)
{
    if (end - queue->head_seen > queue->bytes) {
        // acquire: the consumer has read what it released, before it is written over
        queue->head_seen = atomic_load_explicit(&queue->head, memory_order_acquire);
    }
    return end - queue->head_seen <= queue->bytes;
}

char *queue_reserve(struct queue *queue, size_t bytes)
{
    assert(bytes <= queue->bytes / 4);
    const uint64_t need = entry_bytes(bytes);
    const uint64_t left = to_end(queue, queue->write);
    const uint64_t start = need <= left ? queue->write : queue->write + left;
    if (!has_room(queue, start + need)) {
        return NULL;
    }
    queue->reserved = start;
    queue->reserved_bytes = bytes;
    return byte_at(queue, start) + UNIT;
}

static void write_head(struct queue *queue, uint64_t position, uint64_t head)
{
    memcpy(byte_at(queue, position), &head, sizeof(head));
}

void queue_publish(struct queue *queue, size_t bytes)
{
    assert(bytes <= queue->reserved_bytes);
    assert(queue->reserved >= queue->write);
    if (queue->reserved > queue->write) {
        write_head(queue, queue->write, SKIP);
    }
    write_head(queue, queue->reserved, bytes);
    queue->write = queue->reserved + entry_bytes(bytes);
    queue->reserved_bytes = 0;
    // release: the entry is written before it is seen to be published
    atomic_store_explicit(&queue->tail, queue->write, memory_order_release);
}

// ---- Consumer

static bool has_entry(struct queue *queue)
{
    if (queue->read == queue->tail_seen) {
        // acquire: goes with the release that published what is now seen
        queue->tail_seen = atomic_load_explicit(&queue->tail, memory_order_acquire);
    }
    return queue->read != queue->tail_seen;
}

static uint64_t read_head(const struct queue *queue)
{
    uint64_t head;
    memcpy(&head, byte_at(queue, queue->read), sizeof(head));
    return head;
}

bool queue_next(struct queue *queue, struct slice *entry)
{
    if (!has_entry(queue)) {
        return false;
    }
    uint64_t length = read_head(queue);
    if (length == SKIP) {
        queue->read += to_end(queue, queue->read);
        length = read_head(queue); // which was published together with the skip
    }
    assert(length <= queue->bytes / 4 && queue->read < queue->tail_seen);
    *entry = slice_of(byte_at(queue, queue->read) + UNIT, length);
    queue->read += entry_bytes(length);
    return true;
}

void queue_release(struct queue *queue)
{
    // release: all of it has been read before it is seen to be free
    atomic_store_explicit(&queue->head, queue->read, memory_order_release);
}

size_t queue_bytes(const struct queue *queue)
{
    // relaxed: a number for people
    const uint64_t head = atomic_load_explicit(&queue->head, memory_order_relaxed);
    const uint64_t tail = atomic_load_explicit(&queue->tail, memory_order_relaxed);
    return tail > head ? tail - head : 0;
}
