// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_TICKER_H
#define SIGNPOST_RUN_TICKER_H

#include "signpost/base/err.h"
#include "signpost/state/location.h"
#include "signpost/state/metrics.h"

// The thread that does what is due by the clock: removing bindings that have expired.
struct ticker;

// The table and metrics are borrowed until ticker_destroy; the metrics are the ticker's alone to
// write. Starts the thread. ERR_SYSTEM or ERR_NO_MEMORY.
ERR_CHECKED enum err ticker_create(struct location *location, struct metrics *metrics,
                                   struct ticker **out);

// Ends and joins the thread. NULL is legal.
void ticker_destroy(struct ticker *ticker);

#endif
