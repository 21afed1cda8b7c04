// SPDX-License-Identifier: Apache-2.0
#include "tests/sim_store/world.h"

#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>

#include "tests/sim/text.h"
#include "tests/sim_store/ordeal.h"

enum {
    S = 1000,
    BIG_EVERY = 200, // of so many seeds one has more than queues hold and a rewrite's round takes
    BIG_STEPS = 2500,
    HEAL_ROUNDS_MAX = 200,
    OUTGROWN_BYTES = 100 << 20,
};

// ---- The seed's choices

static void choose(struct world *w, const struct command_options *options)
{
    static const unsigned gaps_ms[] = {20, 500, 20 * S};
    static const unsigned faults[] = {0, 2, 6, 15};
    static const unsigned holds[] = {0, 10, 40};
    static const uint32_t syncs_ms[] = {0, 50, 2 * S};
    const bool sync = rng_chance(&w->rng, 50);
    w->config = (struct host_config){
        .answers_wait = options->mode == WORLD_ANY_MODE ? sync : options->mode == WORLD_SYNC,
        .stateful = rng_chance(&w->rng, 50),
        .shards = 1U << rng_below(&w->rng, 3),
    };
    w->config.sync_ms = w->config.answers_wait ? 0 : RNG_PICK(&w->rng, syncs_ms);
    w->aor_count = w->big ? WORLD_AORS_MAX : 1 + rng_below(&w->rng, 6);
    w->pad_bytes = w->big || rng_chance(&w->rng, 5) ? PHONE_PAD_BYTES_MAX : 0;
    w->step_count = w->big ? BIG_STEPS : 100 + rng_below(&w->rng, 100);
    w->step_count = options->steps != 0 ? options->steps : w->step_count;
    w->gap_ms_max = w->big ? gaps_ms[0] : RNG_PICK(&w->rng, gaps_ms);
    w->fault_percent = w->big ? 1 : RNG_PICK(&w->rng, faults);
    w->hold_percent = RNG_PICK(&w->rng, holds);
    w->frozen_steps = 0;
    w->invites = 0;
    w->deleted = false;
    w->now = (struct now){.mono_ms = rng_below(&w->rng, 100 * S),
                          .wall_ms = UINT64_C(1500000000000) + rng_below(&w->rng, 1000 * S)};
    memset(w->phones, 0, sizeof(w->phones));
}

static bool start(struct world *w, uint64_t seed, const struct command_options *options)
{
    const struct version nothing = {0};
    trace_start(&w->trace, options->verbose);
    w->rng.state = seed * UINT64_C(0xd1342543de82ef95);
    w->big = seed % BIG_EVERY == 0;
    w->text = buf_over(w->text_bytes, sizeof(w->text_bytes));
    choose(w, options);
    for (unsigned aor = 0; aor < w->aor_count; aor++) {
        history_start(&w->histories[aor], &nothing);
    }
    w->disk = disk_create();
    if (w->disk == NULL || !host_start(&w->host, &w->config, w->disk, &w->rng) ||
        !host_load(&w->host, &w->rng, 0, w->now)) {
        return false;
    }
    w->key = w->host.uas.config.key;
    return true;
}

// ---- Requests

static void offer(struct world *w, unsigned worker)
{
    const struct host_ticket ticket = w->host.workers[worker].ticket;
    const bool taken = host_offer(&w->host, worker);
    trace_line(&w->trace, "  worker %u offers aor %u version %d%s", worker, ticket.aor,
               ticket.version, taken ? "" : ": queue full");
    if (!taken && w->config.answers_wait) {
        trace_fail(&w->trace, "an answer that waits has found no room");
    }
    if (taken && w->histories[ticket.aor].offered < ticket.version) {
        w->histories[ticket.aor].offered = ticket.version;
    }
}

// A worker that holds nothing back.
static unsigned free_worker(struct world *w)
{
    const unsigned worker = rng_below(&w->rng, HOST_WORKERS);
    if (w->host.workers[worker].holds) {
        offer(w, worker);
    }
    return worker;
}

static unsigned contact_count(const struct text *text)
{
    unsigned n = 0;
    while (text_find(text, "Contact", n) != NULL) {
        n++;
    }
    return n;
}

