// SPDX-License-Identifier: Apache-2.0
#include "sipflood/batch.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGES = 150 };

static int sender;
static int receiver;

static void connect_pair(void)
{
    const int yes = 1;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    receiver = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sender = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    cr_assert_eq(bind(receiver, (const struct sockaddr *)&at, sizeof(at)), 0);
    cr_assert_eq(getsockname(receiver, (struct sockaddr *)&at, &len), 0);
    cr_assert_eq(connect(sender, (const struct sockaddr *)&at, sizeof(at)), 0);
    cr_assert_eq(setsockopt(receiver, SOL_UDP, UDP_GRO, &yes, sizeof(yes)), 0);
}

static void disconnect_pair(void)
{
    (void)close(sender);
    (void)close(receiver);
}

TestSuite(batch, .init = connect_pair, .fini = disconnect_pair);

// Numbered messages; each fourth one is longer than the others.
static size_t write_message(unsigned i, char *room)
{
    return (size_t)snprintf(room, SCRIPT_MESSAGE_BYTES_MAX, i % 4 == 3 ? "%03u longer" : "%03u", i);
}

static void send_all(bool trains)
{
    struct outbox *o = outbox_create(trains);
    cr_assert(o != NULL);
    for (unsigned i = 0; i < MESSAGES; i++) {
        char *room = outbox_room(o, sender);
        outbox_add(o, write_message(i, room));
    }
    outbox_flush(o);
    cr_assert_eq(outbox_take_result(o).dropped, 0);
    outbox_destroy(o);
}

// Returns in how many batches the messages came; each was the one sent.
static unsigned receive_all(bool trains)
{
    struct inbox *in = inbox_create(trains);
    struct pollfd ready = {.fd = receiver, .events = POLLIN};
    unsigned batches = 0;
    unsigned seen = 0;
    cr_assert(in != NULL);
    while (seen < MESSAGES) {
        struct slice datagram;
        char expected[SCRIPT_MESSAGE_BYTES_MAX];
        bool whole = false;
        cr_assert_eq(poll(&ready, 1, 60000), 1);
        cr_assert(inbox_receive(in, receiver));
        batches++;
        while (inbox_next(in, &datagram, &whole)) {
            const size_t len = write_message(seen++, expected);
            cr_assert(whole);
            cr_assert(slice_equal(datagram, slice_of(expected, len)), "%.*s instead of %s",
                      (int)datagram.len, datagram.at, expected);
        }
    }
    inbox_destroy(in);
    return batches;
}

Test(batch, every_message_arrives_by_itself)
{
    send_all(false);
    (void)receive_all(false);
}

Test(batch, trains_come_apart_into_their_messages)
{
    send_all(true);
    cr_assert_lt(receive_all(true), MESSAGES / BATCH_MESSAGES + 1);
}

Test(batch, nothing_there_is_an_empty_batch_and_no_error)
{
    struct inbox *in = inbox_create(true);
    struct slice datagram;
    bool whole;
    cr_assert(in != NULL);
    cr_assert(inbox_receive(in, receiver));
    cr_assert_not(inbox_next(in, &datagram, &whole));
    inbox_destroy(in);
}

Test(batch, a_closed_port_at_the_other_end_is_an_error)
{
    struct inbox *in = inbox_create(false);
    struct pollfd reported = {.fd = sender};
    cr_assert(in != NULL);
    (void)close(receiver);
    cr_assert_eq(send(sender, "x", 1, 0), 1);
    cr_assert_eq(poll(&reported, 1, 60000), 1);
    cr_assert_not(inbox_receive(in, sender));
    inbox_destroy(in);
}
