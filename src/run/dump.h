// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_DUMP_H
#define SIGNPOST_RUN_DUMP_H

#include <event2/http.h>

#include "run/admin.h"

// The answer to GET /bindings, which is as long as the table is large: a page is taken from the
// table only when the client has taken the one before, so that neither memory nor a lock is held
// for a slow one. For the admin thread.
struct dump;

// NULL when memory does not suffice.
struct dump *dump_create(const struct admin_source *source);

// Its connection must have been closed. dump_destroy(NULL) is legal.
void dump_destroy(struct dump *dump);

// Answers the request, 503 when another one is being answered.
void dump_start(struct dump *dump, struct evhttp_request *request);

#endif
