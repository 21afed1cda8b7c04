// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_THREAD_H
#define SIGNPOST_ENV_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "signpost/base/err.h"

// Threads, and the CPUs they run on.

enum { THREAD_ANY_CPU = -1 };

// Starts a thread that runs on this CPU alone, or on any that the process may use. ERR_SYSTEM with
// errno set.
ERR_CHECKED enum err thread_start(pthread_t *thread, int cpu, void *(*run)(void *), void *arg);

// Joins it if it ends within this time. False: it still runs.
bool thread_join_within(pthread_t thread, uint32_t ms);

// The calling thread lets others go first from now on, where there are more than CPUs: for what is
// not on the way from a request to its answer.
void thread_give_way(void);

// The calling thread, and those that it starts, let every other thread go first that wakes while
// they run, or no longer do. Unlike thread_give_way that takes none of their share of the CPU: for
// those with whom others have to keep up.
void thread_yield_readily(bool readily);

// How many CPUs this process may use.
unsigned thread_cpu_count(void);

// Whether there is such a CPU and this process may use it.
bool thread_may_use(unsigned cpu);

#endif
