// SPDX-License-Identifier: Apache-2.0
#include "net/flow.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdalign.h>
#include <stdlib.h>

#include "net/address.h"
#include "signpost/base/limits.h"

enum {
    OUTBOX_MESSAGES = 64,
    OUTBOX_BYTES = 256 * 1024,
    TRAIN_ANSWERS_MAX = 64,    // what every kernel takes that takes trains
    TRAIN_ANSWER_BYTES = 1232, // what IPv6's least MTU leaves: a longer answer may need fragments
    TRAIN_BYTES_MAX = ANSWER_BYTES_MAX,
    SOURCE_BYTES = CMSG_SPACE(sizeof(struct in6_pktinfo)),
    CONTROL_BYTES = SOURCE_BYTES + CMSG_SPACE(sizeof(uint16_t)),
};

static_assert(OUTBOX_BYTES >= 2 * ANSWER_BYTES_MAX, "room for an answer besides waiting ones");

// A message is one answer, or a train: answers to one target, one behind the other and of one
// length but for the last, which the kernel takes in one piece and sends as datagrams
// (UDP_SEGMENT).
struct outbox {
    struct metrics *metrics;
    unsigned count; // messages
    size_t used;
    struct mmsghdr messages[OUTBOX_MESSAGES];
    struct iovec iovecs[OUTBOX_MESSAGES];
    unsigned answers[OUTBOX_MESSAGES]; // in the message
    size_t lengths[OUTBOX_MESSAGES];   // of its first answer
    const struct udp_socket *sockets[OUTBOX_MESSAGES];
    union address targets[OUTBOX_MESSAGES];

    alignas(struct cmsghdr) char controls[OUTBOX_MESSAGES][CONTROL_BYTES];

    char bytes[OUTBOX_BYTES];
};

struct outbox *outbox_create(struct metrics *metrics)
{
    struct outbox *const outbox = malloc(sizeof(*outbox));
    if (outbox == NULL) {
        return NULL;
    }
    outbox->metrics = metrics;
    outbox->count = 0;
    outbox->used = 0;
    for (unsigned i = 0; i < OUTBOX_MESSAGES; i++) {
        outbox->messages[i].msg_hdr = (struct msghdr){
            .msg_name = &outbox->targets[i], .msg_iov = &outbox->iovecs[i], .msg_iovlen = 1};
    }
    return outbox;
}

void outbox_destroy(struct outbox *outbox)
{
    free(outbox);
}

struct buf outbox_room(struct outbox *outbox)
{
    if (outbox->count == OUTBOX_MESSAGES ||
        sizeof(outbox->bytes) - outbox->used < ANSWER_BYTES_MAX) {
        outbox_flush(outbox);
    }
    return buf_over(outbox->bytes + outbox->used, ANSWER_BYTES_MAX);
}

// On a socket bound to all addresses the kernel would choose one by its routes, which need not be
// the one that the client has talked to.
static void put_source(struct msghdr *message, const struct ip *ip)
{
    struct cmsghdr *const c = message->msg_control;
    memset(c, 0, SOURCE_BYTES);
    if (ip->family == IP_V4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, ip->bytes, sizeof(info.ipi_spec_dst));
        message->msg_controllen = CMSG_SPACE(sizeof(info));
        *c = (struct cmsghdr){
            .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(info))};
        memcpy(CMSG_DATA(c), &info, sizeof(info));
    } else {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, ip->bytes, sizeof(info.ipi6_addr));
        message->msg_controllen = CMSG_SPACE(sizeof(info));
        *c = (struct cmsghdr){.cmsg_level = IPPROTO_IPV6,
                              .cmsg_type = IPV6_PKTINFO,
                              .cmsg_len = CMSG_LEN(sizeof(info))};
        memcpy(CMSG_DATA(c), &info, sizeof(info));
    }
}

// Makes a train of a message of one answer: the length at which the kernel is to cut it.
static void put_segment(struct msghdr *message, size_t len)
{
    const uint16_t segment = (uint16_t)len;
    struct cmsghdr *const c = (void *)((char *)message->msg_control + message->msg_controllen);
    memset(c, 0, CMSG_SPACE(sizeof(segment)));
    *c = (struct cmsghdr){
        .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT, .cmsg_len = CMSG_LEN(sizeof(segment))};
    memcpy(CMSG_DATA(c), &segment, sizeof(segment));
    message->msg_controllen += CMSG_SPACE(sizeof(segment));
}

// The bytes tell, for address_from_endpoint leaves none of them undefined.
static bool same_target(const struct msghdr *a, const struct msghdr *b)
{
    return a->msg_namelen == b->msg_namelen &&
           memcmp(a->msg_name, b->msg_name, sizeof(union address)) == 0;
}

