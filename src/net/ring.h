// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_RING_H
#define SIGNPOST_NET_RING_H

#include "net/packet.h"

// The lock-free queue between transports and workers, which is also the pool of the buffers:
// a slot owns one, which a worker reads in place. A producer fills the slot's own, or gives it a
// full one of its spares and keeps the slot's empty one for it: a receiver can so wait in the
// kernel for datagrams without holding any slot meanwhile.
//
// Any number of producers and consumers. A slot goes round: free -> reserved (a producer's) ->
// published -> claimed (a consumer's) -> free. Consumers claim in order of reservation, so a
// producer must not dally between ring_reserve and ring_publish: what others publish behind its
// slots waits for it. Slots may be released in any order; a slot that is held long stops producers
// one lap later.
//
// Progress: reserve, publish and release never block; a claim sleeps only when nothing is
// published, and publishing makes a system call only when a consumer sleeps that nobody has called
// yet.
struct ring;

// Consecutive slots.
struct ring_span {
    uint64_t start;
    unsigned count;
};

// `slots` is a power of two; `spares` is how many buffers there are besides the slots'. Address
// space for all of them is taken at once, memory as datagrams touch it: at most RING_BUFFER_STRIDE
// bytes a buffer. NULL when memory does not suffice.
struct ring *ring_create(unsigned slots, unsigned spares);

// Nobody may be using it any more. ring_destroy(NULL) is legal.
void ring_destroy(struct ring *ring);

// One of the spare buffers, MESSAGE_BYTES_MAX long, for the caller to exchange with those of the
// slots that it reserves. It stays the ring's memory. At most `spares` times.
char *ring_take_spare(struct ring *ring);

// The packet in the i-th slot of a span that the caller holds.
struct packet *ring_packet(struct ring *ring, struct ring_span span, unsigned i);

// Producers. Reserves up to `want` slots, which are all to be published; count 0 means that the
// ring is full.
struct ring_span ring_reserve(struct ring *ring, unsigned want);

void ring_publish(struct ring *ring, struct ring_span span);

// Consumers. Claims up to `want` published slots and waits for the first; count 0 means that the
// ring is closed and empty.
struct ring_span ring_claim(struct ring *ring, unsigned want);

// Gives the slots back to the producers.
void ring_release(struct ring *ring, struct ring_span span);

// No more will be published: consumers get what there is, and then count 0.
void ring_close(struct ring *ring);

// Slots reserved or published and not yet claimed, a moment ago. Any thread.
unsigned ring_depth(const struct ring *ring);

// How many slots it has.
unsigned ring_slots(const struct ring *ring);

#endif
