// SPDX-License-Identifier: Apache-2.0
#include "sipflood/progress.h"

#include <criterion/criterion.h>

static struct histogram latency_ns;
static char text[1024];

static void print(void (*say)(FILE *, const struct progress *), double done)
{
    const struct tally_counts run = {.lost = 7, .refused = 8, .unmatched = 2};
    const struct tally_counts since = {
        .sent = 100, .right = 90, .refused = 1, .wrong_status = 5, .lost = 4};
    const struct progress p = {.rate_per_s = 100,
                               .at_s = 3.25,
                               .done = done,
                               .run = &run,
                               .since = &since,
                               .latency_ns = &latency_ns};
    histogram_reset(&latency_ns);
    histogram_record(&latency_ns, 1500);
    memset(text, 0, sizeof(text));
    FILE *out = fmemopen(text, sizeof(text) - 1, "w");
    cr_assert(out != NULL);
    say(out, &p);
    (void)fclose(out);
}

Test(progress, csv_has_a_value_for_each_column)
{
    char head[512] = {0};
    FILE *out = fmemopen(head, sizeof(head) - 1, "w");
    cr_assert(out != NULL);
    progress_csv_head(out);
    (void)fclose(out);
    print(progress_csv, 0);
    cr_assert_str_eq(text, "3.250,100,100,96,90,1,5,4,1.5,1.5,1.5,1.5,1.5\n");
    unsigned commas = 0;
    for (const char *c = head; *c != '\0'; c++) {
        commas += *c == ',' ? 1 : 0;
    }
    cr_assert_eq(commas, 12);
}

Test(progress, bar_fills_with_what_is_done)
{
    print(progress_show, 0.5);
    cr_assert(strstr(text, "[##########          ]  50%  sent 100/s") != NULL, "%s", text);
    cr_assert(strstr(text, "wrong 2  lost 7  refused 8  p99") != NULL);
    print(progress_show, 1.7);
    cr_assert(strstr(text, "[####################] 100%") != NULL, "%s", text);
}

Test(progress, where_nobody_knows_the_end_there_is_no_bar)
{
    print(progress_show, -1);
    cr_assert(strstr(text, "trying 100/s  sent 100/s") != NULL, "%s", text);
}
