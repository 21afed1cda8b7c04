// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_SERVER_H
#define SIGNPOST_RUN_SERVER_H

#include "env/config.h"
#include "run/admin.h"
#include "signpost/base/err.h"

// The whole running server: location table, sockets, ring, receiver, workers, ticker, store.
struct server;

// Opens every socket and starts every thread; when it returns ERR_OK the server answers. On failure
// it has logged one line that names the thing and the fix, nothing is left open, and *out is NULL.
// The configuration is only read during the call. Call it from a thread that has blocked the
// signals it waits for: the server's threads inherit the mask.
ERR_CHECKED enum err server_start(const struct config *config, struct server **out);

// Drains and ends it: no new datagrams are read, those on the ring are answered, all threads are
// joined, everything is freed. server_stop(NULL) is legal.
enum server_end {
    SERVER_ENDED,
    SERVER_LOST_SOME, // what has changed last could not be kept, which has been logged
    SERVER_STUCK,     // and a thread still waits for a disk: the process is to be left by _exit
};
enum server_end server_stop(struct server *server);

enum server_awaited {
    SERVER_SERVES,
    SERVER_TOLD_TO_END, // SIGINT or SIGTERM, which the caller has blocked, is pending
    SERVER_UNFILLED,    // the table could not be filled, which has been logged
};

// Waits until the server serves: until its table is filled from the store.
enum server_awaited server_await(const struct server *server);

// What the admin server shows of it, good until server_stop: the sum of all threads' counters with
// the gauges, and the bindings.
struct admin_source server_admin_source(const struct server *server);

#endif
