// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_CLOCK_H
#define SIGNPOST_ENV_CLOCK_H

#include "signpost/base/now.h"

// The present moment from the system's clocks; the only place of the project that reads them.
// Any thread. mono_ms counts from the machine's start and goes on through suspend.
struct now clock_now(void);

// Microseconds since 1970-01-01 UTC, by the clock that the kernel stamps datagrams with.
uint64_t clock_wall_us(void);

#endif
