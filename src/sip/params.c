// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/params.h"

#include "signpost/base/endpoint.h"
#include "signpost/sip/chars.h"

bool params_next_uri(struct slice *rest, struct param *out)
{
    if (rest->len < 2 || rest->at[0] != ';') {
        return false;
    }
    const struct slice body = slice_from(*rest, 1);
    const size_t end = slice_find(body, ';');
    const struct slice one = slice_of(body.at, end);
    const size_t equals = slice_find(one, '=');
    out->whole = slice_of(rest->at, end + 1);
    out->name = slice_of(one.at, equals);
    out->value = slice_from(one, equals + 1);
    out->has_value = equals < one.len;
    if (slice_empty(out->name) || !chars_all_escaped(CHARS_URI_PARAM, out->name) ||
        !chars_all_escaped(CHARS_URI_PARAM, out->value) ||
        (out->has_value && slice_empty(out->value))) {
        return false;
    }
    *rest = slice_from(body, end);
    return true;
}

// qdtext, but for the quote and the backslash.
static bool quotable(char c)
{
    return chars_lws(c) || ((unsigned char)c >= ' ' && c != '\x7f');
}

// What may stand behind the backslash of a quoted-pair, and by leniency UTF-8 too.
static bool escapable(char c)
{
    return c != '\r' && c != '\n';
}

size_t quoted_length(struct slice s)
{
    if (s.len == 0 || s.at[0] != '"') {
        return 0;
    }
    for (size_t i = 1; i < s.len; i++) {
        if (s.at[i] == '"') {
            return i + 1;
        }
        const bool escape = s.at[i] == '\\';
        if (escape) {
            i++;
        }
        if (i < s.len && !(escape ? escapable(s.at[i]) : quotable(s.at[i]))) {
            return 0;
        }
    }
    return 0;
}

// gen-value = token / host / quoted-string: the length at the front of `s`, 0 when it is none.
static size_t value_length(struct slice s)
{
    const size_t quoted = quoted_length(s);
    if (quoted > 0) {
        return quoted;
    }
    if (s.len > 0 && s.at[0] == '[') {
        struct ip ip;
        const size_t close = slice_find(s, ']');
        return close < s.len && ip_parse(slice_of(s.at, close + 1), &ip) ? close + 1 : 0;
    }
    // Bare IPv6 addresses stand in `received` parameters of elder elements (RFC 5118 4.5), and
    // feature tags may hold colons.
    size_t n = 0;
    while (n < s.len && (chars_has(CHARS_TOKEN, s.at[n]) || s.at[n] == ':')) {
        n++;
    }
    return n;
}

bool params_next(struct slice *rest, struct param *out)
{
    struct slice s = chars_skip_lws(*rest);
    *rest = s;
    if (slice_empty(s) || s.at[0] != ';') {
        return false;
    }
    const char *const start = s.at;
    s = chars_skip_lws(slice_from(s, 1));
    out->name = slice_of(s.at, chars_span(CHARS_TOKEN, s));
    out->value = slice_of(NULL, 0);
    out->has_value = false;
    if (slice_empty(out->name)) {
        return false;
    }
    s = slice_from(s, out->name.len);
    const char *end = s.at;
    const struct slice after = chars_skip_lws(s);
    if (after.len > 0 && after.at[0] == '=') {
        s = chars_skip_lws(slice_from(after, 1));
        out->value = slice_of(s.at, value_length(s));
        out->has_value = true;
        if (slice_empty(out->value) && !slice_equal_nocase(out->name, SLICE("rport")) &&
            !slice_equal_nocase(out->name, SLICE("expires"))) {
            return false;
        }
        s = slice_from(s, out->value.len);
        end = slice_empty(out->value) ? after.at + 1 : s.at;
    }
    out->whole = slice_between(start, end);
    *rest = s;
    return true;
}

bool params_name_is_new(struct param_names *names, struct slice name)
{
    assert(names->count <= HEADER_PARAMS_MAX);
    for (size_t i = 0; i < names->count; i++) {
        if (slice_equal_nocase(names->at[i], name)) {
            return false;
        }
    }
    if (names->count == HEADER_PARAMS_MAX) {
        return false;
    }
    names->at[names->count++] = name;
    return true;
}
