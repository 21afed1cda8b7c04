// SPDX-License-Identifier: Apache-2.0
#include "sipflood/report.h"

#include <inttypes.h>

#include "sipflood/json.h"
#include "sipflood/pace.h"

// --- figures --------------------------------------------------------------------------------

struct count_row {
    const char *name;
    size_t offset; // in struct tally_counts
    const char *help;
};

#define AT(member) offsetof(struct tally_counts, member)

// clang-format off
static const struct count_row count_rows[] = {
    {"sent", AT(sent), "requests, each counted once"},
    {"right", AT(right), "answered as expected"},
    {"wrong_status", AT(wrong_status), "answered with another status"},
    {"wrong_content", AT(wrong_content), "right status, wrong Contact, To, From, CSeq or Call-ID"},
    {"lost", AT(lost), "no answer before the timeout"},
    {"refused", AT(refused), "503 with Retry-After: overloaded, neither right nor wrong"},
    {"malformed", AT(malformed), "datagrams that are no whole SIP answer"},
    {"unmatched", AT(unmatched), "answers to nothing asked, or given twice"},
    {"late", AT(late), "answers after the timeout (their requests are lost)"},
    {"repeated", AT(repeated), "answers repeated by retransmission"},
    {"provisional", AT(provisional), "1xx"},
    {"resent", AT(resent), "requests sent again"},
    {"acks", AT(acks), "ACKs sent"},
    {"challenged", AT(challenged), "requests asked once more with credentials"},
    {"unreachable", AT(unreachable), "ICMP errors: nobody listens at the target"},
    {"send_full", AT(send_full), "waits for room in a send queue"},
    {"unsent", AT(unsent), "messages the system did not take"},
};

static const struct {
    const char *name;
    uint32_t ppm;
} quantiles[] = {
    {"p50", 500000}, {"p90", 900000}, {"p99", 990000}, {"p99.9", 999000}, {"max", HISTOGRAM_PPM},
};

// clang-format on

enum {
    COUNT_ROWS = sizeof(count_rows) / sizeof(count_rows[0]),
    COUNT_ROWS_ALWAYS = 6, // shown also when zero
    QUANTILES = sizeof(quantiles) / sizeof(quantiles[0]),
};

static_assert(COUNT_ROWS * sizeof(uint64_t) == sizeof(struct tally_counts), "a row for each");

static uint64_t count_at(const struct tally_counts *counts, const struct count_row *row)
{
    uint64_t value;
    memcpy(&value, (const char *)counts + row->offset, sizeof(value));
    return value;
}

static double per_s(uint64_t n, uint64_t elapsed_ns)
{
    return elapsed_ns == 0 ? 0 : (double)n * NS_PER_S / (double)elapsed_ns;
}

static double quantile_us(const struct histogram *latency_ns, uint32_t ppm)
{
    return (double)histogram_quantile(latency_ns, ppm) / NS_PER_US;
}

static double cpu_us_per_request(const struct run_result *r)
{
    const uint64_t sent = r->tally->counts.sent;
    return sent == 0 ? 0 : (double)r->cpu_ns / NS_PER_US / (double)sent;
}

// The rate of an open loop that has a single one, 0 elsewhere: steps have one each, and the
// refreshes of a population none at all.
static uint64_t offered_per_s(const struct cli *cli)
{
    const bool several = cli->find_max || cli->ramp.steps > 0 || cli->population;
    return several ? 0 : cli->rate_per_s;
}

bool report_success(const struct run_result *r)
{
    const struct tally_counts *c = &r->tally->counts;
    const bool within =
        r->cli->find_max ? r->best_per_s > 0 : tally_loss_percent(c) <= r->cli->loss_max_percent;
    return c->sent > 0 && tally_wrong(c) == 0 && within;
}

// --- for people -----------------------------------------------------------------------------

static void print_bytes(FILE *out, const char *bytes, size_t len, const char *indent)
{
    (void)fputs(indent, out);
    for (size_t i = 0; i < len; i++) {
        const char c = bytes[i];
        if (c == '\n' && i + 1 < len) {
            (void)fprintf(out, "\n%s", indent);
        } else if (c >= ' ' && c <= '~') {
            (void)fputc(c, out);
        } else if (c != '\r' && c != '\n') {
            // What came from the network must not steer the terminal.
            (void)fprintf(out, "\\x%02x", (unsigned char)c);
        }
    }
    (void)fputc('\n', out);
}

static void print_sample(FILE *out, const struct tally_sample *s)
{
    (void)fprintf(out, "\nwrong: %s\n", s->what);
    if (s->expected_len > 0) {
        print_bytes(out, s->expected, s->expected_len, "  expected  ");
        print_bytes(out, s->found, s->found_len, "  found     ");
    }
    print_bytes(out, s->answer, s->answer_len, "  | ");
}

