// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_RECEIVER_H
#define SIGNPOST_NET_RECEIVER_H

#include "net/ring.h"
#include "net/udp.h"
#include "signpost/base/err.h"
#include "signpost/state/metrics.h"

// The thread that reads datagrams from the sockets straight into the ring's free slots.
//
// When the ring is full it leaves them in the sockets' buffers, where the kernel drops the newest
// once they are full too (both are counted): what is oldest is served first, and the drop costs
// nobody anything.
struct receiver;

// The sockets, ring and metrics are borrowed until receiver_destroy. Starts the thread. ERR_SYSTEM
// or ERR_NO_MEMORY.
ERR_CHECKED enum err receiver_create(const struct udp_socket *sockets, size_t count,
                                     struct ring *ring, struct metrics *metrics,
                                     struct receiver **out);

// Stops reading and joins the thread; what it has read is on the ring. NULL is legal.
void receiver_destroy(struct receiver *receiver);

#endif
