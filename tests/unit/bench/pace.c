// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>

#include "sipflood/pace.h"

Test(pace, open_loop_sends_the_first_at_once_and_each_at_its_time)
{
    const struct pace p = pace_of(1000, 100, 0, 10, 0);
    const uint64_t interval = NS_PER_S / 10;
    cr_assert_eq(pace_allowed(&p, 999, 0), 0);
    cr_assert_eq(pace_allowed(&p, 1000, 0), 1);
    cr_assert_eq(pace_allowed(&p, 1000 + interval - 1, 0), 1);
    cr_assert_eq(pace_allowed(&p, 1000 + interval, 0), 2);
    cr_assert_eq(pace_intended_ns(&p, 1, 77), 1000 + interval);
}

Test(pace, open_loop_does_not_wait_for_answers)
{
    const struct pace p = pace_of(0, 1000, 0, 100, 0);
    cr_assert_eq(pace_allowed(&p, NS_PER_S, 0), pace_allowed(&p, NS_PER_S, 50));
}

// The two are inverse to each other, also where the interval is no whole number of nanoseconds
// and after eleven days.
Test(pace, a_request_is_allowed_exactly_from_its_intended_time_on)
{
    const uint64_t rates[] = {1, 3, 7, 999, 333333, 7000001};
    for (size_t r = 0; r < sizeof(rates) / sizeof(rates[0]); r++) {
        const struct pace p = pace_of(5, UINT64_MAX, 0, rates[r], 0);
        for (uint64_t n = 1; n < rates[r] * 1000000; n = n * 3 + 1) {
            const uint64_t at = pace_intended_ns(&p, n, 0);
            cr_assert_gt(pace_allowed(&p, at, 0), n);
            cr_assert_leq(pace_allowed(&p, at - 1, 0), n);
        }
    }
}

Test(pace, open_loop_with_a_duration_sends_rate_times_duration)
{
    const struct pace p = pace_of(0, 0, UINT64_C(5) * NS_PER_S / 2, 1000, 0);
    cr_assert_eq(p.count, 2500);
    cr_assert(pace_over(&p, 2500, 0));
    cr_assert_not(pace_over(&p, 2499, UINT64_C(26) * NS_PER_S / 10));
}

Test(pace, open_loop_that_cannot_keep_up_ends_a_second_later)
{
    const struct pace p = pace_of(0, 0, NS_PER_S, 1000, 0);
    cr_assert(pace_over(&p, 10, UINT64_C(2) * NS_PER_S));
    cr_assert_eq(pace_allowed(&p, UINT64_C(2) * NS_PER_S, 10), 0);
}

Test(pace, closed_loop_keeps_the_window_and_counts_from_sending)
{
    const struct pace p = pace_of(0, 100, 0, 0, 8);
    cr_assert_eq(pace_allowed(&p, 1, 0), 8);
    cr_assert_eq(pace_allowed(&p, 1, 5), 13);
    cr_assert_eq(pace_allowed(&p, 1, 99), 100);
    cr_assert_eq(pace_intended_ns(&p, 3, 4711), 4711);
}

Test(pace, closed_loop_stops_at_the_end_of_its_duration)
{
    const struct pace p = pace_of(0, 0, NS_PER_S, 0, 8);
    cr_assert_not(pace_over(&p, 12345, NS_PER_S - 1));
    cr_assert(pace_over(&p, 12345, NS_PER_S));
}

Test(pace, count_bounds_a_run_that_has_a_duration_too)
{
    const struct pace p = pace_of(0, 10, UINT64_C(5) * NS_PER_S, 1000, 0);
    cr_assert_eq(p.count, 10);
}
