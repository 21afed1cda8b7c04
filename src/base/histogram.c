// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/histogram.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static_assert(sizeof(unsigned long long) == sizeof(uint64_t), "the builtin below counts 64 bits");

// How many low bits of a value its row ignores.
static unsigned row_shift(uint64_t value)
{
    const unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    return bits > HISTOGRAM_EXACT_BITS ? bits - HISTOGRAM_EXACT_BITS : 0;
}

// The first octave starts at row 0 and is twice as long; each further one continues where the
// last one ended, because its values, shifted, begin at HISTOGRAM_OCTAVE_ROWS.
static size_t row_of(uint64_t value)
{
    const uint64_t fitting = value < HISTOGRAM_VALUE_MAX ? value : HISTOGRAM_VALUE_MAX;
    const unsigned shift = row_shift(fitting);
    const size_t row = (size_t)shift * HISTOGRAM_OCTAVE_ROWS + (size_t)(fitting >> shift);
    assert(row < HISTOGRAM_ROWS);
    return row;
}

// The largest value that falls into the row.
static uint64_t row_end(size_t row)
{
    assert(row < HISTOGRAM_ROWS);
    if (row < HISTOGRAM_OCTAVE_ROWS) {
        return row;
    }
    const size_t shift = row / HISTOGRAM_OCTAVE_ROWS - 1;
    const uint64_t start = (uint64_t)(row - shift * HISTOGRAM_OCTAVE_ROWS) << shift;
    return start + (UINT64_C(1) << shift) - 1;
}

void histogram_reset(struct histogram *h)
{
    memset(h, 0, sizeof(*h));
    h->min = UINT64_MAX;
}

// Rows with anything in them: from that of `min` to that of `max`, `*end` excluded.
static size_t rows_used(const struct histogram *h, size_t *end)
{
    *end = h->total == 0 ? 0 : row_of(h->max) + 1;
    return h->total == 0 ? 0 : row_of(h->min);
}

void histogram_clear(struct histogram *h)
{
    size_t end;
    const size_t first = rows_used(h, &end);
    memset(h->rows + first, 0, (end - first) * sizeof(h->rows[0]));
    h->total = 0;
    h->sum = 0;
    h->min = UINT64_MAX;
    h->max = 0;
}

void histogram_record(struct histogram *h, uint64_t value)
{
    h->rows[row_of(value)]++;
    h->total++;
    h->sum += value;
    h->min = value < h->min ? value : h->min;
    h->max = value > h->max ? value : h->max;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    assert(into != from);
    size_t end;
    for (size_t i = rows_used(from, &end); i < end; i++) {
        into->rows[i] += from->rows[i];
    }
    into->total += from->total;
    into->sum += from->sum;
    into->min = from->min < into->min ? from->min : into->min;
    into->max = from->max > into->max ? from->max : into->max;
}

// ceil(total * ppm / 1000000) without overflow: the million is taken out of the total first.
static uint64_t rank_of(uint64_t total, uint32_t ppm)
{
    const uint64_t rest = total % HISTOGRAM_PPM * ppm;
    const uint64_t rank = total / HISTOGRAM_PPM * ppm + (rest + HISTOGRAM_PPM - 1) / HISTOGRAM_PPM;
    return rank > 0 ? rank : 1;
}

uint64_t histogram_quantile(const struct histogram *h, uint32_t ppm)
{
    assert(ppm <= HISTOGRAM_PPM);
    if (h->total == 0) {
        return 0;
    }
    const uint64_t rank = rank_of(h->total, ppm);
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_ROWS - 1; i++) {
        seen += h->rows[i];
        if (seen >= rank) {
            const uint64_t end = row_end(i);
            return end < h->max ? end : h->max;
        }
    }
    // The last row also holds what is beyond the range.
    return h->max;
}

uint64_t histogram_mean(const struct histogram *h)
{
    return h->total == 0 ? 0 : h->sum / h->total;
}
