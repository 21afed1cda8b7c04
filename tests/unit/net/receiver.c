// SPDX-License-Identifier: Apache-2.0
// The receiver between real sockets on the loopback interface and a ring.
#include "net/receiver.h"

#include <criterion/criterion.h>
#include <linux/sock_diag.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <sys/socket.h>

#include "env/clock.h"
#include "net/address.h"

enum { SLOTS = 8 };

static const struct udp_config config = {.receive_bytes = 1024 * 1024, .send_bytes = 1024 * 1024};

static struct udp_socket server;
static struct udp_socket client;
static struct ring *ring;
static struct receiver *receiver;
static struct metrics metrics;

static void open_at(const char *ip, struct udp_socket *socket)
{
    struct endpoint at = {0};
    cr_assert(ip_parse(slice_of(ip, strlen(ip)), &at.ip));
    cr_assert_eq(udp_open(&at, &config, socket), ERR_OK, "%s", ip);
}

static void open_for_trains(const char *ip, struct udp_socket *socket)
{
    struct endpoint at = {0};
    struct udp_config trains = config;
    trains.trains = true;
    cr_assert(ip_parse(slice_of(ip, strlen(ip)), &at.ip));
    cr_assert_eq(udp_open(&at, &trains, socket), ERR_OK);
}

static void start_with(const char *ip, void (*open)(const char *ip, struct udp_socket *socket),
                       unsigned slots)
{
    open(ip, &server);
    open_at(server.local.ip.family == IP_V6 ? "::1" : "127.0.0.1", &client);
    ring = ring_create(slots, RECEIVER_SPARES);
    cr_assert_not_null(ring);
    cr_assert_eq(receiver_create(&server, ring, &metrics, THREAD_ANY_CPU, &receiver), ERR_OK);
}

static void start_at(const char *ip)
{
    start_with(ip, open_at, SLOTS);
}

static void stop(void)
{
    receiver_destroy(receiver);
    ring_destroy(ring);
    udp_close(&server);
    udp_close(&client);
}

TestSuite(receiver, .fini = stop, .timeout = 60);

static uint64_t count_of(enum metric id)
{
    return metric_read(&metrics.rows[id]);
}

static void send_to(const char *ip, const char *bytes, size_t len)
{
    struct endpoint to = server.local;
    union address address;
    cr_assert(ip_parse(slice_of(ip, strlen(ip)), &to.ip));
    const socklen_t address_len = address_from_endpoint(&to, &address);
    cr_assert_eq(sendto(client.fd, bytes, len, 0, &address.any, address_len), (ssize_t)len);
}

static void send_text(const char *ip, const char *text)
{
    send_to(ip, text, strlen(text));
}

// The next packet, which is then to be released.
static const struct packet *claim(struct ring_span *span)
{
    *span = ring_claim(ring, 1);
    cr_assert_eq(span->count, 1);
    return ring_packet(ring, *span, 0);
}

static void expect(const char *text)
{
    struct ring_span span;
    const struct packet *const packet = claim(&span);
    cr_assert_eq(packet->len, strlen(text));
    cr_assert_arr_eq(packet->bytes, text, packet->len);
    ring_release(ring, span);
}

Test(receiver, a_datagram_comes_with_all_that_is_known_of_it)
{
    const uint64_t before_us = clock_wall_us();
    struct ring_span span;
    start_at("127.0.0.1");
    send_text("127.0.0.1", "one");
    const struct packet *const packet = claim(&span);
    cr_assert_eq(packet->len, 3);
    cr_assert_arr_eq(packet->bytes, "one", 3);
    cr_assert_eq(packet->flow.socket, &server);
    cr_assert(ip_equal(&packet->flow.local.ip, &server.local.ip));
    cr_assert_eq(packet->flow.local.port, server.local.port);
    cr_assert(ip_equal(&packet->peer.ip, &client.local.ip));
    cr_assert_eq(packet->peer.port, client.local.port);
    cr_assert_geq(packet->arrived_us, before_us);
    cr_assert_leq(packet->arrived_us, clock_wall_us());
    ring_release(ring, span);
}

Test(receiver, a_socket_of_all_addresses_tells_which_one_was_meant)
{
    static const char *const addresses[] = {"127.0.0.1", "127.0.0.7", "127.1.2.3"};
    start_at("0.0.0.0");
    for (unsigned i = 0; i < 3 * 40; i++) { // more than there are prepared headers
        const char *const meant = addresses[i % 3];
        struct ip ip;
        struct ring_span span;
        send_text(meant, "x");
        const struct packet *const packet = claim(&span);
        cr_assert(ip_parse(slice_of(meant, strlen(meant)), &ip));
        cr_assert(ip_equal(&packet->flow.local.ip, &ip));
        cr_assert_eq(packet->flow.local.port, server.local.port);
        ring_release(ring, span);
    }
}

