// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/now.h"

struct civil_date {
    uint64_t year;
    unsigned month; // 1..12
    unsigned day;   // 1..31
};

// Days since 1970-01-01 to the proleptic Gregorian date. The year is taken to start in March, so
// that the leap day is its last and the months' lengths follow one linear formula.
static struct civil_date civil_from_days(uint64_t days)
{
    enum { DAYS_0000_TO_1970 = 719468, DAYS_PER_ERA = 146097, YEARS_PER_ERA = 400 };

    const uint64_t shifted = days + DAYS_0000_TO_1970;
    const uint64_t era = shifted / DAYS_PER_ERA;
    const uint64_t day_of_era = shifted % DAYS_PER_ERA;
    const uint64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    const uint64_t day_of_year =
        day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    const unsigned march_month = (unsigned)((5 * day_of_year + 2) / 153);
    const unsigned month = march_month < 10 ? march_month + 3 : march_month - 9;
    return (struct civil_date){
        .year = year_of_era + era * YEARS_PER_ERA + (month <= 2 ? 1 : 0),
        .month = month,
        .day = (unsigned)(day_of_year - (153 * march_month + 2) / 5) + 1,
    };
}

void now_put_date(struct buf *b, struct now now)
{
    static const char days[] = "Thu, Fri, Sat, Sun, Mon, Tue, Wed, "; // 1970-01-01 was a Thursday
    static const char months[] = " Jan  Feb  Mar  Apr  May  Jun  Jul  Aug  Sep  Oct  Nov  Dec ";

    enum { S_PER_MIN = 60, S_PER_HOUR = 3600, S_PER_DAY = 86400, NAME = 5 };

    const uint64_t seconds = now.wall_ms / MS_PER_S;
    const unsigned second_of_day = (unsigned)(seconds % S_PER_DAY);
    const struct civil_date date = civil_from_days(seconds / S_PER_DAY);

    const unsigned year_digits = buf_digits(date.year);
    char *at = buf_room(b, sizeof("Thu, 01 Jan  00:00:00 GMT") - 1 + year_digits);
    if (at == NULL) {
        return;
    }
    at = buf_write(at, slice_of(days + NAME * (seconds / S_PER_DAY % 7), NAME));
    at = buf_write2(at, date.day);
    at = buf_write(at, slice_of(months + NAME * (size_t)(date.month - 1), NAME));
    at = buf_write_u64(at, date.year, year_digits);
    *at++ = ' ';
    at = buf_write2(at, second_of_day / S_PER_HOUR);
    *at++ = ':';
    at = buf_write2(at, second_of_day % S_PER_HOUR / S_PER_MIN);
    *at++ = ':';
    at = buf_write2(at, second_of_day % S_PER_MIN);
    (void)buf_write(at, SLICE(" GMT"));
}
