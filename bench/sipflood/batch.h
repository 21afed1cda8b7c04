// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_BATCH_H
#define SIPFLOOD_BATCH_H

#include <stdbool.h>

#include "signpost/base/slice.h"
#include "sipflood/script.h"

// Datagrams in trains, one system call for up to BATCH_MESSAGES of one socket.

enum { BATCH_MESSAGES = 64, BATCH_INBOX_BYTES = 4096 };

// --- sending: messages are written in place, collected while the socket stays the same ---------

struct outbox;

// What became of the messages since the last outbox_take_result.
struct outbox_result {
    uint64_t full;    // times that the kernel had no room
    uint64_t refused; // sends that failed because the target's port is closed (ICMP)
    uint64_t dropped; // messages given up
};

// With `trains` the kernel gets equally long messages in one piece to cut up (UDP GSO), where it
// can: about a fifth less CPU for request and answer together. NULL when memory is short. The
// caller destroys it.
struct outbox *outbox_create(bool trains);
void outbox_destroy(struct outbox *o);

// Room of SCRIPT_MESSAGE_BYTES_MAX for the next message through socket `fd`; sends what waits
// first, if that is for another socket or fills the batch.
char *outbox_room(struct outbox *o, int fd);

// The message written into outbox_room is `len` bytes long and may be sent.
void outbox_add(struct outbox *o, size_t len);

// Sends what waits. While the kernel's queue is full it waits for room, a second at most.
void outbox_flush(struct outbox *o);

struct outbox_result outbox_take_result(struct outbox *o);

// --- receiving -----------------------------------------------------------------------------------

struct inbox;

// With `trains` a batch may hold trains that the kernel did not cut up (UDP GRO), from sockets
// which ports_open has told so; without, a datagram may be BATCH_INBOX_BYTES long. NULL when memory
// is short. The caller destroys it.
struct inbox *inbox_create(bool trains);
void inbox_destroy(struct inbox *in);

// Receives what waits at a non-blocking socket, up to BATCH_MESSAGES datagrams or trains of them,
// for inbox_next. False when the socket reports an error.
bool inbox_receive(struct inbox *in, int fd);

// The next datagram of the batch, until the next inbox_receive; false when there is none. *whole
// is false when it was longer than its room and is cut off.
bool inbox_next(struct inbox *in, struct slice *out, bool *whole);

#endif
