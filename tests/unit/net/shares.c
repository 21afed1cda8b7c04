// SPDX-License-Identifier: Apache-2.0
#include "net/shares.h"

#include <stdio.h>

#include "tests/unit/support.h"

static struct shares shares;

static struct ip v4(unsigned last)
{
    return (struct ip){.family = IP_V4, .bytes = {192, 0, (uint8_t)(last >> 8), (uint8_t)last}};
}

// Whether any of `n` datagrams of the source met with it being called greedy.
static unsigned send(struct ip source, unsigned n)
{
    unsigned greedy = 0;
    for (unsigned i = 0; i < n; i++) {
        greedy += shares_count(&shares, &source, 1) ? 1 : 0;
    }
    return greedy;
}

// Rounds of one datagram of each of a hundred phones, and so many of a greedy one.
static void send_mix(unsigned rounds, unsigned flood, unsigned *flooded, unsigned *others)
{
    *flooded = 0;
    *others = 0;
    for (unsigned r = 0; r < rounds; r++) {
        *flooded += send(v4(1), flood);
        for (unsigned i = 0; i < 100; i++) {
            *others += send(v4(100 + i), 1);
        }
    }
}

Test(shares, one_source_alone_is_never_greedy)
{
    cr_assert_eq(send(v4(1), 100000), 0);
}

Test(shares, phones_that_send_alike_are_never_greedy)
{
    unsigned flooded;
    unsigned others;
    send_mix(1000, 1, &flooded, &others);
    cr_assert_eq(flooded + others, 0);
}

Test(shares, who_sends_more_than_a_quarter_beside_others_is_greedy)
{
    unsigned flooded;
    unsigned others;
    send_mix(500, 300, &flooded, &others);
    cr_assert_eq(others, 0);
    cr_assert_gt(flooded, 500 * 300 * 9 / 10);
}

Test(shares, who_speaks_for_nearly_all_is_not_greedy)
{
    unsigned flooded;
    unsigned others;
    send_mix(100, 10000, &flooded, &others);
    cr_assert_eq(flooded + others, 0);
}

Test(shares, who_stops_is_soon_forgiven)
{
    unsigned flooded;
    unsigned others;
    send_mix(200, 300, &flooded, &others);
    cr_assert_gt(flooded, 0);
    send_mix(800, 1, &flooded, &others); // eighty thousand datagrams of the others
    send_mix(200, 1, &flooded, &others);
    cr_assert_eq(flooded + others, 0);
}

Test(shares, of_two_sources_the_second_is_not_greedy_beside_itself)
{
    for (unsigned i = 0; i < 10000; i++) {
        (void)send(v4(1), 5);
        (void)send(v4(2), 1); // less than a quarter
    }
    for (unsigned i = 0; i < 40000; i++) {
        (void)send(v4(1), 1);
        cr_assert_eq(send(v4(2), 1), 0); // more by and by, and so has the first
    }
}

Test(shares, a_burst_of_one_that_had_to_wait_is_not_greedy)
{
    unsigned flooded;
    unsigned others;
    send_mix(200, 300, &flooded, &others);
    cr_assert_eq(send(v4(100), 4000), 0);
}

Test(shares, addresses_of_one_ipv6_network_are_one_source)
{
    struct ip a = {.family = IP_V6, .bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1}};
    unsigned greedy = 0;
    for (unsigned i = 0; i < 40000; i++) {
        memcpy(a.bytes + 8, &i, sizeof(i));
        greedy += shares_count(&shares, &a, 1) ? 1 : 0;
        (void)send(v4(i % 250), 1);
    }
    cr_assert_gt(greedy, 30000);
}

Test(shares, networks_of_one_ipv6_provider_are_told_apart)
{
    struct ip neighbour = {.family = IP_V6, .bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 1}};
    const struct ip flood = {.family = IP_V6, .bytes = {0x20, 0x01, 0x0d, 0xb8, 0, 0, 0xff, 0xff}};
    unsigned greedy = 0;
    for (unsigned i = 0; i < 50000; i++) {
        neighbour.bytes[6] = (uint8_t)(i >> 4 & 0x0f);
        neighbour.bytes[7] = (uint8_t)(i << 4);
        greedy += send(neighbour, 1);
        (void)send(flood, 3);
    }
    cr_assert_eq(greedy, 0);
    cr_assert_gt(send(flood, 100), 0);
}

Test(shares, a_source_is_an_ipv4_address_or_an_ipv6_network)
{
    const struct ip a = {.family = IP_V6, .bytes = {0x20, 0x01, 0, 0, 0, 0, 0, 7, 1, 2, 3}};
    const struct ip network = {.family = IP_V6, .bytes = {0x20, 0x01, 0, 0, 0, 0, 0, 7}};
    const struct ip phone = v4(1);
    const struct ip of_a = shares_source(&a);
    const struct ip of_phone = shares_source(&phone);
    cr_assert(ip_equal(&of_a, &network));
    cr_assert(ip_equal(&of_phone, &phone));
}
