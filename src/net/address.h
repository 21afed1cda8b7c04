// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_NET_ADDRESS_H
#define SIGNPOST_NET_ADDRESS_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "signpost/base/endpoint.h"

// Endpoints as the socket calls want them.
union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

// Returns the length of the address it has written.
socklen_t address_from_endpoint(const struct endpoint *from, union address *to);

// The address must be of family AF_INET or AF_INET6.
struct endpoint address_to_endpoint(const union address *from);

struct ip address_ip4(struct in_addr in);
struct ip address_ip6(const struct in6_addr *in);

#endif
