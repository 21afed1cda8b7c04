// SPDX-License-Identifier: Apache-2.0
#include "sipflood/flood.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "sipflood/crew.h"
#include "sipflood/pace.h"
#include "sipflood/progress.h"
#include "sipflood/report.h"
#include "sipflood/search.h"
#include "sipflood/stopwatch.h"

// Threads bring their figures when a second is over, but not to the nanosecond.
static const uint64_t post_delay_ns = UINT64_C(200) * NS_PER_MS;

// How late a signal is noticed.
static const uint64_t watch_ns = UINT64_C(100) * NS_PER_MS;

struct flood {
    const struct cli *cli;
    const volatile sig_atomic_t *stop;
    FILE *out;
    FILE *err;
    FILE *csv; // or NULL
    bool live; // `err` is a terminal
    struct crew *crew;
    uint64_t start_ns;           // of the first stage
    uint64_t busy_ns;            // of all stages, from the start to the last request or answer
    struct tally second;         // since the last line
    struct tally stage;          // of the stage that runs, without the second
    struct tally whole;          // of the run, without the stage that runs
    struct histogram latency_ns; // of one of them, for whoever shows it
    struct steps steps;
};

static bool stopped(const struct flood *f)
{
    return *f->stop != 0;
}

static uint64_t to_ns(double seconds)
{
    return (uint64_t)(seconds * NS_PER_S);
}

// --- a stage --------------------------------------------------------------------------------

// How far the run is; steps of a ramp are equally long.
static double done_part(const struct flood *f, const struct stage *stage, uint64_t start_ns)
{
    const double elapsed = (double)(stopwatch_now_ns() - start_ns);
    const double sent = (double)(f->stage.counts.sent + f->second.counts.sent);
    const double by_time = stage->duration_ns > 0 ? elapsed / (double)stage->duration_ns : 0;
    const double by_count = stage->count > 0 ? sent / (double)stage->count : 0;
    const double part = by_time > by_count ? by_time : by_count;
    if (f->cli->find_max) {
        return -1;
    }
    return f->cli->ramp.steps == 0 ? part : (f->steps.count + part) / (double)f->cli->ramp.steps;
}

// Says what the last second was like.
static void end_second(struct flood *f, const struct stage *stage, uint64_t start_ns)
{
    ledger_fetch(crew_ledger(f->crew), &f->second);
    struct tally_counts run = f->whole.counts;
    tally_count(&run, &f->stage.counts);
    tally_count(&run, &f->second.counts);
    tally_latency(&f->second, &f->latency_ns);
    const struct progress progress = {
        .rate_per_s = stage->rate_per_s,
        .at_s = (double)(stopwatch_now_ns() - f->start_ns) / NS_PER_S,
        .done = done_part(f, stage, start_ns),
        .run = &run,
        .since = &f->second.counts,
        .latency_ns = &f->latency_ns,
    };
    if (f->live) {
        progress_show(f->err, &progress);
    }
    if (f->csv != NULL) {
        progress_csv(f->csv, &progress);
    }
    tally_add(&f->stage, &f->second);
    tally_clear(&f->second);
}

// Runs a stage, whose counts are then in f->stage; *elapsed_ns is until the last request or answer.
// False when it could not be run at all.
static bool run_stage(struct flood *f, const struct stage *stage, uint64_t *elapsed_ns)
{
    uint64_t start_ns;
    if (!crew_start(f->crew, stage, &start_ns, f->err)) {
        return false;
    }
    f->start_ns = f->start_ns > 0 ? f->start_ns : start_ns;
    uint64_t second_ns = start_ns + NS_PER_S;
    uint64_t until_ns = start_ns + watch_ns;
    while (!ledger_wait(crew_ledger(f->crew), until_ns)) {
        until_ns += watch_ns;
        if (stopped(f)) {
            crew_stop(f->crew);
        }
        if (stopwatch_now_ns() >= second_ns + post_delay_ns) {
            second_ns += NS_PER_S;
            end_second(f, stage, start_ns);
        }
    }
    crew_finish(f->crew);
    end_second(f, stage, start_ns);
    if (f->live) {
        progress_hide(f->err);
    }
    *elapsed_ns = f->stage.last_ns - start_ns;
    f->busy_ns += *elapsed_ns;
    return true;
}

// Puts the stage to the whole.
static void end_stage(struct flood *f)
{
    tally_add(&f->whole, &f->stage);
    tally_clear(&f->stage);
}

// --- steps ----------------------------------------------------------------------------------

