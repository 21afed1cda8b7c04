// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_RECEIVER_H
#define SIGNPOST_NET_RECEIVER_H

#include "env/thread.h"
#include "net/ring.h"
#include "net/udp.h"
#include "signpost/base/err.h"
#include "signpost/state/metrics.h"

// The thread that reads datagrams from one socket straight into the ring's buffers.
//
// When the ring is full it leaves them in the socket's buffer, where the kernel drops the newest
// once that is full too (both are counted): what is oldest is served first, and the drop costs
// nobody anything. When the ring is three quarters full it drops those of a greedy source itself
// (shares.h), so that there is room for everyone else's. When that does not suffice, or it cannot
// even read so fast, the kernel is told to drop a part of them before they get into the socket's
// buffer (warden.h, fence.h).
struct receiver;

// How many of the ring's spare buffers a receiver takes: the datagrams of one system call.
enum { RECEIVER_SPARES = 64 };

// The socket, ring and metrics are borrowed until receiver_destroy; the metrics are the receiver's
// alone to write. Starts the thread on this CPU, or THREAD_ANY_CPU. ERR_SYSTEM or ERR_NO_MEMORY.
ERR_CHECKED enum err receiver_create(const struct udp_socket *socket, struct ring *ring,
                                     struct metrics *metrics, int cpu, struct receiver **out);

// Stops reading, for which it shuts the socket down for reading, and joins the thread; what it has
// read is on the ring. Consumers must still be at work, for a full ring. NULL is legal.
void receiver_destroy(struct receiver *receiver);

#endif
