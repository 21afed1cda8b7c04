// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/kamailio.h"

#include <math.h>
#include <stdlib.h>

#include "signpost/sip/fields.h"

enum {
    S_PER_DAY = 86400,
    NEWNESS_ID_BITS = 22, // of the rows of one second, what tells them apart
};

static const struct slice *value_of(const struct table *table, enum column column)
{
    const struct slice *const value = table_value(table, column);
    return value == NULL || slice_empty(*value) ? NULL : value;
}

static bool parse_real(struct slice text, double *out)
{
    char bytes[40];
    if (slice_empty(text) || text.len >= sizeof(bytes)) {
        return false;
    }
    memcpy(bytes, text.at, text.len);
    bytes[text.len] = '\0';
    char *end;
    *out = strtod(bytes, &end);
    return *end == '\0' && isfinite(*out);
}

// A moment as the databases have it: a date, seconds since 1970 (db_text; expires_type 1), or a
// Julian day with its fraction (SQLite).
static bool parse_moment(struct slice text, const struct zone *zone, int64_t *wall_ms)
{
    static const double julian_1970 = 2440587.5;
    static const double julian_max = 5373484.5; // the year 9999; as seconds, March 1970
    static const double seconds_max = 1e11;     // far beyond the year 3000

    double value;
    if (!parse_real(text, &value)) {
        return moment_parse(text, zone, wall_ms);
    }
    if (value < 0 || value > seconds_max) {
        return false;
    }
    const bool julian = value >= julian_1970 - 1 && value <= julian_max;
    *wall_ms = llround((julian ? (value - julian_1970) * S_PER_DAY : value) * MS_PER_S);
    return true;
}

// Never, for Kamailio, is the beginning of 1970, in whatever zone that was written.
static bool is_never(int64_t wall_ms)
{
    const int64_t day_ms = (int64_t)S_PER_DAY * MS_PER_S;
    return wall_ms >= -day_ms && wall_ms <= day_ms;
}

static bool take_expiry(const struct table *table, const struct kamailio_rules *rules,
                        struct entry *entry)
{
    const struct slice *const expires = value_of(table, COLUMN_EXPIRES);
    int64_t wall_ms;
    if (expires == NULL || !parse_moment(*expires, &rules->zone, &wall_ms)) {
        return false;
    }
    const uint64_t latest_ms = rules->now_ms + (uint64_t)EXPIRES_S_LIMIT * MS_PER_S;
    entry->permanent = is_never(wall_ms);
    const uint64_t ms = entry->permanent ? latest_ms : wall_ms > 0 ? (uint64_t)wall_ms : 1;
    entry->binding.expires_wall_ms = ms < latest_ms ? ms : latest_ms;
    return true;
}

static uint64_t newness_of(const struct table *table, const struct zone *zone)
{
    const struct slice *const modified = value_of(table, COLUMN_LAST_MODIFIED);
    const struct slice *const id = value_of(table, COLUMN_ID);
    int64_t wall_ms = 0;
    uint64_t number = table->line;
    if (modified != NULL && !parse_moment(*modified, zone, &wall_ms)) {
        wall_ms = 0;
    }
    if (id != NULL && !slice_to_u64(*id, UINT64_MAX, &number)) {
        number = table->line;
    }
    return (wall_ms > 0 ? (uint64_t)wall_ms : 0) << NEWNESS_ID_BITS |
           (number & ((1U << NEWNESS_ID_BITS) - 1));
}

static bool take_numbers(const struct table *table, struct entry *entry)
{
    const struct slice *const q = value_of(table, COLUMN_Q);
    const struct slice *const cseq = value_of(table, COLUMN_CSEQ);
    double weight = -1; // none was given
    uint64_t number = 0;
    if ((q != NULL && !parse_real(*q, &weight)) || weight > 1 ||
        (cseq != NULL && !slice_to_u64(*cseq, INT32_MAX, &number))) {
        return false;
    }
    entry->binding.q = weight < 0 ? Q_ABSENT : (uint16_t)lround(weight * Q_ONE);
    entry->binding.cseq = (uint32_t)number;
    return true;
}

// RFC 5626 4.1: the phone's identity, which it gave as Contact parameters.
static void put_params(const struct table *table, struct buf *text)
{
    const struct slice *const instance = value_of(table, COLUMN_INSTANCE);
    const struct slice *const reg_id = value_of(table, COLUMN_REG_ID);
    if (instance != NULL) {
        buf_put(text, SLICE(";+sip.instance=\""));
        for (size_t i = 0; i < instance->len; i++) {
            const char c = instance->at[i];
            buf_put(text, c == '"' || c == '\\' ? SLICE("\\") : SLICE(""));
            buf_put_char(text, c);
        }
        buf_put_char(text, '"');
    }
    if (reg_id != NULL && !slice_equal(*reg_id, SLICE("0"))) {
        buf_put(text, SLICE(";reg-id="));
        buf_put(text, *reg_id);
    }
}

static enum err fault(const char **why, const char *text)
{
    *why = text;
    return ERR_SYNTAX;
}

enum err kamailio_entry(const struct table *table, const struct kamailio_rules *rules,
                        struct buf *text, struct entry *entry, const char **why)
{
    const struct slice *const username = value_of(table, COLUMN_USERNAME);
    const struct slice *const domain = value_of(table, COLUMN_DOMAIN);
    const struct slice *const contact = value_of(table, COLUMN_CONTACT);
    const struct slice *const call_id = value_of(table, COLUMN_CALLID);
    const struct slice host = domain == NULL ? rules->domain : *domain;
    if (username == NULL || contact == NULL) {
        return fault(why, username == NULL ? "has no username" : "has no contact");
    }
    if (slice_empty(host)) {
        return ERR_NOT_FOUND;
    }
    *entry = (struct entry){
        .newness = newness_of(table, &rules->zone),
        .by_nat = value_of(table, COLUMN_RECEIVED) != NULL,
        .by_path = value_of(table, COLUMN_PATH) != NULL,
        .binding = {.uri = *contact, .call_id = call_id == NULL ? SLICE("0") : *call_id},
    };
    if (!entry_put_aor(text, *username, host)) {
        return fault(why, "has a domain that is no host");
    }
    entry->aor = buf_slice(text);
    put_params(table, text);
    entry->binding.params = slice_from(buf_slice(text), entry->aor.len);
    if (!buf_ok(text)) {
        return fault(why, "is longer than a binding can be");
    }
    if (!take_expiry(table, rules, entry)) {
        return fault(why, "has an expires that is no date, nor seconds, nor a Julian day");
    }
    if (!take_numbers(table, entry)) {
        return fault(why, "has a q or a cseq that is none");
    }
    *why = entry_fault(entry);
    return *why == NULL ? ERR_OK : ERR_SYNTAX;
}
