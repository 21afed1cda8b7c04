// SPDX-License-Identifier: Apache-2.0
#include "sipflood/crew.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>

#include "sipflood/engine.h"
#include "sipflood/random.h"
#include "sipflood/stopwatch.h"

enum {
    // What `cseq_start` of a script has to stay below; a run begins where the clock stands, which
    // is after any earlier run that made less than a hundred rounds per second over its users.
    CSEQ_START_MAX = 1000000000,
    // Requests per second assumed in closed loop, where the server decides.
    RATE_GUESS_PER_S = 400000,
};

struct member {
    struct crew *crew;
    struct share share;
    struct ports ports;
    struct script script;
    struct roster *roster; // or NULL
    struct engine *engine;
    pthread_t thread;
};

struct crew {
    const struct cli *cli;
    uint64_t run;
    uint32_t cseq_start;
    atomic_bool stopping;
    struct ledger *ledger;
    unsigned count;
    struct member members[];
};

static uint64_t to_ns(double seconds)
{
    return (uint64_t)(seconds * NS_PER_S);
}

// --- life -----------------------------------------------------------------------------------

static bool open_ports(struct member *m, const struct target *target, FILE *why)
{
    const struct cli *cli = m->crew->cli;
    const struct ports_range range = {
        .first = (uint16_t)(cli->local_port + share_port(&m->share, 0)),
        .step = (uint16_t)m->share.threads,
        .count = share_ports(&m->share),
    };
    return ports_open(&m->ports, target, range, cli->gro, why) == ERR_OK;
}

static bool write_script(struct member *m, FILE *why)
{
    const struct cli *cli = m->crew->cli;
    const struct script_config config = {
        .domain = slice_of(cli->domain, strlen(cli->domain)),
        .local_ip = m->ports.local_ip,
        .local_port = (uint16_t)cli->local_port,
        .share = m->share,
        .expires_s = (uint32_t)cli->expires_s,
        .challenges = cli->password != NULL,
        .run = random_mix(m->crew->run + m->share.thread),
        .cseq_start = m->crew->cseq_start,
    };
    if (!script_init(&m->script, &config)) {
        (void)fprintf(why, "--domain makes messages too long\n");
        return false;
    }
    return true;
}

// One request without an answer holds its row until the timeout, while others go on at full rate.
static uint64_t waiting_max(const struct cli *cli)
{
    const double refreshes = cli->population ? (double)cli->users / cli->interval_s : 0;
    const uint64_t known = cli->ramp.from + cli->ramp.step * cli->ramp.steps + cli->rate_per_s;
    const bool guessed = cli->find_max || (known == 0 && !cli->population);
    const uint64_t paced = guessed ? RATE_GUESS_PER_S : known;
    const uint64_t rate = paced + (uint64_t)(refreshes * 2);
    const uint64_t per_timeout = (uint64_t)((double)rate * cli->timeout_s * 1.25);
    const uint64_t all = cli->count > 0 ? cli->count : UINT64_MAX;
    const uint64_t most = cli->window > per_timeout ? cli->window : per_timeout;
    return most < all ? most : all;
}

static bool make_roster(struct member *m, FILE *why)
{
    const struct cli *cli = m->crew->cli;
    const struct roster_config config = {
        .users = share_users(&m->share, (uint32_t)cli->users),
        .interval_ns = to_ns(cli->interval_s),
        .jitter_ns = to_ns(cli->interval_s * cli->jitter_percent / 100),
        .random = m->script.run,
    };
    if (!cli->population) {
        return true;
    }
    m->roster = roster_create(&config);
    if (m->roster == NULL) {
        (void)fprintf(why, "out of memory\n");
    }
    return m->roster != NULL;
}

static bool make_engine(struct member *m, FILE *why)
{
    const struct cli *cli = m->crew->cli;
    // One set of timers for all: a mix takes those of most of its requests.
    const bool invites =
        mix_has(&cli->mix, SCENARIO_INVITE) && mix_kinds(&cli->mix) == 1 && !cli->population;
    const struct engine_config config = {
        .script = &m->script,
        .ports = &m->ports,
        .plan = {.mix = cli->mix,
                 .share = m->share,
                 .roster = m->roster,
                 .users = (uint32_t)cli->users,
                 .scatter = cli->scatter,
                 .run = m->script.run},
        .waiting_max = waiting_max(cli),
        .timers = inflight_timers_of(to_ns(cli->timeout_s), cli->retransmit, invites),
        .password = cli->password,
        .acks = !cli->no_ack && !cli->echo,
        .echo = cli->echo,
        .busy = cli->busy,
        .gso = cli->gso,
        .gro = cli->gro,
        .shown = (unsigned)cli->shown,
    };
    m->engine = engine_create(&config, why);
    return m->engine != NULL;
}

static bool make_members(struct crew *c, FILE *why)
{
    struct target target;
    if (target_resolve(c->cli->target, &target, why) != ERR_OK) {
        return false;
    }
    for (unsigned i = 0; i < c->count; i++) {
        struct member *m = &c->members[i];
        m->crew = c;
        m->share =
            (struct share){.ports = (unsigned)c->cli->ports, .thread = i, .threads = c->count};
        if (!open_ports(m, &target, why) || !write_script(m, why) || !make_roster(m, why) ||
            !make_engine(m, why)) {
            return false;
        }
    }
    return true;
}

