// SPDX-License-Identifier: Apache-2.0
#include "net/udp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>

#include "net/address.h"

static const struct udp_buffers buffers = {.receive = 65536, .send = 65536};

static struct endpoint endpoint(const char *ip, uint16_t port)
{
    struct endpoint e = {.port = port};
    cr_assert(ip_parse(slice_of(ip, strlen(ip)), &e.ip), "%s", ip);
    return e;
}

Test(udp, opens_on_the_port_asked_for_or_one_the_kernel_chooses)
{
    const struct endpoint any = endpoint("127.0.0.1", 0);
    struct udp_socket socket;
    cr_assert_eq(udp_open(&any, &buffers, &socket), ERR_OK);
    const uint16_t port = socket.local.port;
    cr_assert_neq(port, 0);
    cr_assert(ip_equal(&socket.local.ip, &any.ip));
    cr_assert_not(socket.any_address);
    cr_assert_gt(socket.receive_buffer, 0);
    cr_assert_eq(fcntl(socket.fd, F_GETFL) & O_NONBLOCK, 0);
    cr_assert_neq(fcntl(socket.fd, F_GETFD) & FD_CLOEXEC, 0);
    udp_close(&socket);
    cr_assert_eq(socket.fd, -1);
    udp_close(&socket);
    const struct endpoint same = endpoint("127.0.0.1", port);
    cr_assert_eq(udp_open(&same, &buffers, &socket), ERR_OK);
    cr_assert_eq(socket.local.port, port);
    udp_close(&socket);
}

Test(udp, a_port_in_use_is_said_to_be_so)
{
    const struct endpoint any = endpoint("127.0.0.1", 0);
    struct udp_socket first;
    struct udp_socket second;
    cr_assert_eq(udp_open(&any, &buffers, &first), ERR_OK);
    cr_assert_eq(udp_open(&first.local, &buffers, &second), ERR_IN_USE);
    cr_assert_eq(second.fd, -1);
    udp_close(&first);
}

Test(udp, an_address_of_another_machine_is_out_of_range)
{
    const struct endpoint other = endpoint("192.0.2.77", 0);
    struct udp_socket socket;
    cr_assert_eq(udp_open(&other, &buffers, &socket), ERR_RANGE);
    cr_assert_eq(socket.fd, -1);
    udp_close(&socket);
}

Test(udp, other_refusals_come_with_the_systems_reason)
{
    struct endpoint link_local = endpoint("fe80::1", 0); // without an interface
    struct udp_socket socket;
    errno = 0;
    cr_assert_eq(udp_open(&link_local, &buffers, &socket), ERR_SYSTEM);
    cr_assert_neq(errno, 0);
    cr_assert_eq(socket.fd, -1);
}

Test(udp, the_unspecified_address_means_all_and_ipv6_leaves_ipv4_alone)
{
    const struct endpoint any4 = endpoint("0.0.0.0", 0);
    struct udp_socket v4;
    struct udp_socket v6;
    cr_assert_eq(udp_open(&any4, &buffers, &v4), ERR_OK);
    cr_assert(v4.any_address);
    struct endpoint any6 = endpoint("::", v4.local.port);
    cr_assert_eq(udp_open(&any6, &buffers, &v6), ERR_OK);
    cr_assert(v6.any_address);
    udp_close(&v4);
    udp_close(&v6);
}
