// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_PLAN_H
#define SIPFLOOD_PLAN_H

#include "sipflood/mix.h"
#include "sipflood/pace.h"
#include "sipflood/roster.h"
#include "sipflood/script.h"
#include "sipflood/share.h"

// What one thread asks next, for whom, and when. One thread.
//
// Refreshes, calls and questions go over the users in rounds. In a run of several kinds, `register`
// brings newcomers, users beyond the others, and `deregister` lets them go, some thousand
// registrations after they came. With a roster, refreshes come beside that at the roster's times.

struct plan_config {
    struct mix mix;
    struct share share;
    struct roster *roster; // of this thread's users, started by the caller; or NULL
    uint32_t users;        // of the run
    bool scatter;          // rounds go over the users in no order
    uint64_t run;          // makes this run's random choices
};

// Open for the sake of tests; fields belong to plan.c.
struct plan {
    struct plan_config config;
    struct pace pace;
    uint32_t stride;     // callers meet callees in an order of their own
    uint32_t own_stride; // and rounds go so over this thread's users
    uint32_t known;      // users of this thread
    uint32_t newcomers;  // room for this many more
    bool mixed;
    uint64_t calls;   // steps so far, the roster's too
    uint64_t taken;   // requests so far
    uint64_t first;   // of these, before this pace
    uint64_t allowed; // requests known to be due or past
};

// The thread must have at least one user.
struct plan plan_of(const struct plan_config *config);

// From now on at this pace; whom to ask goes on where it was.
void plan_begin(struct plan *p, const struct pace *pace);

// Takes the next request if it may be sent at `now_ns`, when `settled` requests of this pace have
// been answered or given up. `intended_ns` is when it was meant to be sent.
bool plan_take(struct plan *p, uint64_t now_ns, uint64_t settled, struct step *out,
               uint64_t *intended_ns);

// When plan_take has something next, unless an answer comes: `now_ns` if at once, UINT64_MAX if
// never.
uint64_t plan_wake_ns(const struct plan *p, uint64_t now_ns, uint64_t settled);

// Whether nothing more will come at this pace.
bool plan_over(const struct plan *p, uint64_t now_ns);

#endif
