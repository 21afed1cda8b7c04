// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_ADMIN_H
#define SIGNPOST_RUN_ADMIN_H

#include "env/log.h"
#include "signpost/base/endpoint.h"
#include "signpost/base/err.h"
#include "signpost/state/metrics.h"

// The admin HTTP server, in one thread of its own: GET /metrics (Prometheus text format 0.0.4),
// GET /healthz, GET / (an index), and HEAD of each. It knows the server only through a function
// that takes a snapshot, and makes no worker wait. It has no access control: bind it to an address
// that only those can reach who may see the numbers.
struct admin;

// Fills *out with the numbers of the moment; called from the admin thread.
typedef void (*admin_snapshot_fn)(const void *context, struct metrics *out);

struct admin_config {
    struct endpoint address; // port 0: any free one, see admin_port
    admin_snapshot_fn snapshot;
    const void *context; // outlives the admin server
    struct log log;
};

// When it returns ERR_OK the address is bound and served. Otherwise one line that names the address
// and the option to change has been logged, and *out is NULL: ERR_IN_USE when somebody else has the
// address, ERR_RANGE when this host does not have it or may not use it, ERR_NO_MEMORY, ERR_SYSTEM.
ERR_CHECKED enum err admin_start(const struct admin_config *config, struct admin **out);

// The port it listens on.
uint16_t admin_port(const struct admin *admin);

// Ends open connections, joins the thread and frees everything. admin_stop(NULL) is legal.
void admin_stop(struct admin *admin);

#endif
