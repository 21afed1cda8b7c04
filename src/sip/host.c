// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/host.h"

#include "signpost/sip/chars.h"

static enum err parse_reference(struct slice text, struct ip *ip);
static bool is_hostname(struct slice text);

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
        len = chars_span(CHARS_HOST, s);
        const struct slice text = slice_of(s.at, len);
        // Only what begins with a digit can be a dotted quad, and a hostname does so seldom.
        const bool digit = len > 0 && ascii_digit(s.at[0]);
        if (!(digit && ip_parse(text, ip)) && !is_hostname(text)) {
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
// "4f2a1b" and the like. `text` is all of CHARS_HOST.
static bool is_hostname(struct slice text)
{
    char before = '.';   // the character before
    bool letter = false; // in the label, or the last one before a dot at the end
    for (size_t i = 0; i < text.len; i++) {
        const char c = text.at[i];
        const bool edge = before == '.' || before == '-';
        if ((c == '.' && edge) || (c == '-' && before == '.')) {
            return false;
        }
        if (c != '.') {
            letter = (letter && before != '.') || !ascii_digit(c);
        }
        before = c;
    }
    return letter && before != '-';
}

enum err host_take_port(struct slice *rest, uint16_t *port)
{
    size_t end = 0;
    uint64_t value;
    while (end < rest->len && ascii_digit(rest->at[end])) {
        end++;
    }
    if (!slice_to_u64(slice_of(rest->at, end), UINT16_MAX, &value) || value == 0) {
        return ERR_SYNTAX;
    }
    *port = (uint16_t)value;
    *rest = slice_from(*rest, end);
    return ERR_OK;
}
