// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_MOMENT_H
#define SIGNPOSTCTL_MOMENT_H

#include "signpost/base/buf.h"

// Moments as databases and people write them.

// Where a date's hours are those of.
struct zone {
    bool local;       // this process', as TZ or the system has it
    int32_t offset_s; // else so much east of UTC
};

// "UTC", "local", "+02:00", or a name of the system's database ("Europe/Berlin"), which becomes
// this process' time zone. False for what is none of these.
bool zone_parse(const char *text, struct zone *zone);

// "2026-01-31 12:00:00", also with "T", with a fraction of a second, and with a zone of its own
// ("Z", "+01", "+01:00"), which then counts. In milliseconds since 1970, possibly before it.
bool moment_parse(struct slice text, const struct zone *zone, int64_t *wall_ms);

// RFC 3339 in UTC: "2026-01-31T12:00:00.123Z".
void moment_put(struct buf *b, uint64_t wall_ms);

#endif
