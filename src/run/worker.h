// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_WORKER_H
#define SIGNPOST_RUN_WORKER_H

#include "env/thread.h"
#include "net/ring.h"
#include "run/persister.h"
#include "signpost/base/err.h"
#include "signpost/base/histogram.h"
#include "signpost/service/uas.h"

// A thread that takes datagrams off the ring, has them answered by the core, and sends the
// answers.
struct worker;

struct worker_config {
    const struct uas *uas; // this and what follows is borrowed until worker_destroy
    struct ring *ring;
    struct persister *persister; // NULL: nothing is kept
    struct metrics *metrics;     // the worker's alone to write
    uint32_t drop_after_ms;      // a datagram that has waited longer is dropped
    unsigned number;             // by which the persister knows it
    int cpu;                     // that the thread is to run on, or THREAD_ANY_CPU
};

// Starts the thread. ERR_SYSTEM or ERR_NO_MEMORY.
ERR_CHECKED enum err worker_create(const struct worker_config *config, struct worker **out);

// How long datagrams have taken, in microseconds from their arrival until their answers were given
// to the kernel, with those that had none. Any thread may read it until worker_destroy.
const struct histogram *worker_delays(const struct worker *worker);

// Joins the thread, which ends when the ring is closed and empty. NULL is legal.
void worker_destroy(struct worker *worker);

#endif
