// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/histogram.h"

#include <assert.h>
#include <stdbool.h>
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

// relaxed: single numbers that must not be torn, ordered with nothing
static uint64_t get(const _Atomic uint64_t *n)
{
    return atomic_load_explicit(n, memory_order_relaxed);
}

static void set(_Atomic uint64_t *n, uint64_t value)
{
    atomic_store_explicit(n, value, memory_order_relaxed); // as above
}

static void add(_Atomic uint64_t *n, uint64_t value)
{
    set(n, get(n) + value);
}

static void lower_to(_Atomic uint64_t *n, uint64_t value)
{
    if (value < get(n)) {
        set(n, value);
    }
}

static void raise_to(_Atomic uint64_t *n, uint64_t value)
{
    if (value > get(n)) {
        set(n, value);
    }
}

static void clear_totals(struct histogram *h)
{
    set(&h->total, 0);
    set(&h->sum, 0);
    set(&h->min, UINT64_MAX);
    set(&h->max, 0);
}

void histogram_reset(struct histogram *h)
{
    memset(h, 0, sizeof(*h));
    clear_totals(h);
}

// Rows with anything in them: from that of `min` to that of `max`, `*end` excluded.
static size_t rows_used(const struct histogram *h, size_t *end)
{
    const bool empty = get(&h->total) == 0;
    *end = empty ? 0 : row_of(get(&h->max)) + 1;
    return empty ? 0 : row_of(get(&h->min));
}

void histogram_clear(struct histogram *h)
{
    size_t end;
    for (size_t i = rows_used(h, &end); i < end; i++) {
        set(&h->rows[i], 0);
    }
    clear_totals(h);
}

void histogram_record(struct histogram *h, uint64_t value)
{
    add(&h->rows[row_of(value)], 1);
    lower_to(&h->min, value);
    raise_to(&h->max, value);
    add(&h->sum, value);
    add(&h->total, 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    assert(into != from);
    size_t end;
    for (size_t i = rows_used(from, &end); i < end; i++) {
        add(&into->rows[i], get(&from->rows[i]));
    }
    add(&into->total, get(&from->total));
    add(&into->sum, get(&from->sum));
    lower_to(&into->min, get(&from->min));
    raise_to(&into->max, get(&from->max));
}

uint64_t histogram_count_to(const struct histogram *h, uint64_t value)
{
    const size_t last = row_of(value);
    uint64_t count = 0;
    for (size_t i = 0; i <= last; i++) {
        count += get(&h->rows[i]);
    }
    return count;
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
    const uint64_t max = get(&h->max);
    if (get(&h->total) == 0) {
        return 0;
    }
    const uint64_t rank = rank_of(get(&h->total), ppm);
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_ROWS - 1; i++) {
        seen += get(&h->rows[i]);
        if (seen >= rank) {
            const uint64_t end = row_end(i);
            return end < max ? end : max;
        }
    }
    // The last row also holds what is beyond the range.
    return max;
}

uint64_t histogram_mean(const struct histogram *h)
{
    const uint64_t total = get(&h->total);
    return total == 0 ? 0 : get(&h->sum) / total;
}
