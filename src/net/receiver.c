// SPDX-License-Identifier: Apache-2.0
#include "net/receiver.h"

#include <errno.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "env/clock.h"
#include "net/address.h"
#include "net/shares.h"
#include "net/warden.h"

enum {
    BATCH = RECEIVER_SPARES, // datagrams read by one system call
    YIELD_US_MAX = 1000,
    STAY_BATCHES = 64,
    RING_FULL_NAP_NS = 100000, // workers empty some tens of slots in this time, of a thousand
    CONTROL_BYTES = CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint32_t)) +
                    CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(struct timespec)),
    US_PER_S = 1000000,
    NS_PER_US = 1000,
};

// What is known of a message, which is a datagram or a train of them.
struct arrival {
    struct endpoint peer;  // where it came from
    struct endpoint local; // and to
    uint64_t at_us;        // when the kernel took it in
    uint32_t segment;      // the length of its datagrams, but for the last
    uint32_t datagrams;
    uint32_t lost; // how many the kernel had dropped of the socket until then, if it tells
};

// A place in a batch: one of the messages that are kept, and how much of it is on the ring already.
struct place {
    unsigned kept;
    uint32_t at;
};

struct receiver {
    pthread_t thread;
    atomic_bool stopping;
    const struct udp_socket *socket;
    struct ring *ring;
    struct metrics *metrics;
    uint32_t lost;   // datagrams that the kernel had dropped when we last heard of it
    uint64_t fenced; // of those that it will tell of, the fences' part
    struct shares shares;
    struct ip greedy; // a source that was so in the latest batch, if any
    struct warden warden;
    unsigned stays; // batches for which it does not yield
    struct arrival arrivals[BATCH];
    unsigned kept[BATCH]; // numbers of the messages that are
    struct mmsghdr messages[BATCH];
    struct iovec iovecs[BATCH];
    union address peers[BATCH];

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

static void let_worker_go(struct receiver *receiver);
static unsigned receive_batch(struct receiver *receiver);
static void publish(struct receiver *receiver, unsigned messages);
static void mind_fences(struct receiver *receiver);

static void *receive_all(void *arg)
{
    struct receiver *const receiver = arg;
    // relaxed: see receiver_destroy
    while (!atomic_load_explicit(&receiver->stopping, memory_order_relaxed)) {
        const unsigned received = receive_batch(receiver);
        if (received > 0) {
            publish(receiver, received);
        }
        mind_fences(receiver);
        if (received > 1) {
            let_worker_go(receiver);
        }
    }
    return NULL;
}

// Under load a worker that shares this CPU goes first: what comes meanwhile makes a fuller batch,
// and finds nobody asleep in the kernel who must be woken and preempts the worker. But where others
// want the CPU too, it is they who get it, for milliseconds: then the receiver keeps for itself
// what the scheduler gives it, and looks again later.
static void let_worker_go(struct receiver *receiver)
{
    if (receiver->stays > 0) {
        receiver->stays--;
        return;
    }
    const uint64_t before_us = clock_wall_us();
    (void)sched_yield();
    if (clock_wall_us() - before_us > YIELD_US_MAX) {
        receiver->stays = STAY_BATCHES;
    }
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

// What the control messages tell: the address it came to, and when, and the length of a train's
// datagrams.
static void read_control(struct receiver *receiver, struct msghdr *message, struct arrival *arrival)
{
    *arrival = (struct arrival){.local = receiver->socket->local, .lost = receiver->lost};
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL; c = CMSG_NXTHDR(message, c)) {
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            // not ipi_addr, which may be a broadcast address that nothing can be sent from
            arrival->local.ip = address_ip4(info.ipi_spec_dst);
        } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(c), sizeof(info));
            arrival->local.ip = address_ip6(&info.ipi6_addr);
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
            memcpy(&arrival->lost, CMSG_DATA(c), sizeof(arrival->lost));
        } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            struct timespec t;
            memcpy(&t, CMSG_DATA(c), sizeof(t));
            arrival->at_us = (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / NS_PER_US;
        } else if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
            int segment;
            memcpy(&segment, CMSG_DATA(c), sizeof(segment));
            arrival->segment = (uint32_t)segment;
        }
    }
}

static void read_arrival(struct receiver *receiver, unsigned i)
{
    struct arrival *const arrival = &receiver->arrivals[i];
    struct mmsghdr *const message = &receiver->messages[i];
    read_control(receiver, &message->msg_hdr, arrival);
    reset_header(&message->msg_hdr);
    if (arrival->at_us == 0) {
        arrival->at_us = clock_wall_us();
    }
    arrival->peer = address_to_endpoint(&receiver->peers[i]);
    if (arrival->segment == 0 || arrival->segment >= message->msg_len) {
        arrival->segment = message->msg_len;
        arrival->datagrams = 1;
    } else {
        arrival->datagrams = (message->msg_len + arrival->segment - 1) / arrival->segment;
    }
    metrics_add(receiver->metrics, METRIC_BYTES_RECEIVED, message->msg_len);
    metrics_add(receiver->metrics, METRIC_DATAGRAMS_RECEIVED, arrival->datagrams);
}

// When there is hardly room for all, the last quarter of the ring is for those who are not greedy.
static bool crowded(const struct receiver *receiver)
{
    const unsigned slots = ring_slots(receiver->ring);
    return ring_depth(receiver->ring) > slots - slots / 4;
}

