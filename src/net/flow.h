// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_FLOW_H
#define SIGNPOST_NET_FLOW_H

#include "net/udp.h"
#include "signpost/base/buf.h"
#include "signpost/state/metrics.h"

// Where answers go: out by the socket, and from the address, that the request came to, so that
// they pass the same NAT.
struct flow {
    const struct udp_socket *socket;
    struct endpoint local;
};

// Collects the answers of one worker's batch and sends them with as few system calls as can be, and
// those in a row to one target as one train of datagrams where their lengths allow it.
// Belongs to one thread. Never blocks: what the kernel does not take is dropped and counted, and
// the client retransmits.
struct outbox;

// NULL when memory does not suffice.
struct outbox *outbox_create(struct metrics *metrics);
void outbox_destroy(struct outbox *outbox);

// Room for one answer of ANSWER_BYTES_MAX; makes it by sending what is waiting if need be. Good
// until the next call.
struct buf outbox_room(struct outbox *outbox);

// Takes over the first `len` bytes of that room as an answer.
void outbox_post(struct outbox *outbox, const struct flow *flow, const struct endpoint *target,
                 size_t len);

// Sends all that is waiting.
void outbox_flush(struct outbox *outbox);

#endif
