// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_ADMIN_H
#define SIGNPOST_RUN_ADMIN_H

#include "env/log.h"
#include "signpost/base/endpoint.h"
#include "signpost/base/err.h"
#include "signpost/base/histogram.h"
#include "signpost/state/location.h"
#include "signpost/state/metrics.h"

// The admin HTTP server, in one thread of its own: GET /metrics (Prometheus text format 0.0.4),
// GET /healthz, GET /bindings (all of them, one JSON object a line, RFC 8259, as the client reads
// them; one client at a time, others get 503), GET / (an index), and HEAD of each. It knows the
// server only through three functions, and makes no worker wait for a client. It has no access
// control: bind it to an address that only those can reach who may see the numbers.
struct admin;

// Fills *out with the numbers of the moment; called from the admin thread.
typedef void (*admin_snapshot_fn)(const void *context, struct metrics *out);

// Fills *out with how long datagrams have taken, in microseconds (worker_delays); called from the
// admin thread.
typedef void (*admin_delays_fn)(const void *context, struct histogram *out);

// The next page of bindings, false at the end (location_scan); called from the admin thread, and by
// one client at a time.
typedef bool (*admin_scan_fn)(const void *context, struct location_cursor *cursor,
                              struct location_page *page);

struct admin_source {
    admin_snapshot_fn snapshot;
    admin_delays_fn delays;
    admin_scan_fn scan;
    const void *context; // outlives the admin server
};

struct admin_config {
    struct endpoint address; // port 0: any free one, see admin_port
    struct admin_source source;
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
