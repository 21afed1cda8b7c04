// SPDX-License-Identifier: Apache-2.0
#include "sipflood/flood.h"

#include <stdlib.h>
#include <unistd.h>

#include "sipflood/crew.h"
#include "sipflood/pace.h"
#include "sipflood/report.h"
#include "sipflood/stopwatch.h"

// Threads bring their figures when a second is over, but not to the nanosecond.
static const uint64_t post_delay_ns = UINT64_C(200) * NS_PER_MS;

// How late a signal is noticed.
static const uint64_t watch_ns = UINT64_C(100) * NS_PER_MS;

struct flood {
    const struct cli *cli;
    const volatile sig_atomic_t *stop;
    FILE *err;
    bool live;
    struct crew *crew;
    struct tally second; // since the last live line
    struct tally whole;
    struct histogram latency_ns; // of either of them, for a report
};

// Takes in what the threads have posted.
static void take_in(struct flood *f)
{
    ledger_fetch(crew_ledger(f->crew), &f->second);
    tally_add(&f->whole, &f->second);
}

static void end_second(struct flood *f)
{
    take_in(f);
    if (f->live) {
        tally_latency(&f->second, &f->latency_ns);
        report_live(f->err, &f->whole.counts, &f->second.counts, &f->latency_ns);
    }
    tally_clear(&f->second);
}

// False when it could not be run at all.
static bool run_stage(struct flood *f, const struct stage *stage, uint64_t *start_ns)
{
    if (!crew_start(f->crew, stage, start_ns, f->err)) {
        return false;
    }
    uint64_t second_ns = *start_ns + NS_PER_S;
    uint64_t until_ns = *start_ns + watch_ns;
    while (!ledger_wait(crew_ledger(f->crew), until_ns)) {
        until_ns += watch_ns;
        if (*f->stop != 0) {
            crew_stop(f->crew);
        }
        if (stopwatch_now_ns() >= second_ns + post_delay_ns) {
            second_ns += NS_PER_S;
            end_second(f);
        }
    }
    crew_finish(f->crew);
    end_second(f);
    if (f->live) {
        (void)fputs("\r\033[K", f->err);
    }
    return true;
}

static enum flood_exit report(struct flood *f, uint64_t start_ns, FILE *out)
{
    tally_latency(&f->whole, &f->latency_ns);
    const struct run_result result = {
        .cli = f->cli,
        .tally = &f->whole,
        .latency_ns = &f->latency_ns,
        .elapsed_ns = f->whole.last_ns - start_ns,
        .cpu_ns = stopwatch_cpu_ns(),
        .dropped = crew_dropped(f->crew),
        .interrupted = *f->stop != 0,
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

static enum flood_exit run(struct flood *f, FILE *out)
{
    const struct cli *cli = f->cli;
    const struct stage stage = {
        .count = cli->count,
        .duration_ns = (uint64_t)(cli->duration_s * NS_PER_S),
        .rate_per_s = cli->rate_per_s,
        .window = cli->window,
    };
    uint64_t start_ns;
    return run_stage(f, &stage, &start_ns) ? report(f, start_ns, out) : FLOOD_BROKEN;
}

enum flood_exit flood_run(const struct cli *cli, const volatile sig_atomic_t *stop, FILE *out,
                          FILE *err)
{
    enum flood_exit exit_status = FLOOD_BROKEN;
    struct flood *f = calloc(1, sizeof(*f));
    if (f == NULL) {
        (void)fprintf(err, "out of memory\n");
        return FLOOD_BROKEN;
    }
    f->cli = cli;
    f->stop = stop;
    f->err = err;
    f->live = isatty(fileno(err)) == 1;
    tally_init(&f->second, (unsigned)cli->shown);
    tally_init(&f->whole, (unsigned)cli->shown);
    f->crew = crew_create(cli, err);
    if (f->crew != NULL) {
        exit_status = run(f, out);
    }
    crew_destroy(f->crew);
    free(f);
    return exit_status;
}
