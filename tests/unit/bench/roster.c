// SPDX-License-Identifier: Apache-2.0
#include "sipflood/roster.h"

#include <criterion/criterion.h>

enum { USERS = 1000, INTERVAL_NS = 1000000, JITTER_NS = 100000 };

static struct roster *start(uint64_t jitter_ns)
{
    const struct roster_config c = {
        .users = USERS, .interval_ns = INTERVAL_NS, .jitter_ns = jitter_ns, .random = 7};
    struct roster *r = roster_create(&c);
    cr_assert(r != NULL);
    roster_start(r, 500, 500 + UINT64_C(10) * INTERVAL_NS);
    return r;
}

Test(roster, everybody_refreshes_once_in_the_first_interval_in_order_of_time)
{
    struct roster *r = start(0);
    bool seen[USERS] = {0};
    uint64_t before_ns = 500;
    for (unsigned i = 0; i < USERS; i++) {
        const uint64_t due_ns = roster_due_ns(r);
        cr_assert(due_ns >= before_ns && due_ns < 500 + INTERVAL_NS);
        const struct refresh one = roster_take(r);
        cr_assert_not(seen[one.user]);
        cr_assert_eq(one.turn, 0);
        seen[one.user] = true;
        before_ns = due_ns;
    }
    roster_destroy(r);
}

Test(roster, first_times_are_spread_over_the_interval)
{
    struct roster *r = start(0);
    unsigned tenths[10] = {0};
    for (unsigned i = 0; i < USERS; i++) {
        tenths[(roster_due_ns(r) - 500) / (INTERVAL_NS / 10)]++;
        (void)roster_take(r);
    }
    for (unsigned i = 0; i < 10; i++) {
        cr_assert(tenths[i] > USERS / 20 && tenths[i] < USERS / 5, "%u", tenths[i]);
    }
    roster_destroy(r);
}

Test(roster, each_comes_again_after_an_interval_less_some_of_the_jitter)
{
    struct roster *r = start(JITTER_NS);
    uint64_t last_ns[USERS] = {0};
    uint32_t turns[USERS] = {0};
    uint64_t shortest = INTERVAL_NS;
    while (roster_due_ns(r) != UINT64_MAX) {
        const uint64_t due_ns = roster_due_ns(r);
        const struct refresh one = roster_take(r);
        cr_assert_eq(one.turn, turns[one.user]++);
        if (one.turn > 0) {
            const uint64_t interval = due_ns - last_ns[one.user];
            cr_assert(interval <= INTERVAL_NS && interval >= INTERVAL_NS - JITTER_NS);
            shortest = interval < shortest ? interval : shortest;
        }
        last_ns[one.user] = due_ns;
    }
    cr_assert_lt(shortest, INTERVAL_NS - JITTER_NS * 9 / 10);
    for (unsigned i = 0; i < USERS; i++) {
        cr_assert(turns[i] >= 10 && turns[i] <= 12, "%u", turns[i]);
    }
    roster_destroy(r);
}

Test(roster, nothing_is_due_from_the_end_on)
{
    struct roster *r = start(0);
    roster_start(r, 500, 500);
    cr_assert_eq(roster_due_ns(r), UINT64_MAX);
    roster_destroy(r);
}
