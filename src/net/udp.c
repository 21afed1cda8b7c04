// SPDX-License-Identifier: Apache-2.0
#include "net/udp.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <unistd.h>

#include "net/address.h"

static bool enable(int fd, int level, int option)
{
    const int on = 1;
    return setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

// More than net.core.rmem_max or wmem_max takes CAP_NET_ADMIN; without it the kernel grants what it
// may. The kernel tells twice the size, for its bookkeeping.
static int size_buffer(int fd, unsigned bytes, int force, int option)
{
    const int wanted = (int)bytes;
    int granted = 0;
    socklen_t len = sizeof(granted);
    if (setsockopt(fd, SOL_SOCKET, force, &wanted, sizeof(wanted)) != 0) {
        (void)setsockopt(fd, SOL_SOCKET, option, &wanted, sizeof(wanted));
    }
    (void)getsockopt(fd, SOL_SOCKET, option, &granted, &len);
    return granted / 2;
}

// What a socket can do without: loss is then not counted, age is counted from the reading, and
// there are no trains.
static void prepare_extras(struct udp_socket *socket, bool trains)
{
    const int fd = socket->fd;
    int segment;
    socklen_t len = sizeof(segment);
    (void)enable(fd, SOL_SOCKET, SO_RXQ_OVFL);
    (void)enable(fd, SOL_SOCKET, SO_TIMESTAMPNS);
    socket->cuts_trains = getsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, &len) == 0;
    socket->takes_trains = trains && enable(fd, IPPROTO_UDP, UDP_GRO);
}

// Datagrams tell which address they came to.
static bool prepare(int fd, const struct endpoint *at, bool any_address)
{
    const bool v6 = at->ip.family == IP_V6;
    if (v6 && !enable(fd, IPPROTO_IPV6, IPV6_V6ONLY)) {
        return false;
    }
    return !any_address ||
           (v6 ? enable(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO) : enable(fd, IPPROTO_IP, IP_PKTINFO));
}

static enum err bind_error(void)
{
    switch (errno) {
    case EADDRINUSE: return ERR_IN_USE;
    case EADDRNOTAVAIL:
    case EACCES: return ERR_RANGE;
    default: return ERR_SYSTEM;
    }
}

static enum err open_one(const struct endpoint *at, const struct udp_config *config, bool join,
                         struct udp_socket *out);

enum err udp_open(const struct endpoint *at, const struct udp_config *config,
                  struct udp_socket *out)
{
    return open_one(at, config, false, out);
}

// The first socket is bound alone, which tells whether the address is free, and lets others join
// it only then.
enum err udp_open_shared(const struct endpoint *at, const struct udp_config *config,
                         struct udp_socket *out, size_t count)
{
    enum err e = open_one(at, config, false, &out[0]);
    if (e != ERR_OK || count == 1) {
        return e;
    }
    size_t opened = 1;
    e = enable(out[0].fd, SOL_SOCKET, SO_REUSEPORT) ? ERR_OK : ERR_SYSTEM;
    while (e == ERR_OK && opened < count) {
        e = open_one(&out[0].local, config, true, &out[opened]);
        opened += e == ERR_OK;
    }
    const int saved = errno;
    while (e != ERR_OK && opened > 0) {
        udp_close(&out[--opened]);
    }
    errno = saved;
    return e;
}

static enum err open_one(const struct endpoint *at, const struct udp_config *config, bool join,
                         struct udp_socket *out)
{
    union address address;
    socklen_t len = address_from_endpoint(at, &address);
    const int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    *out = (struct udp_socket){.fd = fd, .any_address = ip_is_unspecified(&at->ip)};
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    prepare_extras(out, config->trains);
    if (!prepare(fd, at, out->any_address) || (join && !enable(fd, SOL_SOCKET, SO_REUSEPORT))) {
        goto fail;
    }
    out->receive_buffer = size_buffer(fd, config->receive_bytes, SO_RCVBUFFORCE, SO_RCVBUF);
    out->send_buffer = size_buffer(fd, config->send_bytes, SO_SNDBUFFORCE, SO_SNDBUF);
    if (bind(fd, &address.any, len) != 0) {
        goto fail;
    }
    len = sizeof(address);
    if (getsockname(fd, &address.any, &len) != 0) {
        goto fail;
    }
    out->local = address_to_endpoint(&address);
    return ERR_OK;

fail:;
    const enum err e = bind_error();
    const int saved = errno;
    (void)close(fd);
    errno = saved;
    out->fd = -1;
    return e;
}

bool udp_half_full(const struct udp_socket *socket)
{
    uint32_t told[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof(told);
    return getsockopt(socket->fd, SOL_SOCKET, SO_MEMINFO, told, &len) == 0 &&
           told[SK_MEMINFO_RMEM_ALLOC] > told[SK_MEMINFO_RCVBUF] / 2;
}

void udp_close(struct udp_socket *socket)
{
    if (socket->fd >= 0) {
        (void)close(socket->fd);
        socket->fd = -1;
    }
}
