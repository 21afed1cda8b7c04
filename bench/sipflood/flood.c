// SPDX-License-Identifier: Apache-2.0
#include "sipflood/flood.h"

#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "sipflood/engine.h"
#include "sipflood/report.h"
#include "sipflood/stopwatch.h"

// What `cseq_start` of a script has to stay below; a run begins where the clock stands, which is
// after any earlier run that made less than a hundred rounds per second over its users.
enum { CSEQ_START_MAX = 1000000000 };

struct flood {
    const struct cli *cli;
    struct ports ports;
    struct script script;
    uint64_t run;
    struct engine *engine;
    struct histogram latency_ns; // of the whole run; the engine has those since the last live line
    uint64_t start_ns;
};

// --- preparation ----------------------------------------------------------------------------

static struct share share_of(const struct flood *f)
{
    return (struct share){.ports = (unsigned)f->cli->ports, .thread = 0, .threads = 1};
}

static bool prepare_script(struct flood *f, FILE *err)
{
    if (getrandom(&f->run, sizeof(f->run), 0) != (ssize_t)sizeof(f->run)) {
        (void)fprintf(err, "the system gives no random numbers\n");
        return false;
    }
    const struct script_config config = {
        .domain = slice_of(f->cli->domain, strlen(f->cli->domain)),
        .local_ip = f->ports.local_ip,
        .local_port = (uint16_t)f->cli->local_port,
        .share = share_of(f),
        .expires_s = (uint32_t)f->cli->expires_s,
        .run = f->run,
        .cseq_start = (uint32_t)(stopwatch_wall_cs() % CSEQ_START_MAX),
    };
    if (!script_init(&f->script, &config)) {
        (void)fprintf(err, "--domain makes messages too long\n");
        return false;
    }
    return true;
}

static uint64_t to_ns(double seconds)
{
    return (uint64_t)(seconds * NS_PER_S);
}

static bool prepare_engine(struct flood *f, FILE *err)
{
    const struct cli *cli = f->cli;
    const bool invites = mix_has(&cli->mix, SCENARIO_INVITE);
    f->start_ns = stopwatch_now_ns();
    const struct engine_config config = {
        .script = &f->script,
        .ports = &f->ports,
        .plan = {.mix = cli->mix,
                 .share = share_of(f),
                 .users = (uint32_t)cli->users,
                 .run = f->run},
        .pace =
            pace_of(f->start_ns, cli->count, to_ns(cli->duration_s), cli->rate_per_s, cli->window),
        .timers = inflight_timers_of(to_ns(cli->timeout_s), cli->retransmit, invites),
        .acks = !cli->no_ack && !cli->echo,
        .echo = cli->echo,
        .busy = cli->busy,
        .gso = cli->gso,
        .gro = cli->gro,
        .shown = (unsigned)cli->shown,
    };
    f->engine = engine_create(&config, err);
    return f->engine != NULL;
}

static bool prepare(struct flood *f, FILE *err)
{
    struct target target;
    return target_resolve(f->cli->target, &target, err) == ERR_OK &&
           ports_open(&f->ports, &target, (uint16_t)f->cli->local_port, (unsigned)f->cli->ports,
                      f->cli->gro, err) == ERR_OK &&
           prepare_script(f, err) && prepare_engine(f, err);
}

// --- run ------------------------------------------------------------------------------------

static void flood_until_done(struct flood *f, const volatile sig_atomic_t *stop, FILE *err)
{
    const bool live = isatty(fileno(err)) == 1;
    struct tally *tally = engine_tally(f->engine);
    struct tally_counts before = {0};
    uint64_t second_ns = f->start_ns + NS_PER_S;
    while (engine_turn(f->engine)) {
        if (*stop != 0) {
            engine_stop(f->engine);
        }
        if (live && stopwatch_now_ns() >= second_ns) {
            second_ns += NS_PER_S;
            report_live(err, &tally->counts, &before, &tally->latency_ns);
            before = tally->counts;
            histogram_merge(&f->latency_ns, &tally->latency_ns);
            histogram_reset(&tally->latency_ns);
        }
    }
    if (live) {
        (void)fputs("\r\033[K", err);
    }
    histogram_merge(&f->latency_ns, &tally->latency_ns);
}

static enum flood_exit report(const struct flood *f, bool interrupted, FILE *out)
{
    const struct tally *tally = engine_tally(f->engine);
    const struct run_result result = {
        .cli = f->cli,
        .counts = &tally->counts,
        .latency_ns = &f->latency_ns,
        .samples = tally->sample,
        .samples_count = tally->samples,
        .elapsed_ns = tally->last_ns - f->start_ns,
        .cpu_ns = stopwatch_cpu_ns(),
        .dropped = ports_dropped(&f->ports),
        .interrupted = interrupted,
    };
    if (f->cli->json) {
        report_json(out, &result);
    } else {
        report_table(out, &result);
    }
    if (fflush(out) != 0 || ferror(out) != 0) {
        return FLOOD_BROKEN;
    }
    return report_success(&result) ? FLOOD_OK : FLOOD_FAILED;
}

enum flood_exit flood_run(const struct cli *cli, const volatile sig_atomic_t *stop, FILE *out,
                          FILE *err)
{
    struct flood *f = calloc(1, sizeof(*f));
    enum flood_exit exit_status = FLOOD_BROKEN;
    if (f == NULL) {
        (void)fprintf(err, "out of memory\n");
        return FLOOD_BROKEN;
    }
    f->cli = cli;
    histogram_reset(&f->latency_ns);
    if (prepare(f, err)) {
        flood_until_done(f, stop, err);
        exit_status = report(f, *stop != 0, out);
    }
    engine_destroy(f->engine);
    ports_close(&f->ports);
    free(f);
    return exit_status;
}
