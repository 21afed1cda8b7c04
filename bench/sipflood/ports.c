// SPDX-License-Identifier: Apache-2.0
#include "sipflood/ports.h"

#include <errno.h>
#include <linux/sock_diag.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <unistd.h>

enum { SOCKET_BUFFER_BYTES = 8 << 20, HOST_BYTES_MAX = 256 };

// --- target ---------------------------------------------------------------------------------

// Splits at the last colon and takes the brackets off. The port is checked here, because
// getaddrinfo takes 70000 for 4464.
static bool split_target(const char *text, char *host, const char **port)
{
    const char *colon = strrchr(text, ':');
    uint64_t number;
    if (colon == NULL ||
        !slice_to_u64(slice_of(colon + 1, strlen(colon + 1)), UINT16_MAX, &number) || number == 0) {
        return false;
    }
    struct slice name = slice_between(text, colon);
    if (name.len > 2 && name.at[0] == '[' && name.at[name.len - 1] == ']') {
        name = slice_of(name.at + 1, name.len - 2);
    } else if (slice_find(name, ':') < name.len) {
        return false;
    }
    if (slice_empty(name) || name.len >= HOST_BYTES_MAX) {
        return false;
    }
    memcpy(host, name.at, name.len);
    host[name.len] = '\0';
    *port = colon + 1;
    return true;
}

enum err target_resolve(const char *text, struct target *out, FILE *why)
{
    char host[HOST_BYTES_MAX];
    const char *port;
    if (!split_target(text, host, &port)) {
        (void)fprintf(
            why, "\"%s\" is no HOST:PORT (port 1 to 65535, an IPv6 address in brackets)\n", text);
        return ERR_SYNTAX;
    }
    const struct addrinfo hints = {.ai_socktype = SOCK_DGRAM, .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found;
    const int rc = getaddrinfo(host, port, &hints, &found);
    if (rc != 0) {
        (void)fprintf(why, "cannot resolve \"%s\": %s\n", text, gai_strerror(rc));
        return ERR_NOT_FOUND;
    }
    memset(out, 0, sizeof(*out));
    memcpy(&out->address, found->ai_addr, found->ai_addrlen);
    out->address_len = found->ai_addrlen;
    freeaddrinfo(found);
    return ERR_OK;
}

// --- sockets --------------------------------------------------------------------------------

static void set_port(struct sockaddr_storage *address, uint16_t port)
{
    if (address->ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
    } else {
        ((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
    }
}

static struct ip ip_of(const struct sockaddr_storage *address)
{
    struct ip ip = {.family = IP_V4};
    if (address->ss_family == AF_INET6) {
        ip.family = IP_V6;
        memcpy(ip.bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    } else {
        memcpy(ip.bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
    }
    return ip;
}

// The local address that the kernel chooses for the target.
static bool find_source(const struct target *target, struct sockaddr_storage *source)
{
    socklen_t len = sizeof(*source);
    const int fd = socket(target->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool found =
        fd >= 0 &&
        connect(fd, (const struct sockaddr *)&target->address, target->address_len) == 0 &&
        getsockname(fd, (struct sockaddr *)source, &len) == 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return found;
}

static void enlarge(int fd, int forced, int plain)
{
    const int bytes = SOCKET_BUFFER_BYTES;
    // Beyond the kernel's limit with the privilege for it, else up to that limit.
    if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) != 0) {
        (void)setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof(bytes));
    }
}

static int open_one(const struct target *target, const struct sockaddr_storage *source, bool trains)
{
    const int yes = 1;
    const int fd = socket(target->address.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    enlarge(fd, SO_RCVBUFFORCE, SO_RCVBUF);
    enlarge(fd, SO_SNDBUFFORCE, SO_SNDBUF);
    if (trains) {
        // A kernel that refuses hands over datagrams one by one, as without it.
        (void)setsockopt(fd, SOL_UDP, UDP_GRO, &yes, sizeof(yes));
    }
    if (bind(fd, (const struct sockaddr *)source, target->address_len) != 0 ||
        connect(fd, (const struct sockaddr *)&target->address, target->address_len) != 0) {
        const int cause = errno;
        (void)close(fd);
        errno = cause;
        return -1;
    }
    return fd;
}

enum err ports_open(struct ports *p, const struct target *target, struct ports_range range,
                    bool trains, FILE *why)
{
    struct sockaddr_storage source = {0};
    assert(range.count > 0 && range.count <= PORTS_MAX);
    *p = (struct ports){0};
    if (!find_source(target, &source)) {
        (void)fprintf(why, "no route to the target: %s\n", strerror(errno));
        return ERR_SYSTEM;
    }
    p->local_ip = ip_of(&source);
    p->fds = calloc(range.count, sizeof(p->fds[0]));
    if (p->fds == NULL) {
        (void)fprintf(why, "out of memory\n");
        return ERR_NO_MEMORY;
    }
    while (p->count < range.count) {
        const uint16_t port = (uint16_t)(range.first + p->count * range.step);
        set_port(&source, port);
        const int fd = open_one(target, &source, trains);
        if (fd < 0) {
            (void)fprintf(why, "cannot open UDP port %u: %s (choose others with --local-port)\n",
                          port, strerror(errno));
            ports_close(p);
            return ERR_SYSTEM;
        }
        p->fds[p->count++] = fd;
    }
    return ERR_OK;
}

void ports_close(struct ports *p)
{
    for (unsigned i = 0; i < p->count; i++) {
        (void)close(p->fds[i]);
    }
    free(p->fds);
    *p = (struct ports){0};
}

uint64_t ports_dropped(const struct ports *p)
{
    uint64_t dropped = 0;
    for (unsigned i = 0; i < p->count; i++) {
        uint32_t info[SK_MEMINFO_VARS];
        socklen_t len = sizeof(info);
        if (getsockopt(p->fds[i], SOL_SOCKET, SO_MEMINFO, info, &len) == 0) {
            dropped += info[SK_MEMINFO_DROPS];
        }
    }
    return dropped;
}
