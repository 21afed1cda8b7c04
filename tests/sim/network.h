// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_NETWORK_H
#define SIGNPOST_TESTS_SIM_NETWORK_H

#include "tests/sim/rng.h"

// Events by virtual time, and a network that makes its datagrams late, twice or never arrive.

enum { NETWORK_EVENTS_MAX = 4096 };

enum event_kind {
    EVENT_ACT,        // somebody thinks of a new request
    EVENT_TO_SERVER,  // a request arrives
    EVENT_TO_CLIENT,  // its answer arrives
    EVENT_RETRANSMIT, // its client's timer A or E
};

struct event {
    uint64_t at_ms;
    uint64_t order; // among those of one moment
    enum event_kind kind;
    unsigned request;
};

struct network_quality {
    unsigned loss_percent;
    unsigned copies_percent;
    unsigned delay_ms_max;
};

struct network {
    struct network_quality quality;
    struct rng *rng;
    uint64_t order;
    unsigned count;
    struct event heap[NETWORK_EVENTS_MAX]; // the first is the next
};

void network_start(struct network *net, const struct network_quality *quality, struct rng *rng);

// An event that surely happens. What does not fit any more is lost.
void network_schedule(struct network *net, uint64_t at_ms, enum event_kind kind, unsigned request);

// A datagram sent at this moment.
void network_send(struct network *net, uint64_t now_ms, enum event_kind kind, unsigned request);

// False when nothing more will happen.
bool network_next(struct network *net, struct event *event);

#endif
