// SPDX-License-Identifier: Apache-2.0
#include "net/receiver.h"

#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "net/address.h"

enum {
    BATCH = 32,       // datagrams read by one system call
    BATCHES_TURN = 8, // read from one socket before the next one gets its turn
    EVENTS = 16,
    RING_FULL_NAP_NS = 100000, // workers empty some tens of slots in this time, of a thousand
    CONTROL_BYTES = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)),
};

// What the receiver knows of a socket beside it.
struct source {
    const struct udp_socket *socket;
    uint32_t lost; // datagrams that the kernel had dropped when we last heard of it
};

struct receiver {
    pthread_t thread;
    int epoll;
    int stop; // an eventfd: readable when the thread is to end
    struct ring *ring;
    struct metrics *metrics;
    size_t count;
    struct mmsghdr messages[BATCH];
    struct iovec iovecs[BATCH];
    union address peers[BATCH];

    alignas(struct cmsghdr) char controls[BATCH][CONTROL_BYTES];
    struct source sources[];
};

static void *receive_all(void *arg);

static bool watch(const struct receiver *receiver, int fd, struct source *source)
{
    struct epoll_event event = {.events = EPOLLIN, .data = {.ptr = source}};
    return epoll_ctl(receiver->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void release(struct receiver *receiver)
{
    if (receiver->epoll >= 0) {
        (void)close(receiver->epoll);
    }
    if (receiver->stop >= 0) {
        (void)close(receiver->stop);
    }
    free(receiver);
}

enum err receiver_create(const struct udp_socket *sockets, size_t count, struct ring *ring,
                         struct metrics *metrics, struct receiver **out)
{
    struct receiver *const receiver =
        calloc(1, sizeof(*receiver) + count * sizeof(receiver->sources[0]));
    *out = NULL;
    if (receiver == NULL) {
        return ERR_NO_MEMORY;
    }
    receiver->ring = ring;
    receiver->metrics = metrics;
    receiver->count = count;
    receiver->epoll = epoll_create1(EPOLL_CLOEXEC);
    receiver->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    bool ok = receiver->epoll >= 0 && receiver->stop >= 0 && watch(receiver, receiver->stop, NULL);
    for (size_t i = 0; ok && i < count; i++) {
        receiver->sources[i].socket = &sockets[i];
        ok = watch(receiver, sockets[i].fd, &receiver->sources[i]);
    }
    const int rc = ok ? pthread_create(&receiver->thread, NULL, receive_all, receiver) : errno;
    if (rc != 0) {
        release(receiver);
        errno = rc;
        return ERR_SYSTEM;
    }
    *out = receiver;
    return ERR_OK;
}

void receiver_destroy(struct receiver *receiver)
{
    const uint64_t one = 1;
    if (receiver == NULL) {
        return;
    }
    const ssize_t written = write(receiver->stop, &one, sizeof(one));
    assert(written == sizeof(one));
    (void)written;
    (void)pthread_join(receiver->thread, NULL);
    release(receiver);
}

// ---- The thread

static bool receive_batch(struct receiver *receiver, struct source *source);

static void *receive_all(void *arg)
{
    struct receiver *const receiver = arg;
    struct epoll_event events[EVENTS];
    for (;;) {
        const int n = epoll_wait(receiver->epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct source *const source = events[i].data.ptr;
            if (source == NULL) {
                return NULL;
            }
            unsigned batches = 0;
            while (receive_batch(receiver, source) && ++batches < BATCHES_TURN) {
            }
        }
    }
}

static void offer_slots(struct receiver *receiver, struct ring_span span)
{
    for (unsigned i = 0; i < span.count; i++) {
        receiver->iovecs[i] = (struct iovec){
            .iov_base = ring_packet(receiver->ring, span, i)->bytes, .iov_len = MESSAGE_BYTES_MAX};
        receiver->messages[i].msg_hdr = (struct msghdr){.msg_name = &receiver->peers[i],
                                                        .msg_namelen = sizeof(receiver->peers[i]),
                                                        .msg_iov = &receiver->iovecs[i],
                                                        .msg_iovlen = 1,
                                                        .msg_control = receiver->controls[i],
                                                        .msg_controllen = CONTROL_BYTES};
    }
}

// What the kernel tells beside the datagram: which address it came to, and how many datagrams this
// socket has lost since it was opened.
static void read_control(struct receiver *receiver, struct source *source, struct msghdr *message,
                         struct flow *flow)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            // not ipi_addr, which may be a broadcast address that nothing can be sent from
            flow->local.ip = address_ip4(info.ipi_spec_dst);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            flow->local.ip = address_ip6(&info.ipi6_addr);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            uint32_t lost;
            memcpy(&lost, CMSG_DATA(c), sizeof(lost));
            metrics_add(receiver->metrics, METRIC_DATAGRAMS_LOST, lost - source->lost);
            source->lost = lost;
        }
    }
}

static void fill_packet(struct receiver *receiver, struct source *source, unsigned i,
                        struct packet *packet)
{
    struct msghdr *const message = &receiver->messages[i].msg_hdr;
    packet->flow = (struct flow){.socket = source->socket, .local = source->socket->local};
    packet->peer = address_to_endpoint(&receiver->peers[i]);
    packet->len = receiver->messages[i].msg_len;
    read_control(receiver, source, message, &packet->flow);
    metrics_add(receiver->metrics, METRIC_BYTES_RECEIVED, packet->len);
}

// True when there may be more to read.
static bool receive_batch(struct receiver *receiver, struct source *source)
{
    const struct ring_span span = ring_reserve(receiver->ring, BATCH);
    if (span.count == 0) {
        const struct timespec nap = {.tv_nsec = RING_FULL_NAP_NS};
        metrics_add(receiver->metrics, METRIC_RING_FULL, 1);
        (void)nanosleep(&nap, NULL);
        return false;
    }
    offer_slots(receiver, span);
    const int n = recvmmsg(source->socket->fd, receiver->messages, span.count, MSG_DONTWAIT, NULL);
    // An error may also be one that an earlier answer has brought back (ICMP): it is gone now.
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        metrics_add(receiver->metrics, METRIC_RECEIVE_ERRORS, 1);
    }
    const unsigned received = n > 0 ? (unsigned)n : 0;
    for (unsigned i = 0; i < received; i++) {
        fill_packet(receiver, source, i, ring_packet(receiver->ring, span, i));
    }
    ring_publish(receiver->ring, span, received);
    metrics_add(receiver->metrics, METRIC_DATAGRAMS_RECEIVED, received);
    return received == span.count;
}
