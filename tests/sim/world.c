// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/world.h"

#include <inttypes.h>
#include <stdlib.h>

#include "tests/sim/deliver.h"

enum {
    S = 1000,
    HOUR_MS = 3600 * S,
    FREEZE_MS_MAX = 20 * S,
    STALL_MS_MAX = 60 * S,
    T1_MS = 500,
    T2_MS = 4000,
    GIVE_UP_MS = 64 * T1_MS, // timers B and F
    STEPS_LONG = 1500,       // of one seed in LONG_EVERY
    LONG_EVERY = 250,
};

// ---- The seed's choices

static void choose_policy(struct world *w, struct model_config *policy)
{
    static const uint32_t mins[] = {1, 1, 2, 10, 60, 3599, 3600, 7200};
    static const uint32_t spans[] = {0, 1, 10, 60, 3600, 86400};
    static const unsigned contacts[] = {1, 2, 3, 10};
    static const uint64_t bindings[] = {1000, 1000, 1000, 3};
    static const uint32_t redirects[] = {1400, 600, 450};
    static const uint32_t jitters[] = {0, 0, 0, 10, 50};
    const uint32_t span = RNG_PICK(&w->rng, spans);
    policy->domain_count = rng_below(&w->rng, SERVER_DOMAINS_MAX + 1);
    policy->expires_min_s = RNG_PICK(&w->rng, mins);
    policy->expires_max_s = policy->expires_min_s + span;
    policy->expires_default_s = policy->expires_min_s + rng_below(&w->rng, span + 1);
    policy->expires_jitter_percent = RNG_PICK(&w->rng, jitters);
    policy->replace_oldest = rng_chance(&w->rng, 30);
    policy->contacts_max = RNG_PICK(&w->rng, contacts);
    policy->bindings_max = RNG_PICK(&w->rng, bindings);
    policy->redirect_bytes_max = RNG_PICK(&w->rng, redirects);
}

static void choose_network(struct world *w)
{
    static const unsigned losses[] = {0, 0, 5, 20, 40};
    static const unsigned copies[] = {0, 5, 30};
    static const unsigned delays_ms[] = {0, 50, 2000, 40000};
    static const unsigned gaps_ms[] = {200, 2000, 20000, 120000};
    static const unsigned faults[] = {0, 3, 15};
    static const unsigned ticks_ms[] = {100, 1000, 60000};
    const struct network_quality quality = {RNG_PICK(&w->rng, losses), RNG_PICK(&w->rng, copies),
                                            RNG_PICK(&w->rng, delays_ms)};
    network_start(&w->network, &quality, &w->rng);
    w->gap_ms_max = RNG_PICK(&w->rng, gaps_ms);
    w->fault_percent = RNG_PICK(&w->rng, faults);
    w->tick_ms_max = RNG_PICK(&w->rng, ticks_ms);
}

static void choose_clocks(struct world *w)
{
    static const uint64_t starts_ms[] = {0, 1, 999, 1000, UINT64_C(4095999), UINT64_C(86400000000)};
    w->time_ms = 0;
    w->now.mono_ms =
        RNG_PICK(&w->rng, starts_ms) + (rng_chance(&w->rng, 50) ? rng_below(&w->rng, S) : 0);
    w->now.wall_ms = UINT64_C(1500000000000) + rng_next(&w->rng) % UINT64_C(1000000000000);
    w->frozen_ms = 0;
    w->stalled_ms = 0;
    w->next_tick_ms = rng_below(&w->rng, w->tick_ms_max);
}

static bool start(struct world *w, uint64_t seed, const struct command_options *options)
{
    trace_start(&w->trace, options->verbose);
    w->rng.state = seed * UINT64_C(0xd1342543de82ef95);
    const bool long_run = seed % LONG_EVERY == 0;
    w->step_count = long_run ? STEPS_LONG : 60 + rng_below(&w->rng, 41);
    w->step_count = options->steps != 0 ? options->steps : w->step_count;
    const bool stateful = rng_chance(&w->rng, 50);
    w->config = (struct server_config){
        .shards = 1U << rng_below(&w->rng, 3),
        .stateful = options->mode == WORLD_ANY_MODE ? stateful : options->mode == WORLD_STATEFUL,
        .transaction_bytes = rng_chance(&w->rng, 80) ? DELIVER_ROOMY_BYTES : 8000,
        .key = rng_next(&w->rng),
    };
    choose_policy(w, &w->config.policy);
    choose_network(w);
    choose_clocks(w);
    w->model.config = w->config.policy;
    w->model.bindings.count = 0;
    w->model.bindings.age_next = 0;
    w->transactions.count = 0;
    phones_start(&w->phones, &w->rng, &w->model.config);
    w->request_count = 1; // 0 stands for none
    w->request_cap = 2 * w->step_count + 2;
    w->requests = malloc(w->request_cap * sizeof(struct request));
    return server_start(&w->server, &w->config) && w->requests != NULL;
}

// ---- Time

static void advance(struct world *w, uint64_t to_ms)
{
    const uint64_t awake_ms = w->time_ms > w->frozen_ms ? w->time_ms : w->frozen_ms;
    w->now.wall_ms += to_ms - w->time_ms;
    w->now.mono_ms += to_ms > awake_ms ? to_ms - awake_ms : 0;
    w->time_ms = to_ms;
}

