// SPDX-License-Identifier: Apache-2.0
// The ring between several producers and consumers: every item comes out exactly once and in
// order, no consumer sleeps through one, closing wakes all. A wake-up that is lost shows as a hang,
// which the alarm ends.
#include "net/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ALARM_S = 200,
    PRODUCERS = 3,
    CONSUMERS = 3,
    ITEMS = 30000,       // of each producer
    LONE_ITEMS = 100000, // of one producer to one consumer
    BURST_ITEMS = 10000,
    CLOSINGS = 100,
    SPAN_MAX = 7,
};

struct item {
    uint32_t producer;
    uint32_t number;
};

static struct ring *ring;
static _Atomic uint8_t seen[PRODUCERS][LONE_ITEMS];
static _Atomic unsigned handled;

static void check(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static void start(pthread_t *thread, void *(*run)(void *), void *arg)
{
    check(pthread_create(thread, NULL, run, arg) == 0, "pthread_create");
}

static void join_all(const pthread_t *threads, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        check(pthread_join(threads[i], NULL) == 0, "pthread_join");
    }
}

static void write_item(struct ring_span span, unsigned i, uint32_t producer, uint32_t number)
{
    const struct item item = {.producer = producer, .number = number};
    struct packet *const packet = ring_packet(ring, span, i);
    memcpy(packet->bytes, &item, sizeof(item));
    packet->len = number;
}

// Every second time a spare buffer goes into the slot, as a receiver's does, and its own comes out.
static void exchange(struct ring_span span, unsigned i, char **spare)
{
    struct packet *const packet = ring_packet(ring, span, i);
    char *const full = *spare;
    *spare = packet->bytes;
    packet->bytes = full;
}

// Reserves spans of changing size.
static void *produce(void *arg)
{
    const uint32_t *const producer = arg;
    char *spare = ring_take_spare(ring);
    uint32_t number = 0;
    for (unsigned turn = *producer; number < ITEMS; turn++) {
        const unsigned left = ITEMS - number;
        const unsigned want = 1 + turn % SPAN_MAX;
        const struct ring_span span = ring_reserve(ring, want < left ? want : left);
        if (span.count == 0) {
            (void)sched_yield();
            continue;
        }
        for (unsigned i = 0; i < span.count; i++) {
            if (number % 2 == 0) {
                exchange(span, i, &spare);
            }
            write_item(span, i, *producer, number++);
        }
        ring_publish(ring, span);
    }
    return NULL;
}

static void take_item(const struct packet *packet, uint32_t next[static PRODUCERS])
{
    struct item item;
    memcpy(&item, packet->bytes, sizeof(item));
    check(item.producer < PRODUCERS && item.number < LONE_ITEMS, "an item is whole");
    check(packet->len == item.number, "a packet and its bytes belong together");
    check(item.number >= next[item.producer], "a consumer sees each producer's items in order");
    next[item.producer] = item.number + 1;
    check(atomic_fetch_add(&seen[item.producer][item.number], 1) == 0, "an item comes out once");
    atomic_fetch_add(&handled, 1);
}

static void *consume(void *arg)
{
    const unsigned *const want = arg;
    uint32_t next[PRODUCERS] = {0};
    for (;;) {
        const struct ring_span span = ring_claim(ring, *want);
        check(span.count <= *want, "no more is claimed than wanted");
        for (unsigned i = 0; i < span.count; i++) {
            take_item(ring_packet(ring, span, i), next);
        }
        ring_release(ring, span);
        if (span.count == 0) {
            return NULL;
        }
    }
}

static void reset(unsigned slots)
{
    ring = ring_create(slots, PRODUCERS);
    check(ring != NULL, "ring_create");
    atomic_store(&handled, 0);
    for (unsigned p = 0; p < PRODUCERS; p++) {
        for (unsigned i = 0; i < LONE_ITEMS; i++) {
            atomic_store(&seen[p][i], 0);
        }
    }
}

