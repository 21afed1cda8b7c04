// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_DUMP_H
#define SIGNPOST_RUN_DUMP_H

#include <event2/event.h>
#include <event2/http.h>

#include "run/admin.h"

// The answer to GET /bindings, which is as long as the table is large. A page is taken from the
// table only when the client has taken the one before, so that neither memory nor a lock is held
// for a slow one; and one a millisecond at most, so that a fast one takes no CPU for longer than a
// page from who answers phones: some 50,000 bindings a second. For the admin thread.
struct dump;

// The base is the admin thread's. NULL when memory does not suffice.
struct dump *dump_create(const struct admin_source *source, struct event_base *base);

// Its connection must have been closed. dump_destroy(NULL) is legal.
void dump_destroy(struct dump *dump);

// Answers the request, 503 when another one is being answered.
void dump_start(struct dump *dump, struct evhttp_request *request);

#endif
