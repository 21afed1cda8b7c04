// SPDX-License-Identifier: Apache-2.0
#include "signpost/state/admission.h"

#include <criterion/criterion.h>

static bool admits(const char *const *nets, size_t count, const char *peer)
{
    struct cidr list[4];
    struct endpoint from = {.port = 5060};
    for (size_t i = 0; i < count; i++) {
        cr_assert(cidr_parse(slice_of(nets[i], strlen(nets[i])), &list[i]), "%s", nets[i]);
    }
    cr_assert(ip_parse(slice_of(peer, strlen(peer)), &from.ip), "%s", peer);
    const struct admission admission = {.register_from = list, .count = count};
    return admission_may_register(&admission, &from);
}

Test(admission, nobody_may_register_without_a_network)
{
    cr_assert_not(admits(NULL, 0, "127.0.0.1"));
    cr_assert_not(admits(NULL, 0, "::1"));
}

Test(admission, peers_of_any_of_the_networks_may_register)
{
    static const char *const nets[] = {"127.0.0.0/8", "::1", "192.0.2.64/26", "2001:db8::/33"};
    static const char *const in[] = {"127.0.0.1",   "127.255.255.255", "::1",
                                     "192.0.2.127", "192.0.2.64",      "2001:db8:7fff::1"};
    static const char *const out[] = {"128.0.0.1",   "126.255.255.255", "::2",
                                      "192.0.2.128", "192.0.2.63",      "2001:db8:8000::1"};
    for (size_t i = 0; i < sizeof(in) / sizeof(in[0]); i++) {
        cr_assert(admits(nets, 4, in[i]), "%s", in[i]);
        cr_assert_not(admits(nets, 4, out[i]), "%s", out[i]);
    }
}

Test(admission, networks_of_one_family_say_nothing_about_the_other)
{
    static const char *const v4[] = {"0.0.0.0/0"};
    static const char *const v6[] = {"::/0"};
    cr_assert(admits(v4, 1, "203.0.113.9"));
    cr_assert_not(admits(v4, 1, "::ffff:203.0.113.9"));
    cr_assert(admits(v6, 1, "2001:db8::9"));
    cr_assert_not(admits(v6, 1, "203.0.113.9"));
}
