// SPDX-License-Identifier: Apache-2.0
#include "sipflood/steps.h"

#include <criterion/criterion.h>

#include "sipflood/pace.h"

static const struct step_limits limits = {.loss_max_percent = 0.1, .p99_max_ns = NS_PER_MS};

static struct tally tally;
static struct histogram latency_ns;

static void start(void)
{
    tally_init(&tally, 0);
    histogram_reset(&latency_ns);
    tally.counts.sent = 10000;
    tally.counts.right = 10000;
    histogram_record(&latency_ns, NS_PER_MS);
}

TestSuite(steps, .init = start);

static struct step_result judge(uint64_t rate_per_s)
{
    const struct step_aim aim = {rate_per_s, UINT64_C(2) * NS_PER_S};
    return step_judge(&aim, UINT64_C(4) * NS_PER_S, &tally, &latency_ns, &limits);
}

static void assert_failed(uint64_t rate_per_s, const char *why)
{
    const struct step_result r = judge(rate_per_s);
    cr_assert(r.why != NULL, "%s", why);
    cr_assert_str_eq(r.why, why);
}

Test(steps, within_the_limits_is_well)
{
    const struct step_result r = judge(5000);
    cr_assert(r.why == NULL);
    cr_assert_float_eq(r.sent_per_s, 2500, 1e-9);
    cr_assert_eq(r.p99_ns, NS_PER_MS);
    tally.counts.lost = 10;
    cr_assert(judge(5000).why == NULL);
}

Test(steps, goodput_is_right_answers_alone)
{
    tally.counts.right = 9000;
    tally.counts.refused = 600;
    tally.counts.wrong_status = 400;
    const struct step_result r = judge(5000);
    cr_assert_float_eq(r.goodput_per_s, 2250, 1e-9);
    cr_assert_float_eq(r.answers_per_s, 2500, 1e-9);
    cr_assert_eq(r.refused, 600);
}

Test(steps, each_limit_is_told)
{
    tally.counts.lost = 11;
    assert_failed(5000, "loss");
    tally.counts.lost = 5;
    tally.counts.refused = 6;
    assert_failed(5000, "refused");
    tally.counts.lost = 0;
    tally.counts.refused = 0;
    assert_failed(5100, "generator is too slow");
    tally.counts.unmatched = 1;
    assert_failed(5000, "wrong answers");
    tally.counts.unmatched = 0;
    histogram_record(&latency_ns, UINT64_C(2) * NS_PER_MS);
    assert_failed(5000, "p99");
}