// A phone has its 200.
static void answered(struct world *w, const struct host_ticket *ticket, struct slice answer)
{
    static const char mark[] = ";tag=";
    struct phone *const phone = &w->phones[ticket->aor][ticket->phone];
    struct text text;
    const struct slice *to = NULL;
    if (text_read(answer, &text) && text.status == 200) {
        to = text_find(&text, "To", 0);
    }
    const char *const at = to == NULL ? NULL : memmem(to->at, to->len, mark, sizeof(mark) - 1);
    if (at == NULL || contact_count(&text) != ticket->contacts) {
        trace_fail(&w->trace, "aor %u phone %u: a strange answer", ticket->aor, ticket->phone);
        return;
    }
    if (phone->cseq != ticket->cseq) {
        return; // it has sent another one meanwhile
    }
    const struct slice tag = slice_between(at, slice_end(*to));
    if (phone->tag_len != 0 && !slice_equal(tag, slice_of(phone->tag, phone->tag_len))) {
        trace_fail(&w->trace, "aor %u phone %u: another To tag than before", ticket->aor,
                   ticket->phone);
    }
    assert(tag.len <= sizeof(phone->tag));
    memcpy(phone->tag, tag.at, tag.len);
    phone->tag_len = tag.len;
}

static void judge_status(struct world *w, const struct deed *deed, unsigned status,
                         unsigned expected)
{
    if (status != expected) {
        trace_fail(&w->trace, "REGISTER of aor %u phone %u cseq %u: %u, expected %u", deed->aor,
                   deed->phone, deed->cseq, status, expected);
    }
}

// What the server has done with a REGISTER, and what it has left for the store.
static void judge_register(struct world *w, unsigned worker, const struct deed *deed)
{
    struct host_worker *const hands = &w->host.workers[worker];
    struct history *const history = &w->histories[deed->aor];
    const struct version before = history_now(history, w->now.wall_ms);
    struct version after;
    const unsigned foreseen = version_after(&before, deed, w->now.wall_ms, &after);
    const bool unserved = hands->service != UAS_SERVES;
    judge_status(w, deed, host_status(hands), unserved ? 503 : foreseen);
    if (unserved || foreseen != 200 || w->trace.failed) {
        if (hands->holds) {
            trace_fail(&w->trace, "a REGISTER that was refused has left a state");
        }
        return;
    }
    const bool changed = !version_equal(&before, &after);
    if ((changed || w->config.answers_wait) && !hands->holds) {
        trace_fail(&w->trace, "a REGISTER has left no state");
    }
    if (changed) {
        history_push(history, &after);
    }
    hands->ticket =
        (struct host_ticket){deed->aor, deed->phone, deed->cseq, after.count, history->count - 1};
    if (!w->config.answers_wait) {
        answered(w, &hands->ticket, buf_slice(&hands->out.answer));
    }
}

static void register_deed(struct world *w, const struct deed *deed)
{
    static const char *const kinds[] = {"bind", "remove", "remove all", "ask"};
    const unsigned worker = free_worker(w);
    const uint64_t repeats = metric_read(&w->host.metrics.rows[METRIC_RETRANSMISSIONS]);
    host_handle(&w->host, worker, phone_register(&w->text, deed), w->now);
    struct host_worker *const hands = &w->host.workers[worker];
    trace_line(&w->trace, "worker %u: aor %u phone %u cseq %u %s: %u", worker, deed->aor,
               deed->phone, deed->cseq, kinds[deed->kind], host_status(hands));
    struct deed done = *deed;
    if (metric_read(&w->host.metrics.rows[METRIC_RETRANSMISSIONS]) != repeats) {
        if (!hands->holds) {
            return; // the transaction's answer once more
        }
        done.kind = DEED_ASK; // for it has been granted before
    }
    judge_register(w, worker, &done);
    if (hands->holds && !w->trace.failed && !rng_chance(&w->rng, w->hold_percent)) {
        offer(w, worker);
    }
}

static void act(struct world *w)
{
    static const enum deed_kind kinds[] = {DEED_BIND,   DEED_BIND,       DEED_BIND, DEED_BIND,
                                           DEED_REMOVE, DEED_REMOVE_ALL, DEED_ASK};

    static const uint32_t expiries_s[] = {5, 60, 600, 3600, 3600};
    const unsigned aor = rng_below(&w->rng, w->aor_count);
    const unsigned number = rng_below(&w->rng, PHONES_MAX);
    struct phone *const phone = &w->phones[aor][number];
    if (phone->cseq == 0 || rng_chance(&w->rng, 80)) {
        const bool fills = w->big && rng_chance(&w->rng, 70);
        phone->last =
            (struct deed){.kind = fills ? DEED_BIND : RNG_PICK(&w->rng, kinds),
                          .aor = aor,
                          .phone = number,
                          .cseq = ++phone->cseq,
                          .expires_s = w->big ? HOST_EXPIRES_MAX_S : RNG_PICK(&w->rng, expiries_s),
                          .pad_bytes = w->pad_bytes};
        phone->tag_len = 0;
    }
    register_deed(w, &phone->last);
    ordeal_check(w, aor);
}

