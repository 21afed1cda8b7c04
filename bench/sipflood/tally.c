// SPDX-License-Identifier: Apache-2.0
#include "sipflood/tally.h"

void tally_reset(struct tally *t, unsigned samples_max)
{
    assert(samples_max <= TALLY_SAMPLES_MAX);
    t->counts = (struct tally_counts){0};
    t->last_ns = 0;
    t->samples_max = samples_max;
    t->samples = 0;
    histogram_reset(&t->latency_ns);
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
    return c->right + c->wrong_status + c->wrong_content + c->lost;
}

uint64_t tally_wrong(const struct tally_counts *c)
{
    return c->wrong_status + c->wrong_content + c->malformed + c->unmatched;
}
