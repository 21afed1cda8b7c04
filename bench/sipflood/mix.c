// SPDX-License-Identifier: Apache-2.0
#include "sipflood/mix.h"

// The next slot goes to the kind that is furthest behind its share (smooth weighted round robin).
static void lay_pattern(struct mix *m)
{
    long credit[SCENARIO_KINDS] = {0};
    uint16_t laid[SCENARIO_KINDS] = {0};
    for (unsigned slot = 0; slot < m->slots; slot++) {
        unsigned best = 0;
        for (unsigned kind = 0; kind < SCENARIO_KINDS; kind++) {
            credit[kind] += m->weight[kind];
            best = credit[kind] > credit[best] ? kind : best;
        }
        credit[best] -= m->slots;
        m->kind[slot] = (uint8_t)best;
        m->rank[slot] = laid[best]++;
    }
}

struct mix mix_of(enum scenario_kind kind)
{
    struct mix m = {.slots = 1};
    m.weight[kind] = 1;
    lay_pattern(&m);
    return m;
}

static bool take_part(struct mix *m, struct slice part)
{
    const size_t equals = slice_find(part, '=');
    const enum scenario_kind kind = scenario_find(slice_of(part.at, equals));
    uint64_t weight;
    if (equals == part.len || kind == SCENARIO_KINDS || m->weight[kind] > 0 ||
        !slice_to_u64(slice_from(part, equals + 1), MIX_SLOTS_MAX, &weight)) {
        return false;
    }
    m->weight[kind] = (unsigned)weight;
    m->slots += (unsigned)weight;
    return m->slots <= MIX_SLOTS_MAX;
}

bool mix_parse(struct slice text, struct mix *out)
{
    *out = (struct mix){0};
    for (size_t from = 0; from <= text.len;) {
        const struct slice rest = slice_from(text, from);
        const struct slice part = slice_of(rest.at, slice_find(rest, ','));
        if (!take_part(out, part)) {
            return false;
        }
        from += part.len + 1;
    }
    if (out->slots == 0) {
        return false;
    }
    lay_pattern(out);
    return true;
}

unsigned mix_kinds(const struct mix *m)
{
    unsigned kinds = 0;
    for (unsigned kind = 0; kind < SCENARIO_KINDS; kind++) {
        kinds += m->weight[kind] > 0 ? 1 : 0;
    }
    return kinds;
}

bool mix_has(const struct mix *m, enum scenario_kind kind)
{
    return m->weight[kind] > 0;
}

struct mix_turn mix_turn(const struct mix *m, uint64_t n)
{
    const unsigned slot = (unsigned)(n % m->slots);
    const enum scenario_kind kind = (enum scenario_kind)m->kind[slot];
    return (struct mix_turn){kind, n / m->slots * m->weight[kind] + m->rank[slot]};
}
