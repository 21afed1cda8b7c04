// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_STOPWATCH_H
#define SIPFLOOD_STOPWATCH_H

#include <stdint.h>

// The clocks, read here and nowhere else; everything but the engine's loop takes time as an
// argument.

// Nanoseconds on a clock that only moves forward.
uint64_t stopwatch_now_ns(void);

// Hundredths of a second since 1970.
uint64_t stopwatch_wall_cs(void);

// Processor time of this process so far, user and system, in nanoseconds.
uint64_t stopwatch_cpu_ns(void);

#endif
