// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_PACKET_H
#define SIGNPOST_NET_PACKET_H

#include "net/flow.h"
#include "signpost/base/limits.h"
#include "signpost/base/now.h"

// One message on its way from a transport to a worker. Lives in a slot of the ring, which owns the
// bytes; whoever holds the slot may write or read it.
struct packet {
    struct flow flow;     // where it came in, and answers go out
    struct endpoint peer; // who sent it
    uint32_t len;
    uint64_t arrived_us; // when the kernel took it in, by clock_wall_us
    char *bytes;         // MESSAGE_BYTES_MAX of them
};

#endif
