// SPDX-License-Identifier: Apache-2.0
#include "sipflood/batch.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdalign.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    ROOM_WAIT_MS = 10,
    ROOM_WAITS_MAX = 100,
    TRAIN_BYTES_MAX = 65000, // of messages; headers must fit into 64 KiB beside them
    TRAIN_ROOM_BYTES = 1 << 16,
};

// --- sending --------------------------------------------------------------------------------

struct outbox {
    int fd;
    bool trains;
    unsigned count;
    struct outbox_result result;
    struct mmsghdr headers[BATCH_MESSAGES];
    struct iovec vectors[BATCH_MESSAGES];
    char bytes[BATCH_MESSAGES][SCRIPT_MESSAGE_BYTES_MAX];
};

struct outbox *outbox_create(bool trains)
{
    struct outbox *o = calloc(1, sizeof(*o));
    if (o == NULL) {
        return NULL;
    }
    o->fd = -1;
    o->trains = trains;
    for (unsigned i = 0; i < BATCH_MESSAGES; i++) {
        o->vectors[i].iov_base = o->bytes[i];
        o->headers[i].msg_hdr.msg_iov = &o->vectors[i];
        o->headers[i].msg_hdr.msg_iovlen = 1;
    }
    return o;
}

void outbox_destroy(struct outbox *o)
{
    free(o);
}

char *outbox_room(struct outbox *o, int fd)
{
    if (o->fd != fd || o->count == BATCH_MESSAGES) {
        outbox_flush(o);
        o->fd = fd;
    }
    return o->bytes[o->count];
}

void outbox_add(struct outbox *o, size_t len)
{
    assert(o->count < BATCH_MESSAGES);
    assert(len > 0 && len <= SCRIPT_MESSAGE_BYTES_MAX);
    o->vectors[o->count++].iov_len = len;
}

// How many messages from `first` on are equally long and fit one train.
static unsigned train_length(const struct outbox *o, unsigned first)
{
    const size_t len = o->vectors[first].iov_len;
    unsigned n = 1;
    while (first + n < o->count && o->vectors[first + n].iov_len == len &&
           (n + 1) * len <= TRAIN_BYTES_MAX) {
        n++;
    }
    return n;
}

// Like sendmmsg: the number of messages sent from `first` on, or -1 and errno.
static int send_train(struct outbox *o, unsigned first)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(uint16_t))];
    } control = {0};

    const unsigned n = train_length(o, first);
    const uint16_t segment = (uint16_t)o->vectors[first].iov_len;
    const struct msghdr train = {
        .msg_iov = &o->vectors[first],
        .msg_iovlen = n,
        .msg_control = &control,
        .msg_controllen = sizeof(control),
    };
    control.header.cmsg_level = SOL_UDP;
    control.header.cmsg_type = UDP_SEGMENT;
    control.header.cmsg_len = CMSG_LEN(sizeof(segment));
    memcpy(CMSG_DATA(&control.header), &segment, sizeof(segment));
    return sendmsg(o->fd, &train, 0) >= 0 ? (int)n : -1;
}

static int send_some(struct outbox *o, unsigned first)
{
    return o->trains ? send_train(o, first)
                     : sendmmsg(o->fd, o->headers + first, o->count - first, 0);
}

// Whether sending may go on after an error; *waits counts the times without room.
static bool send_again(struct outbox *o, int cause, unsigned *waits)
{
    if (cause == EINTR) {
        return true;
    }
    if (o->trains && (cause == EIO || cause == EINVAL || cause == ENOPROTOOPT)) {
        // The device cannot cut trains up, or its MTU is below a message.
        o->trains = false;
        return true;
    }
    if (cause == ECONNREFUSED) {
        // The answer to an earlier datagram; reading it has cleared it.
        o->result.refused++;
        return true;
    }
    if ((cause != EAGAIN && cause != ENOBUFS) || ++*waits > ROOM_WAITS_MAX) {
        return false;
    }
    // Nothing else is worth doing without room; answers wait in large receive buffers meanwhile.
    // ENOBUFS is the device's queue, which no socket event tells about.
    struct pollfd room = {.fd = o->fd, .events = POLLOUT};
    o->result.full++;
    (void)poll(&room, cause == EAGAIN ? 1 : 0, ROOM_WAIT_MS);
    return true;
}