// The kernel tells in one number what it has dropped at a fence and for want of room. How many
// datagrams have not come past a fence is known from those that have, nearly.
static void count_lost(struct receiver *receiver, uint32_t lost)
{
    const uint32_t more = lost - receiver->lost;
    const uint32_t fenced = more < receiver->fenced ? more : (uint32_t)receiver->fenced;
    receiver->lost = lost;
    receiver->fenced -= fenced;
    metrics_add(receiver->metrics, METRIC_DATAGRAMS_FENCED, fenced);
    metrics_add(receiver->metrics, METRIC_DATAGRAMS_LOST, more - fenced);
}

// Counts a message, and says whether its source is greedy.
static bool count_share(struct receiver *receiver, const struct arrival *arrival)
{
    unsigned weight = 1;
    if (receiver->warden.count > 0) {
        const struct ip source = shares_source(&arrival->peer.ip);
        weight = warden_weight(&receiver->warden, &source, arrival->at_us);
        receiver->fenced += weight - 1;
    }
    count_lost(receiver, arrival->lost);
    if (!shares_count(&receiver->shares, &arrival->peer.ip, arrival->datagrams * weight)) {
        return false;
    }
    receiver->greedy = shares_source(&arrival->peer.ip);
    return true;
}

// Chooses which messages of a batch are kept, and says how many datagrams they hold.
static unsigned sort_out(struct receiver *receiver, unsigned count)
{
    const bool choosy = crowded(receiver);
    unsigned kept = 0;
    unsigned datagrams = 0;
    for (unsigned i = 0; i < count; i++) {
        const struct arrival *const arrival = &receiver->arrivals[i];
        read_arrival(receiver, i);
        if (count_share(receiver, arrival) && choosy) {
            metrics_add(receiver->metrics, METRIC_DROPPED_GREEDY, arrival->datagrams);
            continue;
        }
        receiver->kept[kept++] = i;
        datagrams += arrival->datagrams;
    }
    return datagrams;
}

// A datagram's slot gets the full buffer, and its own one waits for the next; a part of a train is
// copied. Moves the place on.
static void fill_packet(struct receiver *receiver, struct place *place, struct packet *packet)
{
    const unsigned i = receiver->kept[place->kept];
    const struct arrival *const arrival = &receiver->arrivals[i];
    char *const bytes = receiver->iovecs[i].iov_base;
    const uint32_t left = receiver->messages[i].msg_len - place->at;
    packet->len = left < arrival->segment ? left : arrival->segment;
    packet->flow = (struct flow){.socket = receiver->socket, .local = arrival->local};
    packet->peer = arrival->peer;
    packet->arrived_us = arrival->at_us;
    if (arrival->datagrams == 1) {
        receiver->iovecs[i].iov_base = packet->bytes;
        packet->bytes = bytes;
    } else {
        memcpy(packet->bytes, bytes + place->at, packet->len);
    }
    place->at += packet->len;
    if (packet->len == left) {
        *place = (struct place){.kept = place->kept + 1};
    }
}

static void nap(struct receiver *receiver)
{
    const struct timespec time = {.tv_nsec = RING_FULL_NAP_NS};
    metrics_add(receiver->metrics, METRIC_RING_FULL, 1);
    (void)nanosleep(&time, NULL);
}

static void publish(struct receiver *receiver, unsigned messages)
{
    const unsigned count = sort_out(receiver, messages);
    struct place place = {0};
    for (unsigned done = 0; done < count;) {
        const struct ring_span span = ring_reserve(receiver->ring, count - done);
        if (span.count == 0) {
            nap(receiver);
            continue;
        }
        for (unsigned i = 0; i < span.count; i++) {
            fill_packet(receiver, &place, ring_packet(receiver->ring, span, i));
        }
        ring_publish(receiver->ring, span);
        done += span.count;
    }
}

// ---- Fences

// While a fence stands the receiver wakes in time to lower it, though nothing comes.
static void wait_at_most(struct receiver *receiver, unsigned us)
{
    const struct timeval time = {.tv_usec = us};
    (void)setsockopt(receiver->socket->fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time));
}

// Without the kernel's help nobody is fenced.
static void put_fences(struct receiver *receiver, unsigned before)
{
    struct warden *const warden = &receiver->warden;
    if (fence_put(receiver->socket, warden->fences, warden->count) != ERR_OK) {
        warden->count = 0;
    }
    if (before == 0) {
        receiver->fenced = 0;
        wait_at_most(receiver, WARDEN_LOWER_US);
    }
    if (warden->count == 0) {
        wait_at_most(receiver, 0);
    }
    // as in any unsigned sum, fewer is very many more
    metrics_add(receiver->metrics, METRIC_FENCED_SOURCES, (uint64_t)warden->count - before);
}

// What is too much for this thread or the workers is kept out, if it is a greedy source's.
static void mind_fences(struct receiver *receiver)
{
    struct warden *const warden = &receiver->warden;
    const unsigned before = warden->count;
    const struct ip greedy = receiver->greedy;
    const bool too_much =
        greedy.family != IP_NONE && (crowded(receiver) || udp_half_full(receiver->socket));
    receiver->greedy = (struct ip){.family = IP_NONE};
    if (!too_much && before == 0) {
        return;
    }
    const uint64_t now_us = clock_wall_us();
    const bool raised = too_much && warden_raise(warden, &greedy, now_us);
    metrics_add(receiver->metrics, METRIC_FENCES_RAISED, warden->count - before);
    const bool lowered = warden_lower(warden, now_us);
    if (raised || lowered) {
        put_fences(receiver, before);
    }
}
