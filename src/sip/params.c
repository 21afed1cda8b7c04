// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/params.h"

#include "signpost/base/endpoint.h"
#include "signpost/sip/chars.h"

// Neither ";" nor "=" is a paramchar, so each part ends where its characters do.
bool params_next_uri(struct slice *rest, struct param *out)
{
    if (rest->len < 2 || rest->at[0] != ';') {
        return false;
    }
    struct slice s = slice_from(*rest, 1);
    out->name = slice_of(s.at, chars_span_escaped(CHARS_URI_PARAM, s));
    s = slice_from(s, out->name.len);
    out->has_value = s.len > 0 && s.at[0] == '=';
    if (out->has_value) {
        s = slice_from(s, 1);
    }
    out->value = slice_of(s.at, out->has_value ? chars_span_escaped(CHARS_URI_PARAM, s) : 0);
    s = slice_from(s, out->value.len);
    if (slice_empty(out->name) || (out->has_value && slice_empty(out->value)) ||
        (s.len > 0 && s.at[0] != ';')) {
        return false;
    }
    out->whole = slice_between(rest->at, s.at);
    *rest = s;
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

// gen-value = token / host / quoted-string: the length of what is no token at the front of `s`, 0
// when it is none. A token of `token` bytes stands there, or none.
static size_t value_length(struct slice s, size_t token)
{
    if (s.len > 0 && s.at[0] == '"') {
        return quoted_length(s);
    }
    if (s.len > 0 && s.at[0] == '[') {
        struct ip ip;
        const size_t close = slice_find(s, ']');
        return close < s.len && ip_parse(slice_of(s.at, close + 1), &ip) ? close + 1 : 0;
    }
    // Bare IPv6 addresses stand in `received` parameters of elder elements (RFC 5118 4.5), and
    // feature tags may hold colons.
    size_t n = token;
    while (n < s.len && (chars_has(CHARS_TOKEN, s.at[n]) || s.at[n] == ':')) {
        n++;
    }
    return n;
}

// What may lack behind its "=" (params.h).
static bool may_be_empty(struct slice name)
{
    return slice_equal_nocase(name, SLICE("rport")) || slice_equal_nocase(name, SLICE("expires"));
}

// What follows the "=".
static bool take_value(struct slice *rest, struct param *out)
{
    const struct slice s = chars_skip_lws(*rest);
    const size_t token = chars_span(CHARS_TOKEN, s);
    const bool ends = token > 0 && (token == s.len || s.at[token] != ':');
    out->value = slice_of(s.at, ends ? token : value_length(s, token));
    out->has_value = true;
    out->value_is_token = ends;
    if (slice_empty(out->value)) {
        return may_be_empty(out->name);
    }
    *rest = slice_from(s, out->value.len);
    return true;
}

bool params_take(struct slice *rest, struct param *out)
{
    const char *const start = rest->at;
    struct slice s = chars_skip_lws(slice_from(*rest, 1));
    out->name = slice_of(s.at, chars_span(CHARS_TOKEN, s));
    out->value = slice_of(NULL, 0);
    out->has_value = false;
    out->value_is_token = false;
    if (slice_empty(out->name)) {
        return false;
    }
    s = slice_from(s, out->name.len);
    const struct slice after = chars_skip_lws(s);
    if (after.len > 0 && after.at[0] == '=') {
        s = slice_from(after, 1);
        if (!take_value(&s, out)) {
            return false;
        }
    }
    out->whole = slice_between(start, s.at);
    *rest = s;
    return true;
}

bool params_name_is_other(struct param_names *names, struct slice name)
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
