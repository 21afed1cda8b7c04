// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>

#include "signpost/base/histogram.h"

// 216 KiB each: too much for some stacks under sanitizers. Criterion forks per test, so a test
// never sees another's values.
static struct histogram h;
static struct histogram other;

static void start(void)
{
    histogram_reset(&h);
    histogram_reset(&other);
}

TestSuite(histogram, .init = start);

Test(histogram, empty_has_no_quantiles)
{
    cr_assert_eq(histogram_quantile(&h, 500000), 0);
    cr_assert_eq(histogram_quantile(&h, HISTOGRAM_PPM), 0);
    cr_assert_eq(histogram_mean(&h), 0);
}

Test(histogram, small_values_are_exact)
{
    for (uint64_t v = 1; v <= 1000; v++) {
        histogram_record(&h, v);
    }
    cr_assert_eq(histogram_quantile(&h, 0), 1);
    cr_assert_eq(histogram_quantile(&h, 500000), 500);
    cr_assert_eq(histogram_quantile(&h, 990000), 990);
    cr_assert_eq(histogram_quantile(&h, 999000), 999);
    cr_assert_eq(histogram_quantile(&h, HISTOGRAM_PPM), 1000);
    cr_assert_eq(histogram_mean(&h), 500);
}

Test(histogram, every_value_keeps_three_digits)
{
    for (uint64_t v = 1; v < HISTOGRAM_VALUE_MAX; v = v * 5 / 4 + 1) {
        histogram_reset(&h);
        histogram_record(&h, v);
        histogram_record(&h, HISTOGRAM_VALUE_MAX);
        const uint64_t found = histogram_quantile(&h, 500000);
        cr_assert(found >= v && found - v <= v / 1000, "%lu came back as %lu", v, found);
    }
}

Test(histogram, octave_borders_neither_overlap_nor_leave_gaps)
{
    for (unsigned bit = 1; bit < HISTOGRAM_VALUE_BITS; bit++) {
        const uint64_t border = UINT64_C(1) << bit;
        histogram_reset(&h);
        histogram_record(&h, border - 1);
        histogram_record(&h, border);
        cr_assert_eq(histogram_quantile(&h, 500000), border - 1);
        cr_assert_eq(histogram_quantile(&h, HISTOGRAM_PPM), border);
    }
}

Test(histogram, values_beyond_the_range_are_counted_and_kept_as_maximum)
{
    histogram_record(&h, 7);
    histogram_record(&h, UINT64_MAX);
    cr_assert_eq(h.total, 2);
    cr_assert_eq(histogram_quantile(&h, 500000), 7);
    cr_assert_eq(histogram_quantile(&h, HISTOGRAM_PPM), UINT64_MAX);
}

Test(histogram, merge_equals_recording_into_one)
{
    static struct histogram both;
    histogram_reset(&both);
    for (uint64_t v = 0; v < 5000; v++) {
        const uint64_t value = v * v * 977;
        histogram_record(v % 3 == 0 ? &h : &other, value);
        histogram_record(&both, value);
    }
    histogram_merge(&h, &other);
    cr_assert_arr_eq(&h, &both, sizeof(h));
}

Test(histogram, cleared_is_as_if_new)
{
    static const uint64_t values[] = {0, 1, 2047, 2048, 123456789, HISTOGRAM_VALUE_MAX, UINT64_MAX};
    for (size_t first = 0; first < sizeof(values) / sizeof(values[0]); first++) {
        for (size_t i = first; i < sizeof(values) / sizeof(values[0]); i++) {
            histogram_record(&h, values[i]);
        }
        histogram_clear(&h);
        cr_assert_arr_eq(&h, &other, sizeof(h));
        histogram_clear(&h);
        cr_assert_arr_eq(&h, &other, sizeof(h));
    }
}

Test(histogram, merging_an_empty_one_changes_nothing)
{
    histogram_record(&h, 42);
    histogram_merge(&h, &other);
    cr_assert_eq(h.min, 42);
    cr_assert_eq(h.max, 42);
    cr_assert_eq(h.total, 1);
}

Test(histogram, rank_does_not_overflow_with_many_values)
{
    h.rows[10] = UINT64_C(1) << 50;
    h.rows[20] = UINT64_C(1) << 50;
    h.total = UINT64_C(1) << 51;
    h.min = 10;
    h.max = 20;
    cr_assert_eq(histogram_quantile(&h, 500000), 10);
    cr_assert_eq(histogram_quantile(&h, 500001), 20);
}
