// SPDX-License-Identifier: Apache-2.0
#include "sipflood/steps.h"

#include <inttypes.h>

#include "sipflood/pace.h"

// A generator that sends less than this part of what it should says nothing about the target.
static const double sent_min = 0.99;

static double per_s(uint64_t n, uint64_t elapsed_ns)
{
    return elapsed_ns == 0 ? 0 : (double)n * NS_PER_S / (double)elapsed_ns;
}

static const char *what_failed(const struct step_result *r, const struct step_aim *aim,
                               const struct step_limits *limits)
{
    const double due = (double)aim->rate_per_s * (double)aim->duration_ns / NS_PER_S;
    if (r->wrong > 0) {
        return "wrong answers";
    }
    if (r->loss_percent > limits->loss_max_percent) {
        // What there is more of gives the name.
        return r->refused > r->lost ? "refused" : "loss";
    }
    if (r->p99_ns > limits->p99_max_ns) {
        return "p99";
    }
    return (double)r->sent < sent_min * due ? "generator is too slow" : NULL;
}

struct step_result step_judge(const struct step_aim *aim, uint64_t elapsed_ns,
                              const struct tally *tally, const struct histogram *latency_ns,
                              const struct step_limits *limits)
{
    const struct tally_counts *c = &tally->counts;
    struct step_result r = {
        .rate_per_s = aim->rate_per_s,
        .sent = c->sent,
        .answers = tally_answers(c),
        .lost = c->lost,
        .refused = c->refused,
        .wrong = tally_wrong(c),
        .sent_per_s = per_s(c->sent, elapsed_ns),
        .answers_per_s = per_s(tally_answers(c), elapsed_ns),
        .goodput_per_s = per_s(c->right, elapsed_ns),
        .loss_percent = tally_loss_percent(c),
        .p50_ns = histogram_quantile(latency_ns, 500000),
        .p99_ns = histogram_quantile(latency_ns, 990000),
        .max_ns = histogram_quantile(latency_ns, HISTOGRAM_PPM),
    };
    r.why = what_failed(&r, aim, limits);
    return r;
}

void steps_print_head(FILE *out)
{
    (void)fprintf(out, "%9s %9s %9s %8s %8s %8s %10s %10s %10s\n", "rate/s", "sent/s", "right/s",
                  "wrong", "refused", "loss %", "p50 us", "p99 us", "max us");
    (void)fflush(out);
}

void steps_print(FILE *out, const struct step_result *r)
{
    (void)fprintf(
        out, "%9" PRIu64 " %9.0f %9.0f %8" PRIu64 " %8" PRIu64 " %8.3f %10.1f %10.1f %10.1f  %s\n",
        r->rate_per_s, r->sent_per_s, r->goodput_per_s, r->wrong, r->refused, r->loss_percent,
        (double)r->p50_ns / NS_PER_US, (double)r->p99_ns / NS_PER_US, (double)r->max_ns / NS_PER_US,
        r->why != NULL ? r->why : "");
    (void)fflush(out);
}

void steps_write(struct json *j, const struct steps *steps)
{
    json_open(j, "steps", '[');
    for (unsigned i = 0; i < steps->count; i++) {
        const struct step_result *r = &steps->step[i];
        json_open(j, NULL, '{');
        json_u64(j, "rate_per_s", r->rate_per_s);
        json_u64(j, "sent", r->sent);
        json_real(j, "sent_per_s", r->sent_per_s);
        json_real(j, "answers_per_s", r->answers_per_s);
        json_real(j, "goodput_per_s", r->goodput_per_s);
        json_u64(j, "lost", r->lost);
        json_u64(j, "refused", r->refused);
        json_u64(j, "wrong", r->wrong);
        json_real(j, "loss_percent", r->loss_percent);
        json_real(j, "p50_us", (double)r->p50_ns / NS_PER_US);
        json_real(j, "p99_us", (double)r->p99_ns / NS_PER_US);
        json_real(j, "max_us", (double)r->max_ns / NS_PER_US);
        if (r->why != NULL) {
            json_text(j, "failed", slice_of(r->why, strlen(r->why)));
        } else {
            json_null(j, "failed");
        }
        json_close(j, '}');
    }
    json_close(j, ']');
}