void outbox_flush(struct outbox *o)
{
    unsigned done = 0;
    unsigned waits = 0;
    while (done < o->count) {
        const int sent = send_some(o, done);
        if (sent >= 0) {
            done += (unsigned)sent;
        } else if (!send_again(o, errno, &waits)) {
            o->result.dropped += o->count - done;
            break;
        }
    }
    o->count = 0;
}

struct outbox_result outbox_take_result(struct outbox *o)
{
    const struct outbox_result result = o->result;
    o->result = (struct outbox_result){0};
    return result;
}

// --- receiving ------------------------------------------------------------------------------

struct inbox {
    bool trains;
    unsigned count;   // of the batch
    unsigned next;    // which of it inbox_next reads
    size_t read;      // bytes of that one which it has given out
    size_t room_each; // bytes
    struct mmsghdr headers[BATCH_MESSAGES];
    struct iovec vectors[BATCH_MESSAGES];

    alignas(struct cmsghdr) char control[BATCH_MESSAGES][CMSG_SPACE(sizeof(int))];

    char bytes[];
};

struct inbox *inbox_create(bool trains)
{
    // Untouched pages of the room for trains cost nothing.
    const size_t room_each = trains ? TRAIN_ROOM_BYTES : BATCH_INBOX_BYTES;
    struct inbox *in = calloc(1, sizeof(*in) + room_each * BATCH_MESSAGES);
    if (in == NULL) {
        return NULL;
    }
    in->trains = trains;
    in->room_each = room_each;
    for (unsigned i = 0; i < BATCH_MESSAGES; i++) {
        in->vectors[i] =
            (struct iovec){.iov_base = in->bytes + i * room_each, .iov_len = room_each};
        in->headers[i].msg_hdr.msg_iov = &in->vectors[i];
        in->headers[i].msg_hdr.msg_iovlen = 1;
        in->headers[i].msg_hdr.msg_control = trains ? in->control[i] : NULL;
        in->headers[i].msg_hdr.msg_controllen = trains ? sizeof(in->control[i]) : 0;
    }
    return in;
}

void inbox_destroy(struct inbox *in)
{
    free(in);
}

bool inbox_receive(struct inbox *in, int fd)
{
    // The kernel has written how much of the room for control data it used.
    for (unsigned i = 0; in->trains && i < in->count; i++) {
        in->headers[i].msg_hdr.msg_controllen = sizeof(in->control[i]);
    }
    const int n = recvmmsg(fd, in->headers, BATCH_MESSAGES, 0, NULL);
    in->next = 0;
    in->read = 0;
    in->count = n > 0 ? (unsigned)n : 0;
    return n >= 0 || errno == EAGAIN || errno == EINTR;
}

// How long each datagram of a train is but the last; all of it when it is none.
static size_t segment_of(const struct inbox *in, unsigned i, size_t len)
{
    const struct cmsghdr *header = (const void *)in->control[i];
    int segment;
    if (!in->trains || in->headers[i].msg_hdr.msg_controllen < CMSG_LEN(sizeof(segment)) ||
        header->cmsg_level != SOL_UDP || header->cmsg_type != UDP_GRO) {
        return len;
    }
    memcpy(&segment, CMSG_DATA(header), sizeof(segment));
    return segment > 0 ? (size_t)segment : len;
}

bool inbox_next(struct inbox *in, struct slice *out, bool *whole)
{
    if (in->next == in->count) {
        return false;
    }
    const unsigned i = in->next;
    const size_t len = in->headers[i].msg_len;
    const size_t left = len - in->read;
    const size_t segment = segment_of(in, i, len);
    const size_t taken = segment < left ? segment : left;
    *out = slice_of(in->bytes + i * in->room_each + in->read, taken);
    *whole = (in->headers[i].msg_hdr.msg_flags & MSG_TRUNC) == 0;
    in->read += taken;
    if (in->read == len) {
        in->next++;
        in->read = 0;
    }
    return true;
}
