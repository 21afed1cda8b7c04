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
    RING_SLOT_STRIDE = 65536 + 9 * CACHE_LINE,
};

static_assert((int)RING_SLOT_STRIDE > (int)MESSAGE_BYTES_MAX, "a slot holds the longest message");

// `turn` says whose the slot for position p is: p = free, p + 1 = published; when it is given
// back it becomes p + slots, which is free for the position one lap later.
struct slot {
    alignas(CACHE_LINE) _Atomic uint64_t turn;
    struct packet packet;
};

// Positions only grow; a 64-bit counter does not come round. Each side's index has a cache line of
// its own, so that producers and consumers do not take it from each other.
struct ring {
    struct slot *slots;
    char *bytes;
    uint64_t mask;
    alignas(CACHE_LINE) _Atomic uint64_t tail;     // next position to reserve
    alignas(CACHE_LINE) _Atomic uint64_t head;     // next position to claim
    alignas(CACHE_LINE) _Atomic uint32_t sleepers; // consumers that sleep or are about to
    _Atomic uint32_t wakes;                        // the word that they sleep on
    _Atomic bool closed;
};

static size_t buffer_bytes(const struct ring *ring)
{
    return (size_t)(ring->mask + 1) * RING_SLOT_STRIDE;
}

struct ring *ring_create(unsigned slots)
{
    assert(slots >= 2 && (slots & (slots - 1)) == 0);
    struct ring *const ring = aligned_alloc(alignof(struct ring), sizeof(*ring));
    if (ring == NULL) {
        return NULL;
    }
    memset(ring, 0, sizeof(*ring));
    ring->mask = slots - 1;
    ring->slots = aligned_alloc(alignof(struct slot), slots * sizeof(struct slot));
    void *const bytes = mmap(NULL, buffer_bytes(ring), PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ring->slots == NULL || bytes == MAP_FAILED) {
        ring->bytes = bytes == MAP_FAILED ? NULL : bytes;
        ring_destroy(ring);
        return NULL;
    }
    ring->bytes = bytes;
    for (unsigned i = 0; i < slots; i++) {
        ring->slots[i].packet =
            (struct packet){.bytes = ring->bytes + (size_t)i * RING_SLOT_STRIDE};
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
        (void)munmap(ring->bytes, buffer_bytes(ring));
    }
    free(ring->slots);
    free(ring);
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

// Gives back the end of a span. If no other producer has reserved behind it the index can simply
// go back; otherwise the slots are published as empty, for consumers to pass over.
static unsigned give_back(struct ring *ring, struct ring_span span, unsigned used)
{
    uint64_t end = span.start + span.count;
    // relaxed: the slots are untouched and still at their free turn
    if (atomic_compare_exchange_strong_explicit(&ring->tail, &end, span.start + used,
                                                memory_order_relaxed, memory_order_relaxed)) {
        return used;
    }
    for (unsigned i = used; i < span.count; i++) {
        ring_packet(ring, span, i)->empty = true;
    }
    return span.count;
}

void ring_publish(struct ring *ring, struct ring_span span, unsigned used)
{
    assert(used <= span.count);
    const unsigned count = used < span.count ? give_back(ring, span, used) : used;
    for (unsigned i = 0; i < used; i++) {
        ring_packet(ring, span, i)->empty = false;
    }
    for (unsigned i = 0; i < count; i++) {
        // release: the packet is written before it is seen to be published
        atomic_store_explicit(&slot_at(ring, span.start + i)->turn, span.start + i + 1,
                              memory_order_release);
    }
    // A read-modify-write, so that it has a place in one order with the consumer's in ring_claim:
    // either that one comes later, and then (acquire there, release here) the consumer's second
    // look sees what was published; or it comes earlier, and is seen here.
    if (count > 0 && atomic_fetch_add_explicit(&ring->sleepers, 0, memory_order_acq_rel) > 0) {
        wake(ring, 1);
    }
}

static void sleep_until_woken(struct ring *ring, uint32_t wakes)
{
    // Returns at once when the word has changed; a spurious return does no harm.
    (void)syscall(SYS_futex, &ring->wakes, FUTEX_WAIT_PRIVATE, wakes, NULL, NULL, 0);
}

// One attempt. When the ring was empty and is not closed, sleeps a while.
static struct ring_span claim_or_sleep(struct ring *ring, unsigned want)
{
    struct ring_span span = advance(ring, &ring->head, want, 1);
    if (span.count > 0) {
        return span;
    }
    // acq_rel: the counterpart of the exchange in ring_publish
    (void)atomic_fetch_add_explicit(&ring->sleepers, 1, memory_order_acq_rel);
    // acquire: a word that has been changed brings with it what was published
    const uint32_t wakes = atomic_load_explicit(&ring->wakes, memory_order_acquire);
    span = advance(ring, &ring->head, want, 1);
    // acquire: what was published before closing is seen
    if (span.count == 0 && !atomic_load_explicit(&ring->closed, memory_order_acquire)) {
        sleep_until_woken(ring, wakes);
    }
    // relaxed: a count too high for a moment costs a needless wake at most
    (void)atomic_fetch_sub_explicit(&ring->sleepers, 1, memory_order_relaxed);
    return span;
}

struct ring_span ring_claim(struct ring *ring, unsigned want)
{
    for (;;) {
        // acquire, and before the attempt: if it was closed then, what the attempt does not find
        // will never come
        const bool closed = atomic_load_explicit(&ring->closed, memory_order_acquire);
        const struct ring_span span = claim_or_sleep(ring, want);
        // relaxed: a hint; who claims a full batch leaves work behind, perhaps, and calls a
        // sleeper to it
        if (span.count == want && atomic_load_explicit(&ring->sleepers, memory_order_relaxed) > 0) {
            wake(ring, 1);
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
