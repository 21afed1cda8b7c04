// SPDX-License-Identifier: Apache-2.0

// The floor under every measurement: sends each datagram back to where it came from, in batches
// as the server does, and does nothing else. It prints "ready" once it serves.
//
// With --trains it is the floor of a server that takes and sends trains of datagrams: what comes in
// one piece (UDP GRO) goes back in one piece (UDP GSO), and stays uncut all the way on loopback.

#include <errno.h>
#include <netinet/udp.h>
#include <signal.h>
#include <stdalign.h>
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
    TRAIN_BYTES = 1 << 16,
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

static const char usage[] =
    "usage: udpecho HOST:PORT [--duration SECONDS] [--trains]\n"
    "\n"
    "Sends each datagram back to where it came from, until SIGINT or SIGTERM.\n"
    "  --duration SECONDS  ends by itself then; default 60, at most 86400\n"
    "  --trains            takes and sends trains of datagrams in one piece (UDP GRO and GSO)\n";

struct options {
    const char *name; // of the address
    struct target at;
    uint64_t duration_s;
    bool trains;
    bool help;
};

struct echo {
    int fd;
    bool trains;
    size_t room_each; // bytes
    struct mmsghdr headers[BATCH];
    struct iovec vectors[BATCH];
    struct sockaddr_storage peers[BATCH];

    alignas(struct cmsghdr) char control[BATCH][CMSG_SPACE(sizeof(int))];

    char bytes[];
};

static bool open_socket(struct echo *e, const struct target *at)
{
    const struct timeval wake = {.tv_usec = WAKE_US};
    const int bytes = BUFFER_BYTES;
    const int yes = 1;
    e->fd = socket(at->address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (e->fd < 0) {
        return false;
    }
    if (setsockopt(e->fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) != 0) {
        (void)setsockopt(e->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    }
    if (e->trains && setsockopt(e->fd, SOL_UDP, UDP_GRO, &yes, sizeof(yes)) != 0) {
        return false;
    }
    return setsockopt(e->fd, SOL_SOCKET, SO_RCVTIMEO, &wake, sizeof(wake)) == 0 &&
           bind(e->fd, (const struct sockaddr *)&at->address, at->address_len) == 0;
}

static unsigned receive(struct echo *e)
{
    for (unsigned i = 0; i < BATCH; i++) {
        e->vectors[i] =
            (struct iovec){.iov_base = e->bytes + i * e->room_each, .iov_len = e->room_each};
        e->headers[i].msg_hdr = (struct msghdr){
            .msg_name = &e->peers[i],
            .msg_namelen = sizeof(e->peers[i]),
            .msg_iov = &e->vectors[i],
            .msg_iovlen = 1,
            .msg_control = e->trains ? e->control[i] : NULL,
            .msg_controllen = e->trains ? sizeof(e->control[i]) : 0,
        };
    }
    const int n = recvmmsg(e->fd, e->headers, BATCH, MSG_WAITFORONE, NULL);
    return n > 0 ? (unsigned)n : 0;
}

// Has the i-th one cut as it was when it came. Returns how many datagrams it is.
static uint64_t couple(struct echo *e, unsigned i)
{
    struct cmsghdr *header = (void *)e->control[i];
    struct msghdr *message = &e->headers[i].msg_hdr;
    int segment;
    e->vectors[i].iov_len = e->headers[i].msg_len;
    if (message->msg_controllen < CMSG_LEN(sizeof(segment)) || header->cmsg_type != UDP_GRO) {
        message->msg_control = NULL;
        message->msg_controllen = 0;
        return 1;
    }
    memcpy(&segment, CMSG_DATA(header), sizeof(segment));
    const uint16_t each = (uint16_t)segment;
    header->cmsg_type = UDP_SEGMENT;
    header->cmsg_len = CMSG_LEN(sizeof(each));
    memcpy(CMSG_DATA(header), &each, sizeof(each));
    message->msg_controllen = CMSG_SPACE(sizeof(each));
    return (e->headers[i].msg_len + each - 1U) / each;
}

// Returns how many datagrams that is.
static uint64_t send_back(struct echo *e, unsigned count)
{
    uint64_t datagrams = 0;
    for (unsigned i = 0; i < count; i++) {
        datagrams += couple(e, i);
    }
    unsigned done = 0;
    while (done < count) {
        const int n = sendmmsg(e->fd, e->headers + done, count - done, 0);
        // One that cannot be sent is skipped: the generator counts it as lost.
        done += n > 0 ? (unsigned)n : 1;
    }
    return datagrams;
}

static bool parse(int argc, char *const argv[], struct options *o)
{
    *o = (struct options){.duration_s = DURATION_S_DEFAULT};
    bool ok = true;
    for (int i = 1; i < argc && ok; i++) {
        if (strcmp(argv[i], "--trains") == 0) {
            o->trains = true;
        } else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            o->help = true;
        } else if (strcmp(argv[i], "--duration") == 0) {
            ok = ++i < argc &&
                 slice_to_u64(slice_of(argv[i], strlen(argv[i])), DURATION_S_MAX, &o->duration_s);
        } else {
            ok = o->name == NULL && argv[i][0] != '-';
            o->name = argv[i];
        }
    }
    if (ok && o->help) {
        return true;
    }
    if (!ok || o->name == NULL) {
        (void)fputs(usage, stderr);
        return false;
    }
    return target_resolve(o->name, &o->at, stderr) == ERR_OK;
}

static struct echo *create(const struct options *o)
{
    const size_t room_each = o->trains ? TRAIN_BYTES : DATAGRAM_BYTES;
    struct echo *e = calloc(1, sizeof(*e) + room_each * BATCH);
    if (e != NULL) {
        e->trains = o->trains;
        e->room_each = room_each;
    }
    return e;
}

int main(int argc, char *argv[])
{
    struct options options;
    const struct sigaction action = {.sa_handler = on_signal};
    if (!parse(argc, argv, &options)) {
        return 2;
    }
    if (options.help) {
        (void)fputs(usage, stdout);
        return 0;
    }
    struct echo *e = create(&options);
    if (e == NULL || !open_socket(e, &options.at)) {
        (void)fprintf(stderr, "udpecho: %s: %s\n", options.name, strerror(errno));
        free(e);
        return 2;
    }
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)puts("ready");
    (void)fflush(stdout);
    const uint64_t end_ns = stopwatch_now_ns() + options.duration_s * NS_PER_S;
    uint64_t echoed = 0;
    while (stop == 0 && stopwatch_now_ns() < end_ns) {
        echoed += send_back(e, receive(e));
    }
    const uint64_t cpu_ns = stopwatch_cpu_ns();
    (void)printf("echoed %llu, %.2f us of CPU each\n", (unsigned long long)echoed,
                 echoed == 0 ? 0.0 : (double)cpu_ns / NS_PER_US / (double)echoed);
    (void)close(e->fd);
    free(e);
    return 0;
}
