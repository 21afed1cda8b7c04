// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_TALLY_H
#define SIPFLOOD_TALLY_H

#include "signpost/base/histogram.h"
#include "sipflood/check.h"

// What happened, counted. Every request sent ends as exactly one of right, refused, wrong_status,
// wrong_content and lost.

enum { TALLY_SAMPLES_MAX = 16, TALLY_SAMPLE_BYTES = 200, TALLY_ANSWER_BYTES = 480 };

struct tally_counts {
    uint64_t sent;
    uint64_t resent;
    uint64_t acks;
    uint64_t challenged; // requests asked once more with credentials
    uint64_t right;
    uint64_t refused; // by an overloaded server: neither right nor wrong
    uint64_t wrong_status;
    uint64_t wrong_content;
    uint64_t lost;
    uint64_t malformed;   // datagrams that are no SIP message, or cut off
    uint64_t unmatched;   // answers to nothing that was asked, or a second answer without reason
    uint64_t repeated;    // second answers that the transport's retransmissions explain
    uint64_t late;        // answers after the timeout: their requests are counted as lost
    uint64_t provisional; // 1xx
    uint64_t unreachable; // ICMP errors reported by a socket
    uint64_t send_full;   // waits for room in a send queue
    uint64_t unsent;      // messages that found no room, or that the system refused to send
};

// A wrong answer, kept to be shown.
struct tally_sample {
    const char *what;
    size_t expected_len, found_len, answer_len;
    char expected[TALLY_SAMPLE_BYTES];
    char found[TALLY_SAMPLE_BYTES];
    char answer[TALLY_ANSWER_BYTES]; // its beginning
};

struct tally {
    struct tally_counts counts;
    uint64_t last_ns;     // when the last request was sent or answered, 0 before
    uint64_t oldest_ns;   // the greatest age of a first final answer, right or not
    unsigned samples_max; // how many are kept, at most TALLY_SAMPLES_MAX
    unsigned samples;
    struct tally_sample sample[TALLY_SAMPLES_MAX];
    uint64_t sent[SCENARIO_KINDS]; // requests of each kind
    uint64_t refused[SCENARIO_KINDS];
    // Of right answers of each kind, from the intended time of sending.
    struct histogram latency_ns[SCENARIO_KINDS];
};

// To be called once before anything else.
void tally_init(struct tally *t, unsigned samples_max);

// Starts over.
void tally_clear(struct tally *t);

// Adds the counts of `from`.
void tally_count(struct tally_counts *into, const struct tally_counts *from);

// Adds all of `from`, whose wrong answers are kept while there is room.
void tally_add(struct tally *into, const struct tally *from);

// Keeps a copy of a wrong answer while there is room for it.
void tally_keep(struct tally *t, const struct complaint *why, struct slice answer);

// Puts the latencies of all kinds together.
void tally_latency(const struct tally *t, struct histogram *out_ns);

// Requests that have been answered or given up.
uint64_t tally_settled(const struct tally_counts *c);

// First final answers.
uint64_t tally_answers(const struct tally_counts *c);

// Requests that were of no use, though nothing was wrong: lost and refused ones.
double tally_loss_percent(const struct tally_counts *c);

// Answers of any kind that say something wrong.
uint64_t tally_wrong(const struct tally_counts *c);

#endif
