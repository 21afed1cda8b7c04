// SPDX-License-Identifier: Apache-2.0
#include "net/warden.h"

enum {
    HEIGHT_FIRST = 2, // one in four: of twice what can be read there is room for all others at once
};

static unsigned find(const struct warden *warden, const struct ip *source)
{
    unsigned i = 0;
    while (i < warden->count && !ip_equal(&warden->fences[i].source, source)) {
        i++;
    }
    return i;
}

static void set_height(struct warden *warden, unsigned i, unsigned height, uint64_t now_us)
{
    warden->past[i].changed_us = now_us;
    warden->past[i].height = warden->fences[i].height;
    warden->fences[i].height = height;
}

bool warden_raise(struct warden *warden, const struct ip *source, uint64_t now_us)
{
    const unsigned i = find(warden, source);
    if (i == FENCES_MAX) {
        return false;
    }
    if (i == warden->count) {
        warden->fences[i] = (struct fence){.source = *source};
        warden->past[i] = (struct warden_past){.raised_us = now_us};
        warden->count++;
        set_height(warden, i, HEIGHT_FIRST, now_us);
        return true;
    }
    if (now_us - warden->past[i].changed_us < WARDEN_RAISE_US) {
        return false;
    }
    const unsigned height = warden->fences[i].height;
    const bool higher = height < FENCE_HEIGHT_MAX;
    set_height(warden, i, higher ? height + 1 : height, now_us);
    return higher;
}

bool warden_lower(struct warden *warden, uint64_t now_us)
{
    bool changed = false;
    for (unsigned i = warden->count; i-- > 0;) {
        // unsigned: a time before the change is very long after it
        if (now_us - warden->past[i].changed_us < WARDEN_LOWER_US) {
            continue;
        }
        changed = true;
        set_height(warden, i, warden->fences[i].height - 1, now_us);
        if (warden->fences[i].height == 0) {
            warden->count--;
            warden->fences[i] = warden->fences[warden->count];
            warden->past[i] = warden->past[warden->count];
        }
    }
    return changed;
}

// Datagrams wait in the socket's buffer meanwhile: two changes ago is as good as one.
unsigned warden_weight(const struct warden *warden, const struct ip *source, uint64_t at_us)
{
    const unsigned i = find(warden, source);
    if (i == warden->count || at_us < warden->past[i].raised_us) {
        return 1;
    }
    const bool since = at_us >= warden->past[i].changed_us;
    return 1U << (since ? warden->fences[i].height : warden->past[i].height);
}
