// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/host.h"

#include "signpost/sip/chars.h"

static enum err parse_reference(struct slice text, struct ip *ip);
static size_t hostname_length(struct slice s);

enum err host_take(struct slice *rest, struct slice *host, struct ip *ip)
{
    const struct slice s = *rest;
    size_t len;
    *ip = (struct ip){.family = IP_NONE};
    if (s.len > 0 && s.at[0] == '[') {
        len = slice_find(s, ']') + 1;
        if (len > s.len || parse_reference(slice_of(s.at, len), ip) != ERR_OK) {
            return ERR_SYNTAX;
        }
    } else {
        len = ip_take_v4(s, ip);
        if (len > 0 && len < s.len && chars_has(CHARS_HOST, s.at[len])) {
            *ip = (struct ip){.family = IP_NONE};
            len = 0;
        }
        len = len > 0 ? len : hostname_length(s);
        if (len == 0) {
            return ERR_SYNTAX;
        }
    }
    *host = slice_of(s.at, len);
    *rest = slice_from(s, len);
    return ERR_OK;
}

// RFC 5118 4.10: by the grammar of RFC 3261 25.1 a dotted quad behind "::" has a colon of its own
// before it. RFC 5954 has mended that, but what was written so is to be understood.
static enum err parse_colon_too_many(struct slice text, struct ip *ip)
{
    static const struct slice mark = SLICE_INIT(":::");
    char copy[48];
    struct buf b = buf_over(copy, sizeof(copy));
    size_t at = 0;
    while (at + mark.len < text.len && !slice_equal(slice_of(text.at + at, mark.len), mark)) {
        at++;
    }
    const struct slice quad = slice_from(text, at + mark.len);
    buf_put(&b, slice_of(text.at, at + mark.len - 1));
    buf_put(&b, quad);
    return slice_find(quad, '.') < quad.len && slice_find(quad, ':') == quad.len && buf_ok(&b) &&
                   ip_parse(buf_slice(&b), ip)
               ? ERR_OK
               : ERR_SYNTAX;
}

static enum err parse_reference(struct slice text, struct ip *ip)
{
    return ip_parse(text, ip) ? ERR_OK : parse_colon_too_many(text, ip);
}

// hostname = *( domainlabel "." ) toplabel [ "." ]: labels neither begin nor end in "-". The last
// one should begin with a letter; it is enough here that it is no number, for containers are called
// "4f2a1b" and the like. Returns its length at the front of `s`, or 0 when there is none.
static size_t hostname_length(struct slice s)
{
    size_t n = 0;
    size_t last = 0; // where the last label begins
    for (;;) {
        const size_t end = n + chars_span(CHARS_LABEL, slice_from(s, n));
        if (end == n) {
            break; // nothing at all, or behind the dot at the end
        }
        if (s.at[n] == '-' || s.at[end - 1] == '-') {
            return 0;
        }
        last = n;
        n = end;
        if (n == s.len || s.at[n] != '.') {
            break;
        }
        n++;
    }
    size_t digits = last;
    while (digits < n && ascii_digit(s.at[digits])) {
        digits++;
    }
    const bool number = digits == n || s.at[digits] == '.';
    const bool empty_label = n < s.len && s.at[n] == '.';
    return number || empty_label ? 0 : n;
}

enum err host_take_port(struct slice *rest, uint16_t *port)
{
    uint32_t value = 0;
    size_t n = 0;
    for (; n < rest->len && ascii_digit(rest->at[n]); n++) {
        value = value * 10 + (uint32_t)(rest->at[n] - '0');
        if (value > UINT16_MAX) {
            return ERR_SYNTAX;
        }
    }
    if (value == 0) {
        return ERR_SYNTAX;
    }
    *port = (uint16_t)value;
    *rest = slice_from(*rest, n);
    return ERR_OK;
}
