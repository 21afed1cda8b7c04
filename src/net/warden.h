// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_WARDEN_H
#define SIGNPOST_NET_WARDEN_H

#include "net/fence.h"

// Decides who is fenced, how high, and for how long. A fence is raised round a greedy source when a
// receiver has more than it can read, grows by one while that goes on, and shrinks by one with each
// quarter of a second in which it does not, until it is gone. So a greedy source gets about what
// the others leave, and who calms down is served again within a second or two.
//
// All of it is a value, for one thread; times are microseconds of any one clock. A clock that is
// set back lowers fences early.
struct warden {
    unsigned count;
    struct fence fences[FENCES_MAX];

    struct warden_past {
        uint64_t raised_us;  // when the fence began to stand
        uint64_t changed_us; // when the fence got its height, or was found too low
        unsigned height;     // that it had before
    } past[FENCES_MAX];
};

enum {
    WARDEN_RAISE_US = 10000, // between two steps up: long enough to see what the first has done
    WARDEN_LOWER_US = 250000,
};

// There is too much, and this source (of shares_source) is greedy. True when that changes a fence;
// it does not where FENCES_MAX others stand.
bool warden_raise(struct warden *warden, const struct ip *source, uint64_t now_us);

// Time has passed. True when that changes a fence.
bool warden_lower(struct warden *warden, uint64_t now_us);

// How many datagrams one stands for that came from this source at that time: by its fence's height
// then, so many did not come through for each that did.
unsigned warden_weight(const struct warden *warden, const struct ip *source, uint64_t at_us);

#endif
