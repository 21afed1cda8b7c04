// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/bench/fixture.h"

#include <criterion/criterion.h>

struct script fixture_script(const char *scenario)
{
    struct script s;
    struct script_config c = {
        .scenario = scenario_find(scenario),
        .domain = SLICE("sip.test"),
        .local_port = 20000,
        .ports = 2,
        .users = 100,
        .expires_s = 3600,
        .run = 0x1234567890abcdef,
        .cseq_start = 5,
    };
    cr_assert(ip_parse(SLICE("127.0.0.1"), &c.local_ip));
    cr_assert(script_init(&s, &c));
    return s;
}
