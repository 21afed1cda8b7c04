// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_PORTS_H
#define SIPFLOOD_PORTS_H

#include <stdio.h>
#include <sys/socket.h>

#include "signpost/base/endpoint.h"
#include "signpost/base/err.h"

// The phones' UDP sockets: consecutive ports of one local address, connected to the target.

enum { PORTS_MAX = 10000 };

struct target {
    struct sockaddr_storage address;
    socklen_t address_len;
};

// "HOST:PORT" or "[v6]:PORT", names are looked up. One line about what is wrong goes to `why`.
enum err target_resolve(const char *text, struct target *out, FILE *why) ERR_CHECKED;

struct ports {
    unsigned count;
    int *fds;
    struct ip local_ip; // by the route to the target
};

struct ports_range {
    uint16_t first;
    uint16_t step;
    unsigned count;
};

// Opens `count` sockets on `first` and every `step`-th port after it. With `trains` they take
// answers that came as a train in one piece (UDP GRO), where the kernel can. On failure nothing
// stays open, and one line about what is wrong goes to `why`. The caller closes.
enum err ports_open(struct ports *p, const struct target *target, struct ports_range range,
                    bool trains, FILE *why) ERR_CHECKED;
void ports_close(struct ports *p);

// Datagrams that the kernel dropped because a receive queue was full: lost here, not at the
// target. The buffers are as large as the kernel lets them be.
uint64_t ports_dropped(const struct ports *p);

#endif
