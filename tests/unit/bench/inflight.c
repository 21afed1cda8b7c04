// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>

#include "sipflood/inflight.h"
#include "sipflood/pace.h"

static const struct step step;
static const uint64_t ms = NS_PER_MS;

static struct inflight *start(size_t rows, uint64_t timeout_ms, bool resend)
{
    const struct inflight_timers timers = inflight_timers_of(timeout_ms * ms, resend, false);
    return inflight_create(rows, &timers);
}

Test(inflight, first_answer_settles_and_tells_the_intended_time)
{
    struct inflight *f = start(4, 100, false);
    uint64_t intended = 0;
    inflight_begin(f, &step, 17, 20);
    cr_assert_eq(inflight_waiting(f), 1);
    cr_assert_eq(inflight_answer(f, 0, &intended), INFLIGHT_FIRST);
    cr_assert_eq(intended, 17);
    cr_assert_eq(inflight_waiting(f), 0);
    inflight_destroy(f);
}

Test(inflight, answers_to_the_unsent_are_unknown)
{
    struct inflight *f = start(4, 100, false);
    uint64_t intended;
    inflight_begin(f, &step, 0, 0);
    cr_assert_eq(inflight_answer(f, 1, &intended), INFLIGHT_UNKNOWN);
    cr_assert_eq(inflight_answer(f, UINT64_MAX, &intended), INFLIGHT_UNKNOWN);
    inflight_destroy(f);
}

Test(inflight, second_answer_is_twice)
{
    struct inflight *f = start(4, 100, false);
    uint64_t intended;
    inflight_begin(f, &step, 0, 0);
    (void)inflight_answer(f, 0, &intended);
    cr_assert_eq(inflight_answer(f, 0, &intended), INFLIGHT_TWICE);
    inflight_destroy(f);
}

Test(inflight, second_answer_is_expected_after_a_retransmission)
{
    struct inflight *f = start(4, 2000, true);
    uint64_t intended;
    uint64_t n = 99;
    inflight_begin(f, &step, 0, 0);
    cr_assert_not(inflight_resend(f, 500 * ms - 1, &n));
    cr_assert(inflight_resend(f, 500 * ms, &n));
    cr_assert_eq(n, 0);
    cr_assert_not(inflight_resend(f, 500 * ms, &n));
    cr_assert_eq(inflight_answer(f, 0, &intended), INFLIGHT_FIRST);
    cr_assert_eq(inflight_answer(f, 0, &intended), INFLIGHT_AGAIN);
    cr_assert_not(inflight_resend(f, 1500 * ms, &n));
    inflight_destroy(f);
}

Test(inflight, unanswered_is_lost_at_its_timeout_and_then_late)
{
    struct inflight *f = start(4, 100, false);
    uint64_t intended;
    inflight_begin(f, &step, 0, 0);
    inflight_begin(f, &step, 0, 10 * ms);
    cr_assert_eq(inflight_expire(f, 100 * ms - 1), 0);
    cr_assert_eq(inflight_expire(f, 100 * ms), 1);
    cr_assert_eq(inflight_answer(f, 0, &intended), INFLIGHT_LATE);
    cr_assert_eq(inflight_expire(f, 200 * ms), 1);
    cr_assert_eq(inflight_waiting(f), 0);
    inflight_destroy(f);
}

Test(inflight, ring_is_full_while_the_oldest_waits_and_forgets_what_it_overwrote)
{
    struct inflight *f = start(2, 100, false);
    uint64_t intended;
    inflight_begin(f, &step, 0, 0);
    inflight_begin(f, &step, 0, 0);
    cr_assert(inflight_full(f));
    (void)inflight_answer(f, 1, &intended);
    cr_assert(inflight_full(f));
    (void)inflight_answer(f, 0, &intended);
    cr_assert_not(inflight_full(f));
    inflight_begin(f, &step, 0, 0);
    cr_assert_eq(inflight_answer(f, 0, &intended), INFLIGHT_LATE);
    inflight_destroy(f);
}

Test(inflight, wakes_for_the_earliest_timer)
{
    struct inflight *f = start(4, 1000, true);
    uint64_t n;
    cr_assert_eq(inflight_wake_ns(f), UINT64_MAX);
    inflight_begin(f, &step, 0, 0);
    cr_assert_eq(inflight_wake_ns(f), 500 * ms);
    cr_assert(inflight_resend(f, 500 * ms, &n));
    cr_assert_eq(inflight_wake_ns(f), 1000 * ms);
    inflight_destroy(f);
}

// RFC 3261 17.1.2.2 (timer E) and 17.1.1.2 (timer A).
Test(inflight, retransmission_times_are_the_rfcs)
{
    const uint64_t other[] = {500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500};
    const uint64_t invite[] = {500, 1500, 3500, 7500, 15500, 31500};
    const struct inflight_timers e = inflight_timers_of(32000 * ms, true, false);
    const struct inflight_timers a = inflight_timers_of(32000 * ms, true, true);
    cr_assert_eq(e.resends, 10);
    cr_assert_eq(a.resends, 6);
    for (unsigned i = 0; i < e.resends; i++) {
        cr_assert_eq(e.resend_ns[i], other[i] * ms);
    }
    for (unsigned i = 0; i < a.resends; i++) {
        cr_assert_eq(a.resend_ns[i], invite[i] * ms);
    }
}
