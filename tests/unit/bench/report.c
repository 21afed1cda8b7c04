// SPDX-License-Identifier: Apache-2.0
#include "sipflood/report.h"

#include <criterion/criterion.h>

static struct tally tally;
static struct histogram latency_ns;
static struct steps steps;
static struct cli cli;
static char text[8192];

static struct run_result result_of(void)
{
    cli = (struct cli){.scenario = "invite", .target = "h:1", .domain = "sip.test"};
    cli.mix = mix_of(SCENARIO_INVITE);
    tally_latency(&tally, &latency_ns);
    return (struct run_result){
        .cli = &cli,
        .tally = &tally,
        .latency_ns = &latency_ns,
        .steps = &steps,
        .elapsed_ns = UINT64_C(2000000000),
    };
}

static void start(void)
{
    tally_init(&tally, 2);
    tally.counts.sent = 1000;
    tally.counts.right = 1000;
}

TestSuite(report, .init = start);

static void print(void (*report)(FILE *, const struct run_result *), const struct run_result *r)
{
    memset(text, 0, sizeof(text));
    FILE *out = fmemopen(text, sizeof(text) - 1, "w");
    cr_assert(out != NULL);
    report(out, r);
    (void)fclose(out);
}

Test(report, all_right_is_success)
{
    const struct run_result r = result_of();
    cr_assert(report_success(&r));
}

Test(report, nothing_sent_is_no_success)
{
    tally.counts = (struct tally_counts){0};
    const struct run_result r = result_of();
    cr_assert_not(report_success(&r));
}

Test(report, any_kind_of_wrong_answer_is_failure)
{
    uint64_t *const kinds[] = {&tally.counts.wrong_status, &tally.counts.wrong_content,
                               &tally.counts.malformed, &tally.counts.unmatched};
    const struct run_result r = result_of();
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        *kinds[i] = 1;
        cr_assert_not(report_success(&r));
        *kinds[i] = 0;
    }
    cr_assert(report_success(&r));
}

Test(report, answers_that_retransmission_explains_are_no_failure)
{
    tally.counts.repeated = tally.counts.provisional = tally.counts.resent = 5;
    const struct run_result r = result_of();
    cr_assert(report_success(&r));
}

Test(report, loss_is_failure_beyond_the_limit)
{
    tally.counts.right = 999;
    tally.counts.lost = 1;
    const struct run_result r = result_of();
    cr_assert_not(report_success(&r));
    cli.loss_max_percent = 0.1;
    cr_assert(report_success(&r));
    cli.loss_max_percent = 0.09;
    cr_assert_not(report_success(&r));
}

Test(report, refusals_count_like_loss)
{
    tally.counts.right = 998;
    tally.counts.lost = 1;
    tally.counts.refused = 1;
    const struct run_result r = result_of();
    cr_assert_not(report_success(&r));
    cli.loss_max_percent = 0.2;
    cr_assert(report_success(&r));
    cli.loss_max_percent = 0.19;
    cr_assert_not(report_success(&r));
}

Test(report, every_request_is_settled_in_one_way)
{
    const struct tally_counts counts = {
        .right = 1, .refused = 20, .wrong_status = 300, .wrong_content = 4000, .lost = 50000};
    cr_assert_eq(tally_settled(&counts), 54321);
    cr_assert_eq(tally_answers(&counts), 4321);
    cr_assert_eq(tally_wrong(&counts), 4300);
}

Test(report, goodput_stands_beside_what_an_open_loop_offered)
{
    tally.counts.right = 600;
    tally.counts.refused = 400;
    tally.oldest_ns = 2500000;
    struct run_result r = result_of();
    cli.rate_per_s = 700;
    print(report_table, &r);
    cr_assert(strstr(text, "  offered                    700  /s") != NULL, "%s", text);
    cr_assert(strstr(text, "  goodput                    300  /s") != NULL, "%s", text);
    cr_assert(strstr(text, "  oldest                  2500.0  us") != NULL, "%s", text);
    print(report_json, &r);
    cr_assert(strstr(text, "\"offered_per_s\":700,") != NULL, "%s", text);
    cr_assert(strstr(text, "\"goodput_per_s\":300,") != NULL, "%s", text);
    cr_assert(strstr(text, "\"oldest_us\":2500,") != NULL, "%s", text);
    cli.rate_per_s = 0;
    cli.window = 7;
    print(report_table, &r);
    cr_assert(strstr(text, "offered") == NULL && strstr(text, "goodput") == NULL, "%s", text);
    print(report_json, &r);
    cr_assert(strstr(text, "\"offered_per_s\":null,") != NULL, "%s", text);
}

Test(report, refusals_are_told_for_each_kind)
{
    tally.sent[SCENARIO_INVITE] = 500;
    tally.sent[SCENARIO_REFRESH] = 500;
    tally.refused[SCENARIO_REFRESH] = 123;
    const struct run_result r = result_of();
    print(report_table, &r);
    cr_assert(strstr(text, "  refresh                    500             0           123") != NULL,
              "%s", text);
    print(report_json, &r);
    cr_assert(strstr(text, "\"refresh\":{\"sent\":500,\"right\":0,\"refused\":123,") != NULL, "%s",
              text);
}

Test(report, a_search_succeeds_when_it_found_a_rate_though_others_lost)
{
    struct run_result r = result_of();
    cli.find_max = true;
    tally.counts.lost = 500;
    cr_assert_not(report_success(&r));
    r.best_per_s = 1000;
    cr_assert(report_success(&r));
    tally.counts.unmatched = 1;
    cr_assert_not(report_success(&r));
}

Test(report, wrong_answers_are_kept_up_to_the_bound_and_cannot_steer_the_terminal)
{
    const struct complaint why = {"wrong status", SLICE_INIT("302"), SLICE_INIT("\033[2J")};
    for (unsigned i = 0; i < 5; i++) {
        tally_keep(&tally, &why, SLICE("SIP/2.0 500 \033\r\n"));
    }
    cr_assert_eq(tally.samples, 2);
    const struct run_result r = result_of();
    print(report_table, &r);
    cr_assert(strstr(text, "expected  302") != NULL);
    cr_assert(strstr(text, "\\x1b[2J") != NULL);
    cr_assert(strchr(text, '\033') == NULL);
}

Test(report, json_has_parameters_counts_and_latencies)
{
    histogram_record(&tally.latency_ns[SCENARIO_INVITE], 1500);
    tally.sent[SCENARIO_INVITE] = 1000;
    const struct run_result r = result_of();
    print(report_json, &r);
    cr_assert(strstr(text, "\"scenario\":\"invite\"") != NULL);
    cr_assert(strstr(text, "\"sent\":1000,\"right\":1000,") != NULL);
    cr_assert(strstr(text, "\"sent_per_s\":500,") != NULL);
    cr_assert(strstr(text, "\"kinds\":{\"invite\":{\"sent\":1000,\"right\":1,\"refused\":0,") !=
              NULL);
    cr_assert(strstr(text, "\"p50\":1.5,") != NULL);
    cr_assert_eq(text[strlen(text) - 1], '\n');
}
