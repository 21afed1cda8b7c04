// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_ROSTER_H
#define SIPFLOOD_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

// A population of phones that refresh their registrations, each at its own times: first at a random
// moment of the interval, then one interval after the other, each shortened by a random part of the
// jitter. A refresh that is late moves nothing: the loop is open. One thread.

struct roster;

struct roster_config {
    uint32_t users;
    uint64_t interval_ns;
    uint64_t jitter_ns; // below the interval
    uint64_t random;
};

// NULL when memory is short. The caller destroys it.
struct roster *roster_create(const struct roster_config *config);
void roster_destroy(struct roster *r);

// The times begin here, and nothing is due from `end_ns` on. To be called before anything else.
void roster_start(struct roster *r, uint64_t start_ns, uint64_t end_ns);

// When the next one is due; UINT64_MAX when none is any more.
uint64_t roster_due_ns(const struct roster *r);

struct refresh {
    uint32_t user; // from 0 to users - 1
    uint32_t turn; // how many refreshes of this user went before
};

// Takes the next one and lays down when its user comes again.
struct refresh roster_take(struct roster *r);

#endif
