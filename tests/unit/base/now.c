// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/now.h"

#include <stdio.h>

#include "tests/unit/support.h"

enum { S_PER_DAY = 86400 };

static const struct {
    uint64_t wall_s;
    const char *text;
} dates[] = {
    {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
    {59, "Thu, 01 Jan 1970 00:00:59 GMT"},
    {3600, "Thu, 01 Jan 1970 01:00:00 GMT"},
    {86399, "Thu, 01 Jan 1970 23:59:59 GMT"},
    {86400, "Fri, 02 Jan 1970 00:00:00 GMT"},
    {68169600, "Tue, 29 Feb 1972 00:00:00 GMT"},
    {946684799, "Fri, 31 Dec 1999 23:59:59 GMT"},
    {946684800, "Sat, 01 Jan 2000 00:00:00 GMT"},
    {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
    {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
    {978220800, "Sun, 31 Dec 2000 00:00:00 GMT"},
    {1289690940, "Sat, 13 Nov 2010 23:29:00 GMT"}, // RFC 3261 20.17
    {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
    {2147483647, "Tue, 19 Jan 2038 03:14:07 GMT"},
    {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
    {4107542399, "Sun, 28 Feb 2100 23:59:59 GMT"},
    {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
    {13574563200, "Tue, 29 Feb 2400 00:00:00 GMT"},
    {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
};

static struct slice put_date(uint64_t wall_ms, char memory[static 64])
{
    struct buf b = buf_over(memory, 64);
    now_put_date(&b, (struct now){.mono_ms = 77, .wall_ms = wall_ms});
    return buf_slice(&b);
}

Test(now, known_dates)
{
    for (size_t i = 0; i < LENGTH_OF(dates); i++) {
        char memory[64];
        const struct slice date = put_date(dates[i].wall_s * MS_PER_S, memory);
        cr_expect(slice_is(date, dates[i].text), "%lu is \"%.*s\"", dates[i].wall_s, PRINTED(date));
        cr_expect_eq(date.len, 29);
    }
}

Test(now, milliseconds_are_cut_off)
{
    char memory[64];
    ASSERT_TEXT(put_date(999, memory), "Thu, 01 Jan 1970 00:00:00 GMT");
    ASSERT_TEXT(put_date(1000, memory), "Thu, 01 Jan 1970 00:00:01 GMT");
}

static unsigned days_of(unsigned month, unsigned year)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month] + (month == 1 && leap ? 1 : 0);
}

// Counts the days one by one, as a person with a calendar would.
Test(now, every_day_of_four_centuries)
{
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    static const char *const week[] = {"Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"};
    uint64_t day = 0;
    for (unsigned year = 1970; year <= 2401; year++) {
        for (unsigned month = 0; month < 12; month++) {
            for (unsigned d = 1; d <= days_of(month, year); d++, day++) {
                char memory[64];
                char expected[64];
                const struct slice date = put_date(day * S_PER_DAY * MS_PER_S, memory);
                (void)snprintf(expected, sizeof(expected), "%s, %02u %s %u 00:00:00 GMT",
                               week[day % 7], d, months[month], year);
                if (!slice_is(date, expected)) {
                    cr_assert_fail("%.*s instead of %s", PRINTED(date), expected);
                }
            }
        }
    }
}

Test(now, date_that_does_not_fit_overflows)
{
    char memory[28];
    struct buf b = buf_over(memory, sizeof(memory));
    now_put_date(&b, (struct now){.wall_ms = 0});
    cr_assert_not(buf_ok(&b));
}
