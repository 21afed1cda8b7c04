// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_HOST_H
#define SIGNPOST_SIP_HOST_H

#include "signpost/base/endpoint.h"
#include "signpost/base/err.h"

// host = hostname / IPv4address / IPv6reference (RFC 3261 25.1, with the IPv6 grammar of RFC 5954).
// Labels may hold "_" besides, which networks without DNS do use.

// Takes the host off the front of *rest: what follows it is for the caller to judge. *ip is its
// address, IP_NONE when it is a name. After ERR_SYNTAX *rest is as it was.
ERR_CHECKED enum err host_take(struct slice *rest, struct slice *host, struct ip *ip);

// Takes 1*DIGIT off the front of *rest, from 1 to 65535.
ERR_CHECKED enum err host_take_port(struct slice *rest, uint16_t *port);

#endif
