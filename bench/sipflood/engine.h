// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_ENGINE_H
#define SIPFLOOD_ENGINE_H

#include "sipflood/inflight.h"
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
    struct pace pace;
    struct inflight_timers timers;
    bool acks;      // acknowledge the final answers to INVITEs
    bool echo;      // an answer is right when its branch is: the target is an echo
    bool busy;      // never sleep
    bool gso;       // send trains
    bool gro;       // take trains
    unsigned shown; // wrong answers kept
};

struct engine;

// NULL when memory is short or the system refuses; one line about it goes to `why`. The caller
// destroys it.
struct engine *engine_create(const struct engine_config *config, FILE *why);
void engine_destroy(struct engine *e);

// One round: give up, send again, send what is due, sleep until there is something to do (at most
// a tenth of a second) and take answers. False when all is sent and settled.
bool engine_turn(struct engine *e);

// Sends nothing new from now on.
void engine_stop(struct engine *e);

// What the engine has counted; its latencies are those since the last reset by the caller.
struct tally *engine_tally(struct engine *e);

#endif
