// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_SCENARIO_H
#define SIPFLOOD_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>

#include "signpost/base/slice.h"

// What the phones do and what the right answer is: one row per kind of traffic.

// What the Contact fields of a right answer hold.
enum contact_rule {
    CONTACT_IGNORED,
    CONTACT_BOUND,  // the phone's own, among others, with 0 < expires <= the requested one
    CONTACT_GONE,   // anything but the phone's own
    CONTACT_CALLEE, // the callee's own and no other
};

// One request's worth of traffic; a run may mix several.
enum scenario_kind {
    SCENARIO_REGISTER,
    SCENARIO_REFRESH,
    SCENARIO_DEREGISTER,
    SCENARIO_INVITE,
    SCENARIO_OPTIONS,
    SCENARIO_KINDS,
};

struct scenario {
    const char *name;
    const char *help;
    struct slice method;
    unsigned status; // of the right final answer
    struct slice status_text;
    enum contact_rule contact;
    bool binds;  // asks for --expires seconds; other REGISTERs ask for 0
    bool invite; // has a callee, and its final answer is acknowledged
};

const struct scenario *scenario_of(enum scenario_kind kind);

// The kind of that name; SCENARIO_KINDS when there is none.
enum scenario_kind scenario_find(struct slice name);

#endif
