// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_MODEL_H
#define SIGNPOST_TESTS_SIM_MODEL_H

#include "tests/sim/intent.h"

// What RFC 3261 10.3 and 8.3 want, as simply as it can be said: one array of bindings, searched
// from end to end; time is compared and nothing scheduled. Made from the RFC, not from src/. Where
// the RFC leaves a choice, every legal status is in the verdict, and the model goes on from the
// one that the server has taken.

enum { MODEL_ROWS_MAX = 192, VERDICT_STATUSES_MAX = 8 };

struct model_config {
    unsigned domain_count; // 0: any domain is served
    uint32_t expires_default_s;
    uint32_t expires_min_s;
    uint32_t expires_max_s;
    uint32_t expires_jitter_percent;
    unsigned contacts_max;
    bool replace_oldest;
    uint64_t bindings_max;
    uint32_t redirect_bytes_max;
};

struct model_row {
    uint8_t user; // of the address of record, with its domain
    uint8_t domain;
    struct uri_spec uri;
    int q; // thousandths or Q_NONE
    bool instance;
    unsigned call;
    uint32_t cseq;
    unsigned request; // that made it
    uint64_t age;     // those that came later have higher ones; a refresh makes nothing younger
    uint32_t granted_s;
    bool granted_now; // the server may have shortened it, and the answer will say
    uint64_t expires_ms;
};

// Those that have expired stay until model_sweep, to say how much the table may still hold.
struct model_bindings {
    unsigned count;
    uint64_t age_next;
    struct model_row rows[MODEL_ROWS_MAX];
};

struct model {
    struct model_config config;
    struct model_bindings bindings;
};

// What may be answered. Silence: no status at all.
struct verdict {
    unsigned count;
    unsigned statuses[VERDICT_STATUSES_MAX];
    struct model_bindings after; // a REGISTER that gets 200 leaves these
};

void verdict_allow(struct verdict *verdict, unsigned status);
bool verdict_allows(const struct verdict *verdict, unsigned status);

void model_judge(const struct model *model, const struct intent *in, uint64_t mono_ms,
                 struct verdict *verdict);

// The bindings of an address of record that hold at this moment, best q first; their number.
unsigned model_lookup(const struct model *model, uint8_t user, uint8_t domain, uint64_t mono_ms,
                      const struct model_row *rows[MODEL_ROWS_MAX]);

// After a 200: the server has granted so many seconds to a row that was just made. False when it
// may not have.
bool model_grant(const struct model *model, struct model_row *row, uint64_t seconds,
                 uint64_t mono_ms);

// The seconds left, of which the one that has begun counts whole.
uint32_t model_remaining_s(const struct model_row *row, uint64_t mono_ms);

// q as it counts for the order.
int model_rank(const struct model_row *row);

// A row may be told to who has asked for this Request-URI (RFC 3261 8.3, 26.2.2).
bool model_usable(const struct model_row *row, const struct uri_spec *asked);

// Forgets what expired a second before, or earlier: the server has removed it by now.
void model_sweep(struct model *model, uint64_t mono_ms);

#endif