// What callers see.
static void invite(struct world *w)
{
    const unsigned aor = rng_below(&w->rng, w->aor_count);
    const unsigned worker = free_worker(w);
    const struct version now = history_now(&w->histories[aor], w->now.wall_ms);
    struct text text;
    host_handle(&w->host, worker, phone_invite(&w->text, aor, ++w->invites), w->now);
    const struct slice answer = buf_slice(&w->host.workers[worker].out.answer);
    const unsigned status = host_status(&w->host.workers[worker]);
    if (!text_read(answer, &text) || contact_count(&text) != now.count ||
        (status == 302) != (now.count > 0)) {
        trace_fail(&w->trace, "INVITE to aor %u: %u, but it has %u bindings", aor, status,
                   now.count);
    }
}

// ---- The store

static void judge_service(struct world *w, enum keeper_did did)
{
    const bool fails = did == KEEPER_FAILS;
    const size_t waiting = keeper_waiting_bytes(w->host.keeper);
    for (unsigned i = 0; i < HOST_WORKERS; i++) {
        if (w->host.workers[i].holds) {
            continue; // it does not ask now
        }
        const enum uas_service service = keeper_service(w->host.keeper, i);
        const bool wrong =
            fails && w->config.answers_wait ? service != UAS_LOOKS_UP : service != UAS_SERVES;
        if (wrong && (!w->config.answers_wait || waiting < HOST_QUEUE_BYTES / 2)) {
            trace_fail(&w->trace, "the store %s, but the service is %d", fails ? "fails" : "works",
                       (int)service);
        }
    }
}

static bool held(const struct world *w, unsigned aor)
{
    bool found = false;
    for (unsigned i = 0; i < HOST_WORKERS; i++) {
        found = found || (w->host.workers[i].holds && w->host.workers[i].ticket.aor == aor);
    }
    return found;
}

// A keeper that owes nothing, with empty queues, has all on disk that it was ever to keep.
static void judge_debts(struct world *w)
{
    for (unsigned aor = 0; aor < w->aor_count; aor++) {
        const struct history *const history = &w->histories[aor];
        if (history->floor != history->count - 1 && !held(w, aor)) {
            trace_fail(&w->trace, "aor %u is not on disk, but nothing is said to be owed", aor);
        }
    }
}

static void promise(struct world *w, enum keeper_did did, bool rewritten)
{
    const bool all = did != KEEPER_BUSY && keeper_trouble(w->host.keeper) == NULL;
    for (unsigned aor = 0; aor < w->aor_count; aor++) {
        struct history *const history = &w->histories[aor];
        if (rewritten) {
            history_keep(history, history->at_begin);
        }
        if (all) {
            history_write(history, history->offered);
        }
        if (all && disk_unsynced(w->disk) == 0) {
            history_keep(history, history->offered);
        }
    }
    w->deleted = w->deleted && !rewritten;
    if (all && !keeper_owes(w->host.keeper)) {
        judge_debts(w);
    }
}

static void judge_sync(struct world *w, bool was_synced)
{
    if (disk_unsynced(w->disk) == 0 || keeper_trouble(w->host.keeper) != NULL) {
        return;
    }
    w->unsynced_ms = was_synced ? w->now.mono_ms : w->unsynced_ms;
    if (w->now.mono_ms - w->unsynced_ms >= w->config.sync_ms || !keeper_owes(w->host.keeper)) {
        trace_fail(&w->trace, "what has been appended is still not synced");
    }
}

// Not less often than it tells the model does the keeper begin: what the table holds then is what a
// rewrite brings to disk.
static enum keeper_did work(struct world *w)
{
    const struct metric_counter *const rewrites =
        &w->host.store_metrics.rows[METRIC_STORE_REWRITES];
    const uint64_t rewritten = metric_read(rewrites);
    const unsigned begun = disk_calls(w->disk, DISK_BEGIN);
    const bool was_synced = disk_unsynced(w->disk) == 0;
    struct keeper_answer waiting;
    const enum keeper_did did = keeper_round(w->host.keeper, w->now);
    for (unsigned aor = 0; begun != disk_calls(w->disk, DISK_BEGIN) && aor < w->aor_count; aor++) {
        w->histories[aor].at_begin = w->histories[aor].count - 1;
    }
    trace_line(&w->trace, "round: did %d, %s; %zu blocks in %u generations", (int)did,
               keeper_trouble(w->host.keeper) == NULL ? "well" : keeper_trouble(w->host.keeper),
               disk_blocks(w->disk), disk_generations(w->disk));
    if (disk_dead(w->disk)) {
        ordeal_crash(w, 0);
        return KEEPER_IDLE;
    }
    while (keeper_next_answer(w->host.keeper, &waiting)) {
        struct host_ticket ticket;
        memcpy(&ticket, waiting.ticket.at, sizeof(ticket));
        trace_line(&w->trace, "  answer to aor %u version %d leaves", ticket.aor, ticket.version);
        history_keep(&w->histories[ticket.aor], ticket.version);
        answered(w, &ticket, waiting.answer);
    }
    keeper_end_round(w->host.keeper);
    promise(w, did, metric_read(rewrites) != rewritten);
    judge_service(w, did);
    judge_sync(w, was_synced);
    return did;
}