Test(receiver, so_does_one_of_all_ipv6_addresses)
{
    struct ring_span span;
    start_at("::");
    send_text("::1", "x");
    const struct packet *const packet = claim(&span);
    cr_assert(ip_equal(&packet->flow.local.ip, &client.local.ip)); // both are ::1
    ring_release(ring, span);
}

Test(receiver, nothing_is_lost_or_reordered_by_a_full_ring)
{
    enum { DATAGRAMS = 300 }; // many times the ring

    start_at("127.0.0.1");
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        send_to("127.0.0.1", (const char *)&i, sizeof(i));
    }
    for (uint32_t i = 0; i < DATAGRAMS; i++) {
        struct ring_span span;
        uint32_t number;
        const struct packet *const packet = claim(&span);
        cr_assert_eq(packet->len, sizeof(number));
        memcpy(&number, packet->bytes, sizeof(number));
        cr_assert_eq(number, i);
        ring_release(ring, span);
    }
    receiver_destroy(receiver);
    receiver = NULL;
    cr_assert_eq(count_of(METRIC_DATAGRAMS_RECEIVED), DATAGRAMS);
    cr_assert_eq(count_of(METRIC_BYTES_RECEIVED), DATAGRAMS * sizeof(uint32_t));
    cr_assert_eq(ring_depth(ring), 0);
}

Test(receiver, the_shortest_and_the_longest_datagrams_come_whole)
{
    static char longest[ANSWER_BYTES_MAX];
    memset(longest, 'l', sizeof(longest));
    start_at("127.0.0.1");
    send_text("127.0.0.1", "before");
    expect("before");
    send_to("127.0.0.1", longest, sizeof(longest));
    struct ring_span span;
    const struct packet *const packet = claim(&span);
    cr_assert_eq(packet->len, sizeof(longest));
    cr_assert_arr_eq(packet->bytes, longest, sizeof(longest));
    ring_release(ring, span);
    send_text("127.0.0.1", "");
    expect("");
    send_text("127.0.0.1", "after");
    expect("after");
}

Test(receiver, what_it_has_read_is_on_the_ring_when_it_ends)
{
    start_at("127.0.0.1");
    for (unsigned i = 0; i < SLOTS; i++) {
        send_text("127.0.0.1", "x");
    }
    while (ring_depth(ring) < SLOTS) {
    }
    receiver_destroy(receiver);
    receiver = NULL;
    ring_close(ring);
    const struct ring_span span = ring_claim(ring, SLOTS + 1);
    cr_assert_eq(span.count, SLOTS);
    ring_release(ring, span);
    cr_assert_eq(ring_claim(ring, 1).count, 0); // its end is not taken for a datagram
}

Test(receiver, one_that_waits_is_ended)
{
    start_at("127.0.0.1");
    send_text("127.0.0.1", "x");
    expect("x");
    receiver_destroy(receiver); // the suite's time would run out
    receiver = NULL;
    cr_assert_eq(ring_depth(ring), 0);
    cr_assert_eq(count_of(METRIC_RECEIVE_ERRORS), 0);
}

// Sends the bytes as datagrams of this length, which the kernel may hand over in one piece.
static void send_train(const char *ip, const char *bytes, size_t len, int segment)
{
    const int none = 0;
    cr_assert_eq(setsockopt(client.fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)), 0);
    send_to(ip, bytes, len);
    cr_assert_eq(setsockopt(client.fd, IPPROTO_UDP, UDP_SEGMENT, &none, sizeof(none)), 0);
}

// Longer than the ring, and the last part shorter; between datagrams that are none.
static void check_train(const char *ip)
{
    enum { SEGMENT = 1000, PARTS = 3 * SLOTS };

    static char train[PARTS * SEGMENT - 1];
    struct ip meant;
    cr_assert(ip_parse(slice_of(ip, strlen(ip)), &meant));
    for (size_t i = 0; i < sizeof(train); i++) {
        train[i] = (char)('a' + i / SEGMENT);
    }
    send_text(ip, "before");
    send_train(ip, train, sizeof(train), SEGMENT);
    send_text(ip, "after");
    expect("before");
    for (unsigned i = 0; i < PARTS; i++) {
        struct ring_span span;
        const struct packet *const packet = claim(&span);
        cr_assert_eq(packet->len, i + 1 < PARTS ? SEGMENT : SEGMENT - 1);
        cr_assert_eq(packet->bytes[0], (char)('a' + i));
        cr_assert_eq(memcmp(packet->bytes, train + (size_t)i * SEGMENT, packet->len), 0);
        cr_assert_eq(packet->peer.port, client.local.port);
        cr_assert(ip_equal(&packet->flow.local.ip, &meant));
        ring_release(ring, span);
    }
    expect("after");
    receiver_destroy(receiver);
    receiver = NULL;
    cr_assert_eq(count_of(METRIC_DATAGRAMS_RECEIVED), PARTS + 2);
    cr_assert_eq(count_of(METRIC_BYTES_RECEIVED), sizeof(train) + strlen("beforeafter"));
}

