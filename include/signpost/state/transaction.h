// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STATE_TRANSACTION_H
#define SIGNPOST_STATE_TRANSACTION_H

#include "signpost/base/endpoint.h"
#include "signpost/base/hash.h"
#include "signpost/base/limits.h"
#include "signpost/base/now.h"

// Server transactions over an unreliable transport (RFC 3261 17.2, RFC 6026). Every answer that
// Signpost gives is final and given at once, so a transaction begins in state Completed with its
// answer, which retransmissions of the request get again, and of which an INVITE's is sent again
// by itself until the ACK comes.
//
// What is remembered is bounded. Past the budget the oldest is forgotten before its time to make
// room for the newest, whose retransmissions are the likeliest to come; a retransmission of what
// has been forgotten is answered anew, which RFC 3261 8.2.7 allows. Each shard has its part of the
// budget; an answer longer than an eighth of that may not be remembered at all (those of any length
// are from 1 MB up).
//
// Any number of threads may call anything here at the same time, but for create and destroy. One
// class of lock, the mutex of a shard: a call holds one at a time, and no other lock with it.
struct transactions;

// Timers of RFC 3261 17.1.1.1, 17.2 and table 4.
enum {
    TIMER_T1_MS = 500,
    TIMER_T2_MS = 4000,
    TIMER_T4_MS = 5000,
    TIMER_G_MS = TIMER_T1_MS,      // first repetition of an INVITE's answer; doubles up to T2
    TIMER_H_MS = 64 * TIMER_T1_MS, // an INVITE whose ACK does not come
    TIMER_I_MS = TIMER_T4_MS,      // further ACKs absorbed
    TIMER_J_MS = 64 * TIMER_T1_MS, // other requests' retransmissions absorbed
};

struct transactions_config {
    unsigned shards;     // a power of two, up to SHARDS_MAX
    size_t budget_bytes; // all transactions together; the index, some 30 bytes each, comes on top
};

// What a request is known by. The hashes are keyed.
struct transaction_key {
    struct slice text; // what all of the transaction have in common (RFC 3261 17.2.3), as bytes, at
                       // most TRANSACTION_KEY_BYTES_MAX of them
    uint64_t hash;     // of the text, and of what else requests of one transaction have in common
    uint64_t call;     // of the Call-ID
    bool merges;       // somebody will ask whether the request has come by another way
    uint64_t merge;    // then: of From tag, Call-ID and CSeq, which it has in common with that one
                       // (RFC 3261 8.2.2.2)
};

enum transaction_added {
    TRANSACTION_ADDED,
    TRANSACTION_EXISTS,  // another thread has just answered a copy of the request
    TRANSACTION_NO_ROOM, // too long for a shard's part of the budget, or there is no memory
};

enum transaction_found {
    TRANSACTION_NEW,
    TRANSACTION_REPEATED, // a retransmission
    TRANSACTION_MERGED,   // the same request has come before by another way (RFC 3261 8.2.2.2)
};

enum transaction_kind {
    TRANSACTION_INVITE,
    TRANSACTION_OTHER,
};

// Where an answer went, and by which of the server's sockets.
struct transaction_path {
    struct endpoint target;
    struct endpoint local;
    uint32_t socket;
};

// NULL when memory does not suffice.
struct transactions *transactions_create(const struct transactions_config *config);

// No other thread may be in a call. transactions_destroy(NULL) is legal.
void transactions_destroy(struct transactions *transactions);

// Remembers the answer to a request, or does not, as it returns.
enum transaction_added transactions_add(struct transactions *transactions,
                                        const struct transaction_key *key,
                                        enum transaction_kind kind, struct slice answer,
                                        const struct transaction_path *path, struct now now);

// A request has come. When it is a retransmission, writes the answer given before into *answer and
// sets *target; *answer is left empty for an INVITE that has been acknowledged, whose
// retransmissions are absorbed.
enum transaction_found transactions_find(struct transactions *transactions,
                                         const struct transaction_key *key, struct now now,
                                         struct buf *answer, struct endpoint *target);

// An ACK has come: no more repetitions, timer I. False when there is no such transaction.
bool transactions_acknowledge(struct transactions *transactions, const struct transaction_key *key,
                              struct now now);

// For CANCEL: the INVITE's transaction is still remembered.
bool transactions_has(struct transactions *transactions, const struct transaction_key *key,
                      struct now now);

// What is due by the clock, for one thread (the ticker): forgets transactions whose time is over,
// and hands out one answer that is to be sent again. Call it with *shard 0 first and until it
// returns false.
bool transactions_next_due(struct transactions *transactions, unsigned *shard, struct now now,
                           struct buf *answer, struct transaction_path *path);

struct transactions_size {
    uint64_t transactions; // those that are over count until their memory is taken back, which is
                           // when all older ones are over too
    uint64_t bytes;
    uint64_t evicted; // forgotten before their time, since the start
};

// Counted without a lock: each number was true a moment ago.
struct transactions_size transactions_size(const struct transactions *transactions);

#endif