// ---- The run

static void pass_time(struct world *w)
{
    const uint64_t ms = rng_below(&w->rng, w->gap_ms_max);
    size_t removed = 0;
    w->now.mono_ms += ms;
    w->now.wall_ms += ms;
    if (rng_chance(&w->rng, 20)) {
        (void)location_expire(w->host.uas.location, w->now, UINT_MAX, &removed);
    }
}

static void step(struct world *w)
{
    const unsigned dice = rng_below(&w->rng, 100);
    pass_time(w);
    if (rng_chance(&w->rng, w->fault_percent)) {
        ordeal_fault(w);
    }
    if (dice < 60) {
        act(w);
    } else if (dice < 65) {
        invite(w);
    } else if (dice < 95) {
        if (w->frozen_steps == 0) {
            (void)work(w);
        }
    } else if (dice < 97 && w->fault_percent > 0 && (!w->big || rng_chance(&w->rng, 10))) {
        ordeal_crash(w, rng_chance(&w->rng, w->big ? 50 : 5) ? OUTGROWN_BYTES : 0);
    }
    w->frozen_steps -= w->frozen_steps > 0 ? 1 : 0;
    if (keeper_waiting_bytes(w->host.keeper) > (size_t)HOST_WORKERS * HOST_QUEUE_BYTES) {
        trace_fail(&w->trace, "the queues are longer than they may be");
    }
}

// As run/persister.c does when the server is stopped.
static void stop(struct world *w)
{
    const bool well = keeper_trouble(w->host.keeper) == NULL;
    enum keeper_did did;
    keeper_hurry(w->host.keeper);
    do {
        did = work(w);
    } while (!w->trace.failed && (did == KEEPER_BUSY || did == KEEPER_WORKED ||
                                  (did == KEEPER_REWRITES && keeper_owes(w->host.keeper))));
    if (well && !w->deleted && keeper_owes(w->host.keeper)) {
        trace_fail(&w->trace, "a healthy server leaves debts");
    }
}

// Soon all is there.
static void recover(struct world *w)
{
    enum keeper_did did = KEEPER_BUSY;
    unsigned rounds = 0;
    do {
        w->now.mono_ms += 100;
        w->now.wall_ms += 100;
        did = work(w);
    } while (!w->trace.failed && ++rounds < HEAL_ROUNDS_MAX &&
             (did != KEEPER_IDLE || keeper_owes(w->host.keeper)));
    if (!w->trace.failed) {
        judge_debts(w);
    }
}

// The disk is well from now on, and when all is there a crash takes nothing away.
static void heal(struct world *w)
{
    trace_line(&w->trace, "the disk is well");
    for (unsigned i = 0; i < HOST_WORKERS; i++) {
        if (w->host.workers[i].holds) {
            offer(w, i);
        }
    }
    for (unsigned call = 0; call < DISK_CALLS; call++) {
        disk_order(w->disk, (enum disk_call)call, DISK_DOES, 0, 0);
    }
    disk_kill(w->disk, DISK_DOES, UINT_MAX);
    if (rng_chance(&w->rng, 50)) {
        stop(w);
    } else {
        recover(w);
    }
}

bool world_run(struct world *world, uint64_t seed, const struct command_options *options)
{
    if (!start(world, seed, options)) {
        trace_fail(&world->trace, "out of memory");
    }
    while (!world->trace.failed && world->trace.step < world->step_count) {
        world->trace.step++;
        step(world);
    }
    if (!world->trace.failed) {
        heal(world);
    }
    if (!world->trace.failed) {
        ordeal_crash(world, 0);
    }
    host_free(&world->host);
    disk_destroy(world->disk);
    for (unsigned aor = 0; aor < WORLD_AORS_MAX; aor++) {
        history_free(&world->histories[aor]);
        world->histories[aor] = (struct history){0};
    }
    return !world->trace.failed;
}