Test(receiver, a_train_is_taken_apart)
{
    start_with("127.0.0.1", open_for_trains, SLOTS);
    check_train("127.0.0.1");
}

Test(receiver, a_train_to_one_of_all_addresses_is_taken_apart)
{
    start_with("0.0.0.0", open_for_trains, SLOTS);
    check_train("127.0.0.3");
}

Test(receiver, a_train_comes_as_datagrams_to_who_asks_for_none)
{
    start_at("127.0.0.1");
    check_train("127.0.0.1");
}

// ---- Greedy sources

enum { RING = 2048, OTHERS = 20, ROUNDS = 400, FLOOD = 9 };

// What the kernel has dropped of the socket: nothing is lost here, so it was at a fence.
static uint64_t kernel_dropped(void)
{
    uint32_t told[SK_MEMINFO_VARS];
    socklen_t len = sizeof(told);
    cr_assert_eq(getsockopt(server.fd, SOL_SOCKET, SO_MEMINFO, told, &len), 0);
    return told[SK_MEMINFO_DROPS];
}

// One source sends nine datagrams for each that one of twenty others sends. Nobody takes anything
// off the ring.
static void send_beside_others(void)
{
    struct udp_socket others[OTHERS];
    for (unsigned i = 0; i < OTHERS; i++) {
        char ip[16];
        (void)snprintf(ip, sizeof(ip), "127.0.1.%u", i + 1);
        open_at(ip, &others[i]);
    }
    for (unsigned round = 0; round < ROUNDS; round++) {
        const struct udp_socket greedy = client;
        for (unsigned i = 0; i < FLOOD; i++) {
            send_text("127.0.0.1", "flood");
        }
        client = others[round % OTHERS];
        send_text("127.0.0.1", "other");
        client = greedy;
        while (count_of(METRIC_DATAGRAMS_RECEIVED) + kernel_dropped() < (round + 1) * (FLOOD + 1)) {
            (void)sched_yield();
        }
    }
    for (unsigned i = 0; i < OTHERS; i++) {
        udp_close(&others[i]);
    }
    // the last ones may not have been published yet
    while (ring_depth(ring) + count_of(METRIC_DROPPED_GREEDY) + kernel_dropped() <
           ROUNDS * (FLOOD + 1)) {
        (void)sched_yield();
    }
}

// How many datagrams of those that begin with this letter are on the ring, which is empty then.
static unsigned take_all(char first)
{
    unsigned came = 0;
    for (unsigned left = ring_depth(ring); left > 0; left--) {
        struct ring_span span;
        came += claim(&span)->bytes[0] == first ? 1 : 0;
        ring_release(ring, span);
    }
    return came;
}

// Its last quarter is for the others: what they send is all there.
Test(receiver, of_a_ring_that_is_nearly_full_the_greedy_get_no_more)
{
    start_with("0.0.0.0", open_at, RING);
    send_beside_others();
    cr_assert_geq(count_of(METRIC_DROPPED_GREEDY) + kernel_dropped(),
                  ROUNDS * FLOOD - RING * 3 / 4 - RECEIVER_SPARES);
    cr_assert_eq(take_all('o'), ROUNDS);
}

Test(receiver, who_is_greedy_all_the_same_is_fenced_for_a_while)
{
    start_with("0.0.0.0", open_at, RING);
    send_beside_others();
    cr_assert_geq(count_of(METRIC_FENCES_RAISED), 1);
    (void)take_all('o');
    while (count_of(METRIC_FENCED_SOURCES) > 0) { // nothing comes, and it wakes all the same
        (void)sched_yield();
    }
    for (unsigned i = 0; i < FLOOD; i++) {
        send_text("127.0.0.1", "calm");
        expect("calm");
    }
    // that told of all the kernel had dropped
    cr_assert_gt(kernel_dropped(), 0);
    cr_assert_eq(count_of(METRIC_DATAGRAMS_FENCED) + count_of(METRIC_DATAGRAMS_LOST),
                 kernel_dropped());
    cr_assert_gt(count_of(METRIC_DATAGRAMS_FENCED), 0);
}

Test(receiver, who_is_alone_is_not_fenced)
{
    enum { DATAGRAMS = RING + RING / 4 };

    start_with("127.0.0.1", open_at, RING);
    for (unsigned i = 0; i < DATAGRAMS; i++) {
        send_text("127.0.0.1", "alone");
    }
    // The kernel's buffer is too small for all when the receiver has had no time meanwhile.
    for (unsigned came = 0; came + kernel_dropped() < DATAGRAMS;) {
        if (ring_depth(ring) == 0) {
            (void)sched_yield();
            continue;
        }
        expect("alone");
        came++;
    }
    cr_assert_eq(count_of(METRIC_FENCES_RAISED), 0);
}