struct crew *crew_create(const struct cli *cli, FILE *why)
{
    const unsigned threads = (unsigned)cli->threads;
    struct crew *c = calloc(1, sizeof(*c) + threads * sizeof(c->members[0]));
    if (c == NULL) {
        (void)fprintf(why, "out of memory\n");
        return NULL;
    }
    c->cli = cli;
    c->count = threads;
    c->cseq_start = (uint32_t)(stopwatch_wall_cs() % CSEQ_START_MAX);
    c->ledger = ledger_create(threads, (unsigned)cli->shown);
    if (c->ledger == NULL || getrandom(&c->run, sizeof(c->run), 0) != (ssize_t)sizeof(c->run)) {
        (void)fprintf(why, "out of memory or of random numbers\n");
        crew_destroy(c);
        return NULL;
    }
    if (!make_members(c, why)) {
        crew_destroy(c);
        return NULL;
    }
    return c;
}

void crew_destroy(struct crew *c)
{
    if (c == NULL) {
        return;
    }
    for (unsigned i = 0; i < c->count; i++) {
        engine_destroy(c->members[i].engine);
        roster_destroy(c->members[i].roster);
        ports_close(&c->members[i].ports);
    }
    ledger_destroy(c->ledger);
    free(c);
}

// --- a stage --------------------------------------------------------------------------------

// Of what all users do, that part which is done by one thread's users.
static uint64_t part_of(const struct member *m, uint64_t all)
{
    const uint32_t users = (uint32_t)m->crew->cli->users;
    uint32_t before = 0;
    for (unsigned i = 0; i < m->share.thread; i++) {
        before += share_users(&m->crew->members[i].share, users);
    }
    const uint32_t after = before + share_users(&m->share, users);
    const uint64_t part =
        all / users * (after - before) + all % users * after / users - all % users * before / users;
    return all > 0 && part == 0 ? 1 : part;
}

// So many rounds over all users, and the first ones once more.
static uint64_t count_of(const struct member *m, uint64_t all)
{
    const uint32_t users = (uint32_t)m->crew->cli->users;
    return all / users * share_users(&m->share, users) +
           share_users(&m->share, (uint32_t)(all % users));
}

static void *work(void *argument)
{
    struct member *m = argument;
    struct crew *c = m->crew;
    uint64_t post_ns = engine_now_ns(m->engine) + NS_PER_S;
    while (engine_turn(m->engine)) {
        // Relaxed: nothing else depends on it.
        if (atomic_load_explicit(&c->stopping, memory_order_relaxed)) {
            engine_stop(m->engine);
        }
        if (engine_now_ns(m->engine) >= post_ns) {
            post_ns += NS_PER_S;
            engine_post(m->engine, c->ledger);
        }
    }
    engine_post(m->engine, c->ledger);
    ledger_leave(c->ledger);
    return NULL;
}

static struct pace pace_for(const struct member *m, const struct stage *stage, uint64_t start_ns)
{
    const uint64_t count = stage->count > 0 ? count_of(m, stage->count) : 0;
    const bool beyond = stage->count > 0 && count == 0; // of the few users that are asked at all
    if (beyond || (stage->rate_per_s == 0 && stage->window == 0)) {
        return pace_none(start_ns);
    }
    return pace_of(start_ns, count, stage->duration_ns, part_of(m, stage->rate_per_s),
                   part_of(m, stage->window));
}

static void begin(struct member *m, const struct stage *stage, uint64_t start_ns)
{
    const struct pace pace = pace_for(m, stage, start_ns);
    if (m->roster != NULL) {
        roster_start(m->roster, start_ns, start_ns + stage->duration_ns);
    }
    engine_begin(m->engine, &pace);
}

bool crew_start(struct crew *c, const struct stage *stage, uint64_t *start_ns, FILE *why)
{
    // A large roster takes a moment to lay down its times.
    *start_ns = stopwatch_now_ns() + (c->cli->population ? c->cli->users * NS_PER_US : 0);
    for (unsigned i = 0; i < c->count; i++) {
        begin(&c->members[i], stage, *start_ns);
    }
    for (unsigned i = 0; i < c->count; i++) {
        const int rc = pthread_create(&c->members[i].thread, NULL, work, &c->members[i]);
        if (rc != 0) {
            (void)fprintf(why, "cannot start a thread: %s\n", strerror(rc));
            // Those that run are waited for, the others never were there.
            crew_stop(c);
            for (unsigned j = 0; j < i; j++) {
                (void)pthread_join(c->members[j].thread, NULL);
            }
            return false;
        }
    }
    return true;
}

struct ledger *crew_ledger(struct crew *c)
{
    return c->ledger;
}

void crew_finish(struct crew *c)
{
    for (unsigned i = 0; i < c->count; i++) {
        const int rc = pthread_join(c->members[i].thread, NULL);
        assert(rc == 0);
    }
}

void crew_stop(struct crew *c)
{
    // Relaxed: see work().
    atomic_store_explicit(&c->stopping, true, memory_order_relaxed);
}

uint64_t crew_dropped(const struct crew *c)
{
    uint64_t dropped = 0;
    for (unsigned i = 0; i < c->count; i++) {
        dropped += ports_dropped(&c->members[i].ports);
    }
    return dropped;
}