static void clock_fault(struct world *w)
{
    const uint64_t ms =
        rng_chance(&w->rng, 50) ? rng_below(&w->rng, 10 * S) : rng_below(&w->rng, 20 * HOUR_MS);
    switch (rng_below(&w->rng, 5)) {
    case 0: // somebody sets the system's clock
        w->now.wall_ms += ms;
        break;
    case 1: w->now.wall_ms -= 400 * ms; break;
    case 2: // asleep
        w->now.wall_ms += ms;
        w->now.mono_ms += ms;
        break;
    case 3: w->frozen_ms = w->time_ms + ms % FREEZE_MS_MAX; break;
    default: w->stalled_ms = w->time_ms + ms % STALL_MS_MAX; break;
    }
    trace_line(&w->trace, "%" PRIu64 " fault: mono %" PRIu64 " wall %" PRIu64, w->time_ms,
               w->now.mono_ms, w->now.wall_ms);
}

// All ticks up to the moment at which the next event happens.
static void tick_until(struct world *w, uint64_t at_ms)
{
    enum { BUSY_TICK_MS = 50 };

    while (w->next_tick_ms <= at_ms && !w->trace.failed) {
        const uint64_t late_ms = w->next_tick_ms < w->stalled_ms ? w->stalled_ms : w->next_tick_ms;
        if (late_ms > at_ms) {
            w->next_tick_ms = late_ms;
            return;
        }
        advance(w, late_ms);
        deliver_tick(w);
        const bool busy = w->config.stateful && tx_waiting(&w->transactions, w->now.mono_ms);
        w->next_tick_ms =
            w->time_ms + 1 + (busy ? BUSY_TICK_MS : rng_below(&w->rng, w->tick_ms_max));
    }
}

// ---- Clients

static unsigned add_request(struct world *w)
{
    assert(w->request_count < w->request_cap);
    const unsigned i = w->request_count++;
    struct request *const r = &w->requests[i];
    r->started_ms = w->time_ms;
    r->interval_ms = T1_MS;
    r->done = false;
    r->ack = 0;
    r->never_acks = rng_chance(&w->rng, 10);
    r->to_tag_len = 0;
    return i;
}

static void act(struct world *w)
{
    const unsigned i = add_request(w);
    struct intent *const in = &w->requests[i].intent;
    phones_next(&w->phones, in);
    in->id = i;
    network_send(&w->network, w->time_ms, EVENT_TO_SERVER, i);
    network_schedule(&w->network, w->time_ms + T1_MS, EVENT_RETRANSMIT, i);
    network_schedule(&w->network, w->time_ms + rng_below(&w->rng, w->gap_ms_max), EVENT_ACT, 0);
    if (rng_chance(&w->rng, w->fault_percent)) {
        clock_fault(w);
    }
}

// RFC 3261 17.1.1.2 timer A, 17.1.2.2 timer E.
static void retransmit(struct world *w, unsigned i)
{
    struct request *const r = &w->requests[i];
    if (r->done || w->time_ms - r->started_ms >= GIVE_UP_MS) {
        return;
    }
    const bool capped = r->intent.kind != INTENT_INVITE && r->interval_ms >= T2_MS;
    r->interval_ms = capped ? T2_MS : 2 * r->interval_ms;
    network_send(&w->network, w->time_ms, EVENT_TO_SERVER, i);
    network_schedule(&w->network, w->time_ms + r->interval_ms, EVENT_RETRANSMIT, i);
}

// RFC 3261 17.1.1.3: each copy of a final answer to an INVITE is acknowledged.
static void receive(struct world *w, unsigned i)
{
    struct request *const r = &w->requests[i];
    r->done = true;
    if (r->intent.kind != INTENT_INVITE || r->never_acks) {
        return;
    }
    if (r->ack == 0) {
        const unsigned ack = add_request(w);
        struct intent *const in = &w->requests[ack].intent;
        *in = r->intent;
        in->id = ack;
        in->kind = INTENT_ACK;
        memcpy(in->to_tag, r->to_tag, r->to_tag_len);
        in->to_tag[r->to_tag_len] = '\0';
        r->ack = ack;
    }
    network_send(&w->network, w->time_ms, EVENT_TO_SERVER, r->ack);
}

// ---- The run

static void happen(struct world *w, const struct event *event)
{
    switch (event->kind) {
    case EVENT_ACT: act(w); break;
    case EVENT_TO_SERVER:
        if (w->time_ms < w->stalled_ms) {
            network_schedule(&w->network, w->stalled_ms, EVENT_TO_SERVER, event->request);
        } else {
            deliver_request(w, event->request);
        }
        break;
    case EVENT_TO_CLIENT: receive(w, event->request); break;
    case EVENT_RETRANSMIT: retransmit(w, event->request); break;
    }
}

bool world_run(struct world *world, uint64_t seed, const struct command_options *options)
{
    struct event event;
    if (!start(world, seed, options)) {
        trace_fail(&world->trace, "out of memory");
    }
    network_schedule(&world->network, 0, EVENT_ACT, 0);
    while (!world->trace.failed && world->trace.step < world->step_count &&
           network_next(&world->network, &event)) {
        world->trace.step++;
        tick_until(world, event.at_ms);
        advance(world, event.at_ms);
        if (!world->trace.failed) {
            happen(world, &event);
        }
    }
    server_stop(&world->server);
    free(world->requests);
    return !world->trace.failed;
}
