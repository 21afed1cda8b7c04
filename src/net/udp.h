// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_UDP_H
#define SIGNPOST_NET_UDP_H

#include "signpost/base/endpoint.h"
#include "signpost/base/err.h"

// A UDP socket that the server listens on, and answers from.
struct udp_socket {
    int fd;
    uint32_t number;       // its place among the server's sockets; set by the server
    bool any_address;      // bound to all addresses: each datagram tells which one it came to
    bool cuts_trains;      // the kernel takes answers in a row in one piece (UDP_SEGMENT)
    bool takes_trains;     // and hands datagrams over so (UDP_GRO), as was asked for
    struct endpoint local; // as bound, with the port that the kernel chose if 0 was asked for
    int receive_buffer;    // bytes that the kernel has granted
    int send_buffer;
};

struct udp_config {
    unsigned receive_bytes; // asked of the kernel for what waits to be read
    unsigned send_bytes;    // and to be sent
    bool trains;            // datagrams in a row of one peer and length may be read in one piece
};

// Opens and binds; close-on-exec, IPv6 sockets for IPv6 only. ERR_IN_USE, ERR_RANGE
// (the address is none of this machine, or its port not for this user), or ERR_SYSTEM with errno as
// the call left it.
ERR_CHECKED enum err udp_open(const struct endpoint *at, const struct udp_config *config,
                              struct udp_socket *out);

// Opens `count` sockets that share one address (SO_REUSEPORT): the kernel gives all datagrams of
// one peer to the same one. Nobody else's socket may be there. All or none.
ERR_CHECKED enum err udp_open_shared(const struct endpoint *at, const struct udp_config *config,
                                     struct udp_socket *out, size_t count);

// What waits to be read takes more than half of what the kernel grants for it. Where the kernel
// does not tell, it never does.
bool udp_half_full(const struct udp_socket *socket);

void udp_close(struct udp_socket *socket);

#endif
