// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/moment.h"

#include <stdlib.h>

#include "tests/unit/support.h"

static const struct {
    const char *text;
    const char *zone;
    bool ok;
    int64_t wall_ms;
} rows[] = {
    {"1970-01-01 00:00:00", "UTC", true, 0},
    {"2026-11-22 17:00:00", "UTC", true, INT64_C(1795366800000)},
    {"2026-11-22T17:00:00.25Z", "+05:00", true, INT64_C(1795366800250)},
    {"2026-11-22 19:00:00", "+02:00", true, INT64_C(1795366800000)},
    {"2026-11-22 13:30:00", "-0330", true, INT64_C(1795366800000)},
    {"2026-11-22 18:00:00+01", "UTC", true, INT64_C(1795366800000)},
    {"2026-11-22 18:00:00.123456+01:00", "UTC", true, INT64_C(1795366800123)},
    {"2024-02-29 00:00:00", "UTC", true, INT64_C(1709164800000)},
    {"1969-12-31 19:00:00", "-05", true, 0},
    {"1969-12-31 19:00:00", "UTC", true, INT64_C(-18000000)},
    {"2026-13-22 17:00:00", "UTC", false, 0},
    {"2026-00-22 17:00:00", "UTC", false, 0},
    {"2026-11-22 24:00:00", "UTC", false, 0},
    {"2026-11-22 17:00", "UTC", false, 0},
    {"2026-11-22", "UTC", false, 0},
    {"2026-11-22 17:00:00.", "UTC", false, 0},
    {"2026-11-22 17:00:00 CET", "UTC", false, 0},
    {"2026-11-22 17:00:00Zx", "UTC", false, 0},
    {"0000-00-00 00:00:00", "UTC", false, 0},
    {"-026-11-22 17:00:00", "UTC", false, 0},
    {"now", "UTC", false, 0},
    {"", "UTC", false, 0},
};

Test(moment, dates_are_read_in_their_zone)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct zone zone;
        int64_t wall_ms = 0;
        cr_assert(zone_parse(rows[i].zone, &zone));
        const bool ok = moment_parse(text_slice(rows[i].text), &zone, &wall_ms);
        cr_expect_eq(ok, rows[i].ok, "%s", rows[i].text);
        cr_expect(!ok || wall_ms == rows[i].wall_ms, "%s: %lld", rows[i].text, (long long)wall_ms);
    }
}

Test(moment, reads_nothing_beyond_the_text)
{
    const struct guard guard = guard_create(64);
    const struct zone zone = {.local = false, .offset_s = 0};
    const struct slice text = SLICE("2026-11-22T17:00:00.25+01:00");
    for (size_t len = 0; len <= text.len; len++) {
        int64_t wall_ms;
        (void)moment_parse(guard_copy(guard, slice_of(text.at, len)), &zone, &wall_ms);
    }
}

Test(moment, local_time_is_that_of_TZ)
{
    struct zone zone;
    int64_t wall_ms = 0;
    cr_assert_eq(setenv("TZ", "ABC-3", 1), 0); // three hours east
    cr_assert(zone_parse("local", &zone));
    cr_assert(moment_parse(SLICE("2026-11-22 20:00:00"), &zone, &wall_ms));
    cr_expect_eq(wall_ms, INT64_C(1795366800000));
}

Test(moment, unknown_zones_are_refused)
{
    static const char *const zones[] = {"",       "Mars/Olympus", "../localtime", "/etc/passwd",
                                        "+25:00", "+1",           "+01:00x"};
    for (size_t i = 0; i < LENGTH_OF(zones); i++) {
        struct zone zone;
        cr_expect(!zone_parse(zones[i], &zone), "%s", zones[i]);
    }
}

Test(moment, is_written_as_it_is_read)
{
    static const uint64_t moments[] = {0, 1, UINT64_C(1795366800250), UINT64_C(253402300799999)};
    const struct zone zone = {.local = false, .offset_s = 0};
    for (size_t i = 0; i < LENGTH_OF(moments); i++) {
        char bytes[32];
        struct buf b = buf_over(bytes, sizeof(bytes));
        int64_t wall_ms = -1;
        moment_put(&b, moments[i]);
        cr_expect(moment_parse(buf_slice(&b), &zone, &wall_ms));
        cr_expect_eq((uint64_t)wall_ms, moments[i], "%.*s", PRINTED(buf_slice(&b)));
    }
}
