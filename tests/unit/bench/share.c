// SPDX-License-Identifier: Apache-2.0
#include "sipflood/share.h"

#include <criterion/criterion.h>

enum { USERS_MAX = 5000 };

// Every user belongs to one thread, which meets its users in ascending order and on ports of its
// own.
static void assert_shared(uint32_t users, unsigned ports, unsigned threads)
{
    unsigned owners[USERS_MAX] = {0};
    uint32_t seen = 0;
    for (unsigned t = 0; t < threads; t++) {
        const struct share s = {.ports = ports, .thread = t, .threads = threads};
        const uint32_t count = share_users(&s, users);
        for (uint32_t i = 0; i < count; i++) {
            const uint32_t user = share_user(&s, i);
            cr_assert_lt(user, users, "%u of %u users, %u ports, thread %u of %u", user, users,
                         ports, t, threads);
            cr_assert(i == 0 || user > share_user(&s, i - 1));
            const unsigned port = share_port_of(&s, user);
            const unsigned j = share_index(&s, port);
            cr_assert_lt(j, share_ports(&s));
            cr_assert_eq(share_port(&s, j), port);
            owners[user]++;
        }
        cr_assert_geq(share_user(&s, count), users);
        seen += count;
    }
    cr_assert_eq(seen, users);
    for (uint32_t user = 0; user < users; user++) {
        cr_assert_eq(owners[user], 1);
    }
}

Test(share, every_user_has_one_thread_and_its_port)
{
    const uint32_t users[] = {1, 31, 32, 33, 100, 1000, 1023, 1024, 1025, 4999};
    for (size_t i = 0; i < sizeof(users) / sizeof(users[0]); i++) {
        assert_shared(users[i], 1, 1);
        assert_shared(users[i], 7, 1);
        assert_shared(users[i], 8, 2);
        assert_shared(users[i], 7, 3);
        assert_shared(users[i], 5, 5);
    }
}

Test(share, a_users_port_does_not_depend_on_the_threads)
{
    const struct share one = {.ports = 64, .thread = 0, .threads = 1};
    const struct share two = {.ports = 64, .thread = 1, .threads = 2};
    cr_assert_eq(share_port_of(&one, 12345), share_port_of(&two, 12345));
    cr_assert_eq(share_port_of(&one, 33), 1);
}
