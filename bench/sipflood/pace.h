// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_PACE_H
#define SIPFLOOD_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum { NS_PER_US = 1000, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

// When to send. Requests are numbered from 0 in the order of sending.
//
// Open loop: the time of request n is start + n/rate, whatever the server does. Latency counts
// from that time, so a server (or a generator) that stalls cannot hide the requests that it kept
// from being sent ("coordinated omission").
// Closed loop: there are never more than `window` requests without an answer.
struct pace {
    uint64_t start_ns;
    uint64_t end_ns;     // nothing is sent from here on
    uint64_t count;      // how many are sent at most
    uint64_t rate_per_s; // open loop, or 0
    uint64_t window;     // closed loop, used if rate_per_s is 0
};

// At least one of `count` and `duration_ns` must be given (not 0), and exactly one of
// `rate_per_s` and `window`. Open loop with a duration sends rate * duration requests; one that
// falls behind has a second more for it.
struct pace pace_of(uint64_t start_ns, uint64_t count, uint64_t duration_ns, uint64_t rate_per_s,
                    uint64_t window);

// Sends nothing.
struct pace pace_none(uint64_t start_ns);

// Requests with a number below this may be sent at `now_ns`, when `settled` requests have been
// answered or given up.
uint64_t pace_allowed(const struct pace *p, uint64_t now_ns, uint64_t settled);

// When request `n` was meant to be sent; in closed loop that is whenever it is sent, `now_ns`.
uint64_t pace_intended_ns(const struct pace *p, uint64_t n, uint64_t now_ns);

// Whether request `n` and all after it will never be sent.
bool pace_over(const struct pace *p, uint64_t n, uint64_t now_ns);

#endif
