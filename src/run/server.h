// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_SERVER_H
#define SIGNPOST_RUN_SERVER_H

#include "env/config.h"
#include "run/admin.h"
#include "signpost/base/err.h"

// The whole running server: location table, sockets, ring, receiver, workers, ticker.
struct server;

// Opens every socket and starts every thread; when it returns ERR_OK the server serves. On failure
// it has logged one line that names the thing and the fix, nothing is left open, and *out is NULL.
// The configuration is only read during the call. Call it from a thread that has blocked the
// signals it waits for: the server's threads inherit the mask.
ERR_CHECKED enum err server_start(const struct config *config, struct server **out);

// Drains and ends it: no new datagrams are read, those on the ring are answered, all threads are
// joined, everything is freed. server_stop(NULL) is legal.
void server_stop(struct server *server);

// What the admin server shows of it, good until server_stop: the sum of all threads' counters with
// the gauges, and the bindings.
struct admin_source server_admin_source(const struct server *server);

#endif
