// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_WALK_H
#define SIGNPOSTCTL_WALK_H

#include "store/engine.h"
#include "store/record.h"

// Through everything a store holds.

struct walk_report {
    uint64_t blocks;
    uint64_t bytes;   // of blocks
    uint64_t records; // that could be read
    uint64_t damaged_blocks;
    uint64_t damaged_records;
    uint64_t newer_records;    // of a later release
    uint64_t highest_revision; // of all of them
};

// What is done with a record; an error of it ends the walk.
struct walker {
    enum err (*take)(void *context, const struct record_state *state);
    void *context;
};

// Shows every record, in no particular order, and passes over what is damaged, which is no error.
// *report is of this walk. ERR_IO and the like: with *fault.
ERR_CHECKED enum err walk_all(struct engine *engine, const struct walker *walker,
                              struct walk_report *report, struct engine_fault *fault);

enum { WALK_AORS_MAX = 12 * 1024 * 1024 };

// Shows the newest record of each address of record, once, also where it has no bindings. Of each
// of up to aors_max it knows a hash of 64 bits and the revision, 16 bytes in a table that is half
// full at least; when there are more, everything is read several times, each time for a part of
// them.
ERR_CHECKED enum err walk_newest(struct engine *engine, size_t aors_max,
                                 const struct walker *walker, struct walk_report *report,
                                 struct engine_fault *fault);

#endif
