// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_INFLIGHT_H
#define SIPFLOOD_INFLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sipflood/script.h"

// The requests that wait for an answer, by number. One row per request in a ring, so that
// matching an answer, giving up and sending again cost O(1) each, and nothing is allocated after
// creation. One thread.

// Retransmissions of one request within 64 * T1 (RFC 3261 17.1.2.1, 17.1.2.2).
enum { INFLIGHT_RESENDS_MAX = 10 };

// When a request is sent again and when it is given up, in nanoseconds after it was first sent.
struct inflight_timers {
    uint64_t timeout_ns;
    unsigned resends;
    uint64_t resend_ns[INFLIGHT_RESENDS_MAX]; // ascending, all below timeout_ns
};

// RFC 3261: timer A doubles from T1 for an INVITE, timer E doubles up to T2 for anything else.
// No retransmission at all unless `resend`.
struct inflight_timers inflight_timers_of(uint64_t timeout_ns, bool resend, bool invite);

struct inflight;

// `rows` is a power of two: how far the newest request may be ahead of the oldest one still
// waiting. NULL when memory is short. The caller destroys it.
struct inflight *inflight_create(size_t rows, const struct inflight_timers *timers);
void inflight_destroy(struct inflight *f);

// Whether the ring has no row for another request before the oldest one is settled.
bool inflight_full(const struct inflight *f);

// The number of the next request to begin; requests begun so far.
uint64_t inflight_next(const struct inflight *f);

// Requests begun and neither answered nor given up.
uint64_t inflight_waiting(const struct inflight *f);

// Begins request inflight_next(): the ring must not be full, and `sent_ns` must not decrease.
void inflight_begin(struct inflight *f, const struct step *step, uint64_t intended_ns,
                    uint64_t sent_ns);

// What request `n` says, until the next inflight_begin; NULL when it was never sent, or longer ago
// than the ring remembers.
const struct step *inflight_step(const struct inflight *f, uint64_t n);

enum inflight_match {
    INFLIGHT_FIRST,   // the first final answer: the request is settled now
    INFLIGHT_AGAIN,   // an answer to one that was sent more than once and is answered already
    INFLIGHT_TWICE,   // a second answer to a request that was sent once
    INFLIGHT_LATE,    // given up already, or longer ago than the ring remembers
    INFLIGHT_UNKNOWN, // never sent
};

// Matches the final answer to request `n`. *intended_ns is set for INFLIGHT_FIRST.
enum inflight_match inflight_answer(struct inflight *f, uint64_t n, uint64_t *intended_ns);

// True and the number of a request that is to be sent again now; to be called until false.
bool inflight_resend(struct inflight *f, uint64_t now_ns, uint64_t *n);

// Gives up every request whose timeout has passed; returns how many.
uint64_t inflight_expire(struct inflight *f, uint64_t now_ns);

// Not later than when inflight_resend or inflight_expire have something to do; UINT64_MAX when
// nothing waits.
uint64_t inflight_wake_ns(const struct inflight *f);

#endif
