// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>

#include "micro/report.h"
#include "micro/run.h"

static struct series series;
static char text[4096];
static char why[256];

static const struct counters no_counters = {.cycles_fd = -1, .instructions_fd = -1};

static const struct figures uncounted = {.ns = 12.5, .ns_low = 12, .ns_high = 13};
static const struct figures counted = {
    .ns = 25, .ns_low = 24, .ns_high = 26, .counted = true, .cycles = 40, .instructions = 100};

Test(micro, quartiles_do_not_mind_the_order_nor_an_outlier)
{
    series = (struct series){.ops = 10, .rounds = 5, .ns = {500, 100, 90000, 200, 400}};
    const struct figures f = series_figures(&series);
    cr_assert_float_eq(f.ns_low, 20, 1e-9);
    cr_assert_float_eq(f.ns, 40, 1e-9);
    cr_assert_float_eq(f.ns_high, 50, 1e-9);
    cr_assert(f.counted);
}

// What a batch was asked to do, in the order it was.
struct diary {
    char text[64];
    size_t len;
    size_t right;
};

static void note(void *stage, char what)
{
    struct diary *const diary = stage;
    diary->text[diary->len++] = what;
}

static bool before(void *stage, const struct micro_row *row)
{
    (void)row;
    note(stage, 'b');
    return true;
}

static size_t batch(void *stage, const struct micro_row *row)
{
    (void)row;
    note(stage, 'm');
    return ((const struct diary *)stage)->right;
}

static bool after(void *stage, const struct micro_row *row)
{
    (void)row;
    note(stage, 'a');
    return true;
}

static const struct micro_row row = {
    .name = "x", .ops = 7, .before = before, .batch = batch, .after = after};

Test(micro, warm_up_does_not_count)
{
    struct diary diary = {.right = 7};
    series = (struct series){0};
    cr_assert(measure_row(&row, &diary, 2, &no_counters, &series));
    cr_assert_str_eq(diary.text, "bmabmabmabma");
    cr_assert_eq(series.rounds, 2);
    cr_assert(series.uncounted);
}

Test(micro, an_operation_that_went_wrong_has_no_figure)
{
    struct diary diary = {.right = 6};
    cr_assert_not(measure_row(&row, &diary, 2, &no_counters, &series));
}

static void print(bool json)
{
    memset(text, 0, sizeof(text));
    FILE *const out = fmemopen(text, sizeof(text) - 1, "w");
    cr_assert_not_null(out);
    struct report report = report_begin(out, json, 3);
    report_row(&report, "hash/aor", &uncounted);
    report_row(&report, "table/hit/10k", &counted);
    report_ratio(&report, "table/hit ratio", &uncounted, &counted);
    cr_assert(report_end(&report));
    (void)fclose(out);
}

Test(micro, table_says_what_the_machine_does_not_tell)
{
    print(false);
    const char *const line = strstr(text, "\nhash/aor ");
    cr_assert_not_null(line);
    cr_assert(strstr(line, "12.5       12.0-      13.0          -             -\n") != NULL, "%s",
              text);
    cr_assert(strstr(text, "40.0         100.0\n") != NULL, "%s", text);
    cr_assert(strstr(text, "      2.00\n") != NULL, "%s", text);
}

Test(micro, json_is_one_object)
{
    print(true);
    cr_assert_str_eq(
        text, "{\"version\":\"" SIGNPOST_VERSION "\",\"rounds\":3,\"rows\":["
              "{\"name\":\"hash/aor\",\"ns\":12.5,\"ns_low\":12,\"ns_high\":13,\"cycles\":null,"
              "\"instructions\":null},"
              "{\"name\":\"table/hit/10k\",\"ns\":25,\"ns_low\":24,\"ns_high\":26,\"cycles\":40,"
              "\"instructions\":100},"
              "{\"name\":\"table/hit ratio\",\"ratio\":2}]}\n");
}

static enum run_end run(const char *filter)
{
    const struct run_options options = {.filter = filter, .users_max = RUN_USERS_FEW, .rounds = 1};
    memset(text, 0, sizeof(text));
    memset(why, 0, sizeof(why));
    FILE *const out = fmemopen(text, sizeof(text) - 1, "w");
    FILE *const to = fmemopen(why, sizeof(why) - 1, "w");
    cr_assert(out != NULL && to != NULL);
    const enum run_end end = run_all(&options, out, to);
    (void)fclose(out);
    (void)fclose(to);
    return end;
}

Test(micro, filter_chooses_rows)
{
    cr_assert_eq(run("hash/"), RUN_OK);
    cr_assert(strstr(text, "hash/aor") != NULL && strstr(text, "hash/call-id") != NULL);
    cr_assert(strstr(text, "parse/") == NULL, "%s", text);
}

Test(micro, what_a_change_costs_is_measured)
{
    static const char *const rows[] = {"record/put", "record/next", "queue/one-thread/1",
                                       "queue/one-thread/32"};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        cr_assert_eq(run(rows[i]), RUN_OK, "%s: %s", rows[i], why);
        cr_assert(strstr(text, rows[i]) != NULL, "%s", text);
    }
}

Test(micro, a_filter_that_chooses_nothing_is_a_mistake)
{
    cr_assert_eq(run("frob"), RUN_BROKEN);
    cr_assert(strstr(why, "frob") != NULL, "%s", why);
}