// Nothing where there is only one.
static void print_kinds(FILE *out, const struct tally *t)
{
    unsigned kinds = 0;
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        kinds += t->sent[i] > 0 ? 1 : 0;
    }
    if (kinds < 2) {
        return;
    }
    (void)fprintf(out, "\n  %-16s%14s%14s%14s%14s%14s\n", "of each kind", "sent", "right",
                  "refused", "p50 us", "p99 us");
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        if (t->sent[i] > 0) {
            const struct histogram *latency_ns = &t->latency_ns[i];
            (void)fprintf(out, "  %-16s%14" PRIu64 "%14" PRIu64 "%14" PRIu64 "%14.1f%14.1f\n",
                          scenario_of((enum scenario_kind)i)->name, t->sent[i], latency_ns->total,
                          t->refused[i], quantile_us(latency_ns, 500000),
                          quantile_us(latency_ns, 990000));
        }
    }
}

static void print_latencies(FILE *out, const struct histogram *latency_ns)
{
    (void)fprintf(out, "\nlatency of right answers, us\n");
    for (size_t i = 0; i < QUANTILES; i++) {
        (void)fprintf(out, "  %-16s%14.1f\n", quantiles[i].name,
                      quantile_us(latency_ns, quantiles[i].ppm));
    }
}

static void print_rates(FILE *out, const struct run_result *r)
{
    const struct tally_counts *c = &r->tally->counts;
    (void)fprintf(out, "\n  %-16s%14.3f  s\n", "elapsed", (double)r->elapsed_ns / NS_PER_S);
    if (offered_per_s(r->cli) > 0) {
        (void)fprintf(out, "  %-16s%14" PRIu64 "  /s meant to be sent\n", "offered",
                      offered_per_s(r->cli));
    }
    (void)fprintf(out, "  %-16s%14.0f  /s\n", "sending", per_s(c->sent, r->elapsed_ns));
    (void)fprintf(out, "  %-16s%14.0f  /s of any kind\n", "answers",
                  per_s(tally_answers(c), r->elapsed_ns));
    if (r->cli->window == 0) {
        (void)fprintf(out, "  %-16s%14.0f  /s right answers\n", "goodput",
                      per_s(c->right, r->elapsed_ns));
    }
    (void)fprintf(out, "  %-16s%14.4f  %% lost or refused\n", "loss", tally_loss_percent(c));
    (void)fprintf(out, "  %-16s%14.1f  us, the age of the oldest answer, right or not\n", "oldest",
                  (double)r->tally->oldest_ns / NS_PER_US);
    (void)fprintf(out, "  %-16s%14.2f  us of this generator's CPU per request\n", "cpu",
                  cpu_us_per_request(r));
}

void report_table(FILE *out, const struct run_result *r)
{
    const struct tally_counts *c = &r->tally->counts;
    if (r->steps->count > 0) {
        (void)fputc('\n', out);
    }
    (void)fprintf(out, "%s to %s, %" PRIu64 " users, %" PRIu64 " ports%s\n\n", r->cli->scenario,
                  r->cli->target, r->cli->users, r->cli->ports,
                  r->interrupted ? ", interrupted" : "");
    for (size_t i = 0; i < COUNT_ROWS; i++) {
        const uint64_t value = count_at(c, &count_rows[i]);
        if (value > 0 || i < COUNT_ROWS_ALWAYS) {
            (void)fprintf(out, "  %-16s%14" PRIu64 "  %s\n", count_rows[i].name, value,
                          count_rows[i].help);
        }
    }
    if (r->dropped > 0) {
        (void)fprintf(out, "  %-16s%14" PRIu64 "  answers lost here: receive queue full\n",
                      "dropped", r->dropped);
    }
    print_rates(out, r);
    print_kinds(out, r->tally);
    print_latencies(out, r->latency_ns);
    for (unsigned i = 0; i < r->tally->samples; i++) {
        print_sample(out, &r->tally->sample[i]);
    }
    if (r->cli->find_max) {
        (void)fprintf(out, "\n  %-16s%14" PRIu64 "  /s with loss <= %g %% and p99 <= %g ms\n",
                      "highest rate", r->best_per_s, r->cli->loss_max_percent, r->cli->p99_max_ms);
    }
    (void)fprintf(out, "\n%s\n", report_success(r) ? "OK" : "FAILED");
}

// --- for programs ---------------------------------------------------------------------------

static struct slice text_of(const char *s)
{
    return slice_of(s, strlen(s));
}

static void write_bound(struct json *j, const char *key, uint64_t value)
{
    if (value > 0) {
        json_u64(j, key, value);
    } else {
        json_null(j, key);
    }
}

static void write_mix(struct json *j, const struct mix *mix)
{
    json_open(j, "mix", '{');
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        if (mix->weight[i] > 0) {
            json_u64(j, scenario_of((enum scenario_kind)i)->name, mix->weight[i]);
        }
    }
    json_close(j, '}');
}