// Whether an answer of `len` bytes that is addressed like message n, the next, can be hung on to
// the one before.
static bool fits_train(const struct outbox *outbox, unsigned n, size_t len)
{
    if (n == 0 || !outbox->sockets[n]->cuts_trains ||
        outbox->sockets[n - 1] != outbox->sockets[n] ||
        !same_target(&outbox->messages[n - 1].msg_hdr, &outbox->messages[n].msg_hdr)) {
        return false;
    }
    const size_t first = outbox->lengths[n - 1];
    const size_t whole = outbox->iovecs[n - 1].iov_len;
    return len <= first && first <= TRAIN_ANSWER_BYTES &&
           whole == first * outbox->answers[n - 1] && // the last was not shorter
           outbox->answers[n - 1] < TRAIN_ANSWERS_MAX && whole + len <= TRAIN_BYTES_MAX &&
           (!outbox->sockets[n]->any_address ||
            memcmp(outbox->controls[n - 1], outbox->controls[n],
                   outbox->messages[n].msg_hdr.msg_controllen) == 0);
}

void outbox_post(struct outbox *outbox, const struct flow *flow, const struct endpoint *target,
                 size_t len)
{
    assert(outbox->count < OUTBOX_MESSAGES);
    assert(len <= ANSWER_BYTES_MAX && len <= sizeof(outbox->bytes) - outbox->used);
    const unsigned n = outbox->count;
    struct msghdr *const message = &outbox->messages[n].msg_hdr;
    outbox->sockets[n] = flow->socket;
    message->msg_namelen = address_from_endpoint(target, &outbox->targets[n]);
    message->msg_control = outbox->controls[n];
    message->msg_controllen = 0;
    if (flow->socket->any_address) {
        put_source(message, &flow->local.ip);
    }
    if (fits_train(outbox, n, len)) {
        if (outbox->answers[n - 1]++ == 1) {
            put_segment(&outbox->messages[n - 1].msg_hdr, outbox->lengths[n - 1]);
        }
        outbox->iovecs[n - 1].iov_len += len;
    } else {
        outbox->iovecs[n] =
            (struct iovec){.iov_base = outbox->bytes + outbox->used, .iov_len = len};
        outbox->answers[n] = 1;
        outbox->lengths[n] = len;
        outbox->count++;
    }
    outbox->used += len;
}

// The answers of a train one by one: the kernel has refused it whole, as it does when it is to cut
// for an interface with a small MTU or without checksums.
static void send_singly(struct outbox *outbox, unsigned n)
{
    struct msghdr message = outbox->messages[n].msg_hdr;
    const struct iovec train = outbox->iovecs[n];
    const size_t len = outbox->lengths[n];
    message.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
    for (size_t at = 0; at < train.iov_len; at += len) {
        struct iovec one = {.iov_base = (char *)train.iov_base + at,
                            .iov_len = len < train.iov_len - at ? len : train.iov_len - at};
        message.msg_iov = &one;
        const bool sent = sendmsg(outbox->sockets[n]->fd, &message, MSG_DONTWAIT) >= 0;
        metrics_add(outbox->metrics, sent ? METRIC_ANSWERS_SENT : METRIC_ANSWERS_FAILED, 1);
    }
}

static uint64_t answers_in(const struct outbox *outbox, unsigned from, unsigned to)
{
    uint64_t sum = 0;
    for (unsigned i = from; i < to; i++) {
        sum += outbox->answers[i];
    }
    return sum;
}

// Sends messages [from, to), all of one socket. An error concerns the first message that was not
// sent: it is given up and the rest goes on, unless the socket's buffer is full.
static void send_run(struct outbox *outbox, unsigned from, unsigned to)
{
    const int fd = outbox->sockets[from]->fd;
    while (from < to) {
        const int sent = sendmmsg(fd, &outbox->messages[from], to - from, MSG_DONTWAIT);
        if (sent > 0) {
            const unsigned next = from + (unsigned)sent;
            metrics_add(outbox->metrics, METRIC_ANSWERS_SENT, answers_in(outbox, from, next));
            from = next;
        } else if (errno == EAGAIN) {
            metrics_add(outbox->metrics, METRIC_ANSWERS_FAILED, answers_in(outbox, from, to));
            from = to;
        } else if (outbox->answers[from] > 1) {
            send_singly(outbox, from++);
        } else {
            metrics_add(outbox->metrics, METRIC_ANSWERS_FAILED, 1);
            from++;
        }
    }
}

void outbox_flush(struct outbox *outbox)
{
    unsigned from = 0;
    while (from < outbox->count) {
        unsigned to = from + 1;
        while (to < outbox->count && outbox->sockets[to] == outbox->sockets[from]) {
            to++;
        }
        send_run(outbox, from, to);
        from = to;
    }
    outbox->count = 0;
    outbox->used = 0;
}
