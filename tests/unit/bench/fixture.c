// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/bench/fixture.h"

#include <criterion/criterion.h>

static const struct share share = {.ports = 2, .threads = 1};

struct script fixture_script(void)
{
    struct script s;
    struct script_config c = {
        .domain = SLICE("sip.test"),
        .local_port = 20000,
        .share = share,
        .expires_s = 3600,
        .run = 0x1234567890abcdef,
        .cseq_start = 5,
    };
    cr_assert(ip_parse(SLICE("127.0.0.1"), &c.local_ip));
    cr_assert(script_init(&s, &c));
    return s;
}

struct step fixture_step(enum scenario_kind kind, uint64_t n)
{
    const struct plan_config c = {.mix = mix_of(kind), .share = share, .users = 100, .run = 7};
    const struct pace pace = pace_of(0, n + 1, 0, 1, 0);
    struct plan p = plan_of(&c);
    struct step step;
    uint64_t intended_ns;
    plan_begin(&p, &pace);
    for (uint64_t i = 0; i <= n; i++) {
        cr_assert(plan_take(&p, n * NS_PER_S, 0, &step, &intended_ns));
    }
    return step;
}

struct script_part fixture_part(const struct script *s, enum scenario_kind kind, uint64_t n)
{
    const struct step step = fixture_step(kind, n);
    return script_part_of(s, n, &step);
}
