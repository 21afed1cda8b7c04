// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

socklen_t address_from_endpoint(const struct endpoint *from, union address *to)
{
    assert(from->ip.family != IP_NONE);
    memset(to, 0, sizeof(*to));
    if (from->ip.family == IP_V4) {
        to->v4.sin_family = AF_INET;
        to->v4.sin_port = htons(from->port);
        memcpy(&to->v4.sin_addr, from->ip.bytes, sizeof(to->v4.sin_addr));
        return sizeof(to->v4);
    }
    to->v6.sin6_family = AF_INET6;
    to->v6.sin6_port = htons(from->port);
    to->v6.sin6_scope_id = from->scope;
    memcpy(&to->v6.sin6_addr, from->ip.bytes, sizeof(to->v6.sin6_addr));
    return sizeof(to->v6);
}

struct ip address_ip4(struct in_addr in)
{
    struct ip ip = {.family = IP_V4};
    memcpy(ip.bytes, &in, sizeof(in));
    return ip;
}

struct ip address_ip6(const struct in6_addr *in)
{
    struct ip ip = {.family = IP_V6};
    memcpy(ip.bytes, in, sizeof(*in));
    return ip;
}

struct endpoint address_to_endpoint(const union address *from)
{
    if (from->any.sa_family == AF_INET) {
        return (struct endpoint){.ip = address_ip4(from->v4.sin_addr),
                                 .port = ntohs(from->v4.sin_port)};
    }
    assert(from->any.sa_family == AF_INET6);
    return (struct endpoint){.ip = address_ip6(&from->v6.sin6_addr),
                             .scope = from->v6.sin6_scope_id,
                             .port = ntohs(from->v6.sin6_port)};
}
