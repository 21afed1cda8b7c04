// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_ENGINE_H
#define SIPFLOOD_ENGINE_H

#include "sipflood/inflight.h"
#include "sipflood/ledger.h"
#include "sipflood/plan.h"
#include "sipflood/ports.h"
#include "sipflood/script.h"
#include "sipflood/tally.h"

// One thread's share of the flood: sends what is due, receives, matches and checks answers. An
// engine shares nothing with another one.

struct engine_config {
    const struct script *script; // borrowed as long as the engine lives, like `ports`
    const struct ports *ports;
    struct plan_config plan;
    uint64_t
        waiting_max; // requests that may be on their way at once; more wait until one is settled
    struct inflight_timers timers;
    const char *password; // answers challenges; NULL: a challenge is a wrong answer
    bool acks;            // acknowledge the final answers to INVITEs
    bool echo;            // an answer is right when its branch is: the target is an echo
    bool busy;            // never sleep
    bool gso;             // send trains
    bool gro;             // take trains
    unsigned shown;       // wrong answers kept
};

struct engine;

// NULL when memory is short or the system refuses; one line about it goes to `why`. The caller
// destroys it.
struct engine *engine_create(const struct engine_config *config, FILE *why);
void engine_destroy(struct engine *e);

// Sends at this pace from now on. What was sent before must be settled.
void engine_begin(struct engine *e, const struct pace *pace);

// One round: give up, send again, send what is due, sleep until there is something to do (at most
// a tenth of a second) and take answers. False when all is sent and settled.
bool engine_turn(struct engine *e);

// Sends nothing new until the next engine_begin.
void engine_stop(struct engine *e);

// When the last turn took its answers.
uint64_t engine_now_ns(const struct engine *e);

// Brings what was counted since the last time to the ledger.
void engine_post(struct engine *e, struct ledger *ledger);

#endif
