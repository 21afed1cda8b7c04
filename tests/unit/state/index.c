// SPDX-License-Identifier: Apache-2.0
#include "state/index.h"

#include <criterion/criterion.h>

#include "tests/unit/support.h"

#define ALLOCATOR_ELSEWHERE
#include "tests/unit/state/allocator.h"

enum { REFS = 2000 };

static struct index table;
static uint32_t tag_of[REFS + 1]; // of refs from 1; 0 stands for those that are not there
static bool present[REFS + 1];

static void stop(void)
{
    index_destroy(&table);
}

TestSuite(index, .fini = stop);

static bool finds(uint32_t tag, uint32_t wanted)
{
    struct index_search search;
    unsigned steps = 0;
    for (uint32_t ref = index_first(&table, tag, &search); ref != 0;
         ref = index_next(&table, &search)) {
        cr_assert_leq(ref, REFS);
        cr_assert(present[ref] && tag_of[ref] == tag);
        if (ref == wanted) {
            return true;
        }
        cr_assert_leq(++steps, REFS);
    }
    return false;
}

Test(index, of_an_empty_one_nothing_is_found)
{
    struct index_search search;
    cr_assert_eq(index_first(&table, 1, &search), 0);
    cr_assert(index_reserve(&table, 1));
    cr_assert_eq(index_first(&table, 1, &search), 0);
}

// Tags so poor that most rows stand in one run, which goes round the end of the table.
static void agrees_with_a_model(uint32_t (*tag)(uint64_t random))
{
    uint64_t state = 3;
    for (unsigned i = 0; i < 60000; i++) {
        const uint64_t random = next_random(&state);
        const uint32_t ref = (uint32_t)(random >> 40) % REFS + 1;
        if (present[ref]) {
            cr_assert(finds(tag_of[ref], ref));
            index_remove(&table, tag_of[ref], ref);
            present[ref] = false;
            cr_assert(!finds(tag_of[ref], ref));
        } else {
            tag_of[ref] = tag(random);
            cr_assert(index_reserve(&table, 1));
            index_add(&table, tag_of[ref], ref);
            present[ref] = true;
        }
        if (i % 1000 == 0) {
            for (uint32_t r = 1; r <= REFS; r++) {
                cr_assert_eq(finds(tag_of[r], r), present[r]);
            }
        }
    }
}

static uint32_t spread(uint64_t random)
{
    return (uint32_t)random;
}

static uint32_t crowded(uint64_t random)
{
    return (uint32_t)(random % 5) - 3;
}

Test(index, finds_what_was_added_and_not_what_was_removed)
{
    agrees_with_a_model(spread);
}

Test(index, and_so_it_does_when_tags_are_much_the_same)
{
    agrees_with_a_model(crowded);
}

Test(index, without_memory_it_stays_as_it_is)
{
    uint32_t n = 0;
    for (;; n++) {
        allocator_fail_after(n == 0 ? 1 : 0);
        const bool room = index_reserve(&table, 1);
        (void)allocator_stop();
        if (!room) {
            break;
        }
        tag_of[n + 1] = n * 3;
        present[n + 1] = true;
        index_add(&table, n * 3, n + 1);
    }
    cr_assert_gt(n, 10);
    for (uint32_t ref = 1; ref <= n; ref++) {
        cr_assert(finds(tag_of[ref], ref));
    }
    cr_assert(index_reserve(&table, 1000));
    for (uint32_t ref = 1; ref <= n; ref++) {
        cr_assert(finds(tag_of[ref], ref));
    }
}
