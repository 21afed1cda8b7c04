// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>

#include "env/clock.h"

Test(clock, monotonic_time_never_goes_back)
{
    const struct now first = clock_now();
    struct now last = first;
    while (last.mono_ms < first.mono_ms + 3) {
        const struct now now = clock_now();
        cr_assert(now.mono_ms >= last.mono_ms);
        last = now;
    }
}

Test(clock, wall_time_is_in_this_century)
{
    const uint64_t start_of_2024_ms = 1704067200000;
    const uint64_t start_of_2100_ms = 4102444800000;
    const struct now now = clock_now();
    cr_expect(now.wall_ms > start_of_2024_ms);
    cr_expect(now.wall_ms < start_of_2100_ms);
}
