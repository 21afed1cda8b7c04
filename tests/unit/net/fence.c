// SPDX-License-Identifier: Apache-2.0
// The filter in the kernel: real sockets on the loopback interface, and what comes through.
#include "net/fence.h"

#include <linux/sock_diag.h>
#include <sys/socket.h>

#include "net/address.h"
#include "tests/unit/support.h"

enum { DATAGRAMS = 1000 };

static const struct udp_config config = {.receive_bytes = 4 * 1024 * 1024, .send_bytes = 65536};

static struct udp_socket server;

static void stop(void)
{
    udp_close(&server);
}

TestSuite(fence, .fini = stop, .timeout = 60);

static struct ip ip_of(const char *text)
{
    struct ip ip;
    cr_assert(ip_parse(text_slice(text), &ip), "%s", text);
    return ip;
}

static struct udp_socket open_at(const char *ip)
{
    const struct endpoint at = {.ip = ip_of(ip)};
    struct udp_socket socket;
    cr_assert_eq(udp_open(&at, &config, &socket), ERR_OK, "%s", ip);
    return socket;
}

// A socket of both families, as the server opens none.
static void open_dual(void)
{
    const int off = 0;
    union address at = {.v6 = {.sin6_family = AF_INET6}};
    socklen_t len = sizeof(at.v6);
    server = (struct udp_socket){.fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    cr_assert_eq(setsockopt(server.fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)), 0);
    cr_assert_eq(bind(server.fd, &at.any, len), 0);
    cr_assert_eq(getsockname(server.fd, &at.any, &len), 0);
    server.local = address_to_endpoint(&at);
}

static void fence(const char *source, unsigned height)
{
    const struct fence one = {.source = ip_of(source), .height = height};
    cr_assert_eq(fence_put(&server, &one, 1), ERR_OK);
}

static uint32_t dropped(void)
{
    uint32_t told[SK_MEMINFO_VARS];
    socklen_t len = sizeof(told);
    cr_assert_eq(getsockopt(server.fd, SOL_SOCKET, SO_MEMINFO, told, &len), 0);
    return told[SK_MEMINFO_DROPS];
}

// How many of so many datagrams come from this address to that. Each has come, or is counted as
// dropped, before it answers.
static unsigned passed(const char *from, const char *to, unsigned count)
{
    const struct endpoint meant = {.ip = ip_of(to), .port = server.local.port};
    struct udp_socket client = open_at(from);
    union address address;
    const socklen_t len = address_from_endpoint(&meant, &address);
    const uint32_t before = dropped();
    unsigned came = 0;
    for (unsigned i = 0; i < count; i++) {
        char byte = 'x';
        cr_assert_eq(sendto(client.fd, &byte, 1, 0, &address.any, len), 1);
        while (came + (dropped() - before) <= i) {
            came += recv(server.fd, &byte, 1, MSG_DONTWAIT) == 1 ? 1 : 0;
        }
    }
    udp_close(&client);
    return came;
}

// Of a fair coin's throws, no machine sees so few or so many in a lifetime.
static void assert_about(unsigned came, unsigned expected)
{
    cr_assert_geq(came, expected / 2);
    cr_assert_leq(came, expected * 3 / 2);
}

Test(fence, a_part_of_one_source_comes_through_and_all_of_the_others)
{
    server = open_at("0.0.0.0");
    fence("127.0.0.2", 1);
    assert_about(passed("127.0.0.2", "127.0.0.1", DATAGRAMS), DATAGRAMS / 2);
    cr_assert_eq(passed("127.0.0.1", "127.0.0.1", DATAGRAMS), DATAGRAMS);
    cr_assert_eq(passed("127.0.0.3", "127.0.0.2", DATAGRAMS), DATAGRAMS);
}

Test(fence, the_higher_it_is_the_less_comes_through)
{
    server = open_at("127.0.0.1");
    fence("127.0.0.2", 2);
    assert_about(passed("127.0.0.2", "127.0.0.1", DATAGRAMS), DATAGRAMS / 4);
    fence("127.0.0.2", FENCE_HEIGHT_MAX);
    assert_about(passed("127.0.0.2", "127.0.0.1", 8 * DATAGRAMS), 8 * DATAGRAMS / 64);
}

Test(fence, without_fences_all_comes_through)
{
    server = open_at("127.0.0.1");
    fence("127.0.0.2", FENCE_HEIGHT_MAX);
    cr_assert_eq(fence_put(&server, NULL, 0), ERR_OK);
    cr_assert_eq(passed("127.0.0.2", "127.0.0.1", DATAGRAMS), DATAGRAMS);
    cr_assert_eq(fence_put(&server, NULL, 0), ERR_OK); // there is none to take down
}

Test(fence, each_of_many_has_a_height_of_its_own)
{
    struct fence fences[FENCES_MAX];
    server = open_at("127.0.0.1");
    for (unsigned i = 0; i < FENCES_MAX; i++) {
        const struct ip source = {.family = i % 2 == 0 ? IP_V6 : IP_V4,
                                  .bytes = {127, 0, 0, (uint8_t)(10 + i)}};
        fences[i] = (struct fence){.source = source, .height = i < 4 ? 1 : FENCE_HEIGHT_MAX};
    }
    cr_assert_eq(fence_put(&server, fences, FENCES_MAX), ERR_OK);
    assert_about(passed("127.0.0.11", "127.0.0.1", DATAGRAMS), DATAGRAMS / 2);
    cr_assert_lt(passed("127.0.0.17", "127.0.0.1", DATAGRAMS), DATAGRAMS / 8);
    cr_assert_eq(passed("127.0.0.10", "127.0.0.1", DATAGRAMS), DATAGRAMS); // not an IPv6 network
    cr_assert_eq(passed("127.0.0.18", "127.0.0.1", DATAGRAMS), DATAGRAMS);
}

Test(fence, an_ipv6_network_is_one_source)
{
    server = open_at("::1");
    fence("::", 2);
    assert_about(passed("::1", "::1", DATAGRAMS), DATAGRAMS / 4);
}

Test(fence, other_ipv6_networks_are_other_sources)
{
    server = open_at("::1");
    fence("0:1::", FENCE_HEIGHT_MAX);
    cr_assert_eq(passed("::1", "::1", DATAGRAMS), DATAGRAMS);
    fence("0:0:0:1::", FENCE_HEIGHT_MAX);
    cr_assert_eq(passed("::1", "::1", DATAGRAMS), DATAGRAMS);
}

Test(fence, on_a_socket_of_both_families_each_is_told_by_its_own_header)
{
    open_dual();
    fence("127.0.0.2", 2);
    assert_about(passed("127.0.0.2", "127.0.0.1", DATAGRAMS), DATAGRAMS / 4);
    cr_assert_eq(passed("127.0.0.1", "127.0.0.1", DATAGRAMS), DATAGRAMS);
    cr_assert_eq(passed("::1", "::1", DATAGRAMS), DATAGRAMS);
    fence("::", 2);
    cr_assert_eq(passed("127.0.0.2", "127.0.0.1", DATAGRAMS), DATAGRAMS);
    assert_about(passed("::1", "::1", DATAGRAMS), DATAGRAMS / 4);
}

Test(fence, where_the_kernel_takes_none_nobody_is_fenced)
{
    const struct fence one = {.source = ip_of("127.0.0.2"), .height = 1};
    server = open_at("127.0.0.1");
    const struct udp_socket closed = {.fd = -1};
    cr_assert_eq(fence_put(&closed, &one, 1), ERR_SYSTEM);
}
