// SPDX-License-Identifier: Apache-2.0
#include "sipflood/share.h"

#include <assert.h>

unsigned share_ports(const struct share *s)
{
    assert(s->thread < s->threads && s->threads <= s->ports);
    return (s->ports - s->thread + s->threads - 1) / s->threads;
}

unsigned share_port(const struct share *s, unsigned j)
{
    return s->thread + j * s->threads;
}

unsigned share_index(const struct share *s, unsigned port)
{
    assert(port % s->threads == s->thread);
    return port / s->threads;
}

unsigned share_port_of(const struct share *s, uint32_t user)
{
    return user / SHARE_USERS_PER_TURN % s->ports;
}

uint32_t share_users(const struct share *s, uint32_t users)
{
    const uint32_t turn = s->ports * SHARE_USERS_PER_TURN; // users that go once around the ports
    const uint32_t rest = users % turn;
    uint32_t count = users / turn * share_ports(s) * SHARE_USERS_PER_TURN;
    for (unsigned port = s->thread; port * SHARE_USERS_PER_TURN < rest; port += s->threads) {
        const uint32_t left = rest - port * SHARE_USERS_PER_TURN;
        count += left < SHARE_USERS_PER_TURN ? left : SHARE_USERS_PER_TURN;
    }
    return count;
}

uint32_t share_user(const struct share *s, uint32_t i)
{
    const uint32_t ours = i / SHARE_USERS_PER_TURN;
    const uint32_t around = ours / share_ports(s);
    const uint32_t port = share_port(s, ours % share_ports(s));
    return (around * s->ports + port) * SHARE_USERS_PER_TURN + i % SHARE_USERS_PER_TURN;
}