static void every_item_comes_out_once_and_in_order(unsigned slots)
{
    static const uint32_t ids[PRODUCERS] = {0, 1, 2};
    static unsigned wants[CONSUMERS] = {1, 5, 32};
    uint32_t producer_ids[PRODUCERS];
    pthread_t producers[PRODUCERS];
    pthread_t consumers[CONSUMERS];
    reset(slots);
    memcpy(producer_ids, ids, sizeof(ids));
    for (unsigned i = 0; i < CONSUMERS; i++) {
        start(&consumers[i], consume, &wants[i]);
    }
    for (unsigned i = 0; i < PRODUCERS; i++) {
        start(&producers[i], produce, &producer_ids[i]);
    }
    join_all(producers, PRODUCERS);
    ring_close(ring);
    join_all(consumers, CONSUMERS);
    check(atomic_load(&handled) == PRODUCERS * ITEMS, "every item comes out");
    check(ring_depth(ring) == 0, "the ring is empty at the end");
    ring_destroy(ring);
}

static void wait_until_handled(unsigned count)
{
    for (unsigned spins = 1; atomic_load(&handled) < count; spins++) {
        if (spins % 64 == 0) {
            (void)sched_yield();
        }
    }
}

// A consumer that is held up between an item and the release of its slot can make the ring full.
static void publish_items(uint32_t first, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        const struct ring_span span = ring_reserve(ring, count - done);
        for (unsigned i = 0; i < span.count; i++) {
            write_item(span, i, 0, first + done++);
        }
        ring_publish(ring, span);
        if (span.count == 0) {
            (void)sched_yield();
        }
    }
}

// The producer waits for each item to be handled before it publishes the next, so that the
// consumers are awake, about to sleep, or sleeping, at every turn. A single one has nobody to make
// up for a wake-up that it misses.
static void a_sleeping_consumer_is_woken_by_every_item(unsigned consumer_count, unsigned items)
{
    static unsigned wants[CONSUMERS] = {1, 2, 32};
    pthread_t consumers[CONSUMERS];
    reset(64);
    for (unsigned i = 0; i < consumer_count; i++) {
        start(&consumers[i], consume, &wants[i]);
    }
    for (uint32_t n = 0; n < items; n++) {
        publish_items(n, 1);
        wait_until_handled(n + 1);
        // long enough now and then that all of them do sleep
        if (n % 512 == 0) {
            (void)usleep(200);
        }
        // and else a little longer each time, to meet them at every step of their way to sleep
        for (volatile unsigned delay = 0; delay < n % 64; delay++) {
        }
    }
    ring_close(ring);
    join_all(consumers, consumer_count);
    ring_destroy(ring);
}

// A burst wakes one consumer; that one, with its hands full, the next.
static void bursts_reach_consumers_that_claim_one_at_a_time(void)
{
    enum { BURST = 32 };

    static unsigned want = 1;
    pthread_t consumers[CONSUMERS];
    reset(64);
    for (unsigned i = 0; i < CONSUMERS; i++) {
        start(&consumers[i], consume, &want);
    }
    for (uint32_t n = 0; n < BURST_ITEMS; n += BURST) {
        const unsigned count = BURST_ITEMS - n < BURST ? BURST_ITEMS - n : BURST;
        publish_items(n, count);
        wait_until_handled(n + count);
    }
    ring_close(ring);
    join_all(consumers, CONSUMERS);
    ring_destroy(ring);
}

static void closing_wakes_all(void)
{
    static unsigned want = 8;
    for (unsigned n = 0; n < CLOSINGS; n++) {
        pthread_t consumers[CONSUMERS];
        ring = ring_create(2, 0);
        check(ring != NULL, "ring_create");
        for (unsigned i = 0; i < CONSUMERS; i++) {
            start(&consumers[i], consume, &want);
        }
        if (n % 4 == 0) {
            (void)usleep(200); // all of them sleep; else they are on their way
        }
        ring_close(ring);
        join_all(consumers, CONSUMERS);
        ring_destroy(ring);
    }
}

int main(void)
{
    (void)alarm(ALARM_S);
    every_item_comes_out_once_and_in_order(64);
    every_item_comes_out_once_and_in_order(4); // always full, or nearly
    a_sleeping_consumer_is_woken_by_every_item(1, LONE_ITEMS);
    a_sleeping_consumer_is_woken_by_every_item(CONSUMERS, BURST_ITEMS);
    bursts_reach_consumers_that_claim_one_at_a_time();
    closing_wakes_all();
    (void)printf("%u items by %u producers to %u consumers\n", (unsigned)(PRODUCERS * ITEMS),
                 (unsigned)PRODUCERS, (unsigned)CONSUMERS);
    return EXIT_SUCCESS;
}
