// SPDX-License-Identifier: Apache-2.0
#include "net/address.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>

static struct endpoint endpoint(const char *ip, uint16_t port)
{
    struct endpoint e = {.port = port};
    cr_assert(ip_parse(slice_of(ip, strlen(ip)), &e.ip), "%s", ip);
    return e;
}

static bool same(const struct endpoint *a, const struct endpoint *b)
{
    return ip_equal(&a->ip, &b->ip) && a->port == b->port && a->scope == b->scope;
}

Test(address, ipv4_becomes_a_socket_address_and_back)
{
    const struct endpoint from = endpoint("192.0.2.33", 5060);
    union address address;
    cr_assert_eq(address_from_endpoint(&from, &address), sizeof(struct sockaddr_in));
    cr_assert_eq(address.v4.sin_family, AF_INET);
    cr_assert_eq(address.v4.sin_addr.s_addr, htonl(0xc0000221));
    cr_assert_eq(address.v4.sin_port, htons(5060));
    const struct endpoint to = address_to_endpoint(&address);
    cr_assert(same(&from, &to));
}

Test(address, ipv6_becomes_a_socket_address_and_back_with_its_scope)
{
    struct endpoint from = endpoint("fe80::1:2", 65535);
    union address address;
    from.scope = 7;
    cr_assert_eq(address_from_endpoint(&from, &address), sizeof(struct sockaddr_in6));
    cr_assert_eq(address.v6.sin6_family, AF_INET6);
    cr_assert_eq(address.v6.sin6_scope_id, 7);
    char text[INET6_ADDRSTRLEN];
    cr_assert_str_eq(inet_ntop(AF_INET6, &address.v6.sin6_addr, text, sizeof(text)), "fe80::1:2");
    const struct endpoint to = address_to_endpoint(&address);
    cr_assert(same(&from, &to));
}

Test(address, no_part_is_left_from_before)
{
    const struct endpoint v6 = endpoint("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
    const struct endpoint v4 = endpoint("1.2.3.4", 1);
    union address address;
    (void)address_from_endpoint(&v6, &address);
    (void)address_from_endpoint(&v4, &address);
    const struct endpoint to = address_to_endpoint(&address);
    cr_assert(same(&v4, &to)); // ip_equal compares all sixteen bytes
    static const char zero[sizeof(address.v4.sin_zero)];
    cr_assert_arr_eq(address.v4.sin_zero, zero, sizeof(zero));
}
