// SPDX-License-Identifier: Apache-2.0
#include "sipflood/pace.h"

#include <assert.h>

// How many requests of the open loop have a time of start + elapsed or earlier: request 0 is due
// at once. Whole seconds apart, so that nothing overflows and no error adds up.
static uint64_t due_after(uint64_t rate_per_s, uint64_t elapsed_ns)
{
    const uint64_t rest = (elapsed_ns % NS_PER_S + 1) * rate_per_s;
    return elapsed_ns / NS_PER_S * rate_per_s + (rest + NS_PER_S - 1) / NS_PER_S;
}

struct pace pace_of(uint64_t start_ns, uint64_t count, uint64_t duration_ns, uint64_t rate_per_s,
                    uint64_t window)
{
    assert(count > 0 || duration_ns > 0);
    assert((rate_per_s > 0) != (window > 0));
    struct pace p = {
        .start_ns = start_ns,
        .end_ns = UINT64_MAX,
        .count = count > 0 ? count : UINT64_MAX,
        .rate_per_s = rate_per_s,
        .window = window,
    };
    if (duration_ns > 0) {
        p.end_ns = start_ns + duration_ns;
    }
    if (duration_ns > 0 && rate_per_s > 0) {
        const uint64_t due = due_after(rate_per_s, duration_ns - 1);
        p.count = due < p.count ? due : p.count;
        p.end_ns += NS_PER_S;
    }
    return p;
}

struct pace pace_none(uint64_t start_ns)
{
    return (struct pace){.start_ns = start_ns, .end_ns = start_ns, .window = 1};
}

uint64_t pace_allowed(const struct pace *p, uint64_t now_ns, uint64_t settled)
{
    if (now_ns < p->start_ns || now_ns >= p->end_ns) {
        return 0;
    }
    const uint64_t allowed =
        p->rate_per_s > 0 ? due_after(p->rate_per_s, now_ns - p->start_ns) : settled + p->window;
    return allowed < p->count ? allowed : p->count;
}

uint64_t pace_intended_ns(const struct pace *p, uint64_t n, uint64_t now_ns)
{
    if (p->rate_per_s == 0) {
        return now_ns;
    }
    return p->start_ns + n / p->rate_per_s * NS_PER_S +
           n % p->rate_per_s * NS_PER_S / p->rate_per_s;
}

bool pace_over(const struct pace *p, uint64_t n, uint64_t now_ns)
{
    return n >= p->count || now_ns >= p->end_ns;
}
