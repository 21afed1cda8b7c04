// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/moment.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "signpost/base/now.h"

enum { S_PER_MIN = 60, S_PER_HOUR = 3600, YEAR_MIN = 1900, YEAR_MAX = 9999 };

// Takes exactly so many digits off the front.
static bool take_digits(struct slice *text, size_t digits, int max, int *out)
{
    uint64_t value = 0;
    if (text->len < digits || !slice_to_u64(slice_of(text->at, digits), (uint64_t)max, &value)) {
        return false;
    }
    *out = (int)value;
    *text = slice_from(*text, digits);
    return true;
}

static bool take_char(struct slice *text, struct slice any)
{
    if (slice_empty(*text) || slice_find(any, text->at[0]) == any.len) {
        return false;
    }
    *text = slice_from(*text, 1);
    return true;
}

// "+HH", "+HHMM" or "+HH:MM", all that is left.
static bool parse_offset(struct slice text, int32_t *offset_s)
{
    const bool west = !slice_empty(text) && text.at[0] == '-';
    int hours = 0;
    int minutes = 0;
    if (!take_char(&text, SLICE("+-")) || !take_digits(&text, 2, 23, &hours)) {
        return false;
    }
    (void)take_char(&text, SLICE(":"));
    if (!slice_empty(text) && !take_digits(&text, 2, 59, &minutes)) {
        return false;
    }
    const int32_t seconds = hours * S_PER_HOUR + minutes * S_PER_MIN;
    *offset_s = west ? -seconds : seconds;
    return slice_empty(text);
}

static bool in_database(const char *name)
{
    char path[256];
    const int len = snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", name);
    return len > 0 && (size_t)len < sizeof(path) && strstr(name, "..") == NULL && name[0] != '/' &&
           access(path, R_OK) == 0;
}

bool zone_parse(const char *text, struct zone *zone)
{
    *zone = (struct zone){.local = false, .offset_s = 0};
    if (strcmp(text, "UTC") == 0) {
        return true;
    }
    if (text[0] == '+' || text[0] == '-') {
        return parse_offset(slice_of(text, strlen(text)), &zone->offset_s);
    }
    zone->local = true;
    if (strcmp(text, "local") == 0) {
        return true;
    }
    if (text[0] == '\0' || !in_database(text) || setenv("TZ", text, 1) != 0) {
        return false;
    }
    tzset();
    return true;
}

static bool take_date(struct slice *text, struct tm *tm)
{
    const bool ok = take_digits(text, 4, YEAR_MAX, &tm->tm_year) && take_char(text, SLICE("-")) &&
                    take_digits(text, 2, 12, &tm->tm_mon) && take_char(text, SLICE("-")) &&
                    take_digits(text, 2, 31, &tm->tm_mday) && tm->tm_year >= YEAR_MIN &&
                    tm->tm_mon > 0 && tm->tm_mday > 0;
    tm->tm_year -= YEAR_MIN;
    tm->tm_mon--;
    return ok;
}

static bool take_time(struct slice *text, struct tm *tm, int *ms)
{
    if (!take_char(text, SLICE(" T")) || !take_digits(text, 2, 23, &tm->tm_hour) ||
        !take_char(text, SLICE(":")) || !take_digits(text, 2, 59, &tm->tm_min) ||
        !take_char(text, SLICE(":")) || !take_digits(text, 2, 60, &tm->tm_sec)) {
        return false;
    }
    *ms = 0;
    if (!take_char(text, SLICE("."))) {
        return true;
    }
    int weight = 100;
    bool any = false;
    for (int digit = 0; take_digits(text, 1, 9, &digit); weight /= 10) {
        *ms += digit * weight;
        any = true;
    }
    return any;
}

bool moment_parse(struct slice text, const struct zone *zone, int64_t *wall_ms)
{
    struct tm tm = {.tm_isdst = -1};
    struct zone own = *zone;
    int ms = 0;
    if (!take_date(&text, &tm) || !take_time(&text, &tm, &ms)) {
        return false;
    }
    if (!slice_empty(text)) {
        own = (struct zone){.local = false, .offset_s = 0};
        if (!slice_equal(text, SLICE("Z")) && !parse_offset(text, &own.offset_s)) {
            return false;
        }
    }
    const int64_t seconds = own.local ? mktime(&tm) : timegm(&tm) - own.offset_s;
    *wall_ms = seconds * MS_PER_S + ms;
    return true;
}

void moment_put(struct buf *b, uint64_t wall_ms)
{
    const time_t seconds = (time_t)(wall_ms / MS_PER_S);
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL) {
        tm = (struct tm){.tm_year = YEAR_MAX - YEAR_MIN, .tm_mon = 11, .tm_mday = 31};
    }
    buf_put_padded(b, (uint64_t)tm.tm_year + YEAR_MIN, 4);
    buf_put_char(b, '-');
    buf_put_padded(b, (uint64_t)tm.tm_mon + 1, 2);
    buf_put_char(b, '-');
    buf_put_padded(b, (uint64_t)tm.tm_mday, 2);
    buf_put_char(b, 'T');
    buf_put_padded(b, (uint64_t)tm.tm_hour, 2);
    buf_put_char(b, ':');
    buf_put_padded(b, (uint64_t)tm.tm_min, 2);
    buf_put_char(b, ':');
    buf_put_padded(b, (uint64_t)tm.tm_sec, 2);
    buf_put_char(b, '.');
    buf_put_padded(b, wall_ms % MS_PER_S, 3);
    buf_put_char(b, 'Z');
}
