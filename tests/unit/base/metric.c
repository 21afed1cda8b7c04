// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/metric.h"

#include "tests/unit/support.h"

Test(metric, counter_starts_at_zero_and_adds_up)
{
    struct metric_counter c = {0};
    cr_assert_eq(metric_read(&c), 0);
    metric_add(&c, 1);
    metric_add(&c, 41);
    metric_add(&c, 0);
    cr_assert_eq(metric_read(&c), 42);
}

Test(metric, counter_wraps_instead_of_sticking)
{
    struct metric_counter c = {UINT64_MAX};
    metric_add(&c, 2);
    cr_assert_eq(metric_read(&c), 1);
}
