// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_HISTOGRAM_H
#define SIGNPOST_BASE_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

// A log-linear histogram of non-negative integers with three significant digits: values below
// 2048 are told apart exactly, larger ones to within 1/1024 of themselves. The unit is the
// caller's; in nanoseconds the range is 68 seconds.
//
// The struct is large (216 KiB) and the caller's: static, allocated, or part of something that
// is. It has one writer at a time; any thread may merge from it and read it meanwhile, and what it
// sees was true a moment ago.

enum {
    HISTOGRAM_EXACT_BITS = 11,
    HISTOGRAM_VALUE_BITS = 36,
    // Rows for each power of two above the exact ones.
    HISTOGRAM_OCTAVE_ROWS = 1 << (HISTOGRAM_EXACT_BITS - 1),
    HISTOGRAM_ROWS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_EXACT_BITS + 2) * HISTOGRAM_OCTAVE_ROWS,
};

// The largest value with a row; larger ones are counted in the last row, and `max` keeps them.
#define HISTOGRAM_VALUE_MAX ((UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1)

struct histogram {
    _Atomic uint64_t total; // values recorded
    _Atomic uint64_t sum;   // of these values; wraps after 2^64
    _Atomic uint64_t min;   // UINT64_MAX while empty
    _Atomic uint64_t max;   // 0 while empty
    _Atomic uint64_t rows[HISTOGRAM_ROWS];
};

// To be called once before anything else.
void histogram_reset(struct histogram *h);

// Starts over. Costs what the spread of the recorded values is, not the whole struct.
void histogram_clear(struct histogram *h);

void histogram_record(struct histogram *h, uint64_t value);

// Adds everything recorded in `from`. Costs what the spread of its values is.
void histogram_merge(struct histogram *into, const struct histogram *from);

enum { HISTOGRAM_PPM = 1000000 };

// The smallest value that at least `ppm` millionths of all values do not exceed (990000 for p99,
// 1000000 for the maximum), rounded up to the end of its row but never above `max`. 0 while empty.
uint64_t histogram_quantile(const struct histogram *h, uint32_t ppm);

// How many of the values are at most `value`, to within the width of its row.
uint64_t histogram_count_to(const struct histogram *h, uint64_t value);

// Arithmetic mean, rounded down; 0 while empty.
uint64_t histogram_mean(const struct histogram *h);

#endif
