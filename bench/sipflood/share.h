// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_SHARE_H
#define SIPFLOOD_SHARE_H

#include <stdint.h>

// Which phones one thread speaks for. User i is on port (i / SHARE_USERS_PER_TURN) mod ports,
// whatever the number of threads, so that its Contact stays the same: neighbours share a port, so
// that a batch leaves and comes back through one system call. Thread t of T has the ports t, t + T,
// t + 2 T and so on, and their users.

enum { SHARE_USERS_PER_TURN = 32 };

struct share {
    unsigned ports; // of the run, from 0
    unsigned thread;
    unsigned threads;
};

// How many of the ports are this thread's; its j-th one, and the reverse.
unsigned share_ports(const struct share *s);
unsigned share_port(const struct share *s, unsigned j);
unsigned share_index(const struct share *s, unsigned port);

// The port of a user.
unsigned share_port_of(const struct share *s, uint32_t user);

// How many of the users 0 .. users - 1 are this thread's; its i-th one, which is the higher the
// higher i is.
uint32_t share_users(const struct share *s, uint32_t users);
uint32_t share_user(const struct share *s, uint32_t i);

#endif
