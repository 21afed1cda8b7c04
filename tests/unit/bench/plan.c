// SPDX-License-Identifier: Apache-2.0
#include "sipflood/plan.h"

#include <criterion/criterion.h>

enum { USERS = 1000, PORTS = 4 };

static struct plan plan_with(const char *weights, unsigned thread, unsigned threads)
{
    struct plan_config c = {
        .share = {.ports = PORTS, .thread = thread, .threads = threads},
        .users = USERS,
        .run = 99,
    };
    cr_assert(mix_parse(slice_of(weights, strlen(weights)), &c.mix));
    return plan_of(&c);
}

static struct step take(struct plan *p)
{
    struct step step;
    uint64_t intended_ns;
    cr_assert(plan_take(p, 0, 0, &step, &intended_ns));
    return step;
}

// As fast as they come.
static void begin(struct plan *p, uint64_t count)
{
    const struct pace pace = pace_of(0, count, 0, 0, count);
    plan_begin(p, &pace);
}

Test(plan, a_round_of_calls_reaches_every_user_once_over_all_threads)
{
    unsigned called[USERS] = {0};
    for (unsigned t = 0; t < 3; t++) {
        struct plan p = plan_with("invite=1", t, 3);
        begin(&p, p.known);
        for (uint32_t i = 0; i < p.known; i++) {
            const struct step step = take(&p);
            cr_assert_eq(share_port_of(&p.config.share, step.caller) % 3, t);
            called[step.callee]++;
        }
    }
    for (unsigned i = 0; i < USERS; i++) {
        cr_assert_eq(called[i], 1);
    }
}

Test(plan, refreshes_go_in_rounds_with_a_turn_each)
{
    struct plan p = plan_with("refresh=3,options=1", 0, 1);
    unsigned turns[USERS] = {0};
    begin(&p, 8000);
    for (unsigned i = 0; i < 8000; i++) {
        const struct step step = take(&p);
        cr_assert_eq(step.call, i);
        if (step.kind == SCENARIO_REFRESH) {
            cr_assert_eq(step.turn, turns[step.caller]++);
        }
    }
    for (unsigned i = 0; i < USERS; i++) {
        cr_assert_eq(turns[i], 6);
    }
}

Test(plan, in_a_mix_only_users_who_stay_are_called_and_newcomers_go_after_they_came)
{
    struct plan p = plan_with("register=2,deregister=2,invite=1", 1, 2);
    uint32_t *last = calloc(SCRIPT_USERS_MAX, sizeof(*last));
    unsigned left = 0;
    cr_assert(last != NULL);
    begin(&p, 100000);
    for (unsigned i = 0; i < 100000; i++) {
        const struct step step = take(&p);
        if (step.kind == SCENARIO_INVITE) {
            cr_assert_lt(step.callee, USERS);
            continue;
        }
        cr_assert(step.caller >= USERS && step.caller < SCRIPT_USERS_MAX);
        cr_assert_eq(share_port_of(&p.config.share, step.caller) % 2, 1);
        cr_assert(last[step.caller] == 0 || step.turn > last[step.caller]);
        left += step.kind == SCENARIO_DEREGISTER && last[step.caller] > 0 ? 1 : 0;
        last[step.caller] = step.turn;
    }
    cr_assert_gt(left, 30000);
    free(last);
}

Test(plan, a_new_pace_goes_on_with_whom_to_ask)
{
    struct plan p = plan_with("refresh=1", 0, 1);
    begin(&p, 10);
    for (uint32_t i = 0; i < 10; i++) {
        cr_assert_eq(take(&p).caller, i);
    }
    cr_assert(plan_over(&p, 0));
    cr_assert_eq(plan_wake_ns(&p, 5, 10), UINT64_MAX);
    begin(&p, 10);
    cr_assert_not(plan_over(&p, 0));
    cr_assert_eq(plan_wake_ns(&p, 5, 0), 5);
    cr_assert_eq(take(&p).caller, 10);
}

Test(plan, open_loop_wakes_when_the_next_request_is_due)
{
    struct plan p = plan_with("refresh=1", 0, 1);
    const struct pace pace = pace_of(1000, 10, 0, 1, 0);
    struct step step;
    uint64_t intended_ns = 0;
    plan_begin(&p, &pace);
    cr_assert(plan_take(&p, 5000, 0, &step, &intended_ns));
    cr_assert_eq(intended_ns, 1000);
    cr_assert_not(plan_take(&p, 5000, 0, &step, &intended_ns));
    cr_assert_eq(plan_wake_ns(&p, 5000, 0), 1000 + NS_PER_S);
}

Test(plan, refreshes_of_a_roster_come_at_their_times_beside_the_pace)
{
    const struct roster_config c = {.users = USERS, .interval_ns = NS_PER_S, .random = 3};
    const struct pace pace = pace_of(0, 0, NS_PER_S, 10, 0);
    struct plan p = plan_with("invite=1", 0, 1);
    p.config.roster = roster_create(&c);
    cr_assert(p.config.roster != NULL);
    roster_start(p.config.roster, 0, NS_PER_S);
    plan_begin(&p, &pace);
    unsigned seen[SCENARIO_KINDS] = {0};
    uint64_t now_ns = 0;
    while (!plan_over(&p, now_ns)) {
        struct step step;
        uint64_t intended_ns;
        now_ns = plan_wake_ns(&p, now_ns, 0);
        cr_assert(plan_take(&p, now_ns, 0, &step, &intended_ns));
        cr_assert_eq(intended_ns, now_ns);
        cr_assert(step.kind == SCENARIO_INVITE || step.caller == step.callee);
        cr_assert_lt(step.callee, USERS);
        seen[step.kind]++;
    }
    cr_assert_eq(seen[SCENARIO_REFRESH], USERS);
    cr_assert_eq(seen[SCENARIO_INVITE], 10);
    roster_destroy(p.config.roster);
}

Test(plan, scattered_rounds_reach_every_user_once_and_hardly_ever_a_port_twice_running)
{
    struct plan_config c = plan_with("refresh=1", 0, 1).config;
    unsigned asked[USERS] = {0};
    unsigned last = USERS;
    unsigned running = 0;
    c.scatter = true;
    c.share.ports = 31;
    struct plan p = plan_of(&c);
    begin(&p, USERS);
    for (unsigned i = 0; i < USERS; i++) {
        const struct step step = take(&p);
        const unsigned port = share_port_of(&p.config.share, step.caller);
        cr_assert_eq(asked[step.caller]++, 0);
        running += port == last ? 1 : 0;
        last = port;
    }
    cr_assert_lt(running, USERS / 10, "%u", running);
}
