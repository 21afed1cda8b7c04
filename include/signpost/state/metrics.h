// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STATE_METRICS_H
#define SIGNPOST_STATE_METRICS_H

#include <stdalign.h>

#include "signpost/base/metric.h"
#include "signpost/sip/method.h"
#include "signpost/sip/status.h"

// Every number the server counts, declared once. Requests by method and responses by status are
// rows of their own, made from those tables.
// X(id, kind, name, labels, help)
#define METRICS(X)                                                                                 \
    X(DATAGRAMS_RECEIVED, COUNTER, "signpost_datagrams_received_total", "",                        \
      "Datagrams read from the sockets.")                                                          \
    X(BYTES_RECEIVED, COUNTER, "signpost_received_bytes_total", "",                                \
      "Payload bytes of the datagrams read.")                                                      \
    X(DATAGRAMS_LOST, COUNTER, "signpost_datagrams_lost_total", "",                                \
      "Datagrams that the kernel dropped because a socket's receive buffer was full.")             \
    X(DATAGRAMS_FENCED, COUNTER, "signpost_datagrams_fenced_total", "",                            \
      "Datagrams of greedy sources that the kernel dropped for us, guessed from those let by.")    \
    X(FENCES_RAISED, COUNTER, "signpost_fences_raised_total", "",                                  \
      "Times a greedy source was fenced: the kernel let only a part of its datagrams by.")         \
    X(RECEIVE_ERRORS, COUNTER, "signpost_receive_errors_total", "",                                \
      "Reads from a socket that failed.")                                                          \
    X(RING_FULL, COUNTER, "signpost_ring_full_total", "",                                          \
      "Times a receiver found the ring full and let the socket's buffer hold the datagrams.")      \
    X(ANSWERS_SENT, COUNTER, "signpost_answers_sent_total", "", "Datagrams sent.")                 \
    X(ANSWERS_FAILED, COUNTER, "signpost_answers_failed_total", "",                                \
      "Answers that the kernel did not take; the client will retransmit.")                         \
    X(ANSWERS_REPEATED, COUNTER, "signpost_answers_repeated_total", "",                            \
      "Answers to INVITEs sent again because no ACK had come (timer G).")                          \
    X(RETRANSMISSIONS, COUNTER, "signpost_retransmissions_total", "",                              \
      "Requests recognized as retransmissions and answered, or absorbed, as the first time.")      \
    X(TRANSACTIONS_REFUSED, COUNTER, "signpost_transactions_refused_total", "",                    \
      "Requests answered without remembering it: too long an answer, or no memory.")               \
    X(TRANSACTIONS_EVICTED, COUNTER, "signpost_transactions_evicted_total", "",                    \
      "Transactions forgotten before their time: transaction-bytes-max was used up.")              \
    X(KEEPALIVES, COUNTER, "signpost_keepalives_total", "",                                        \
      "Datagrams of nothing but line ends or NULs, which need no answer.")                         \
    X(STUN_REQUESTS, COUNTER, "signpost_stun_requests_total", "",                                  \
      "STUN binding requests answered.")                                                           \
    X(ACKS, COUNTER, "signpost_acks_total", "", "ACKs absorbed.")                                  \
    X(DROPPED_GARBAGE, COUNTER, "signpost_dropped_total", "reason=\"garbage\"",                    \
      "Datagrams dropped without an answer.")                                                      \
    X(DROPPED_RESPONSE, COUNTER, "signpost_dropped_total", "reason=\"response\"",                  \
      "Datagrams dropped without an answer.")                                                      \
    X(DROPPED_NO_VIA, COUNTER, "signpost_dropped_total", "reason=\"no_via\"",                      \
      "Datagrams dropped without an answer.")                                                      \
    X(DROPPED_UNANSWERABLE, COUNTER, "signpost_dropped_total", "reason=\"unanswerable\"",          \
      "Datagrams dropped without an answer.")                                                      \
    X(DROPPED_OLD, COUNTER, "signpost_dropped_total", "reason=\"too_old\"",                        \
      "Datagrams dropped without an answer.")                                                      \
    X(DROPPED_GREEDY, COUNTER, "signpost_dropped_total", "reason=\"greedy_source\"",               \
      "Datagrams dropped without an answer.")                                                      \
    X(BUSY, COUNTER, "signpost_busy_total", "",                                                    \
      "Requests answered 503 because they had waited longer than busy-after-ms.")                  \
    X(REFUSED_LOADING, COUNTER, "signpost_unserved_total", "reason=\"loading\"",                   \
      "Requests answered 503 for what the store is doing, by reason.")                             \
    X(REFUSED_UNKEPT, COUNTER, "signpost_unserved_total", "reason=\"store_failing\"",              \
      "Requests answered 503 for what the store is doing, by reason.")                             \
    X(BINDINGS_ADDED, COUNTER, "signpost_bindings_added_total", "", "Bindings made.")              \
    X(BINDINGS_REFRESHED, COUNTER, "signpost_bindings_refreshed_total", "",                        \
      "Bindings made anew before they expired.")                                                   \
    X(BINDINGS_REMOVED, COUNTER, "signpost_bindings_removed_total", "",                            \
      "Bindings removed by a REGISTER.")                                                           \
    X(BINDINGS_REPLACED, COUNTER, "signpost_bindings_replaced_total", "",                          \
      "Bindings removed because newer ones needed their room (contacts-policy).")                  \
    X(BINDINGS_EXPIRED, COUNTER, "signpost_bindings_expired_total", "", "Bindings expired.")       \
    X(REGISTER_REPEATED, COUNTER, "signpost_register_repeated_total", "",                          \
      "REGISTERs recognized as retransmissions: answered, nothing changed.")                       \
    X(REGISTER_OUT_OF_ORDER, COUNTER, "signpost_register_refused_total",                           \
      "reason=\"out_of_order\"", "REGISTERs refused, by reason.")                                  \
    X(REGISTER_TOO_MANY, COUNTER, "signpost_register_refused_total", "reason=\"too_many\"",        \
      "REGISTERs refused, by reason.")                                                             \
    X(REGISTER_TOO_BRIEF, COUNTER, "signpost_register_refused_total", "reason=\"too_brief\"",      \
      "REGISTERs refused, by reason.")                                                             \
    X(REGISTER_NOT_ADMITTED, COUNTER, "signpost_register_refused_total",                           \
      "reason=\"not_admitted\"", "REGISTERs refused, by reason.")                                  \
    X(REGISTER_FULL, COUNTER, "signpost_register_refused_total", "reason=\"full\"",                \
      "REGISTERs refused, by reason.")                                                             \
    X(REGISTER_NO_MEMORY, COUNTER, "signpost_register_refused_total", "reason=\"no_memory\"",      \
      "REGISTERs refused, by reason.")                                                             \
    X(STORE_CHANGES, COUNTER, "signpost_store_changes_total", "",                                  \
      "Addresses of record written to the store because they had changed.")                        \
    X(STORE_COALESCED, COUNTER, "signpost_store_coalesced_total", "",                              \
      "Changes that needed no writing, for a later one was in the same group.")                    \
    X(STORE_COMMITS, COUNTER, "signpost_store_commits_total", "",                                  \
      "Times that what had been written was brought to disk, by fdatasync.")                       \
    X(STORE_BYTES, COUNTER, "signpost_store_written_bytes_total", "",                              \
      "Bytes of records written, changes and rewrites.")                                           \
    X(STORE_REWRITES, COUNTER, "signpost_store_rewrites_total", "",                                \
      "Times the whole table was written anew, to let go of what is out of date or to heal.")      \
    X(STORE_FAILURES, COUNTER, "signpost_store_failures_total", "",                                \
      "Writes and openings of the store that have failed.")                                        \
    X(STORE_UNREADABLE, COUNTER, "signpost_store_unreadable_total", "",                            \
      "Blocks, records and logs that could not be read when the store was loaded.")                \
    X(STORE_OVERFLOWS, COUNTER, "signpost_store_overflows_total", "",                              \
      "Times that a full queue made a rewrite of the table necessary.")                            \
    X(STORE_LET_GO, COUNTER, "signpost_store_changes_let_go_total", "",                            \
      "Changes not written because the store was failing; a rewrite follows when it works.")       \
    X(STORE_ANSWERS_LET_GO, COUNTER, "signpost_store_answers_let_go_total", "",                    \
      "Answers not sent because what they promise could not be written.")                          \
    X(REDIRECT_CUT, COUNTER, "signpost_redirect_contacts_cut_total", "",                           \
      "Contacts left out of a 302 to keep it within redirect-bytes-max.")                          \
    X(BINDINGS, GAUGE, "signpost_bindings", "", "Bindings held.")                                  \
    X(AORS, GAUGE, "signpost_aors", "", "Addresses of record that have a binding.")                \
    X(TRANSACTIONS, GAUGE, "signpost_transactions", "", "Server transactions remembered.")         \
    X(TRANSACTION_BYTES, GAUGE, "signpost_transaction_bytes", "", "Memory that they take.")        \
    X(STORE_UP, GAUGE, "signpost_store_up", "",                                                    \
      "1: bindings are kept. 0: there is no store, or it is loading or failing.")                  \
    X(STORE_WAITING_BYTES, GAUGE, "signpost_store_waiting_bytes", "",                              \
      "Changes on their way to the store.")                                                        \
    X(FENCED_SOURCES, GAUGE, "signpost_fenced_sources", "",                                        \
      "Sources that are fenced, each by the sockets that it overloads.")                           \
    X(RING_DEPTH, GAUGE, "signpost_ring_depth", "", "Datagrams waiting for a worker.")             \
    X(WORKERS, GAUGE, "signpost_workers", "", "Worker threads.")                                   \
    X(START_TIME, GAUGE, "signpost_start_time_seconds", "",                                        \
      "When the server started, in seconds since 1970-01-01 UTC.")

enum metric {

#define X(id, kind, name, labels, help) METRIC_##id,
    METRICS(X)
#undef X
        METRIC_REQUESTS,                               // the first of one row a method
    METRIC_RESPONSES = METRIC_REQUESTS + METHOD_COUNT, // the first of one row a status
    METRIC_COUNT = METRIC_RESPONSES + STATUS_COUNT,
};

// What one thread has counted; written by that thread only, on cache lines of its own.
struct metrics {
    alignas(64) struct metric_counter rows[METRIC_COUNT];
};

static inline void metrics_add(struct metrics *m, enum metric id, uint64_t n)
{
    metric_add(&m->rows[id], n);
}

static inline void metrics_request(struct metrics *m, enum method method)
{
    metric_add(&m->rows[METRIC_REQUESTS + (unsigned)method], 1);
}

static inline void metrics_response(struct metrics *m, enum status status)
{
    metric_add(&m->rows[METRIC_RESPONSES + (unsigned)status], 1);
}

// Adds every row of `from` to `sum`, which belongs to the caller. Any thread.
void metrics_sum(struct metrics *sum, const struct metrics *from);

// Name, labels, kind and help of a row. Rows of one name stand side by side.
const struct metric_row *metrics_row(enum metric id);

#endif
