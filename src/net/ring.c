// SPDX-License-Identifier: Apache-2.0
#include "net/ring.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
    CACHE_LINE = 64,
    // Beyond the longest message, so that the buffers do not all begin in the same sets of the
    // first-level cache, as they would at a power of two.
    RING_BUFFER_STRIDE = 65536 + 9 * CACHE_LINE,
};

static_assert((int)RING_BUFFER_STRIDE > (int)MESSAGE_BYTES_MAX, "it holds the longest message");

// `turn` says whose the slot for position p is: p = free, p + 1 = published; when it is given
// back it becomes p + slots, which is free for the position one lap later.
struct slot {
    alignas(CACHE_LINE) _Atomic uint64_t turn;
    struct packet packet;
};

static_assert(sizeof(struct slot) == 2 * sizeof(char[CACHE_LINE]),
              "a slot has no more lines than it needs");

// Positions only grow; a 64-bit counter does not come round. Each side's index has a cache line of
// its own, so that producers and consumers do not take it from each other.
struct ring {
    struct slot *slots;
    char *bytes;
    uint64_t mask;
    size_t buffers;                                // the slots' and the spares
    _Atomic size_t spares_taken;                   // the spares come after the slots' buffers
    alignas(CACHE_LINE) _Atomic uint64_t tail;     // next position to reserve
    alignas(CACHE_LINE) _Atomic uint64_t head;     // next position to claim
    alignas(CACHE_LINE) _Atomic uint32_t sleepers; // consumers to call: asleep or about to be
    _Atomic uint32_t wakes;                        // the word that they sleep on
    _Atomic bool closed;
};

static char *buffer_at(const struct ring *ring, size_t i)
{
    assert(i < ring->buffers);
    return ring->bytes + i * RING_BUFFER_STRIDE;
}

struct ring *ring_create(unsigned slots, unsigned spares)
{
    assert(slots >= 2 && (slots & (slots - 1)) == 0);
    struct ring *const ring = aligned_alloc(alignof(struct ring), sizeof(*ring));
    if (ring == NULL) {
        return NULL;
    }
    memset(ring, 0, sizeof(*ring));
    ring->mask = slots - 1;
    ring->buffers = (size_t)slots + spares;
    ring->slots = aligned_alloc(alignof(struct slot), slots * sizeof(struct slot));
    void *const bytes = mmap(NULL, ring->buffers * RING_BUFFER_STRIDE, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring->slots == NULL || bytes == MAP_FAILED) {
        ring->bytes = bytes == MAP_FAILED ? NULL : bytes;
        ring_destroy(ring);
        return NULL;
    }
    ring->bytes = bytes;
    for (unsigned i = 0; i < slots; i++) {
        ring->slots[i].packet = (struct packet){.bytes = buffer_at(ring, i)};
        atomic_init(&ring->slots[i].turn, i);
    }
    return ring;
}

void ring_destroy(struct ring *ring)
{
    if (ring == NULL) {
        return;
    }
    if (ring->bytes != NULL) {
        (void)munmap(ring->bytes, ring->buffers * RING_BUFFER_STRIDE);
    }
    free(ring->slots);
    free(ring);
}

char *ring_take_spare(struct ring *ring)
{
    // relaxed: only that each is taken once
    const size_t n = atomic_fetch_add_explicit(&ring->spares_taken, 1, memory_order_relaxed);
    return buffer_at(ring, (size_t)ring->mask + 1 + n);
}

static struct slot *slot_at(struct ring *ring, uint64_t position)
{
    return &ring->slots[position & ring->mask];
}

struct packet *ring_packet(struct ring *ring, struct ring_span span, unsigned i)
{
    assert(i < span.count);
    return &slot_at(ring, span.start + i)->packet;
}

// How many of the slots from `position` on, up to `want`, are at their turn plus `stage`.
static unsigned count_ready(struct ring *ring, uint64_t position, unsigned want, unsigned stage)
{
    unsigned n = 0;
    // acquire: what the other side wrote into the slot, or read from it, is done
    while (n < want && atomic_load_explicit(&slot_at(ring, position + n)->turn,
                                            memory_order_acquire) == position + n + stage) {
        n++;
    }
    return n;
}

// Moves an index forward over slots that are ready. Nobody can unready a slot beyond the index, so
// what was counted still holds when the exchange succeeds.
static struct ring_span advance(struct ring *ring, _Atomic uint64_t *index, unsigned want,
                                unsigned stage)
{
    // relaxed: the index only names a place; the slots' turns carry the order
    uint64_t position = atomic_load_explicit(index, memory_order_relaxed);
    for (;;) {
        const unsigned n = count_ready(ring, position, want, stage);
        if (n == 0) {
            const uint64_t again = atomic_load_explicit(index, memory_order_relaxed); // as above
            if (again == position) {
                return (struct ring_span){.start = position, .count = 0};
            }
            position = again;
        } else if (atomic_compare_exchange_weak_explicit(index, &position, position + n,
                                                         memory_order_relaxed, // as above
                                                         memory_order_relaxed)) {
            return (struct ring_span){.start = position, .count = n};
        }
    }
}

