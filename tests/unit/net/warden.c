// SPDX-License-Identifier: Apache-2.0
#include "net/warden.h"

#include <stdio.h>

#include "tests/unit/support.h"

enum { START_US = 1000000 };

static struct warden warden;

static struct ip v4(unsigned last)
{
    return (struct ip){.family = IP_V4, .bytes = {192, 0, 2, (uint8_t)last}};
}

static bool raise(unsigned source, uint64_t now_us)
{
    const struct ip ip = v4(source);
    return warden_raise(&warden, &ip, now_us);
}

// What one in so many comes through of.
static unsigned weight(unsigned source, uint64_t at_us)
{
    const struct ip ip = v4(source);
    return warden_weight(&warden, &ip, at_us);
}

Test(warden, who_is_greedy_is_fenced_and_nobody_else)
{
    cr_assert(raise(1, START_US));
    cr_assert_eq(warden.count, 1);
    cr_assert(ip_equal(&warden.fences[0].source, &(struct ip){IP_V4, {192, 0, 2, 1}}));
    cr_assert_eq(weight(1, START_US), 4);
    cr_assert_eq(weight(2, START_US), 1);
}

Test(warden, a_fence_grows_step_by_step_while_there_is_too_much)
{
    uint64_t now_us = START_US;
    cr_assert(raise(1, now_us));
    for (unsigned height = 3; height <= FENCE_HEIGHT_MAX; height++) {
        cr_assert_not(raise(1, now_us + WARDEN_RAISE_US - 1));
        now_us += WARDEN_RAISE_US;
        cr_assert(raise(1, now_us));
        cr_assert_eq(weight(1, now_us), 1U << height);
    }
    cr_assert_not(raise(1, now_us + WARDEN_RAISE_US)); // as high as can be
    cr_assert_eq(weight(1, now_us + WARDEN_RAISE_US), 1U << FENCE_HEIGHT_MAX);
}

Test(warden, who_calms_down_is_let_in_by_and_by)
{
    uint64_t now_us = START_US;
    (void)raise(1, now_us);
    cr_assert_not(warden_lower(&warden, now_us + WARDEN_LOWER_US - 1));
    now_us += WARDEN_LOWER_US;
    cr_assert(warden_lower(&warden, now_us));
    cr_assert_eq(weight(1, now_us), 2);
    cr_assert_not(warden_lower(&warden, now_us + WARDEN_LOWER_US - 1));
    now_us += WARDEN_LOWER_US;
    cr_assert(warden_lower(&warden, now_us));
    cr_assert_eq(warden.count, 0);
    cr_assert_eq(weight(1, now_us), 1);
    cr_assert_not(warden_lower(&warden, now_us + WARDEN_LOWER_US));
}

Test(warden, the_highest_fence_stands_while_there_is_too_much)
{
    uint64_t now_us = START_US;
    for (unsigned i = 0; i < 100; i++) {
        (void)raise(1, now_us);
        cr_assert_not(warden_lower(&warden, now_us));
        now_us += WARDEN_RAISE_US;
    }
    cr_assert_eq(weight(1, now_us), 1U << FENCE_HEIGHT_MAX);
}

Test(warden, what_came_before_a_change_weighs_what_it_did_then)
{
    (void)raise(1, START_US);
    cr_assert_eq(weight(1, START_US - 1), 1);
    (void)raise(1, START_US + WARDEN_RAISE_US);
    cr_assert_eq(weight(1, START_US + WARDEN_RAISE_US - 1), 4);
    cr_assert_eq(weight(1, START_US + WARDEN_RAISE_US), 8);
    cr_assert_eq(weight(1, START_US - 1), 1); // all that waited when the first was raised
}

Test(warden, there_are_so_many_fences_and_no_more)
{
    for (unsigned i = 0; i < FENCES_MAX; i++) {
        cr_assert(raise(i, START_US + i));
    }
    cr_assert_not(raise(FENCES_MAX, START_US + FENCES_MAX));
    cr_assert_eq(warden.count, FENCES_MAX);
    cr_assert(raise(3, START_US + 3 + WARDEN_RAISE_US)); // those that stand still grow
}

Test(warden, fences_go_one_by_one_and_the_others_stay_as_they_are)
{
    const uint64_t later_us = START_US + WARDEN_LOWER_US;
    (void)raise(1, START_US);
    (void)raise(2, later_us);
    (void)raise(3, later_us + WARDEN_RAISE_US);
    cr_assert(warden_lower(&warden, later_us + WARDEN_RAISE_US)); // 1 is at one in two
    cr_assert(warden_lower(&warden, later_us + WARDEN_RAISE_US + WARDEN_LOWER_US)); // and gone
    cr_assert_eq(warden.count, 2);
    cr_assert_eq(weight(1, UINT64_MAX), 1);
    cr_assert_eq(weight(2, UINT64_MAX), 2);
    cr_assert_eq(weight(3, UINT64_MAX), 2);
}

Test(warden, a_clock_that_is_set_back_keeps_nobody_out)
{
    (void)raise(1, START_US);
    cr_assert(warden_lower(&warden, 10));
    cr_assert(warden_lower(&warden, 9));
    cr_assert_eq(warden.count, 0);
}
