// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_MIX_H
#define SIPFLOOD_MIX_H

#include "sipflood/scenario.h"

// Which kinds of requests a run is made of, and the order in which they take turns: a fixed pattern
// with each kind spread evenly over it, so that what request n is follows from n.

enum { MIX_SLOTS_MAX = 1000 };

struct mix {
    unsigned weight[SCENARIO_KINDS];
    unsigned slots; // their sum, the pattern's length
    uint8_t kind[MIX_SLOTS_MAX];
    uint16_t rank[MIX_SLOTS_MAX]; // how many of the same kind stand before it in the pattern
};

// A run of one kind.
struct mix mix_of(enum scenario_kind kind);

// "refresh=70,invite=25,register=5". False when it is no such list, a name comes twice, or the sum
// of the weights is 0 or more than MIX_SLOTS_MAX.
bool mix_parse(struct slice text, struct mix *out);

// How many kinds have a weight.
unsigned mix_kinds(const struct mix *m);

bool mix_has(const struct mix *m, enum scenario_kind kind);

struct mix_turn {
    enum scenario_kind kind;
    uint64_t n; // how many of that kind went before
};

struct mix_turn mix_turn(const struct mix *m, uint64_t n);

#endif
