// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <ctype.h>

#include "signpost/state/metrics.h"

static struct metrics one;
static struct metrics two;

static const struct metric_row *row(unsigned i)
{
    return metrics_row((enum metric)i);
}

// [a-zA-Z_:][a-zA-Z0-9_:]*, of which the colon is for recording rules
static bool prometheus_name(const char *s)
{
    bool ok = *s != '\0' && isdigit((unsigned char)*s) == 0;
    for (; *s != '\0'; s++) {
        ok = ok && (isalnum((unsigned char)*s) != 0 || *s == '_');
    }
    return ok;
}

// name="value", without escapes in the value
static bool prometheus_label(const char *s)
{
    const char *const equals = strchr(s, '=');
    const size_t len = strlen(s);
    return equals != NULL && equals > s && equals[1] == '"' && len > (size_t)(equals - s) + 3 &&
           s[len - 1] == '"' && strcspn(equals + 2, "\"\\\n") == len - (size_t)(equals - s) - 3;
}

Test(metrics, names_are_prometheus_names_with_the_projects_prefix)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        cr_assert(prometheus_name(row(i)->name), "%s", row(i)->name);
        cr_assert_eq(strncmp(row(i)->name, "signpost_", 9), 0, "%s", row(i)->name);
    }
}

Test(metrics, counters_end_in_total_and_gauges_do_not)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const size_t len = strlen(row(i)->name);
        const bool total = len > 6 && strcmp(row(i)->name + len - 6, "_total") == 0;
        cr_assert_eq(total, row(i)->kind == METRIC_COUNTER, "%s", row(i)->name);
    }
}

Test(metrics, every_row_has_help_of_one_line)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const size_t len = strlen(row(i)->help);
        cr_assert_gt(len, 3, "%s", row(i)->name);
        cr_assert_eq(row(i)->help[len - 1], '.', "%s", row(i)->name);
        cr_assert_null(strpbrk(row(i)->help, "\n\\"), "%s", row(i)->name);
    }
}

Test(metrics, labels_are_well_formed_and_tell_rows_of_one_name_apart)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        cr_assert(*row(i)->labels == '\0' || prometheus_label(row(i)->labels), "%s{%s}",
                  row(i)->name, row(i)->labels);
        for (unsigned j = 0; j < i; j++) {
            cr_assert(strcmp(row(i)->name, row(j)->name) != 0 ||
                          strcmp(row(i)->labels, row(j)->labels) != 0,
                      "%s{%s} twice", row(i)->name, row(i)->labels);
        }
    }
}

Test(metrics, rows_of_one_name_stand_together_with_one_kind_and_help)
{
    for (unsigned i = 1; i < METRIC_COUNT; i++) {
        const bool same = strcmp(row(i)->name, row(i - 1)->name) == 0;
        if (same) {
            cr_assert_str_eq(row(i)->help, row(i - 1)->help);
            cr_assert_eq(row(i)->kind, row(i - 1)->kind, "%s", row(i)->name);
        }
        for (unsigned j = 0; j + 1 < i && !same; j++) {
            cr_assert_str_neq(row(i)->name, row(j)->name);
        }
    }
}

Test(metrics, requests_and_responses_have_the_row_of_their_method_and_status)
{
    cr_assert_str_eq(row(METRIC_REQUESTS + METHOD_INVITE)->labels, "method=\"INVITE\"");
    cr_assert_str_eq(row(METRIC_REQUESTS + METHOD_UPDATE)->labels, "method=\"UPDATE\"");
    cr_assert_str_eq(row(METRIC_REQUESTS + METHOD_UNKNOWN)->labels, "method=\"other\"");
    cr_assert_str_eq(row(METRIC_RESPONSES + STATUS_OK)->labels, "code=\"200\"");
    cr_assert_str_eq(row(METRIC_RESPONSES + STATUS_VERSION_NOT_SUPPORTED)->labels, "code=\"505\"");
    cr_assert_str_eq(row(METRIC_START_TIME)->name, "signpost_start_time_seconds");
}

Test(metrics, counting_touches_one_row)
{
    metrics_request(&one, METHOD_REGISTER);
    metrics_request(&one, METHOD_REGISTER);
    metrics_response(&one, STATUS_NOT_FOUND);
    metrics_add(&one, METRIC_ACKS, 5);
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const uint64_t expected = i == METRIC_REQUESTS + METHOD_REGISTER     ? 2
                                  : i == METRIC_RESPONSES + STATUS_NOT_FOUND ? 1
                                  : i == METRIC_ACKS                         ? 5
                                                                             : 0;
        cr_assert_eq(metric_read(&one.rows[i]), expected, "%s{%s}", row(i)->name, row(i)->labels);
    }
}

Test(metrics, sum_adds_every_row)
{
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        metrics_add(&one, (enum metric)i, i + 1);
        metrics_add(&two, (enum metric)i, 1000);
    }
    metrics_sum(&two, &one);
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        cr_assert_eq(metric_read(&two.rows[i]), 1001 + i);
        cr_assert_eq(metric_read(&one.rows[i]), i + 1);
    }
}
