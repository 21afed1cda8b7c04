// SPDX-License-Identifier: Apache-2.0
#include "sipflood/cli.h"

#include <criterion/criterion.h>

static struct cli cli;
static char why[256];

static enum err parse(const char *a, const char *b, const char *c, const char *d)
{
    static char words[5][64]; // the texts in `cli` are borrowed
    char *argv[6] = {0};
    const char *given[5] = {"sipflood", a, b, c, d};
    int argc = 0;
    while (argc < 5 && given[argc] != NULL) {
        (void)snprintf(words[argc], sizeof(words[argc]), "%s", given[argc]);
        argv[argc] = words[argc];
        argc++;
    }
    memset(why, 0, sizeof(why));
    FILE *to = fmemopen(why, sizeof(why) - 1, "w");
    cr_assert(to != NULL);
    const enum err e = cli_parse(argc, argv, &cli, to);
    (void)fclose(to);
    return e;
}

static void assert_refused(const char *a, const char *b, const char *c, const char *d,
                           const char *because)
{
    cr_assert_eq(parse(a, b, c, d), ERR_SYNTAX);
    cr_assert(strstr(why, because) != NULL, "%s", why);
}

Test(cli, defaults_make_a_bounded_open_loop_run)
{
    cr_assert_eq(parse("register", "--target=127.0.0.1:5060", NULL, NULL), ERR_OK);
    cr_assert_str_eq(cli.scenario, "register");
    cr_assert_eq(cli.rate_per_s, 1000);
    cr_assert_eq(cli.count, cli.users);
}

Test(cli, values_come_attached_or_as_the_next_word)
{
    cr_assert_eq(parse("invite", "--target=h:1", "--window", "7"), ERR_OK);
    cr_assert_eq(cli.window, 7);
    cr_assert_eq(cli.rate_per_s, 0);
    cr_assert_eq(parse("invite", "--target=h:1", "--duration=2.5", "--json"), ERR_OK);
    cr_assert_eq(cli.count, 0);
    cr_assert_float_eq(cli.duration_s, 2.5, 1e-9);
    cr_assert(cli.json);
}

Test(cli, a_mix_has_weights)
{
    cr_assert_eq(parse("mixed", "--target=h:1", NULL, NULL), ERR_OK);
    cr_assert_eq(cli.mix.weight[SCENARIO_REFRESH], 70);
    cr_assert_eq(parse("mixed", "--target=h:1", "--mix", "options=1,invite=2"), ERR_OK);
    cr_assert_eq(cli.mix.weight[SCENARIO_REFRESH], 0);
    cr_assert_eq(cli.mix.weight[SCENARIO_INVITE], 2);
}

Test(cli, a_population_refreshes_at_half_of_its_expiry_for_one_interval)
{
    cr_assert_eq(parse("population", "--target=h:1", "--expires=60", "--calls=5"), ERR_OK);
    cr_assert(cli.population);
    cr_assert_float_eq(cli.interval_s, 30, 1e-9);
    cr_assert_float_eq(cli.duration_s, 30, 1e-9);
    cr_assert_eq(cli.rate_per_s, 5);
    cr_assert_eq(cli.count, 0);
}

Test(cli, a_ramp_has_all_steps_from_first_to_last)
{
    cr_assert_eq(parse("options", "--target=h:1", "--ramp", "100:350:100:0.5"), ERR_OK);
    cr_assert_eq(cli.ramp.from, 100);
    cr_assert_eq(cli.ramp.step, 100);
    cr_assert_eq(cli.ramp.steps, 3);
    cr_assert_float_eq(cli.step_s, 0.5, 1e-9);
    cr_assert_eq(cli.count, 0);
}

Test(cli, a_search_has_limits)
{
    cr_assert_eq(parse("options", "--target=h:1", "--find-max", NULL), ERR_OK);
    cr_assert_float_eq(cli.loss_max_percent, 0.1, 1e-9);
    cr_assert_float_eq(cli.p99_max_ms, 10, 1e-9);
    cr_assert_eq(cli.rate_per_s, 1000);
    cr_assert_eq(parse("options", "--target=h:1", NULL, NULL), ERR_OK);
    cr_assert_float_eq(cli.loss_max_percent, 0, 1e-9);
}

Test(cli, mistakes_are_named)
{
    const char *ramps[] = {"", "1:2:3", "0:2:1:1", "3:2:1:1", "1:2:0:1", "1:2:1:x", "1:9999:1:1"};
    for (size_t i = 0; i < sizeof(ramps) / sizeof(ramps[0]); i++) {
        assert_refused("options", "--target=h:1", "--ramp", ramps[i], "--ramp");
    }
    assert_refused("options", "--target=h:1", "--find-max", "--window=2", "--find-max");
    assert_refused("options", "--target=h:1", "--p99-max=2", NULL, "--find-max");
    assert_refused("population", "--target=h:1", "--rate=5", NULL, "--interval");
    assert_refused("population", "--target=h:1", "--interval=61", "--expires=60", "gone");
    assert_refused("refresh", "--target=h:1", "--calls=5", NULL, "population");
    assert_refused("--target=h:1", NULL, NULL, NULL, "SCENARIO");
    assert_refused("register", NULL, NULL, NULL, "--target");
    assert_refused("dance", NULL, NULL, NULL, "register refresh deregister invite options");
    assert_refused("mixed", "--target=h:1", "--mix=dance=1", NULL, "--mix");
    assert_refused("mixed", "--target=h:1", "--mix=deregister=1", NULL, "deregister");
    assert_refused("mixed", "--target=h:1", "--users=6000000", NULL, "newcomers");
    assert_refused("invite", "--target=h:1", "--mix=invite=1", NULL, "mixed");
    assert_refused("register", "invite", NULL, NULL, "already");
    assert_refused("register", "--target=h:1", "--frob", NULL, "--frob");
    assert_refused("register", "--target", NULL, NULL, "needs a value");
    assert_refused("register", "--json=1", NULL, NULL, "takes no value");
    assert_refused("register", "--users=0", NULL, NULL, "from 1 to 10000000");
    assert_refused("register", "--users=-1", NULL, NULL, "from 1 to 10000000");
    assert_refused("register", "--timeout=nan", NULL, NULL, "from 0.001 to 64");
    assert_refused("register", "--target=h:1", "--rate=1", "--window=1", "exclude");
    assert_refused("register", "--target=h:1", "--local-port=65500", "--ports=64", "65535");
    assert_refused("register", "--target=h:1", "--threads=2", "--ports=1", "--threads");
    assert_refused("register", "--target=h:1", "--threads=3", "--users=64", "--threads");
    assert_refused("register", "--target=h:1", "--domain=a b", NULL, "--domain");
}

Test(cli, help_fits_two_screens)
{
    char help[16384] = {0};
    FILE *to = fmemopen(help, sizeof(help) - 1, "w");
    cr_assert(to != NULL);
    cli_help(to);
    (void)fclose(to);
    unsigned lines = 0;
    for (const char *line = help; *line != '\0'; lines++) {
        const size_t len = strcspn(line, "\n");
        cr_assert_leq(len, 100, "%.*s", (int)len, line);
        cr_assert_eq(line[len], '\n');
        line += len + 1;
    }
    cr_assert_leq(lines, 80, "%u lines", lines);
    cr_assert(strstr(help, "--loss-max PERCENT    lost and refused") != NULL);
}
