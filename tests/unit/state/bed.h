// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_STATE_BED_H
#define SIGNPOST_TESTS_UNIT_STATE_BED_H

#include "signpost/state/location.h"

// A location table and a clock that the test moves, for tests of the one. Criterion runs each test
// in a process of its own, so one is enough.

enum {
    BED_START_MS = 1000000, // a whole second
    BED_CONTACTS_MAX = 10,
    BED_Q_NOUGHT = -1, // "q=0"; 0 stands for no q at all
};

struct bed {
    struct location *location;
    struct now now;
    struct binding_list list; // of the last call
    struct registration_effect effect;
    uint64_t request_id; // of the last request
};

extern struct bed bed;

// One Contact of a REGISTER.
struct want {
    const char *uri;
    uint32_t expires_s;
    int q; // thousandths, BED_Q_NOUGHT, or 0 for none
    const char *params;
};

// Suite fixtures: a table of four shards, and BED_CONTACTS_MAX bindings for an address of record.
void bed_start(void);
void bed_stop(void);

void bed_advance_ms(uint64_t ms);

// A new request, with one Contact or several.
enum err bed_register(const char *aor, const char *call_id, uint32_t cseq, struct want want);
enum err bed_register_all(const char *aor, const char *call_id, uint32_t cseq,
                          const struct want *wants, size_t count);

// "Contact: *"
enum err bed_remove_all(const char *aor, const char *call_id, uint32_t cseq);

// The next request is a retransmission of the last one.
void bed_retransmit(void);

// The bindings that the last call has told: "<uri><params>[ q=<thousandths>] <seconds>", joined by
// " | "; "" for none. Good until the next call.
const char *bed_list(void);

// The same for what a lookup tells now.
const char *bed_lookup(const char *aor);

size_t bed_expire(void);

#endif
