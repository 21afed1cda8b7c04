// SPDX-License-Identifier: Apache-2.0
#include "run/persister.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include "env/clock.h"
#include "env/thread.h"
#include "store/load.h"
#include "store/rocks.h"

enum {
    DIRECTORY_BYTES_MAX = 1024,
    LOAD_THREADS_MAX = 16,
    // Between the parts of a rewrite, so that it does not take a CPU for itself.
    REWRITE_PAUSE_US = 2000,
    FAILING_PAUSE_US = 100000,
    // What is waiting when a round begins before its time: a fraction of a millisecond's work, for
    // it may share a CPU with a worker.
    ROUND_BYTES = 128 << 10,
    // Where answers wait a round begins with the first of them. But a sync costs as much CPU as 50
    // answers, so that after a round with that many the next one gathers: as long as more come in
    // a step, until so much is waiting, or so long after the round before.
    GATHER_ANSWERS = 64,
    GATHER_STEP_US = 500,
    GATHER_BYTES = 512 << 10,
    GATHER_MS = 3,
    // At the end: a disk on which nothing has moved for so long is not waited for any more.
    STOP_PATIENCE_MS = 10000,

    US_PER_MS = 1000,
    US_PER_S = 1000000,
};

// How an answer leaves that had to wait.
struct ticket {
    struct flow flow;
    struct endpoint target;
};

static_assert(sizeof(struct ticket) <= KEEPER_TICKET_BYTES_MAX, "the keeper takes it");

struct persister {
    struct persister_config config;
    char directory[DIRECTORY_BYTES_MAX];
    struct engine *engine;     // the keeper's; for loading
    struct engine_fault fault; // of opening it
    struct hash_key key;       // that is kept with it
    bool found;                // there was something to open, and it may hold bindings
    struct keeper *keeper;
    struct outbox *outbox;
    int bell; // eventfd
    // What has to wait in a worker's queue for him to ring the bell; 0: nobody needs to.
    _Atomic size_t rings_at;
    _Atomic bool stopping;
    _Atomic bool up;
    _Atomic(enum persister_state) state;
    bool told_of_trouble;
    bool gathers; // GATHER_ANSWERS
    pthread_t thread;
};

static void *run(void *arg);

// ---- Start

// Once more, after a failure: the key is the one that this server works with, and another says that
// somebody has put another store in the place of this.
static enum err open_again(const void *context, struct engine **out, struct engine_fault *fault)
{
    const struct persister *const persister = context;
    const char *const directory = persister->directory;
    const enum err e = rocks_open(directory, ROCKS_SERVE, &persister->key, out, fault);
    if (e == ERR_OK && memcmp(&(*out)->key, &persister->key, sizeof(persister->key)) != 0) {
        engine_close(*out);
        *out = NULL;
        return engine_fail(
            fault, ERR_IO,
            "%s holds another store by now: move it away, or restart to serve from it", directory);
    }
    return e;
}

static void release(struct persister *persister)
{
    keeper_destroy(persister->keeper);
    outbox_destroy(persister->outbox);
    if (persister->bell >= 0) {
        (void)close(persister->bell);
    }
    free(persister);
}

static enum err open_all(struct persister *persister, struct hash_key *key)
{
    const struct persister_config *const config = &persister->config;
    struct engine_fault *const fault = &persister->fault;
    if (getrandom(key->bytes, sizeof(key->bytes), 0) != (ssize_t)sizeof(key->bytes)) {
        return ERR_SYSTEM;
    }
    thread_yield_readily(true); // for RocksDB's threads, which write files
    const enum err e =
        rocks_open(persister->directory, ROCKS_SERVE, key, &persister->engine, fault);
    thread_yield_readily(false);
    if (e != ERR_OK) {
        log_write(&config->log, LOG_LEVEL_ERROR, "store: %s", fault->text);
        return ERR_RANGE;
    }
    persister->key = persister->engine->key;
    persister->found = memcmp(key, &persister->key, sizeof(*key)) != 0; // else it was made now
    *key = persister->key;
    const struct keeper_config keeper = {.location = config->location,
                                         .metrics = config->metrics,
                                         .open = open_again,
                                         .context = persister,
                                         .name = persister->directory,
                                         .producers = config->workers,
                                         .queue_bytes = config->queue_bytes,
                                         .answers_wait = config->answers_wait,
                                         .sync_ms = config->answers_wait ? 0 : config->flush_ms / 4,
                                         .key = *key};
    return keeper_create(&keeper, persister->engine, &persister->keeper);
}

