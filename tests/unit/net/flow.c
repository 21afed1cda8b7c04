// SPDX-License-Identifier: Apache-2.0
// The outbox over real sockets on the loopback interface, whose delivery is immediate.
#include "net/flow.h"

#include <criterion/criterion.h>
#include <netinet/udp.h>
#include <stdio.h>
#include <sys/socket.h>

#include "net/address.h"
#include "signpost/base/limits.h"

static const struct udp_config config = {.receive_bytes = 4 * 1024 * 1024,
                                         .send_bytes = 4 * 1024 * 1024};

static struct udp_socket server;
static struct udp_socket client;
static struct outbox *outbox;
static struct metrics metrics;
static char received[65536];

static void open_at(const char *ip, struct udp_socket *socket)
{
    struct endpoint at = {0};
    cr_assert(ip_parse(slice_of(ip, strlen(ip)), &at.ip));
    cr_assert_eq(udp_open(&at, &config, socket), ERR_OK, "%s", ip);
}

static void start(void)
{
    open_at("127.0.0.1", &server);
    open_at("127.0.0.1", &client);
    outbox = outbox_create(&metrics);
    cr_assert_not_null(outbox);
}

static void stop(void)
{
    outbox_destroy(outbox);
    udp_close(&server);
    udp_close(&client);
}

TestSuite(flow, .init = start, .fini = stop);

static uint64_t count_of(enum metric id)
{
    return metric_read(&metrics.rows[id]);
}

static void post_to(const struct udp_socket *from, const struct endpoint *target, const char *text,
                    size_t len)
{
    const struct flow flow = {.socket = from, .local = from->local};
    struct buf room = outbox_room(outbox);
    cr_assert_eq(room.cap, ANSWER_BYTES_MAX);
    buf_put(&room, slice_of(text, strlen(text)));
    outbox_post(outbox, &flow, target, len);
}

static void post(const char *text)
{
    post_to(&server, &client.local, text, strlen(text));
}

// Length of the next datagram that the client has, which is then in `received`; -1 without one.
static ssize_t receive(struct endpoint *from)
{
    union address address = {0};
    socklen_t len = sizeof(address);
    const ssize_t n =
        recvfrom(client.fd, received, sizeof(received) - 1, MSG_DONTWAIT, &address.any, &len);
    received[n > 0 ? n : 0] = '\0';
    if (from != NULL && n >= 0) {
        *from = address_to_endpoint(&address);
    }
    return n;
}

Test(flow, answers_wait_for_the_flush_and_go_in_order)
{
    struct endpoint from;
    post("one");
    post("two");
    cr_assert_eq(receive(NULL), -1);
    outbox_flush(outbox);
    cr_assert_eq(receive(&from), 3);
    cr_assert_str_eq(received, "one");
    cr_assert(ip_equal(&from.ip, &server.local.ip));
    cr_assert_eq(from.port, server.local.port);
    cr_assert_eq(receive(NULL), 3);
    cr_assert_str_eq(received, "two");
    cr_assert_eq(receive(NULL), -1);
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), 2);
    outbox_flush(outbox); // nothing is sent twice
    cr_assert_eq(receive(NULL), -1);
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), 2);
}

Test(flow, room_that_is_not_posted_costs_nothing)
{
    for (unsigned i = 0; i < 1000; i++) {
        (void)outbox_room(outbox);
    }
    post("one");
    outbox_flush(outbox);
    cr_assert_eq(receive(NULL), 3);
    cr_assert_eq(receive(NULL), -1);
}

enum { NUMBER_BYTES = 16 };

// Of lengths that make no trains.
static void write_number(char *text, unsigned number)
{
    (void)snprintf(text, NUMBER_BYTES, "%0*u", (int)(4 + number % 2), number);
}

Test(flow, a_full_outbox_sends_by_itself)
{
    enum { ANSWERS = 1000 };

    char text[NUMBER_BYTES];
    unsigned next = 0;
    for (unsigned i = 0; i < ANSWERS; i++) {
        write_number(text, i);
        post(text);
        for (; receive(NULL) >= 0; next++) {
            write_number(text, next);
            cr_assert_str_eq(received, text);
        }
    }
    cr_assert_gt(next, ANSWERS / 2);
    outbox_flush(outbox);
    for (; receive(NULL) >= 0; next++) {
    }
    cr_assert_eq(next, ANSWERS);
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), ANSWERS);
}

