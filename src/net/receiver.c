// SPDX-License-Identifier: Apache-2.0
#include "net/receiver.h"

#include <errno.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "net/address.h"
#include "net/shares.h"

enum {
    BATCH = RECEIVER_SPARES,   // datagrams read by one system call
    RING_FULL_NAP_NS = 100000, // workers empty some tens of slots in this time, of a thousand
    CONTROL_BYTES = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)) +
                    CMSG_SPACE(sizeof(struct timespec)),
    US_PER_S = 1000000,
    NS_PER_US = 1000,
};

struct receiver {
    pthread_t thread;
    atomic_bool stopping;
    const struct udp_socket *socket;
    struct ring *ring;
    struct metrics *metrics;
    uint32_t lost; // datagrams that the kernel had dropped when we last heard of it
    struct shares shares;
    struct mmsghdr messages[BATCH];
    struct iovec iovecs[BATCH];
    union address peers[BATCH];
    struct endpoint sources[BATCH]; // the peers of those that are kept
    unsigned kept[BATCH];           // their numbers

    alignas(struct cmsghdr) char controls[BATCH][CONTROL_BYTES];
};

static void *receive_all(void *arg);

// What the kernel overwrites of a header besides its length.
static void reset_header(struct msghdr *header)
{
    header->msg_namelen = sizeof(union address);
    header->msg_controllen = CONTROL_BYTES;
}

// The headers are prepared once; after that only the buffers change.
static void prepare_headers(struct receiver *receiver)
{
    for (unsigned i = 0; i < BATCH; i++) {
        receiver->iovecs[i] = (struct iovec){.iov_base = ring_take_spare(receiver->ring),
                                             .iov_len = MESSAGE_BYTES_MAX};
        receiver->messages[i].msg_hdr = (struct msghdr){.msg_name = &receiver->peers[i],
                                                        .msg_iov = &receiver->iovecs[i],
                                                        .msg_iovlen = 1,
                                                        .msg_control = receiver->controls[i]};
        reset_header(&receiver->messages[i].msg_hdr);
    }
}

enum err receiver_create(const struct udp_socket *socket, struct ring *ring,
                         struct metrics *metrics, int cpu, struct receiver **out)
{
    struct receiver *const receiver = calloc(1, sizeof(*receiver));
    *out = NULL;
    if (receiver == NULL) {
        return ERR_NO_MEMORY;
    }
    atomic_init(&receiver->stopping, false);
    receiver->socket = socket;
    receiver->ring = ring;
    receiver->metrics = metrics;
    prepare_headers(receiver);
    const enum err e = thread_start(&receiver->thread, cpu, receive_all, receiver);
    if (e != ERR_OK) {
        free(receiver);
        return e;
    }
    *out = receiver;
    return ERR_OK;
}

void receiver_destroy(struct receiver *receiver)
{
    if (receiver == NULL) {
        return;
    }
    // relaxed: the thread reads it after a system call that this one's ends
    atomic_store_explicit(&receiver->stopping, true, memory_order_relaxed);
    // Says ENOTCONN, as no UDP socket that listens has a peer, and ends the wait all the same.
    (void)shutdown(receiver->socket->fd, SHUT_RD);
    (void)pthread_join(receiver->thread, NULL);
    free(receiver);
}

// ---- The thread

static unsigned receive_batch(struct receiver *receiver);
static unsigned sort_out(struct receiver *receiver, unsigned count);
static void publish(struct receiver *receiver, unsigned count);

static void *receive_all(void *arg)
{
    struct receiver *const receiver = arg;
    // relaxed: see receiver_destroy
    while (!atomic_load_explicit(&receiver->stopping, memory_order_relaxed)) {
        const unsigned received = receive_batch(receiver);
        if (received > 0) {
            publish(receiver, sort_out(receiver, received));
        }
        // Under load a worker that shares this CPU goes first: what comes meanwhile makes a fuller
        // batch, and finds nobody asleep in the kernel who must be woken and preempts the worker.
        if (received > 1) {
            (void)sched_yield();
        }
    }
    return NULL;
}

// Waits for the first datagram and takes what else is there.
static unsigned receive_batch(struct receiver *receiver)
{
    const int n = recvmmsg(receiver->socket->fd, receiver->messages, BATCH, MSG_WAITFORONE, NULL);
    // An error may also be one that an earlier answer has brought back (ICMP): it is gone now.
    if (n < 0 && errno != EAGAIN && errno != EINTR) {
        metrics_add(receiver->metrics, METRIC_RECEIVE_ERRORS, 1);
    }
    unsigned received = n > 0 ? (unsigned)n : 0;
    // A socket that is shut down gives something without a sender.
    while (received > 0 && receiver->messages[received - 1].msg_hdr.msg_namelen == 0) {
        received--;
    }
    return received;
}

// When there is hardly room for all, the last quarter of the ring is for those who are not greedy.
static bool crowded(const struct receiver *receiver)
{
    const unsigned slots = ring_slots(receiver->ring);
    return ring_depth(receiver->ring) > slots - slots / 4;
}

// Chooses which datagrams are kept, and returns how many.
static unsigned sort_out(struct receiver *receiver, unsigned count)
{
    const bool choosy = crowded(receiver);
    unsigned kept = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct endpoint source = address_to_endpoint(&receiver->peers[i]);
        if (shares_count(&receiver->shares, &source.ip) && choosy) {
            reset_header(&receiver->messages[i].msg_hdr);
            continue;
        }
        receiver->sources[kept] = source;
        receiver->kept[kept++] = i;
    }
    metrics_add(receiver->metrics, METRIC_DATAGRAMS_RECEIVED, count);
    metrics_add(receiver->metrics, METRIC_DROPPED_GREEDY, count - kept);
    return kept;
}

static void read_control(struct receiver *receiver, struct msghdr *message, struct packet *packet)
{
    struct flow *const flow = &packet->flow;
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
            metrics_add(receiver->metrics, METRIC_DATAGRAMS_LOST, lost - receiver->lost);
            receiver->lost = lost;
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof(t));
            packet->arrived_us = (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / NS_PER_US;
        }
    }
}

// The slot gets the full buffer, and its own one waits for the next datagram.
static void fill_packet(struct receiver *receiver, unsigned n, struct packet *packet)
{
    const unsigned i = receiver->kept[n];
    struct mmsghdr *const message = &receiver->messages[i];
    void *const full = receiver->iovecs[i].iov_base;
    receiver->iovecs[i].iov_base = packet->bytes;
    packet->bytes = full;
    packet->len = message->msg_len;
    packet->flow = (struct flow){.socket = receiver->socket, .local = receiver->socket->local};
    packet->peer = receiver->sources[n];
    read_control(receiver, &message->msg_hdr, packet);
    reset_header(&message->msg_hdr);
    metrics_add(receiver->metrics, METRIC_BYTES_RECEIVED, packet->len);
}

static void nap(struct receiver *receiver)
{
    const struct timespec time = {.tv_nsec = RING_FULL_NAP_NS};
    metrics_add(receiver->metrics, METRIC_RING_FULL, 1);
    (void)nanosleep(&time, NULL);
}

static void publish(struct receiver *receiver, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        const struct ring_span span = ring_reserve(receiver->ring, count - done);
        if (span.count == 0) {
            nap(receiver);
            continue;
        }
        for (unsigned i = 0; i < span.count; i++) {
            fill_packet(receiver, done + i, ring_packet(receiver->ring, span, i));
        }
        ring_publish(receiver->ring, span);
        done += span.count;
    }
}