enum err persister_start(const struct persister_config *config, struct hash_key *key,
                         struct persister **out)
{
    struct persister *const persister = calloc(1, sizeof(*persister));
    *out = NULL;
    if (persister == NULL) {
        return ERR_NO_MEMORY;
    }
    persister->config = *config;
    persister->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    persister->outbox = outbox_create(config->metrics);
    const size_t len = strlen(config->directory);
    assert(len < sizeof(persister->directory));
    memcpy(persister->directory, config->directory, len);
    enum err e = persister->bell < 0         ? ERR_SYSTEM
                 : persister->outbox == NULL ? ERR_NO_MEMORY
                                             : open_all(persister, key);
    if (e == ERR_OK) {
        e = thread_start(&persister->thread, THREAD_ANY_CPU, run, persister);
    }
    if (e != ERR_OK) {
        release(persister);
        return e;
    }
    *out = persister;
    return ERR_OK;
}

// ---- Loading

struct loader {
    struct persister *persister;
    pthread_t thread;
    _Atomic unsigned *next; // stripe
    struct load_count count;
    struct engine_fault fault;
    enum err e;
};

static void *load(void *arg)
{
    struct loader *const loader = arg;
    const struct persister *const persister = loader->persister;
    const struct persister_config *const config = &persister->config;
    // relaxed: each number goes to one thread, and orders nothing
    unsigned stripe = atomic_fetch_add_explicit(loader->next, 1, memory_order_relaxed);
    while (loader->e == ERR_OK && stripe < ENGINE_STRIPES &&
           !atomic_load_explicit(&persister->stopping, memory_order_relaxed)) {
        const struct load_into into = {config->location, clock_now(), config->expires_s_max,
                                       &persister->stopping};
        loader->e = load_stripe(persister->engine, stripe, &into, &loader->count, &loader->fault);
        stripe = atomic_fetch_add_explicit(loader->next, 1, memory_order_relaxed);
    }
    return NULL;
}

static void add_count(struct load_count *sum, const struct load_count *count)
{
    sum->bytes += count->bytes;
    sum->records += count->records;
    sum->damaged += count->damaged;
    sum->newer += count->newer;
}

static enum err load_all(struct persister *persister, struct load_count *sum)
{
    struct loader loaders[LOAD_THREADS_MAX];
    const unsigned wanted = persister->config.load_threads < LOAD_THREADS_MAX
                                ? persister->config.load_threads
                                : LOAD_THREADS_MAX;
    _Atomic unsigned next = 0;
    unsigned count = 0;
    enum err e = ERR_OK;
    while (count < wanted && e == ERR_OK) {
        loaders[count] = (struct loader){.persister = persister, .next = &next};
        e = thread_start(&loaders[count].thread, THREAD_ANY_CPU, load, &loaders[count]);
        count += e == ERR_OK ? 1 : 0;
    }
    for (unsigned i = 0; i < count; i++) {
        (void)pthread_join(loaders[i].thread, NULL);
        add_count(sum, &loaders[i].count);
        if (e == ERR_OK && loaders[i].e != ERR_OK) {
            e = loaders[i].e;
            if (loaders[i].fault.text[0] == '\0') {
                e = engine_fail(&loaders[i].fault, e, "%s: %s", persister->directory, err_text(e));
            }
            log_write(&persister->config.log, LOG_LEVEL_ERROR, "store: %s", loaders[i].fault.text);
        }
    }
    return e;
}

// Told here, for keeper_begin is silent about it.
static void tell_of_damage(const struct persister *persister, const struct load_count *count)
{
    const struct persister_config *const config = &persister->config;
    const bool salvaged = persister->engine->salvaged;
    const unsigned long long unreadable = count->damaged + count->newer;
    metrics_add(config->metrics, METRIC_STORE_UNREADABLE, unreadable + (salvaged ? 1 : 0));
    if (unreadable > 0 || salvaged) {
        log_write(&config->log, LOG_LEVEL_WARNING,
                  "store: %s: %llu blocks or records%s cannot be read; the rest is served, and "
                  "before anything is written a copy of the files is put beside it",
                  persister->directory, unreadable,
                  salvaged ? " and a part of the latest changes" : "");
    }
}

static bool stopping(const struct persister *persister)
{
    return atomic_load_explicit(&persister->stopping, memory_order_acquire); // see persister_stop
}

// Leaves the table filled in part when the server is to end meanwhile; nothing is ever to be
// written from it then.
static enum persister_state fill_table(struct persister *persister)
{
    const struct log *const log = &persister->config.log;
    const struct now before = clock_now();
    struct load_count count = {0};
    if (persister->found) {
        log_write(log, LOG_LEVEL_INFO, "store: loading from %s", persister->directory);
    }
    const enum err e = load_all(persister, &count);
    if (stopping(persister)) {
        return PERSISTER_LOADING;
    }
    if (e != ERR_OK) {
        return PERSISTER_BROKEN;
    }
    tell_of_damage(persister, &count);
    location_restored(persister->config.location);
    const struct now after = clock_now();
    keeper_begin(persister->keeper, &count, &persister->fault, after);
    if (persister->found) {
        log_write(log, LOG_LEVEL_INFO, "store: %llu bindings loaded from %s in %llu ms",
                  (unsigned long long)location_size(persister->config.location).bindings,
                  persister->directory, (unsigned long long)(after.mono_ms - before.mono_ms));
    }
    return PERSISTER_SERVING;
}

