// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_PHONES_H
#define SIGNPOST_TESTS_SIM_PHONES_H

#include "tests/sim/model.h"
#include "tests/sim/rng.h"

// Who sends requests: a few phones that register, in all the ways they are allowed to and some that
// they are not, and callers who ask for them.

enum { PHONES_MAX = 5, PHONE_CONTACTS = 4 };

struct phone {
    uint8_t user; // its address of record
    uint8_t domain;
    struct uri_spec contacts[PHONE_CONTACTS];
    unsigned call;
    uint32_t cseq;
};

struct phones {
    struct rng *rng;
    const struct model_config *config;
    unsigned count;
    struct phone phones[PHONES_MAX];
    unsigned next_number; // for Call-IDs, tags and branches
    // The last requests that could be cancelled, or sent on by two proxies.
    struct intent last_invite;
    struct intent last_other;
    bool has_invite;
    bool has_other;
};

void phones_start(struct phones *phones, struct rng *rng, const struct model_config *config);

// Makes up the next request.
void phones_next(struct phones *phones, struct intent *out);

#endif
