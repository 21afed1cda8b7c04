// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_FENCE_H
#define SIGNPOST_NET_FENCE_H

#include <linux/filter.h>

#include "net/udp.h"

// A source of which the kernel lets only a part of the datagrams into a socket: one in 2^height, by
// chance. What it drops so costs the reader nothing and takes no room in the socket's buffer.
struct fence {
    struct ip source; // as shares_source has it: an IPv6 network of 64 bits, the rest zero
    unsigned height;  // 1 to FENCE_HEIGHT_MAX
};

enum {
    FENCES_MAX = 8,
    FENCE_HEIGHT_MAX = 6, // one in 64: of a million datagrams a second what a worker can answer
    FENCE_INSTRUCTIONS_MAX = 12, // of one fence
    FENCE_PROGRAM_MAX = FENCES_MAX * FENCE_INSTRUCTIONS_MAX + 1,
};

// Writes the socket filter (classic BPF) for up to FENCES_MAX fences to `out`, returns its length.
// It goes by the packet's own IP header, so that it is the same for sockets of either family.
unsigned fence_program(const struct fence *fences, unsigned count,
                       struct sock_filter out[FENCE_PROGRAM_MAX]);

// Puts these fences round the socket in place of those that stand; none at all when there are none,
// or when the kernel does not take them (ERR_SYSTEM). The kernel counts what they drop among what
// it has dropped of the socket (SO_RXQ_OVFL).
ERR_CHECKED enum err fence_put(const struct udp_socket *socket, const struct fence *fences,
                               unsigned count);

#endif