static void write_parameters(struct json *j, const struct cli *cli)
{
    json_open(j, "parameters", '{');
    json_text(j, "scenario", text_of(cli->scenario));
    write_mix(j, &cli->mix);
    json_text(j, "target", text_of(cli->target));
    json_text(j, "domain", text_of(cli->domain));
    json_u64(j, "users", cli->users);
    write_bound(j, "count", cli->count);
    if (cli->duration_s > 0) {
        json_real(j, "duration_s", cli->duration_s);
    } else {
        json_null(j, "duration_s");
    }
    write_bound(j, "rate_per_s", cli->rate_per_s);
    write_bound(j, "window", cli->window);
    json_u64(j, "threads", cli->threads);
    json_u64(j, "ports", cli->ports);
    json_u64(j, "local_port", cli->local_port);
    json_u64(j, "expires_s", cli->expires_s);
    if (cli->population) {
        json_real(j, "interval_s", cli->interval_s);
        json_real(j, "jitter_percent", cli->jitter_percent);
        json_u64(j, "calls_per_s", cli->calls_per_s);
    }
    json_real(j, "timeout_s", cli->timeout_s);
    json_real(j, "loss_max_percent", cli->loss_max_percent);
    json_bool(j, "retransmit", cli->retransmit);
    json_bool(j, "ack", !cli->no_ack);
    json_bool(j, "password", cli->password != NULL);
    json_bool(j, "echo", cli->echo);
    json_bool(j, "busy", cli->busy);
    json_bool(j, "scatter", cli->scatter);
    json_bool(j, "gso", cli->gso);
    json_bool(j, "gro", cli->gro);
    json_close(j, '}');
}

static void write_latencies(struct json *j, const struct histogram *latency_ns)
{
    json_open(j, "latency_us", '{');
    json_real(j, "mean", (double)histogram_mean(latency_ns) / NS_PER_US);
    for (size_t i = 0; i < QUANTILES; i++) {
        json_real(j, quantiles[i].name, quantile_us(latency_ns, quantiles[i].ppm));
    }
    json_close(j, '}');
}

static void write_kinds(struct json *j, const struct run_result *r)
{
    json_open(j, "kinds", '{');
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        if (r->tally->sent[i] > 0) {
            const struct histogram *latency_ns = &r->tally->latency_ns[i];
            json_open(j, scenario_of((enum scenario_kind)i)->name, '{');
            json_u64(j, "sent", r->tally->sent[i]);
            json_u64(j, "right", latency_ns->total);
            json_u64(j, "refused", r->tally->refused[i]);
            write_latencies(j, latency_ns);
            json_close(j, '}');
        }
    }
    json_close(j, '}');
}

static void write_samples(struct json *j, const struct run_result *r)
{
    json_open(j, "wrong", '[');
    for (unsigned i = 0; i < r->tally->samples; i++) {
        const struct tally_sample *s = &r->tally->sample[i];
        json_open(j, NULL, '{');
        json_text(j, "what", text_of(s->what));
        json_text(j, "expected", slice_of(s->expected, s->expected_len));
        json_text(j, "found", slice_of(s->found, s->found_len));
        json_text(j, "answer", slice_of(s->answer, s->answer_len));
        json_close(j, '}');
    }
    json_close(j, ']');
}

static void write_rates(struct json *j, const struct run_result *r)
{
    const struct tally_counts *c = &r->tally->counts;
    json_real(j, "elapsed_s", (double)r->elapsed_ns / NS_PER_S);
    write_bound(j, "offered_per_s", offered_per_s(r->cli));
    json_real(j, "sent_per_s", per_s(c->sent, r->elapsed_ns));
    json_real(j, "answers_per_s", per_s(tally_answers(c), r->elapsed_ns));
    json_real(j, "goodput_per_s", per_s(c->right, r->elapsed_ns));
    json_real(j, "loss_percent", tally_loss_percent(c));
    json_real(j, "oldest_us", (double)r->tally->oldest_ns / NS_PER_US);
    json_real(j, "cpu_us_per_request", cpu_us_per_request(r));
}

void report_json(FILE *out, const struct run_result *r)
{
    struct json j = json_on(out);
    const struct tally_counts *c = &r->tally->counts;
    json_open(&j, NULL, '{');
    json_text(&j, "tool", SLICE("sipflood"));
    json_text(&j, "version", SLICE(SIGNPOST_VERSION));
    json_bool(&j, "ok", report_success(r));
    json_bool(&j, "interrupted", r->interrupted);
    write_parameters(&j, r->cli);
    json_open(&j, "counts", '{');
    for (size_t i = 0; i < COUNT_ROWS; i++) {
        json_u64(&j, count_rows[i].name, count_at(c, &count_rows[i]));
    }
    json_u64(&j, "dropped", r->dropped);
    json_close(&j, '}');
    write_rates(&j, r);
    write_kinds(&j, r);
    write_latencies(&j, r->latency_ns);
    if (r->steps->count > 0) {
        steps_write(&j, r->steps);
    }
    if (r->cli->find_max) {
        json_u64(&j, "max_rate_per_s", r->best_per_s);
    }
    write_samples(&j, r);
    json_close(&j, '}');
    (void)fputc('\n', out);
}
