// SPDX-License-Identifier: Apache-2.0
// The ring seen by one thread; tests/concurrency/ring.c has several.
#include "net/ring.h"

#include <criterion/criterion.h>

enum { SLOTS = 8, SPARES = 3 };

static struct ring *ring;

static void start(void)
{
    ring = ring_create(SLOTS, SPARES);
    cr_assert_not_null(ring);
}

static void stop(void)
{
    ring_destroy(ring);
}

TestSuite(ring, .init = start, .fini = stop);

static void write_packet(struct ring_span span, unsigned i, uint32_t value)
{
    struct packet *const packet = ring_packet(ring, span, i);
    memcpy(packet->bytes, &value, sizeof(value));
    packet->len = value;
}

static void publish(uint32_t first, unsigned count)
{
    const struct ring_span span = ring_reserve(ring, count);
    cr_assert_eq(span.count, count);
    for (unsigned i = 0; i < count; i++) {
        write_packet(span, i, first + i);
    }
    ring_publish(ring, span);
}

// The packets of the span are these, in this order.
static void expect(struct ring_span span, uint32_t first, unsigned count)
{
    cr_assert_eq(span.count, count);
    for (unsigned i = 0; i < count; i++) {
        const struct packet *const packet = ring_packet(ring, span, i);
        uint32_t value;
        memcpy(&value, packet->bytes, sizeof(value));
        cr_assert_eq(value, first + i);
        cr_assert_eq(packet->len, first + i);
    }
}

static void claim_and_release(uint32_t first, unsigned count)
{
    const struct ring_span span = ring_claim(ring, count);
    expect(span, first, count);
    ring_release(ring, span);
}

Test(ring, what_is_published_is_claimed_in_order)
{
    publish(1, 3);
    publish(4, 2);
    claim_and_release(1, 2);
    claim_and_release(3, 3);
}

Test(ring, a_claim_takes_what_there_is_and_no_more_than_wanted)
{
    publish(1, 5);
    const struct ring_span some = ring_claim(ring, 2);
    const struct ring_span rest = ring_claim(ring, 100);
    expect(some, 1, 2);
    expect(rest, 3, 3);
    ring_release(ring, rest);
    ring_release(ring, some);
}

Test(ring, a_full_ring_reserves_nothing_until_a_slot_is_released)
{
    publish(1, SLOTS);
    cr_assert_eq(ring_reserve(ring, 1).count, 0);
    const struct ring_span span = ring_claim(ring, 1);
    cr_assert_eq(ring_reserve(ring, 1).count, 0); // claimed is not free
    ring_release(ring, span);
    cr_assert_eq(ring_reserve(ring, SLOTS).count, 1);
}

Test(ring, a_reservation_gets_what_is_free)
{
    publish(1, 5);
    const struct ring_span span = ring_reserve(ring, SLOTS);
    cr_assert_eq(span.count, SLOTS - 5);
    for (unsigned i = 0; i < span.count; i++) {
        write_packet(span, i, 6 + i);
    }
    ring_publish(ring, span);
    claim_and_release(1, SLOTS);
}

Test(ring, slots_may_be_released_in_any_order)
{
    publish(1, SLOTS);
    const struct ring_span first = ring_claim(ring, 4);
    const struct ring_span second = ring_claim(ring, 4);
    ring_release(ring, second);
    cr_assert_eq(ring_reserve(ring, 1).count, 0); // the next one in turn is still held
    ring_release(ring, first);
    publish(9, SLOTS);
    claim_and_release(9, SLOTS);
}

Test(ring, a_full_spare_is_exchanged_for_the_empty_buffer_of_a_slot)
{
    char *spares[SPARES];
    for (unsigned i = 0; i < SPARES; i++) {
        spares[i] = ring_take_spare(ring);
        memset(spares[i], 's', MESSAGE_BYTES_MAX);
    }
    for (uint32_t n = 0; n < 5 * SLOTS; n++) {
        const struct ring_span span = ring_reserve(ring, 1);
        struct packet *const packet = ring_packet(ring, span, 0);
        char *const full = spares[n % SPARES];
        memcpy(full, &n, sizeof(n));
        spares[n % SPARES] = packet->bytes;
        packet->bytes = full;
        packet->len = n;
        ring_publish(ring, span);
        claim_and_release(n, 1);
    }
    for (unsigned i = 0; i < SPARES; i++) {
        for (unsigned k = i + 1; k < SPARES; k++) {
            cr_assert_neq(spares[i], spares[k]);
        }
    }
}

Test(ring, what_is_published_behind_a_reservation_waits_for_it)
{
    const struct ring_span first = ring_reserve(ring, 1);
    publish(2, 2);
    write_packet(first, 0, 1);
    ring_publish(ring, first);
    claim_and_release(1, 3);
}

Test(ring, it_goes_round_many_times_with_spans_of_all_sizes)
{
    uint32_t in = 0;
    uint32_t out = 0;
    for (unsigned round = 0; round < 1000; round++) {
        const unsigned count = 1 + round % SLOTS;
        publish(in, count);
        in += count;
        cr_assert_eq(ring_depth(ring), in - out);
        while (out < in) {
            const struct ring_span span = ring_claim(ring, 1 + round % 3);
            expect(span, out, span.count);
            out += span.count;
            ring_release(ring, span);
        }
        cr_assert_eq(ring_depth(ring), 0);
    }
}

Test(ring, a_closed_ring_gives_what_it_has_and_then_nothing)
{
    publish(1, 3);
    ring_close(ring);
    claim_and_release(1, 2);
    claim_and_release(3, 1);
    cr_assert_eq(ring_claim(ring, 1).count, 0);
    cr_assert_eq(ring_claim(ring, 1).count, 0);
}

Test(ring, every_slot_holds_the_longest_message)
{
    const struct ring_span span = ring_reserve(ring, SLOTS);
    for (unsigned i = 0; i < span.count; i++) {
        memset(ring_packet(ring, span, i)->bytes, (int)i + 1, MESSAGE_BYTES_MAX);
    }
    for (unsigned i = 0; i < span.count; i++) {
        const char *const bytes = ring_packet(ring, span, i)->bytes;
        cr_assert_eq(bytes[0], (char)(i + 1));
        cr_assert_eq(bytes[MESSAGE_BYTES_MAX - 1], (char)(i + 1));
    }
}

Test(ring, destroying_none_is_legal)
{
    ring_destroy(NULL);
}
