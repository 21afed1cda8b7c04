// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_TICKER_H
#define SIGNPOST_RUN_TICKER_H

#include "net/udp.h"
#include "run/persister.h"
#include "signpost/base/err.h"
#include "signpost/state/location.h"
#include "signpost/state/metrics.h"
#include "signpost/state/transaction.h"

// The thread that does what is due by the clock: removing bindings that have expired, forgetting
// transactions, and sending again the answers to INVITEs that nobody has acknowledged.
struct ticker;

// What a ticker works on, borrowed until ticker_destroy; the metrics are its alone to write.
struct ticker_config {
    struct location *location;
    const struct persister *persister; // who fills the table at first, or NULL
    struct transactions *transactions; // NULL when requests are answered without state
    const struct udp_socket *sockets;  // by their numbers
    struct metrics *metrics;
};

// Starts the thread. ERR_SYSTEM or ERR_NO_MEMORY.
ERR_CHECKED enum err ticker_create(const struct ticker_config *config, struct ticker **out);

// Ends and joins the thread. NULL is legal.
void ticker_destroy(struct ticker *ticker);

#endif
