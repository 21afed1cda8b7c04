// SPDX-License-Identifier: Apache-2.0
#ifndef MICRO_BED_H
#define MICRO_BED_H

#include "micro/phone.h"
#include "signpost/service/uas.h"

// The core as a server has it: tables filled with users, configuration and sizes as by default,
// but fixed keys, so that two runs do the same, instruction by instruction. Time stands still but
// for bed_advance.

enum {
    BED_BATCH_MAX = 1000, // datagrams at a time
    BED_USERS_MAX = 10000000,
};

typedef bool (*handle_fn)(const struct uas *uas, struct uas_scratch *scratch,
                          struct metrics *metrics, const struct uas_input *in,
                          struct uas_output *out);

struct bed {
    handle_fn handle; // uas_handle, or what stands before it
    struct uas uas;
    struct transactions *transactions; // lent to `uas` by bed_stateful
    struct cidr phones;                // where users may register from
    struct uas_scratch *scratch;
    char *table; // the location table's memory
    struct metrics *metrics;
    char *answer; // ANSWER_BYTES_MAX
    struct endpoint local;
    struct now now;
    uint32_t users; // 0 to users - 1 are registered
    uint64_t next;  // number of the next request: every one has its own, and they rise
};

// NULL when memory does not suffice. No user is registered.
struct bed *bed_create(void);
void bed_destroy(struct bed *bed);

// Registers users until there are `users`. False when one was refused.
bool bed_fill(struct bed *bed, uint32_t users);

// The CSeq number of a request: higher than those of all requests before.
uint32_t bed_cseq(uint64_t number);

// The registered user whom a request is about: they are visited far apart from each other, so that
// requests do not run through the table's memory in the order it was filled.
uint32_t bed_user(const struct bed *bed, uint64_t number);

// One who is not registered, for the same purpose.
uint32_t bed_stranger(const struct bed *bed, uint64_t number);

// From now on transactions are remembered, or are not.
void bed_stateful(struct bed *bed, bool stateful);

// Moves the clock on, and lets the ticker's work on transactions be done.
void bed_advance(struct bed *bed, uint64_t ms);

// Handles one datagram from a phone. Returns the status of the answer, 0 when there is none, and
// 1 when it is no SIP response.
unsigned bed_handle(struct bed *bed, struct slice datagram);

// Its two halves, as a worker calls them for a batch.
void bed_read(struct bed *bed, struct slice datagram);
unsigned bed_answer(struct bed *bed);

#endif
