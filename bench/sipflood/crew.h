// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_CREW_H
#define SIPFLOOD_CREW_H

#include "sipflood/cli.h"
#include "sipflood/ledger.h"

// The threads of a run: each has an engine, sockets and users of its own.

struct crew;

// What all threads together do: a pace as in pace.h, but for the whole crew.
struct stage {
    uint64_t count;
    uint64_t duration_ns;
    uint64_t rate_per_s;
    uint64_t window; // neither: nothing but the refreshes of a population
};

// Opens the sockets and makes the engines. NULL when that fails; one line about it goes to `why`.
// The caller destroys it.
struct crew *crew_create(const struct cli *cli, FILE *why);
void crew_destroy(struct crew *c);

// Starts the threads on a stage; requests are sent from *start_ns on. They bring what they count to
// the crew's ledger and leave it when all is sent and settled; then crew_finish must be called.
// False when the system refuses; one line about it goes to `why`.
bool crew_start(struct crew *c, const struct stage *stage, uint64_t *start_ns, FILE *why);
struct ledger *crew_ledger(struct crew *c);
void crew_finish(struct crew *c);

// Nothing new is sent in this stage.
void crew_stop(struct crew *c);

// Answers lost in this machine's own receive queues so far.
uint64_t crew_dropped(const struct crew *c);

#endif