static bool run_step(struct flood *f, uint64_t rate_per_s, const struct step_limits *limits)
{
    const struct stage stage = {
        .rate_per_s = rate_per_s,
        .duration_ns = to_ns(f->cli->step_s),
    };
    uint64_t elapsed_ns;
    assert(f->steps.count < STEPS_MAX);
    if (!run_stage(f, &stage, &elapsed_ns)) {
        return false;
    }
    struct step_result *result = &f->steps.step[f->steps.count++];
    tally_latency(&f->stage, &f->latency_ns);
    const struct step_aim aim = {rate_per_s, stage.duration_ns};
    *result = step_judge(&aim, elapsed_ns, &f->stage, &f->latency_ns, limits);
    if (!f->cli->json) {
        steps_print(f->out, result);
    }
    end_stage(f);
    return true;
}

static bool run_ramp(struct flood *f)
{
    const struct ramp *ramp = &f->cli->ramp;
    const struct step_limits limits = {f->cli->loss_max_percent, UINT64_MAX};
    bool ok = true;
    for (unsigned i = 0; i < ramp->steps && ok && !stopped(f); i++) {
        ok = run_step(f, ramp->from + i * ramp->step, &limits);
    }
    return ok;
}

static bool run_search(struct flood *f, uint64_t *best)
{
    const struct step_limits limits = {f->cli->loss_max_percent,
                                       (uint64_t)(f->cli->p99_max_ms * NS_PER_MS)};
    struct search search = search_from(f->cli->rate_per_s);
    while (search.phase != SEARCH_DONE && f->steps.count < STEPS_MAX) {
        if (!run_step(f, search.rate, &limits)) {
            return false;
        }
        if (stopped(f)) {
            break;
        }
        search_tell(&search, f->steps.step[f->steps.count - 1].why == NULL);
    }
    *best = search.best;
    return true;
}

// --- the run --------------------------------------------------------------------------------

static bool run_plain(struct flood *f)
{
    const struct cli *cli = f->cli;
    const struct stage stage = {
        .count = cli->count,
        .duration_ns = to_ns(cli->duration_s),
        .rate_per_s = cli->rate_per_s,
        .window = cli->window,
    };
    uint64_t elapsed_ns;
    const bool ok = run_stage(f, &stage, &elapsed_ns);
    end_stage(f);
    return ok;
}

static bool run_all(struct flood *f, uint64_t *best)
{
    const bool steps = f->cli->find_max || f->cli->ramp.steps > 0;
    *best = 0;
    if (f->csv != NULL) {
        progress_csv_head(f->csv);
    }
    if (steps && !f->cli->json) {
        steps_print_head(f->out);
    }
    if (f->cli->find_max) {
        return run_search(f, best);
    }
    return steps ? run_ramp(f) : run_plain(f);
}

static enum flood_exit run(struct flood *f)
{
    uint64_t best;
    if (!run_all(f, &best)) {
        return FLOOD_BROKEN;
    }
    tally_latency(&f->whole, &f->latency_ns);
    const struct run_result result = {
        .cli = f->cli,
        .tally = &f->whole,
        .latency_ns = &f->latency_ns,
        .steps = &f->steps,
        .best_per_s = best,
        .elapsed_ns = f->busy_ns,
        .cpu_ns = stopwatch_cpu_ns(),
        .dropped = crew_dropped(f->crew),
        .interrupted = stopped(f),
    };
    if (f->cli->json) {
        report_json(f->out, &result);
    } else {
        report_table(f->out, &result);
    }
    if (fflush(f->out) != 0 || ferror(f->out) != 0 || (f->csv != NULL && ferror(f->csv) != 0)) {
        return FLOOD_BROKEN;
    }
    return report_success(&result) ? FLOOD_OK : FLOOD_FAILED;
}

static bool prepare(struct flood *f)
{
    const struct cli *cli = f->cli;
    f->live = isatty(fileno(f->err)) == 1;
    tally_init(&f->second, (unsigned)cli->shown);
    tally_init(&f->stage, (unsigned)cli->shown);
    tally_init(&f->whole, (unsigned)cli->shown);
    if (cli->csv != NULL) {
        f->csv = fopen(cli->csv, "we");
        if (f->csv == NULL) {
            (void)fprintf(f->err, "--csv %s: %s\n", cli->csv, strerror(errno));
            return false;
        }
    }
    f->crew = crew_create(cli, f->err);
    return f->crew != NULL;
}

enum flood_exit flood_run(const struct cli *cli, const volatile sig_atomic_t *stop, FILE *out,
                          FILE *err)
{
    struct flood *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        (void)fprintf(err, "out of memory\n");
        return FLOOD_BROKEN;
    }
    f->cli = cli;
    f->stop = stop;
    f->out = out;
    f->err = err;
    enum flood_exit exit_status = prepare(f) ? run(f) : FLOOD_BROKEN;
    crew_destroy(f->crew);
    if (f->csv != NULL && fclose(f->csv) != 0) {
        exit_status = FLOOD_BROKEN;
    }
    free(f);
    return exit_status;
}
