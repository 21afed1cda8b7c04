// SPDX-License-Identifier: Apache-2.0
#include "state/fifo.h"

#include <criterion/criterion.h>
#include <string.h>

#include "signpost/base/slice.h"
#include "tests/unit/support.h"

enum { PIECES = 4096 };

// What the queue holds, by a model that only counts.
struct piece {
    unsigned char *at;
    size_t bytes;
    unsigned char fill;
};

static struct piece model[PIECES];
static unsigned oldest;
static unsigned newest;

static void push(struct fifo *fifo, size_t bytes)
{
    struct piece *const piece = &model[newest % PIECES];
    const unsigned char fill = (unsigned char)(newest * 7 + 1);
    unsigned char *const at = fifo_push(fifo, bytes);
    if (at == NULL) {
        return;
    }
    cr_assert_eq((uintptr_t)at % 8, 0);
    cr_assert_eq(fifo_piece(fifo, fifo_ref(fifo, at)), at);
    cr_assert_neq(fifo_ref(fifo, at), 0);
    memset(at, fill, bytes);
    *piece = (struct piece){.at = at, .bytes = bytes, .fill = fill};
    newest++;
}

// What was written into the oldest piece is still there: no later one overlaps it.
static void drop(struct fifo *fifo)
{
    const struct piece *const piece = &model[oldest % PIECES];
    cr_assert_eq(fifo_oldest(fifo), piece->at);
    for (size_t i = 0; i < piece->bytes; i++) {
        cr_assert_eq(piece->at[i], piece->fill);
    }
    fifo_drop(fifo);
    oldest++;
}

Test(fifo, pieces_of_any_size_come_and_go_in_order_and_never_overlap)
{
    uint64_t state = 5;
    struct fifo fifo;
    cr_assert(fifo_create(&fifo, 40000));
    for (unsigned i = 0; i < 200000; i++) {
        const uint64_t random = next_random(&state);
        const bool fill = (i / 500) % 2 == 0;
        if ((random >> 32) % 8 < (fill ? 5 : 3)) {
            push(&fifo, (random >> 40) % 300 + 1);
        } else if (oldest != newest) {
            drop(&fifo);
        }
        cr_assert_eq(fifo.count, newest - oldest);
        cr_assert_leq(fifo.used, 40000);
    }
    while (oldest != newest) {
        drop(&fifo);
    }
    cr_assert_null(fifo_oldest(&fifo));
    cr_assert_eq(fifo.used, 0);
    fifo_destroy(&fifo);
}

Test(fifo, a_piece_is_as_long_as_a_chunk_at_most)
{
    struct fifo fifo;
    cr_assert(fifo_create(&fifo, 8000));
    cr_assert(fifo_fits(&fifo, 992));
    cr_assert_not(fifo_fits(&fifo, 993));
    cr_assert_null(fifo_push(&fifo, 993));
    for (unsigned i = 0; i < 8; i++) {
        cr_assert_not_null(fifo_push(&fifo, 992));
    }
    cr_assert_null(fifo_push(&fifo, 1));
    fifo_drop(&fifo);
    cr_assert_not_null(fifo_push(&fifo, 992));
    fifo_destroy(&fifo);
}

Test(fifo, nothing_fits_a_block_of_nothing)
{
    struct fifo fifo;
    cr_assert(fifo_create(&fifo, 1));
    cr_assert_null(fifo_push(&fifo, 0));
    cr_assert_null(fifo_oldest(&fifo));
    fifo_destroy(&fifo);
}

Test(fifo, a_few_pieces_at_a_time_touch_little_of_a_large_block)
{
    struct fifo fifo;
    size_t furthest = 0;
    cr_assert(fifo_create(&fifo, 1 << 24));
    for (unsigned i = 0; i < 100000; i++) {
        const char *const at = fifo_push(&fifo, 92);
        const size_t end = (size_t)(at - fifo.at) + 92;
        furthest = end > furthest ? end : furthest;
        if (i >= 50) {
            fifo_drop(&fifo);
        }
    }
    cr_assert_leq(furthest, 2 * 128 * 1024);
    fifo_destroy(&fifo);
}

Test(fifo, what_is_held_can_grow_to_the_whole_block_wherever_it_begins)
{
    struct fifo fifo;
    cr_assert(fifo_create(&fifo, 80 * 100));
    for (unsigned begin = 0; begin < 300; begin++) {
        while (fifo_oldest(&fifo) != NULL) {
            fifo_drop(&fifo);
        }
        for (unsigned i = 0; i < begin; i++) {
            (void)fifo_push(&fifo, 92);
            if (i >= 10) {
                fifo_drop(&fifo);
            }
        }
        while (fifo_push(&fifo, 92) != NULL) {
        }
        // But for the place of those that have left the oldest chunk.
        cr_assert_geq(fifo.count, 64, "%u: %zu", begin, fifo.count);
    }
    fifo_destroy(&fifo);
}
