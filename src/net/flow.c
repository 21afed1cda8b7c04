// SPDX-License-Identifier: Apache-2.0
#include "net/flow.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>

#include "net/address.h"
#include "signpost/base/limits.h"

enum {
    OUTBOX_ANSWERS = 64,
    OUTBOX_BYTES = 256 * 1024,
    CONTROL_BYTES = CMSG_SPACE(sizeof(struct in6_pktinfo)),
};

static_assert(OUTBOX_BYTES >= 2 * ANSWER_BYTES_MAX, "room for an answer besides waiting ones");

struct outbox {
    struct metrics *metrics;
    unsigned count;
    size_t used;
    struct mmsghdr messages[OUTBOX_ANSWERS];
    struct iovec iovecs[OUTBOX_ANSWERS];
    const struct udp_socket *sockets[OUTBOX_ANSWERS];
    union address targets[OUTBOX_ANSWERS];

    alignas(struct cmsghdr) char controls[OUTBOX_ANSWERS][CONTROL_BYTES];

    char bytes[OUTBOX_BYTES];
};

struct outbox *outbox_create(struct metrics *metrics)
{
    struct outbox *const outbox = malloc(sizeof(*outbox));
    if (outbox != NULL) {
        outbox->metrics = metrics;
        outbox->count = 0;
        outbox->used = 0;
    }
    return outbox;
}

void outbox_destroy(struct outbox *outbox)
{
    free(outbox);
}

struct buf outbox_room(struct outbox *outbox)
{
    if (outbox->count == OUTBOX_ANSWERS ||
        sizeof(outbox->bytes) - outbox->used < ANSWER_BYTES_MAX) {
        outbox_flush(outbox);
    }
    return buf_over(outbox->bytes + outbox->used, ANSWER_BYTES_MAX);
}

// On a socket bound to all addresses the kernel would choose one by its routes, which need not be
// the one that the client has talked to.
static void put_source(struct msghdr *message, void *control, const struct ip *ip)
{
    message->msg_control = control;
    memset(control, 0, CONTROL_BYTES);
    if (ip->family == IP_V4) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, ip->bytes, sizeof(info.ipi_spec_dst));
        message->msg_controllen = CMSG_SPACE(sizeof(info));
        struct cmsghdr *const c = CMSG_FIRSTHDR(message);
        *c = (struct cmsghdr){
            .cmsg_level = IPPROTO_IP, .cmsg_type = IP_PKTINFO, .cmsg_len = CMSG_LEN(sizeof(info))};
        memcpy(CMSG_DATA(c), &info, sizeof(info));
    } else {
        struct in6_pktinfo info = {0};
        memcpy(&info.ipi6_addr, ip->bytes, sizeof(info.ipi6_addr));
        message->msg_controllen = CMSG_SPACE(sizeof(info));
        struct cmsghdr *const c = CMSG_FIRSTHDR(message);
        *c = (struct cmsghdr){.cmsg_level = IPPROTO_IPV6,
                              .cmsg_type = IPV6_PKTINFO,
                              .cmsg_len = CMSG_LEN(sizeof(info))};
        memcpy(CMSG_DATA(c), &info, sizeof(info));
    }
}

void outbox_post(struct outbox *outbox, const struct flow *flow, const struct endpoint *target,
                 size_t len)
{
    assert(outbox->count < OUTBOX_ANSWERS);
    assert(len <= ANSWER_BYTES_MAX && len <= sizeof(outbox->bytes) - outbox->used);
    const unsigned n = outbox->count++;
    struct msghdr *const message = &outbox->messages[n].msg_hdr;
    outbox->iovecs[n] = (struct iovec){.iov_base = outbox->bytes + outbox->used, .iov_len = len};
    outbox->sockets[n] = flow->socket;
    *message = (struct msghdr){.msg_name = &outbox->targets[n],
                               .msg_namelen = address_from_endpoint(target, &outbox->targets[n]),
                               .msg_iov = &outbox->iovecs[n],
                               .msg_iovlen = 1};
    if (flow->socket->any_address) {
        put_source(message, outbox->controls[n], &flow->local.ip);
    }
    outbox->used += len;
}

// Sends messages [from, to), all of one socket. An error concerns the first message that was not
// sent: it is given up and the rest goes on, unless the socket's buffer is full.
static void send_run(struct outbox *outbox, unsigned from, unsigned to)
{
    const int fd = outbox->sockets[from]->fd;
    while (from < to) {
        const int sent = sendmmsg(fd, &outbox->messages[from], to - from, MSG_DONTWAIT);
        if (sent > 0) {
            metrics_add(outbox->metrics, METRIC_ANSWERS_SENT, (uint64_t)sent);
            from += (unsigned)sent;
        } else {
            const unsigned given_up = errno == EAGAIN ? to - from : 1;
            metrics_add(outbox->metrics, METRIC_ANSWERS_FAILED, given_up);
            from += given_up;
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
