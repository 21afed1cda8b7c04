// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_SEARCH_H
#define SIPFLOOD_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

// Looks for the highest rate that goes well: doubles it until that fails, halves the gap between
// the best and the worst until it is a fiftieth, and then tries the best once more. One failure is
// taken for noise and the rate is tried again; a second one in a row counts.

enum { SEARCH_RATE_MAX = 10000000 };

enum search_phase {
    SEARCH_GROW,
    SEARCH_NARROW,
    SEARCH_CONFIRM,
    SEARCH_DONE,
};

// Open to be read.
struct search {
    enum search_phase phase;
    uint64_t rate;  // to be tried next
    uint64_t best;  // the highest that went well; 0: none yet
    uint64_t worst; // the lowest that did not, above `best`; 0: none yet
    bool failed;    // `rate` has failed once
};

struct search search_from(uint64_t rate);

// How trying `rate` went. Afterwards `rate` is the next one, unless the phase is SEARCH_DONE: then
// `best` is the answer, 0 if even one request a second was too much.
void search_tell(struct search *s, bool well);

#endif
