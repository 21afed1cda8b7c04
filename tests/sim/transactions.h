// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_TRANSACTIONS_H
#define SIGNPOST_TESTS_SIM_TRANSACTIONS_H

#include "tests/sim/intent.h"

// The server transactions of RFC 3261 17.2 as the model sees them: an array of answered requests,
// each with its answer and what is to become of it when. All answers are final.

enum { TX_MAX = 512 };

struct tx {
    bool certain;     // the server must remember it; else it may, for want of room
    unsigned request; // number of the intent
    enum intent_kind kind;
    unsigned branch; // with the peer it stands for branch and sent-by
    unsigned peer;
    unsigned call; // and the rest of what merged requests have in common (8.2.2.2)
    unsigned from_tag;
    uint32_t cseq;
    unsigned status;
    bool acknowledged;
    size_t answer_len;
    uint64_t answer_hash;
    uint64_t over_ms;   // timer H, I or J
    uint64_t repeat_ms; // timer G: not before
    uint32_t interval_ms;
    char to_tag[INTENT_TAG_BYTES];
};

struct tx_table {
    unsigned count;
    struct tx rows[TX_MAX];
};

// The transaction that this request is a retransmission of, an ACK belongs to, or a CANCEL means,
// if its time is not over; or NULL.
struct tx *tx_find(struct tx_table *table, const struct intent *in, uint64_t mono_ms);
struct tx *tx_find_invite(struct tx_table *table, const struct intent *in, uint64_t mono_ms);

// Another transaction with the From tag, Call-ID and CSeq of this request, which so has come
// another way (8.2.2.2); one that must be remembered if there is one.
const struct tx *tx_find_merged(const struct tx_table *table, const struct intent *in,
                                uint64_t mono_ms);

// A request has been answered.
struct tx *tx_add(struct tx_table *table, const struct intent *in, struct slice answer,
                  uint64_t mono_ms);

bool tx_same_answer(const struct tx *tx, struct slice answer);

void tx_acknowledge(struct tx *tx, uint64_t mono_ms);

// The answer of an INVITE has been sent by itself: the interval doubles up to T2.
void tx_repeated(struct tx *tx, uint64_t mono_ms);

// An INVITE's answer whose next repetition is late by so much; or NULL.
const struct tx *tx_overdue(const struct tx_table *table, uint64_t mono_ms, uint64_t late_ms);

// The transaction whose answer this is, and which is due to be repeated; or NULL.
struct tx *tx_find_due(struct tx_table *table, struct slice answer, uint64_t mono_ms);

// There is an INVITE that waits for its ACK.
bool tx_waiting(const struct tx_table *table, uint64_t mono_ms);

#endif
