// SPDX-License-Identifier: Apache-2.0
#include "net/udp.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include "net/address.h"

static const struct udp_config config = {.receive_bytes = 65536, .send_bytes = 65536};

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
    cr_assert_eq(udp_open(&any, &config, &socket), ERR_OK);
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
    cr_assert_eq(udp_open(&same, &config, &socket), ERR_OK);
    cr_assert_eq(socket.local.port, port);
    udp_close(&socket);
}

Test(udp, a_port_in_use_is_said_to_be_so)
{
    const struct endpoint any = endpoint("127.0.0.1", 0);
    struct udp_socket first;
    struct udp_socket second;
    cr_assert_eq(udp_open(&any, &config, &first), ERR_OK);
    cr_assert_eq(udp_open(&first.local, &config, &second), ERR_IN_USE);
    cr_assert_eq(second.fd, -1);
    udp_close(&first);
}

Test(udp, an_address_of_another_machine_is_out_of_range)
{
    const struct endpoint other = endpoint("192.0.2.77", 0);
    struct udp_socket socket;
    cr_assert_eq(udp_open(&other, &config, &socket), ERR_RANGE);
    cr_assert_eq(socket.fd, -1);
    udp_close(&socket);
}

Test(udp, other_refusals_come_with_the_systems_reason)
{
    struct endpoint link_local = endpoint("fe80::1", 0); // without an interface
    struct udp_socket socket;
    errno = 0;
    cr_assert_eq(udp_open(&link_local, &config, &socket), ERR_SYSTEM);
    cr_assert_neq(errno, 0);
    cr_assert_eq(socket.fd, -1);
}

Test(udp, the_unspecified_address_means_all_and_ipv6_leaves_ipv4_alone)
{
    const struct endpoint any4 = endpoint("0.0.0.0", 0);
    struct udp_socket v4;
    struct udp_socket v6;
    cr_assert_eq(udp_open(&any4, &config, &v4), ERR_OK);
    cr_assert(v4.any_address);
    struct endpoint any6 = endpoint("::", v4.local.port);
    cr_assert_eq(udp_open(&any6, &config, &v6), ERR_OK);
    cr_assert(v6.any_address);
    udp_close(&v4);
    udp_close(&v6);
}

Test(udp, the_kernel_grants_no_less_than_it_says)
{
    const struct endpoint any = endpoint("127.0.0.1", 0);
    struct udp_socket socket;
    cr_assert_eq(udp_open(&any, &config, &socket), ERR_OK);
    cr_assert_eq(socket.receive_buffer, 65536); // less than every kernel's maximum
    cr_assert_eq(socket.send_buffer, 65536);
    udp_close(&socket);
}

// How many datagrams wait on the socket.
static unsigned drain(const struct udp_socket *socket)
{
    char bytes[16];
    unsigned count = 0;
    while (recv(socket->fd, bytes, sizeof(bytes), MSG_DONTWAIT) >= 0) {
        count++;
    }
    return count;
}

Test(udp, sockets_that_share_an_address_share_its_peers)
{
    enum { SHARED = 4, PEERS = 200, EACH = 3 };

    const struct endpoint any = endpoint("127.0.0.1", 0);
    struct udp_socket shared[SHARED];
    union address to;
    cr_assert_eq(udp_open_shared(&any, &config, shared, SHARED), ERR_OK);
    const socklen_t len = address_from_endpoint(&shared[0].local, &to);
    for (unsigned i = 1; i < SHARED; i++) {
        cr_assert_eq(shared[i].local.port, shared[0].local.port);
    }
    unsigned busy = 0;
    for (unsigned i = 0; i < PEERS; i++) {
        struct udp_socket peer;
        unsigned seen = 0;
        cr_assert_eq(udp_open(&any, &config, &peer), ERR_OK);
        for (unsigned k = 0; k < EACH; k++) {
            cr_assert_eq(sendto(peer.fd, "x", 1, 0, &to.any, len), 1);
        }
        for (unsigned k = 0; k < SHARED; k++) {
            const unsigned n = drain(&shared[k]);
            cr_assert(n == 0 || n == EACH, "all of one peer's come to one socket");
            seen += n;
            busy |= n > 0 ? 1U << k : 0;
        }
        cr_assert_eq(seen, EACH);
        udp_close(&peer);
    }
    cr_assert_eq(busy, (1U << SHARED) - 1); // 200 peers miss none of four but by a wonder
    for (unsigned i = 0; i < SHARED; i++) {
        udp_close(&shared[i]);
    }
}

Test(udp, an_address_that_others_share_is_in_use_all_the_same)
{
    enum { SHARED = 2 };

    const struct endpoint any = endpoint("127.0.0.1", 0);
    struct udp_socket first[SHARED];
    struct udp_socket second[SHARED];
    cr_assert_eq(udp_open_shared(&any, &config, first, SHARED), ERR_OK);
    cr_assert_eq(udp_open_shared(&first[0].local, &config, second, SHARED), ERR_IN_USE);
    cr_assert_eq(udp_open(&first[0].local, &config, second), ERR_IN_USE);
    for (unsigned i = 0; i < SHARED; i++) {
        udp_close(&first[i]);
    }
}

Test(udp, a_buffer_more_than_half_full_is_told)
{
    const struct endpoint any = endpoint("127.0.0.1", 0);
    struct udp_socket socket;
    union address address;
    char byte = 'x';
    cr_assert_eq(udp_open(&any, &config, &socket), ERR_OK);
    const socklen_t len = address_from_endpoint(&socket.local, &address);
    cr_assert_not(udp_half_full(&socket));
    while (!udp_half_full(&socket)) { // it takes what it is sent, so this ends
        cr_assert_eq(sendto(socket.fd, &byte, 1, 0, &address.any, len), 1);
    }
    while (recv(socket.fd, &byte, 1, MSG_DONTWAIT) == 1) {
    }
    cr_assert_not(udp_half_full(&socket));
    udp_close(&socket);
    cr_assert_not(udp_half_full(&socket)); // the kernel does not tell
}
