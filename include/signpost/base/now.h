// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_NOW_H
#define SIGNPOST_BASE_NOW_H

#include <stdint.h>

#include "signpost/base/buf.h"

// The present moment, as an argument: read once per batch by the shell (env/clock.h), or made up
// by a test. The two clocks are not to be mixed.
struct now {
    uint64_t mono_ms; // milliseconds on a clock that only moves forward, also through suspend
    uint64_t wall_ms; // milliseconds since 1970-01-01 UTC; may jump when the system clock is set
};

enum { MS_PER_S = 1000 };

// RFC 3261 20.17: "Sat, 13 Nov 2010 23:29:00 GMT", 29 bytes.
void now_put_date(struct buf *b, struct now now);

#endif
