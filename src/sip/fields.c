// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/fields.h"

#include "signpost/base/limits.h"
#include "signpost/sip/chars.h"
#include "signpost/sip/params.h"

static enum err parse_parameters(struct slice *rest, struct slice *params);

// The display name before "<": a quoted string, or tokens and white space. Returns its length
// including the white space behind it, or SIZE_MAX when it is malformed.
static size_t display_length(struct slice s)
{
    const size_t quoted = quoted_length(s);
    size_t n = quoted;
    if (quoted == 0) {
        while (n < s.len && (chars_has(CHARS_TOKEN, s.at[n]) || chars_lws(s.at[n]))) {
            n++;
        }
    }
    while (n < s.len && chars_lws(s.at[n])) {
        n++;
    }
    return n < s.len && s.at[n] == '<' ? n : SIZE_MAX;
}

// addr-spec without brackets: what follows a ";" belongs to the header field, and a "?" or ","
// would need brackets (RFC 3261 20).
static enum err take_bare_uri(struct slice *rest, struct addr *out)
{
    size_t n = 0;
    while (n < rest->len && rest->at[n] != ';' && rest->at[n] != ',' && !chars_lws(rest->at[n])) {
        if (rest->at[n] == '?' || rest->at[n] == '<' || rest->at[n] == '"') {
            return ERR_SYNTAX;
        }
        n++;
    }
    out->uri = slice_of(rest->at, n);
    *rest = slice_from(*rest, n);
    return n > 0 ? ERR_OK : ERR_SYNTAX;
}

static enum err take_addr(struct slice *rest, struct addr *out)
{
    *rest = chars_skip_lws(*rest);
    const size_t display = display_length(*rest);
    enum err e = ERR_OK;
    if (display == SIZE_MAX) {
        e = take_bare_uri(rest, out);
    } else {
        const struct slice uri = slice_from(*rest, display + 1);
        const size_t close = slice_find(uri, '>');
        if (close == uri.len || close == 0) {
            return ERR_SYNTAX;
        }
        out->uri = slice_of(uri.at, close);
        *rest = slice_from(uri, close + 1);
    }
    return e == ERR_OK ? parse_parameters(rest, &out->params) : e;
}

// All parameters up to the end or a comma; they are checked here and read where they are needed.
static enum err parse_parameters(struct slice *rest, struct slice *params)
{
    struct param param;
    const char *start = NULL;
    const char *end = NULL;
    while (params_next(rest, &param)) {
        start = start == NULL ? param.whole.at : start;
        end = slice_end(param.whole);
    }
    *params = start == NULL ? slice_of(NULL, 0) : slice_between(start, end);
    return slice_empty(*rest) || rest->at[0] == ',' ? ERR_OK : ERR_SYNTAX;
}

enum err addr_parse(struct slice value, struct addr *out, struct slice *tag)
{
    struct slice rest = value;
    struct param param;
    *tag = slice_of(NULL, 0);
    if (take_addr(&rest, out) != ERR_OK || !slice_empty(rest)) {
        return ERR_SYNTAX;
    }
    struct slice params = out->params;
    while (params_next(&params, &param)) {
        if (slice_equal_nocase(param.name, SLICE("tag"))) {
            if (slice_empty(param.value) || !chars_all(CHARS_TOKEN, param.value)) {
                return ERR_SYNTAX;
            }
            *tag = param.value;
        }
    }
    return ERR_OK;
}

// qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] )
static bool parse_q(struct slice text, uint16_t *q)
{
    if (text.len == 0 || text.len > 5 || (text.len > 1 && text.at[1] != '.')) {
        return false;
    }
    unsigned value = 0;
    for (size_t i = 0, scale = Q_ONE; i < text.len; i++) {
        if (i == 1) {
            continue;
        }
        if (!ascii_digit(text.at[i])) {
            return false;
        }
        value += (unsigned)(text.at[i] - '0') * (unsigned)scale;
        scale /= 10;
    }
    *q = (uint16_t)value;
    return value <= Q_ONE;
}

enum err contact_next(struct slice *rest, struct contact *out)
{
    struct param param;
    *out = (struct contact){.q = Q_ABSENT};
    if (take_addr(rest, &out->addr) != ERR_OK) {
        return ERR_SYNTAX;
    }
    struct slice params = out->addr.params;
    while (params_next(&params, &param)) {
        if (slice_equal_nocase(param.name, SLICE("q"))) {
            if (!parse_q(param.value, &out->q)) {
                return ERR_SYNTAX;
            }
        } else if (slice_equal_nocase(param.name, SLICE("expires"))) {
            out->has_expires = true;
            out->expires_valid = expires_parse(param.value, &out->expires_s) == ERR_OK;
        }
    }
    if (!slice_empty(*rest)) {
        // take_addr has stopped at a comma, and something must follow it.
        *rest = chars_skip_lws(slice_from(*rest, 1));
        return slice_empty(*rest) ? ERR_SYNTAX : ERR_OK;
    }
    return ERR_OK;
}

bool contact_is_star(struct slice value)
{
    return slice_equal(value, SLICE("*"));
}

enum err expires_parse(struct slice value, uint32_t *seconds)
{
    uint64_t number = 0;
    // Too large a number is still a number: it is clamped.
    if (!slice_to_u64(value, EXPIRES_S_LIMIT, &number) && number != EXPIRES_S_LIMIT) {
        return ERR_SYNTAX;
    }
    *seconds = (uint32_t)number;
    return ERR_OK;
}

enum err cseq_parse(struct slice value, struct cseq *out)
{
    enum { CSEQ_MAX = 0x7fffffff };

    size_t digits = 0;
    uint64_t number;
    while (digits < value.len && ascii_digit(value.at[digits])) {
        digits++;
    }
    const struct slice after = slice_from(value, digits);
    out->method = chars_skip_lws(after);
    if (!slice_to_u64(slice_of(value.at, digits), CSEQ_MAX, &number) ||
        out->method.len == after.len || slice_empty(out->method) ||
        !chars_all(CHARS_TOKEN, out->method)) {
        return ERR_SYNTAX;
    }
    out->number = (uint32_t)number;
    return ERR_OK;
}

bool call_id_well_formed(struct slice value)
{
    const size_t at = slice_find(value, '@');
    const struct slice host = slice_from(value, at + 1);
    return at > 0 && chars_all(CHARS_WORD, slice_of(value.at, at)) &&
           (at == value.len || (!slice_empty(host) && chars_all(CHARS_WORD, host)));
}