Test(flow, there_is_always_room_for_the_longest_answer)
{
    for (unsigned i = 0; i < 20; i++) {
        post_to(&server, &client.local, i % 2 == 0 ? "long" : "longer",
                i % 2 == 0 ? ANSWER_BYTES_MAX : ANSWER_BYTES_MAX - 1);
        while (receive(NULL) >= 0) {
        }
    }
    outbox_flush(outbox);
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), 20);
    ssize_t last = -1;
    for (ssize_t n = receive(NULL); n >= 0; n = receive(NULL)) {
        last = n;
    }
    cr_assert_eq(last, ANSWER_BYTES_MAX - 1);
}

Test(flow, an_answer_that_fails_does_not_hold_up_the_others)
{
    struct endpoint nowhere = client.local;
    nowhere.port = 0; // sendmmsg refuses it: EINVAL
    post_to(&server, &nowhere, "lost", 4);
    post("one");
    post_to(&server, &nowhere, "lost", 4);
    post_to(&server, &nowhere, "lost", 4);
    post("two");
    outbox_flush(outbox);
    cr_assert_eq(receive(NULL), 3);
    cr_assert_str_eq(received, "one");
    cr_assert_eq(receive(NULL), 3);
    cr_assert_str_eq(received, "two");
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), 2);
    cr_assert_eq(count_of(METRIC_ANSWERS_FAILED), 3);
}

Test(flow, each_answer_leaves_by_the_socket_its_request_came_to)
{
    struct udp_socket second;
    struct endpoint from;
    open_at("127.0.0.2", &second);
    for (unsigned i = 0; i < 6; i++) {
        post_to(i % 3 == 0 ? &server : &second, &client.local, "x", 1);
    }
    outbox_flush(outbox);
    unsigned by_second = 0;
    for (unsigned i = 0; i < 6; i++) {
        cr_assert_eq(receive(&from), 1);
        by_second += from.port == second.local.port && ip_equal(&from.ip, &second.local.ip);
    }
    cr_assert_eq(by_second, 4);
    udp_close(&second);
}

Test(flow, a_socket_of_all_addresses_answers_from_the_one_that_was_asked)
{
    struct udp_socket all;
    struct endpoint from;
    open_at("0.0.0.0", &all);
    struct flow flow = {.socket = &all, .local = all.local};
    cr_assert(ip_parse(SLICE("127.0.0.9"), &flow.local.ip));
    struct buf room = outbox_room(outbox);
    buf_put(&room, SLICE("x"));
    outbox_post(outbox, &flow, &client.local, 1);
    outbox_flush(outbox);
    cr_assert_eq(receive(&from), 1);
    cr_assert(ip_equal(&from.ip, &flow.local.ip));
    cr_assert_eq(from.port, all.local.port);
    udp_close(&all);
}

Test(flow, ipv6_answers_from_the_address_that_was_asked)
{
    struct udp_socket all;
    struct endpoint from;
    open_at("::", &all);
    udp_close(&client);
    open_at("::1", &client);
    struct flow flow = {.socket = &all, .local = all.local};
    cr_assert(ip_parse(SLICE("::1"), &flow.local.ip));
    struct buf room = outbox_room(outbox);
    buf_put(&room, SLICE("x"));
    outbox_post(outbox, &flow, &client.local, 1);
    outbox_flush(outbox);
    cr_assert_eq(receive(&from), 1);
    cr_assert(ip_equal(&from.ip, &flow.local.ip));
    udp_close(&all);
}

// ---- Trains: the client asks to get them as they were sent

static void take_trains(void)
{
    const int on = 1;
    cr_assert_eq(setsockopt(client.fd, IPPROTO_UDP, UDP_GRO, &on, sizeof(on)), 0);
}

static void post_many(const char *text, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        post(text);
    }
}