struct ring_span ring_reserve(struct ring *ring, unsigned want)
{
    return advance(ring, &ring->tail, want, 0);
}

static void wake(struct ring *ring, int count)
{
    // release: who reads the new word goes on to see what was published before
    atomic_fetch_add_explicit(&ring->wakes, 1, memory_order_release);
    (void)syscall(SYS_futex, &ring->wakes, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}

// Wakes one of the sleepers and takes him off the count at once, so that what is published before
// he has got up does not call him again. `sleepers` is what was there a moment ago.
static void call_sleeper(struct ring *ring, uint32_t sleepers)
{
    while (sleepers > 0) {
        // acquire: the sleeper had read the word before he was counted, and wake changes it after
        if (atomic_compare_exchange_weak_explicit(&ring->sleepers, &sleepers, sleepers - 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            wake(ring, 1);
            return;
        }
    }
}

void ring_publish(struct ring *ring, struct ring_span span)
{
    for (unsigned i = 0; i < span.count; i++) {
        // release: the packet is written before it is seen to be published
        atomic_store_explicit(&slot_at(ring, span.start + i)->turn, span.start + i + 1,
                              memory_order_release);
    }
    // A read-modify-write, so that it has a place in one order with the consumer's in
    // sleep_if_empty: either that one comes later, and then (acquire there, release here) the
    // consumer's second look sees what was published; or it comes earlier, and is seen here.
    call_sleeper(ring, atomic_fetch_add_explicit(&ring->sleepers, 0, memory_order_acq_rel));
}

// Returns with what there was at the second look, or empty after a sleep.
//
// Who calls a sleeper takes him off the count; he himself never does, for he cannot tell whether
// somebody has. So there may be more counted than are asleep, which costs a needless call each,
// but never fewer.
static struct ring_span sleep_if_empty(struct ring *ring, unsigned want)
{
    // acquire: a word that has been changed brings with it what was published. Before counting
    // himself, so that who then calls changes the word that he has seen.
    const uint32_t wakes = atomic_load_explicit(&ring->wakes, memory_order_acquire);
    // acq_rel: the counterpart of the exchange in ring_publish
    (void)atomic_fetch_add_explicit(&ring->sleepers, 1, memory_order_acq_rel);
    const struct ring_span span = advance(ring, &ring->head, want, 1);
    // acquire: what was published before closing is seen
    if (span.count == 0 && !atomic_load_explicit(&ring->closed, memory_order_acquire)) {
        // Returns at once when the word has changed; a spurious return does no harm.
        (void)syscall(SYS_futex, &ring->wakes, FUTEX_WAIT_PRIVATE, wakes, NULL, NULL, 0);
    }
    return span;
}

struct ring_span ring_claim(struct ring *ring, unsigned want)
{
    for (;;) {
        // acquire, and before the attempt: if it was closed then, what the attempt does not find
        // will never come
        const bool closed = atomic_load_explicit(&ring->closed, memory_order_acquire);
        struct ring_span span = advance(ring, &ring->head, want, 1);
        if (span.count == 0 && !closed) {
            span = sleep_if_empty(ring, want);
        }
        if (span.count == want && ring_depth(ring) > 0) {
            // relaxed: a hint; who leaves work behind calls a sleeper to it
            call_sleeper(ring, atomic_load_explicit(&ring->sleepers, memory_order_relaxed));
        }
        if (span.count > 0 || closed) {
            return span;
        }
    }
}

void ring_release(struct ring *ring, struct ring_span span)
{
    for (unsigned i = 0; i < span.count; i++) {
        // release: the packet has been read before the slot is seen to be free
        atomic_store_explicit(&slot_at(ring, span.start + i)->turn, span.start + i + ring->mask + 1,
                              memory_order_release);
    }
}

void ring_close(struct ring *ring)
{
    // release: goes with the loads of `closed`
    atomic_store_explicit(&ring->closed, true, memory_order_release);
    wake(ring, INT_MAX);
}

unsigned ring_depth(const struct ring *ring)
{
    // relaxed: a number for people
    const uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    const uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    return tail > head ? (unsigned)(tail - head) : 0;
}

unsigned ring_slots(const struct ring *ring)
{
    return (unsigned)(ring->mask + 1);
}
