// SPDX-License-Identifier: Apache-2.0
#include "sipflood/search.h"

#include <assert.h>

enum { GAP_PARTS = 50, STEP_BACK_PARTS = 20 };

struct search search_from(uint64_t rate)
{
    assert(rate > 0 && rate <= SEARCH_RATE_MAX);
    return (struct search){.phase = SEARCH_GROW, .rate = rate};
}

static void narrow(struct search *s)
{
    const uint64_t gap = s->worst - s->best;
    if (gap <= s->best / GAP_PARTS || gap <= 1) {
        s->phase = s->best > 0 ? SEARCH_CONFIRM : SEARCH_DONE;
        s->rate = s->best;
        return;
    }
    s->phase = SEARCH_NARROW;
    // Far apart, the middle of the orders of magnitude is nearer to the answer.
    s->rate = s->worst > s->best * 4 ? s->worst / 4 : s->best + gap / 2;
    s->rate = s->rate > s->best ? s->rate : s->best + 1;
}

static void went_well(struct search *s)
{
    if (s->phase == SEARCH_CONFIRM) {
        s->phase = SEARCH_DONE;
        return;
    }
    s->best = s->rate;
    if (s->worst > 0) {
        narrow(s);
    } else if (s->rate == SEARCH_RATE_MAX) {
        s->phase = SEARCH_DONE;
    } else {
        s->rate = s->rate * 2 < SEARCH_RATE_MAX ? s->rate * 2 : SEARCH_RATE_MAX;
    }
}

static void went_badly(struct search *s)
{
    s->worst = s->rate;
    if (s->phase == SEARCH_CONFIRM) {
        // It had been luck: the next one below that goes well is the answer.
        s->best = s->rate - s->rate / STEP_BACK_PARTS;
        s->best = s->best < s->rate ? s->best : s->rate - 1;
        s->rate = s->best;
        s->phase = s->best > 0 ? SEARCH_CONFIRM : SEARCH_DONE;
    } else {
        narrow(s);
    }
}

void search_tell(struct search *s, bool well)
{
    assert(s->phase != SEARCH_DONE);
    if (!well && !s->failed) {
        s->failed = true;
        return;
    }
    s->failed = false;
    if (well) {
        went_well(s);
    } else {
        went_badly(s);
    }
}
