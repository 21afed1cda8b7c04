// SPDX-License-Identifier: Apache-2.0

// The floor under every measurement: sends each datagram back to where it came from, in batches
// as the server does, and does nothing else. "udpecho HOST:PORT [--duration S]" runs for at most
// S seconds (60 by default) or until SIGTERM, and prints "ready" once it serves.

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "sipflood/pace.h"
#include "sipflood/ports.h"
#include "sipflood/stopwatch.h"

enum {
    BATCH = 64,
    DATAGRAM_BYTES = 2048,
    BUFFER_BYTES = 8 << 20,
    DURATION_S_DEFAULT = 60,
    DURATION_S_MAX = 86400,
    WAKE_US = 100000, // how late the end of the duration or a signal is noticed
};

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

struct echo {
    int fd;
    struct mmsghdr headers[BATCH];
    struct iovec vectors[BATCH];
    struct sockaddr_storage peers[BATCH];
    char bytes[BATCH][DATAGRAM_BYTES];
};

static bool open_socket(struct echo *e, const struct target *at)
{
    const struct timeval wake = {.tv_usec = WAKE_US};
    const int bytes = BUFFER_BYTES;
    e->fd = socket(at->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (e->fd < 0) {
        return false;
    }
    if (setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0) {
        (void)setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    }
    return setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake)) == 0 &&
           bind(e->fd, (const struct sockaddr *)&at->address, at->address_len) == 0;
}

static unsigned receive(struct echo *e)
{
    for (unsigned i = 0; i < BATCH; i++) {
        e->vectors[i] = (struct iovec){.iov_base = e->bytes[i], .iov_len = DATAGRAM_BYTES};
        e->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &e->peers[i],
            .msg_namelen = sizeof(e->peers[i]),
            .msg_iov = &e->vectors[i],
            .msg_iovlen = 1,
        };
    }
    const int n = recvmmsg(e->fd, e->headers, BATCH, MSG_WAITFORONE, NULL);
    return n > 0 ? (unsigned)n : 0;
}

static void send_back(struct echo *e, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        e->vectors[i].iov_len = e->headers[i].msg_len;
    }
    unsigned done = 0;
    while (done < count) {
        const int n = sendmmsg(e->fd, e->headers + done, count - done, 0);
        // One that cannot be sent is skipped: the generator counts it as lost.
        done += n > 0 ? (unsigned)n : 1;
    }
}

static bool parse(int argc, char *const argv[], struct target *at, uint64_t *duration_s)
{
    *duration_s = DURATION_S_DEFAULT;
    const bool timed = argc == 4 && strcmp(argv[2], "--duration") == 0;
    if ((argc != 2 && !timed) ||
        (timed && !slice_to_u64(slice_of(argv[3], strlen(argv[3])), DURATION_S_MAX, duration_s))) {
        (void)fprintf(stderr, "usage: udpecho HOST:PORT [--duration SECONDS]\n");
        return false;
    }
    return target_resolve(argv[1], at, stderr) == ERR_OK;
}

int main(int argc, char *argv[])
{
    struct target at;
    uint64_t duration_s;
    const struct sigaction action = {.sa_handler = on_signal};
    if (!parse(argc, argv, &at, &duration_s)) {
        return 2;
    }
    struct echo *e = calloc(1, sizeof(*e));
    if (e == NULL || !open_socket(e, &at)) {
        (void)fprintf(stderr, "udpecho: %s: %s\n", argv[1], strerror(errno));
        free(e);
        return 2;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)puts("ready");
    (void)fflush(stdout);
    const uint64_t end_ns = stopwatch_now_ns() + duration_s * NS_PER_S;
    uint64_t echoed = 0;
    while (stop == 0 && stopwatch_now_ns() < end_ns) {
        const unsigned n = receive(e);
        send_back(e, n);
        echoed += n;
    }
    const uint64_t cpu_ns = stopwatch_cpu_ns();
    (void)printf("echoed %llu, %.2f us of CPU each\n", (unsigned long long)echoed,
                 echoed == 0 ? 0.0 : (double)cpu_ns / NS_PER_US / (double)echoed);
    (void)close(e->fd);
    free(e);
    return 0;
}
