// SPDX-License-Identifier: Apache-2.0
#include "state/pool.h"

#include <criterion/criterion.h>
#include <stdalign.h>
#include <string.h>

#define ALLOCATOR_ELSEWHERE
#include "tests/unit/state/allocator.h"

enum { GROUND_BYTES = 128 * 1024 };

static struct {
    alignas(64) char bytes[GROUND_BYTES];
    struct pool_ground ground;
    struct pool pool;
    struct pool other;
} bed;

static void start(void)
{
    bed.ground.at = bed.bytes;
    bed.ground.bytes = sizeof(bed.bytes);
    atomic_init(&bed.ground.used, 0);
    pool_init(&bed.pool, &bed.ground);
    pool_init(&bed.other, &bed.ground);
}

static bool on_ground(const char *at)
{
    return at >= bed.bytes && at < bed.bytes + sizeof(bed.bytes);
}

TestSuite(pool, .init = start);

Test(pool, rows_are_aligned_and_do_not_overlap)
{
    static const size_t sizes[] = {1, 16, 17, 100, 140, 4700, POOL_ROW_BYTES, 20000};

    enum { COUNT = sizeof(sizes) / sizeof(sizes[0]) };

    char *rows[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        rows[i] = pool_take(i % 2 == 0 ? &bed.pool : &bed.other, sizes[i]);
        cr_assert(on_ground(rows[i]));
        cr_assert_eq((uintptr_t)rows[i] % POOL_STEP, 0);
        memset(rows[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert(rows[i][0] == (char)i && rows[i][sizes[i] - 1] == (char)i);
    }
}

Test(pool, what_is_given_back_serves_the_next_of_its_size)
{
    char *const row = pool_take(&bed.pool, 100);
    pool_give(&bed.pool, row, 100);
    cr_assert_neq(pool_take(&bed.pool, 200), row);
    cr_assert_eq(pool_take(&bed.pool, 105), row, "sizes that round up to the same are the same");
}

Test(pool, old_buckets_are_cut_up_for_rows)
{
    char *const buckets = pool_take(&bed.pool, 100000);
    cr_assert(on_ground(buckets));
    pool_give(&bed.pool, buckets, 100000);
    char *const row = pool_take(&bed.pool, 100);
    cr_assert(row >= buckets && row + 100 <= buckets + 100000);
}

Test(pool, the_rest_of_a_piece_is_used)
{
    char *const first = pool_take(&bed.pool, 16000);
    pool_give(&bed.pool, first, 16000); // now the piece
    cr_assert_eq((char *)pool_take(&bed.pool, 5120), first);
    cr_assert_eq((char *)pool_take(&bed.pool, 5120), first + 5120);
    cr_assert_eq((char *)pool_take(&bed.pool, 5120), first + 10240);
    cr_assert_neq((char *)pool_take(&bed.pool, 5120), first + 15360, "640 are left");
    cr_assert_eq((char *)pool_take(&bed.pool, 640), first + 15360);
}

Test(pool, malloc_gives_what_the_ground_does_not)
{
    char *rows[2 * GROUND_BYTES / 4096];
    const size_t count = sizeof(rows) / sizeof(rows[0]);
    allocator_count();
    for (size_t i = 0; i < count; i++) {
        rows[i] = pool_take(&bed.pool, 4096);
    }
    const long taken = allocator.live;
    for (size_t i = 0; i < count; i++) {
        pool_give(&bed.pool, rows[i], 4096);
    }
    const long left = allocator.live;
    (void)allocator_stop();
    cr_assert(on_ground(rows[0]));
    cr_assert(rows[count - 1] != NULL && !on_ground(rows[count - 1]));
    cr_assert_gt(taken, 0);
    cr_assert_eq(left, 0);
}

Test(pool, without_ground_it_is_malloc)
{
    struct pool_ground none = {0};
    pool_init(&bed.pool, &none);
    allocator_fail_after(1);
    char *const row = pool_take(&bed.pool, 100);
    const char *const none_left = pool_take(&bed.pool, 100);
    pool_give(&bed.pool, row, 100);
    pool_give(&bed.pool, NULL, 100);
    (void)allocator_stop();
    cr_assert_not_null(row);
    cr_assert_null(none_left);
    cr_assert_eq(allocator.live, 0);
}
