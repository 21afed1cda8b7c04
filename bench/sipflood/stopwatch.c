// SPDX-License-Identifier: Apache-2.0
#include "sipflood/stopwatch.h"

#include <assert.h>
#include <time.h>

#include "sipflood/pace.h"

static uint64_t read_ns(clockid_t clock)
{
    struct timespec t;
    const int rc = clock_gettime(clock, &t);
    assert(rc == 0);
    return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

uint64_t stopwatch_now_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

uint64_t stopwatch_wall_cs(void)
{
    return read_ns(CLOCK_REALTIME) / (UINT64_C(10) * NS_PER_MS);
}

uint64_t stopwatch_cpu_ns(void)
{
    return read_ns(CLOCK_PROCESS_CPUTIME_ID);
}