// ---- Serving

static unsigned send_answers(struct persister *persister)
{
    struct keeper_answer waiting;
    unsigned count = 0;
    for (; keeper_next_answer(persister->keeper, &waiting); count++) {
        struct ticket ticket;
        struct buf room = outbox_room(persister->outbox);
        assert(waiting.ticket.len == sizeof(ticket));
        memcpy(&ticket, waiting.ticket.at, sizeof(ticket));
        buf_put(&room, waiting.answer);
        outbox_post(persister->outbox, &ticket.flow, &ticket.target, room.len);
    }
    outbox_flush(persister->outbox);
    return count;
}

// Once when trouble begins, and once when it is over.
static void tell_of_trouble(struct persister *persister)
{
    const struct log *const log = &persister->config.log;
    const char *const trouble = keeper_trouble(persister->keeper);
    // relaxed: for people
    atomic_store_explicit(&persister->up, trouble == NULL, memory_order_relaxed);
    if (trouble != NULL && !persister->told_of_trouble) {
        log_write(log, LOG_LEVEL_ERROR,
                  "store: %s; bindings are served from memory and are not kept until this is put "
                  "right%s",
                  trouble, persister->config.answers_wait ? ", REGISTER gets 503" : "");
    } else if (trouble == NULL && persister->told_of_trouble) {
        log_write(log, LOG_LEVEL_INFO, "store: bindings are kept again");
    }
    persister->told_of_trouble = trouble != NULL;
}

static enum keeper_did round_trip(struct persister *persister, struct now now)
{
    const enum keeper_did did = keeper_round(persister->keeper, now);
    persister->gathers = send_answers(persister) >= GATHER_ANSWERS;
    keeper_end_round(persister->keeper);
    tell_of_trouble(persister);
    return did;
}

// In one worker's queue, for a round to begin before its time.
static size_t due_bytes(const struct persister *persister)
{
    const struct persister_config *const config = &persister->config;
    return !config->answers_wait ? ROUND_BYTES / config->workers
           : persister->gathers  ? GATHER_BYTES / config->workers
                                 : 1;
}

static bool any_has(const struct persister *persister, size_t bytes)
{
    bool found = false;
    for (unsigned i = 0; i < persister->config.workers && !found; i++) {
        found = keeper_queued_bytes(persister->keeper, i) >= bytes;
    }
    return found;
}

// Until enough is offered, if the bell is to ring, which is told; or that time is over.
static bool sleep_at_most(struct persister *persister, unsigned us, bool bell_rings)
{
    const struct timespec time = {.tv_sec = us / US_PER_S, .tv_nsec = (long)(us % US_PER_S * 1000)};
    struct pollfd bell = {.fd = persister->bell, .events = POLLIN};
    const size_t due = due_bytes(persister);
    uint64_t rings;
    // acq_rel, here and in persister_wake: of two changes of one variable one comes first. Is it
    // the worker's, then what it has offered is seen below; is it this one, the worker rings.
    (void)atomic_exchange_explicit(&persister->rings_at, bell_rings ? due : 0,
                                   memory_order_acq_rel);
    bool enough = bell_rings && any_has(persister, due);
    if (!enough && ppoll(&bell, 1, &time, NULL) > 0) {
        enough = true;
        (void)!read(persister->bell, &rings, sizeof(rings));
    }
    // relaxed: a ring too many costs a look
    atomic_store_explicit(&persister->rings_at, 0, memory_order_relaxed);
    return enough;
}

bool persister_offer(struct persister *persister, unsigned worker, const struct flow *flow,
                     const struct uas_output *out, bool answered, struct now now)
{
    const bool waits = persister->config.answers_wait && answered;
    const struct ticket ticket = {.flow = *flow, .target = out->target};
    struct keeper_answer answer = {0};
    if (waits) {
        answer.ticket = slice_of((const char *)&ticket, sizeof(ticket));
        answer.answer = buf_slice(&out->answer);
    }
    keeper_offer(persister->keeper, worker, out, now, &answer);
    return waits;
}

