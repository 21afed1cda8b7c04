// SPDX-License-Identifier: Apache-2.0
#include "env/clock.h"

#include <assert.h>
#include <time.h>

enum { NS_PER_MS = 1000000, NS_PER_US = 1000, US_PER_S = 1000000 };

static struct timespec read_clock(clockid_t id)
{
    struct timespec t;
    const int rc = clock_gettime(id, &t);
    // Both clocks exist on every Linux since 2.6.39, and neither stands before its epoch.
    assert(rc == 0);
    assert(t.tv_sec >= 0);
    return t;
}

static uint64_t read_ms(clockid_t id)
{
    const struct timespec t = read_clock(id);
    return (uint64_t)t.tv_sec * MS_PER_S + (uint64_t)t.tv_nsec / NS_PER_MS;
}

uint64_t clock_wall_us(void)
{
    const struct timespec t = read_clock(CLOCK_REALTIME);
    return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / NS_PER_US;
}

struct now clock_now(void)
{
    return (struct now){.mono_ms = read_ms(CLOCK_BOOTTIME), .wall_ms = read_ms(CLOCK_REALTIME)};
}
