// SPDX-License-Identifier: Apache-2.0
#include "micro/measure.h"

#include <assert.h>
#include <stdlib.h>

#include "sipflood/stopwatch.h"

// Processor time is blind to what other programs do with the machine. It knows no waiting, which is
// what threads do for each other.
static uint64_t clock_for(const struct micro_row *row)
{
    return row->threads ? stopwatch_now_ns() : stopwatch_cpu_ns();
}

// Runs one batch and makes it the i-th of the series.
static bool measure_batch(const struct micro_row *row, void *stage, const struct counters *counters,
                          struct series *series, size_t i)
{
    if (row->before != NULL && !row->before(stage, row)) {
        return false;
    }
    const struct counted first = counters_read(counters);
    const uint64_t start_ns = clock_for(row);
    const size_t right = row->batch(stage, row);
    const uint64_t end_ns = clock_for(row);
    const struct counted last = counters_read(counters);
    if (right != row->ops || (row->after != NULL && !row->after(stage, row))) {
        return false;
    }
    series->ops = row->ops;
    series->uncounted = series->uncounted || !first.valid || !last.valid || row->threads;
    series->ns[i] = (double)(end_ns - start_ns);
    series->cycles[i] = (double)(last.cycles - first.cycles);
    series->instructions[i] = (double)(last.instructions - first.instructions);
    return true;
}

bool measure_row(const struct micro_row *row, void *stage, size_t rounds,
                 const struct counters *counters, struct series *series)
{
    const size_t warm_up = rounds < MEASURE_WARM_UP ? rounds : MEASURE_WARM_UP;
    assert(series->rounds + rounds <= MEASURE_ROUNDS_MAX);
    for (size_t i = 0; i < warm_up; i++) {
        // Where the first one that counts will be.
        if (!measure_batch(row, stage, counters, series, series->rounds)) {
            return false;
        }
    }
    for (size_t i = 0; i < rounds; i++) {
        if (!measure_batch(row, stage, counters, series, series->rounds++)) {
            return false;
        }
    }
    return true;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

// The value that `part` quarters of the sorted values do not exceed, per operation.
static double quartile(const double *sorted, const struct series *series, size_t part)
{
    return sorted[(series->rounds - 1) * part / 4] / (double)series->ops;
}

static void sort(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare);
}

struct figures series_figures(struct series *series)
{
    assert(series->rounds > 0 && series->ops > 0);
    sort(series->ns, series->rounds);
    sort(series->cycles, series->rounds);
    sort(series->instructions, series->rounds);
    return (struct figures){
        .ns = quartile(series->ns, series, 2),
        .ns_low = quartile(series->ns, series, 1),
        .ns_high = quartile(series->ns, series, 3),
        .counted = !series->uncounted,
        .cycles = quartile(series->cycles, series, 2),
        .instructions = quartile(series->instructions, series, 2),
    };
}
