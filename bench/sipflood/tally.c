// SPDX-License-Identifier: Apache-2.0
#include "sipflood/tally.h"

void tally_init(struct tally *t, unsigned samples_max)
{
    assert(samples_max <= TALLY_SAMPLES_MAX);
    t->samples_max = samples_max;
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        histogram_reset(&t->latency_ns[i]);
    }
    tally_clear(t);
}

void tally_clear(struct tally *t)
{
    t->counts = (struct tally_counts){0};
    t->last_ns = 0;
    t->oldest_ns = 0;
    t->samples = 0;
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        t->sent[i] = 0;
        t->refused[i] = 0;
        histogram_clear(&t->latency_ns[i]);
    }
}

void tally_count(struct tally_counts *into, const struct tally_counts *from)
{
    enum { COUNTS = sizeof(*into) / sizeof(uint64_t) };

    uint64_t sum[COUNTS];
    uint64_t more[COUNTS];
    static_assert(sizeof(sum) == sizeof(*into), "counts and nothing else");
    memcpy(sum, into, sizeof(sum));
    memcpy(more, from, sizeof(more));
    for (size_t i = 0; i < COUNTS; i++) {
        sum[i] += more[i];
    }
    memcpy(into, sum, sizeof(sum));
}

void tally_add(struct tally *into, const struct tally *from)
{
    tally_count(&into->counts, &from->counts);
    into->last_ns = from->last_ns > into->last_ns ? from->last_ns : into->last_ns;
    into->oldest_ns = from->oldest_ns > into->oldest_ns ? from->oldest_ns : into->oldest_ns;
    for (unsigned i = 0; i < from->samples && into->samples < into->samples_max; i++) {
        into->sample[into->samples++] = from->sample[i];
    }
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        into->sent[i] += from->sent[i];
        into->refused[i] += from->refused[i];
        histogram_merge(&into->latency_ns[i], &from->latency_ns[i]);
    }
}

void tally_latency(const struct tally *t, struct histogram *out_ns)
{
    histogram_reset(out_ns);
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        histogram_merge(out_ns, &t->latency_ns[i]);
    }
}

static size_t copy_start(char *to, size_t cap, struct slice from)
{
    const size_t len = from.len < cap ? from.len : cap;
    if (len > 0) {
        memcpy(to, from.at, len);
    }
    return len;
}

void tally_keep(struct tally *t, const struct complaint *why, struct slice answer)
{
    if (t->samples == t->samples_max) {
        return;
    }
    struct tally_sample *s = &t->sample[t->samples++];
    s->what = why->what;
    s->expected_len = copy_start(s->expected, sizeof(s->expected), why->expected);
    s->found_len = copy_start(s->found, sizeof(s->found), why->found);
    s->answer_len = copy_start(s->answer, sizeof(s->answer), answer);
}

uint64_t tally_settled(const struct tally_counts *c)
{
    return tally_answers(c) + c->lost;
}

uint64_t tally_answers(const struct tally_counts *c)
{
    return c->right + c->refused + c->wrong_status + c->wrong_content;
}

double tally_loss_percent(const struct tally_counts *c)
{
    return c->sent == 0 ? 0 : 100.0 * (double)(c->lost + c->refused) / (double)c->sent;
}

uint64_t tally_wrong(const struct tally_counts *c)
{
    return c->wrong_status + c->wrong_content + c->malformed + c->unmatched;
}
