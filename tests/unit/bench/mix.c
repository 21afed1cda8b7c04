// SPDX-License-Identifier: Apache-2.0
#include "sipflood/mix.h"

#include <criterion/criterion.h>

static struct mix mix;

Test(mix, one_kind_takes_every_turn)
{
    mix = mix_of(SCENARIO_INVITE);
    for (uint64_t n = 0; n < 5; n++) {
        const struct mix_turn turn = mix_turn(&mix, n);
        cr_assert_eq(turn.kind, SCENARIO_INVITE);
        cr_assert_eq(turn.n, n);
    }
}

Test(mix, turns_follow_the_weights_and_number_each_kind)
{
    uint64_t seen[SCENARIO_KINDS] = {0};
    cr_assert(mix_parse(SLICE("refresh=70,invite=25,register=5"), &mix));
    for (uint64_t n = 0; n < 1000; n++) {
        const struct mix_turn turn = mix_turn(&mix, n);
        cr_assert_eq(turn.n, seen[turn.kind]++);
    }
    cr_assert_eq(seen[SCENARIO_REFRESH], 700);
    cr_assert_eq(seen[SCENARIO_INVITE], 250);
    cr_assert_eq(seen[SCENARIO_REGISTER], 50);
}

Test(mix, kinds_are_spread_evenly)
{
    cr_assert(mix_parse(SLICE("options=1,invite=3"), &mix));
    for (uint64_t n = 0; n < 100; n += 4) {
        unsigned options = 0;
        for (uint64_t i = n; i < n + 4; i++) {
            options += mix_turn(&mix, i).kind == SCENARIO_OPTIONS ? 1 : 0;
        }
        cr_assert_eq(options, 1);
    }
}

Test(mix, mistakes_are_refused)
{
    const char *bad[] = {"",
                         "invite",
                         "invite=",
                         "invite=x",
                         "invite=-1",
                         "dance=1",
                         "invite=0",
                         "invite=1,",
                         ",invite=1",
                         "invite=1,invite=1",
                         "invite=999,options=2",
                         "invite=1001"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(mix_parse(slice_of(bad[i], strlen(bad[i])), &mix), "%s", bad[i]);
    }
}
