// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_LOAD_H
#define SIGNPOST_STORE_LOAD_H

#include "signpost/state/location.h"
#include "store/engine.h"

// Fills a location table with what an engine has kept.

struct load_count {
    uint64_t bytes;   // of blocks
    uint64_t records; // whole ones, of whatever revision
    uint64_t damaged; // blocks and records that could not be read
    uint64_t newer;   // records of a version that is not known here
};

// What is filled, and when. Expiries are counted by the wall clock; one that is further away than
// expires_s_max, because the clock has been set back, is brought nearer. When *stop becomes true
// the rest is left out; NULL: nobody stops it.
struct load_into {
    struct location *location;
    struct now now;
    uint32_t expires_s_max;
    const _Atomic bool *stop;
};

// Reads one of ENGINE_STRIPES parts; threads may read different ones at the same time. Adds to
// *count. What is damaged is counted and passed over; ERR_IO and ERR_NO_MEMORY leave the table
// filled in part.
ERR_CHECKED enum err load_stripe(struct engine *engine, unsigned stripe,
                                 const struct load_into *into, struct load_count *count,
                                 struct engine_fault *fault);

#endif