Test(flow, answers_of_one_length_to_one_target_leave_as_a_train)
{
    take_trains();
    post_many("aaaa", 3);
    post("bb"); // a shorter one is its end
    post("cc");
    post("dddd"); // a longer one is never in it
    outbox_flush(outbox);
    cr_assert_eq(receive(NULL), 14);
    cr_assert_str_eq(received, "aaaaaaaaaaaabb");
    cr_assert_eq(receive(NULL), 2);
    cr_assert_str_eq(received, "cc");
    cr_assert_eq(receive(NULL), 4);
    cr_assert_eq(receive(NULL), -1);
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), 6);
}

Test(flow, a_train_comes_as_datagrams)
{
    post_many("aaaa", 3);
    post("bb");
    outbox_flush(outbox);
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(receive(NULL), 4);
        cr_assert_str_eq(received, "aaaa");
    }
    cr_assert_eq(receive(NULL), 2);
    cr_assert_eq(receive(NULL), -1);
}

Test(flow, a_train_is_of_one_target_and_one_source)
{
    struct udp_socket all;
    struct udp_socket other;
    open_at("0.0.0.0", &all);
    open_at("127.0.0.1", &other);
    struct flow flow = {.socket = &all, .local = all.local};
    take_trains();
    for (unsigned i = 0; i < 8; i++) {
        cr_assert(ip_parse(i % 4 < 2 ? SLICE("127.0.0.8") : SLICE("127.0.0.9"), &flow.local.ip));
        struct buf room = outbox_room(outbox);
        buf_put(&room, SLICE("x"));
        outbox_post(outbox, &flow, i < 4 ? &client.local : &other.local, 1);
    }
    post("x"); // by another socket
    outbox_flush(outbox);
    for (unsigned i = 0; i < 2; i++) {
        struct endpoint from;
        cr_assert_eq(receive(&from), 2);
        cr_assert_eq(from.ip.bytes[3], 8 + i);
    }
    cr_assert_eq(receive(NULL), 1);
    cr_assert_eq(receive(NULL), -1);
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), 9);
    udp_close(&all);
    udp_close(&other);
}

Test(flow, a_train_has_an_end)
{
    enum { ANSWERS = 200 };

    unsigned bytes = 0;
    unsigned trains = 0;
    take_trains();
    post_many("aaaa", ANSWERS);
    outbox_flush(outbox);
    for (ssize_t n = receive(NULL); n > 0; n = receive(NULL), trains++) {
        bytes += (unsigned)n;
    }
    cr_assert_eq(bytes, 4 * ANSWERS);
    cr_assert_eq(trains, (ANSWERS + 63) / 64);
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), ANSWERS);
}

Test(flow, answers_too_long_for_a_small_mtu_go_alone)
{
    take_trains();
    for (unsigned i = 0; i < 2; i++) {
        post_to(&server, &client.local, "long", 1233);
    }
    outbox_flush(outbox);
    cr_assert_eq(receive(NULL), 1233);
    cr_assert_eq(receive(NULL), 1233);
}

Test(flow, a_train_that_the_kernel_refuses_goes_one_by_one)
{
    const int on = 1;
    struct udp_socket all;
    open_at("0.0.0.0", &all);
    const struct flow flow = {.socket = &all, .local = server.local};
    // without checksums there is no cutting: EINVAL
    cr_assert_eq(setsockopt(all.fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof(on)), 0);
    for (unsigned i = 0; i < 5; i++) {
        struct buf room = outbox_room(outbox);
        buf_put(&room, SLICE("aaaa"));
        outbox_post(outbox, &flow, &client.local, i < 4 ? 4 : 3);
    }
    outbox_flush(outbox);
    for (unsigned i = 0; i < 5; i++) {
        struct endpoint from;
        cr_assert_eq(receive(&from), i < 4 ? 4 : 3);
        cr_assert(ip_equal(&from.ip, &server.local.ip));
    }
    cr_assert_eq(count_of(METRIC_ANSWERS_SENT), 5);
    cr_assert_eq(count_of(METRIC_ANSWERS_FAILED), 0);
}
