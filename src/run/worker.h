// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_WORKER_H
#define SIGNPOST_RUN_WORKER_H

#include "env/thread.h"
#include "net/ring.h"
#include "signpost/base/err.h"
#include "signpost/service/uas.h"

// A thread that takes datagrams off the ring, has them answered by the core, and sends the
// answers.
struct worker;

// The user agent server, ring and metrics are borrowed until worker_destroy; the metrics are the
// worker's alone to write. Starts the thread on this CPU, or THREAD_ANY_CPU. ERR_SYSTEM or
// ERR_NO_MEMORY.
ERR_CHECKED enum err worker_create(const struct uas *uas, struct ring *ring,
                                   struct metrics *metrics, int cpu, struct worker **out);

// Joins the thread, which ends when the ring is closed and empty. NULL is legal.
void worker_destroy(struct worker *worker);

#endif
