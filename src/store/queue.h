// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_QUEUE_H
#define SIGNPOST_STORE_QUEUE_H

#include "signpost/base/slice.h"

// A bounded lock-free queue of entries of varying length, from one producer to one consumer: how a
// worker tells the persister what has changed.
//
// One thread at a time may be the producer (reserve and publish), one the consumer (next and
// release); any may ask for queue_bytes. An entry goes round: reserved -> published -> told ->
// released, always in this order and one behind the other. Its bytes are the producer's until it is
// published, and from when it is told until it is released they stay where they are, for the
// consumer to read.
//
// Progress: no call waits, sleeps, or makes a system call, and each takes a bounded number of steps
// whatever the other side does. Full is what has been published and not released, told or not;
// empty is nothing published that has not been told. Who finds it so comes again.
struct queue;

// Room for that many bytes, a power of two from QUEUE_BYTES_MIN on; an entry takes up its length
// and up to 15 bytes more, and the end of the room stays unused where it is too short for one.
// Memory is touched as entries come to it: all of it in the long run. NULL when it does not
// suffice.
enum { QUEUE_BYTES_MIN = 64 };

struct queue *queue_create(size_t bytes);

// Nobody may be using it any more. queue_destroy(NULL) is legal.
void queue_destroy(struct queue *queue);

// Producer. Room for one entry, in one piece and aligned to 8; NULL when the queue is too full for
// it. At most a quarter of the queue's bytes, so that an empty one always has room. What is
// reserved need not be published: the next reserve is then as if it had not been.
char *queue_reserve(struct queue *queue, size_t bytes);

// Producer. Hands over what has been reserved last: its first `bytes`.
void queue_publish(struct queue *queue, size_t bytes);

// Consumer. Tells the next entry, or false when there is none at the moment.
bool queue_next(struct queue *queue, struct slice *entry);

// Consumer. Gives back all that queue_next has told so far.
void queue_release(struct queue *queue);

// Bytes taken up, a moment ago.
size_t queue_bytes(const struct queue *queue);

#endif
