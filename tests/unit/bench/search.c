// SPDX-License-Identifier: Apache-2.0
#include "sipflood/search.h"

#include <criterion/criterion.h>

enum { TRIES_MAX = 200 };

// A server that bears so much; returns what the search finds. `noise` fails each so many-th try.
static uint64_t find(uint64_t from, uint64_t capacity, unsigned noise)
{
    struct search s = search_from(from);
    unsigned tries = 0;
    while (s.phase != SEARCH_DONE) {
        tries++;
        cr_assert_lt(tries, TRIES_MAX);
        cr_assert(s.rate > 0 && s.rate <= SEARCH_RATE_MAX);
        search_tell(&s, s.rate <= capacity && (noise == 0 || tries % noise != 0));
    }
    return s.best;
}

static void assert_near(uint64_t found, uint64_t capacity)
{
    cr_assert(found <= capacity && found >= capacity - capacity / 50 - 1, "%lu for %lu", found,
              capacity);
}

Test(search, finds_the_capacity_to_a_fiftieth_from_anywhere)
{
    const uint64_t capacities[] = {1, 2, 3, 50, 777, 12345, 400000, 9999999};
    for (unsigned i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
        assert_near(find(1, capacities[i], 0), capacities[i]);
        assert_near(find(1000, capacities[i], 0), capacities[i]);
        assert_near(find(5000000, capacities[i], 0), capacities[i]);
    }
}

Test(search, finds_nothing_when_nothing_goes_well)
{
    cr_assert_eq(find(1000, 0, 0), 0);
}

Test(search, ends_at_its_limit_when_everything_goes_well)
{
    cr_assert_eq(find(1000, UINT64_MAX, 0), SEARCH_RATE_MAX);
}

Test(search, a_single_failure_is_noise)
{
    for (unsigned noise = 2; noise < 9; noise++) {
        assert_near(find(1000, 123456, noise), 123456);
    }
}

Test(search, what_went_well_by_luck_is_taken_back)
{
    struct search s = search_from(1000);
    while (s.phase != SEARCH_CONFIRM) {
        search_tell(&s, s.rate <= 5000);
    }
    while (s.phase != SEARCH_DONE) {
        search_tell(&s, s.rate <= 4000);
    }
    cr_assert(s.best <= 4000 && s.best > 3700, "%lu", s.best);
}