void persister_wake(struct persister *persister, unsigned worker)
{
    const uint64_t one = 1;
    // A change that changes nothing: its place among the others is what counts.
    const size_t at = atomic_fetch_add_explicit(&persister->rings_at, 0, memory_order_acq_rel);
    if (at > 0 && keeper_queued_bytes(persister->keeper, worker) >= at &&
        atomic_exchange_explicit(&persister->rings_at, 0, memory_order_acq_rel) > 0) {
        (void)!write(persister->bell, &one, sizeof(one));
    }
}

// After a round with many answers: as long as more are offered, but not for long.
static void gather(struct persister *persister, struct now begun)
{
    bool enough = false;
    while (!enough && clock_now().mono_ms - begun.mono_ms < GATHER_MS) {
        const size_t before = keeper_waiting_bytes(persister->keeper);
        enough = sleep_at_most(persister, GATHER_STEP_US, true) ||
                 keeper_waiting_bytes(persister->keeper) == before;
    }
}

static void rest(struct persister *persister, enum keeper_did did, struct now begun)
{
    const unsigned flush_us = persister->config.flush_ms * US_PER_MS;
    switch (did) {
    case KEEPER_BUSY: break;
    case KEEPER_FAILS: (void)sleep_at_most(persister, FAILING_PAUSE_US, false); break;
    case KEEPER_REWRITES: (void)sleep_at_most(persister, REWRITE_PAUSE_US, true); break;
    case KEEPER_WORKED:
    case KEEPER_IDLE:
        if (persister->gathers) {
            gather(persister, begun);
        } else {
            (void)sleep_at_most(persister, flush_us / 2, true);
        }
        break;
    }
}

// At the end a rewrite goes on only if something is owed, for else what it has not replaced yet is
// still there.
static bool goes_on(const struct persister *persister, enum keeper_did did)
{
    return did == KEEPER_BUSY || did == KEEPER_WORKED ||
           (did == KEEPER_REWRITES && keeper_owes(persister->keeper));
}

static void serve(struct persister *persister)
{
    enum keeper_did did;
    // Where answers wait nobody may keep this thread waiting.
    thread_yield_readily(!persister->config.answers_wait);
    while (!stopping(persister)) {
        const struct now begun = clock_now();
        did = round_trip(persister, begun);
        rest(persister, did, begun);
    }
    // The workers have ended; what they have offered is still to be written.
    keeper_hurry(persister->keeper);
    do {
        did = round_trip(persister, clock_now());
    } while (goes_on(persister, did));
}

static void set_state(struct persister *persister, enum persister_state state)
{
    // release: who sees that the table is loaded sees what was logged and counted before
    atomic_store_explicit(&persister->state, state, memory_order_release);
}

static void *run(void *arg)
{
    struct persister *const persister = arg;
    const enum persister_state state = fill_table(persister);
    set_state(persister, state);
    if (state == PERSISTER_SERVING) {
        serve(persister);
    }
    keeper_end(persister->keeper); // here, for nobody else is to wait for a disk
    return NULL;
}

enum persister_state persister_state(const struct persister *persister)
{
    return atomic_load_explicit(&persister->state, memory_order_acquire); // see set_state
}

enum uas_service persister_service(const struct persister *persister, unsigned worker)
{
    return keeper_service(persister->keeper, worker);
}

bool persister_up(const struct persister *persister)
{
    // relaxed: for people
    return atomic_load_explicit(&persister->up, memory_order_relaxed);
}

size_t persister_waiting_bytes(const struct persister *persister)
{
    return keeper_waiting_bytes(persister->keeper);
}

// As long as there is progress: what is owed may be the whole table.
static bool await_end(struct persister *persister)
{
    const struct metric_counter *const commits =
        &persister->config.metrics->rows[METRIC_STORE_COMMITS];
    bool progress = true;
    bool ended = false;
    while (progress && !ended) {
        const uint64_t before = metric_read(commits);
        ended = thread_join_within(persister->thread, STOP_PATIENCE_MS);
        progress = metric_read(commits) != before;
    }
    return ended;
}

enum persister_end persister_stop(struct persister *persister)
{
    const uint64_t one = 1;
    if (persister == NULL) {
        return PERSISTER_KEPT_ALL;
    }
    // release: what the workers have offered is seen by the last rounds
    atomic_store_explicit(&persister->stopping, true, memory_order_release);
    (void)!write(persister->bell, &one, sizeof(one));
    if (!await_end(persister)) {
        log_write(&persister->config.log, LOG_LEVEL_ERROR,
                  "store: %s: the disk does not answer; what has changed last may not be kept",
                  persister->directory);
        return PERSISTER_STUCK;
    }
    const bool owes = keeper_owes(persister->keeper);
    if (owes) {
        log_write(&persister->config.log, LOG_LEVEL_ERROR,
                  "store: what has changed since the trouble began is not kept");
    }
    release(persister);
    return owes ? PERSISTER_LOST_SOME : PERSISTER_KEPT_ALL;
}
