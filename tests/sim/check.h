// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_CHECK_H
#define SIGNPOST_TESTS_SIM_CHECK_H

#include "signpost/base/now.h"
#include "tests/sim/model.h"
#include "tests/sim/text.h"
#include "tests/sim/trace.h"

// An answer against what the model says of it. Each fails the trace when they differ.

struct answer {
    const struct intent *in;
    struct slice bytes;
    struct endpoint target;
    struct now now;
    struct text text;
    struct slice to_tag; // that the server has added; empty when it has not
};

// The status, and all that RFC 3261 8.2.6 and 18.2 say of any answer. Fills text and to_tag.
void check_head(struct trace *trace, const struct verdict *verdict, struct answer *answer);

// What belongs to its status: Contacts, Min-Expires, Date, Allow, Unsupported. A REGISTER's
// changes are in the model already.
void check_body(struct trace *trace, const struct model *model, const struct answer *answer);

// What the Contact with this URI says of its expiry. False when there is none.
bool check_find_expires(const struct answer *answer, const struct uri_spec *uri, uint64_t *seconds);

#endif
