// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/fields.h"

#include "signpost/base/limits.h"
#include "signpost/sip/chars.h"
#include "signpost/sip/params.h"

// The parameters that mean something here, as far as they are there.
struct known_params {
    bool has_tag;
    bool has_q;
    bool has_expires;
    bool tag_is_token;
    bool lacks_value; // an "=" without anything behind it, which "expires" may have (params.h)
    struct slice tag;
    struct slice q;
    struct slice expires;
    struct slice handling;
};

static enum err parse_parameters(struct slice *rest, struct slice *params,
                                 struct known_params *known);

// The display name before "<": a quoted string, or tokens and white space. Returns its length
// including the white space behind it, or SIZE_MAX when it is malformed.
static size_t display_length(struct slice s)
{
    if (s.len > 0 && s.at[0] == '<') {
        return 0;
    }
    size_t n = s.len > 0 && s.at[0] == '"' ? quoted_length(s) : 0;
    if (n == 0) {
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

static enum err take_addr(struct slice *rest, struct addr *out, struct known_params *known)
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
    return e == ERR_OK ? parse_parameters(rest, &out->params, known) : e;
}

static void note_param(struct known_params *known, const struct param *param)
{
    if (slice_equal_nocase(param->name, SLICE("tag"))) {
        known->has_tag = true;
        known->tag_is_token = param->value_is_token;
        known->tag = param->value;
    } else if (slice_equal_nocase(param->name, SLICE("q"))) {
        known->has_q = true;
        known->q = param->value;
    } else if (slice_equal_nocase(param->name, SLICE("expires"))) {
        known->has_expires = true;
        known->lacks_value = param->has_value && slice_empty(param->value);
        known->expires = param->value;
    } else if (slice_equal_nocase(param->name, SLICE("handling"))) {
        known->handling = param->value;
    }
}

// All parameters up to the end or a comma.
static enum err parse_parameters(struct slice *rest, struct slice *params,
                                 struct known_params *known)
{
    struct param_names names;
    struct param param;
    const char *start = NULL;
    const char *end = NULL;
    *params = slice_of(NULL, 0);
    if (slice_empty(*rest)) {
        return ERR_OK;
    }
    names.count = 0;
    while (params_next(rest, &param)) {
        if (!params_name_is_new(&names, param.name)) {
            return ERR_SYNTAX;
        }
        note_param(known, &param);
        start = start == NULL ? param.whole.at : start;
        end = slice_end(param.whole);
    }
    if (start != NULL) {
        *params = slice_between(start, end);
    }
    return slice_empty(*rest) || rest->at[0] == ',' ? ERR_OK : ERR_SYNTAX;
}

// The value as the grammar has it, but for what is in the URI.
static enum err take_single(struct slice value, struct addr *out, struct slice *tag)
{
    struct slice rest = value;
    struct known_params known = {.has_tag = false};
    if (take_addr(&rest, out, &known) != ERR_OK || !slice_empty(rest) ||
        known.has_tag != known.tag_is_token || known.lacks_value) {
        return ERR_SYNTAX;
    }
    *tag = known.tag;
    return ERR_OK;
}

enum err addr_parse_uri(struct slice value, struct addr *out, struct slice *tag, struct uri *uri)
{
    struct slice found;
    *tag = slice_of(NULL, 0);
    if (take_single(value, out, &found) != ERR_OK || uri_parse(out->uri, uri) != ERR_OK) {
        return ERR_SYNTAX;
    }
    *tag = found;
    return ERR_OK;
}

enum err addr_parse(struct slice value, const struct uri *known, struct addr *out,
                    struct slice *tag)
{
    struct slice found;
    struct uri uri;
    *tag = slice_of(NULL, 0);
    if (take_single(value, out, &found) != ERR_OK) {
        return ERR_SYNTAX;
    }
    const bool again = known != NULL && slice_equal(out->uri, known->text);
    if (!again && uri_parse(out->uri, &uri) != ERR_OK) {
        return ERR_SYNTAX;
    }
    *tag = found;
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
    struct known_params known = {.has_tag = false};
    *out = (struct contact){.q = Q_ABSENT};
    if (take_addr(rest, &out->addr, &known) != ERR_OK ||
        (known.has_q && !parse_q(known.q, &out->q))) {
        return ERR_SYNTAX;
    }
    if (known.has_expires) {
        out->has_expires = true;
        out->expires_valid = expires_parse(known.expires, &out->expires_s) == ERR_OK;
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
    uint64_t number;
    if (!slice_to_u64(value, UINT32_MAX, &number)) {
        return ERR_SYNTAX;
    }
    *seconds = number > EXPIRES_S_LIMIT ? EXPIRES_S_LIMIT : (uint32_t)number;
    return ERR_OK;
}

enum err cseq_parse(struct slice value, struct cseq *out)
{
    enum { CSEQ_MAX = 0x7fffffff };

    size_t digits = 0;
    uint64_t number = 0;
    for (; digits < value.len && ascii_digit(value.at[digits]); digits++) {
        number = number * 10 + (uint64_t)(value.at[digits] - '0');
        if (number > CSEQ_MAX) {
            return ERR_SYNTAX;
        }
    }
    const struct slice after = slice_from(value, digits);
    out->method = chars_skip_lws(after);
    if (digits == 0 || out->method.len == after.len || slice_empty(out->method) ||
        !chars_all(CHARS_TOKEN, out->method)) {
        return ERR_SYNTAX;
    }
    out->number = (uint32_t)number;
    return ERR_OK;
}

// "@" is in no word, so it ends the first.
bool call_id_well_formed(struct slice value)
{
    const size_t word = chars_span(CHARS_WORD, value);
    if (word == 0 || word == value.len) {
        return word > 0;
    }
    const struct slice host = slice_from(value, word + 1);
    return value.at[word] == '@' && !slice_empty(host) && chars_all(CHARS_WORD, host);
}

bool max_forwards_well_formed(struct slice value)
{
    uint64_t number = 0;
    // slice_to_u64 leaves the maximum behind when there was a number above it
    return slice_to_u64(value, UINT8_MAX, &number) || number == UINT8_MAX;
}

enum err token_next(struct slice *rest, struct slice *token)
{
    const struct slice s = chars_skip_lws(*rest);
    *token = slice_of(s.at, chars_span(CHARS_TOKEN, s));
    struct slice after = chars_skip_lws(slice_from(s, token->len));
    if (slice_empty(*token)) {
        return ERR_SYNTAX;
    }
    if (!slice_empty(after)) {
        // A comma, and something must follow it.
        const bool comma = after.at[0] == ',';
        after = chars_skip_lws(slice_from(after, 1));
        if (!comma || slice_empty(after)) {
            return ERR_SYNTAX;
        }
    }
    *rest = after;
    return ERR_OK;
}

// Takes a token and the white space behind it.
static struct slice take_token(struct slice *rest)
{
    const struct slice token = slice_of(rest->at, chars_span(CHARS_TOKEN, *rest));
    *rest = chars_skip_lws(slice_from(*rest, token.len));
    return token;
}

enum err media_type_parse(struct slice value, struct media_type *out)
{
    struct known_params known;
    struct slice rest = chars_skip_lws(value);
    out->type = take_token(&rest);
    if (slice_empty(out->type) || slice_empty(rest) || rest.at[0] != '/') {
        return ERR_SYNTAX;
    }
    rest = chars_skip_lws(slice_from(rest, 1));
    out->subtype = take_token(&rest);
    return !slice_empty(out->subtype) && parse_parameters(&rest, &out->params, &known) == ERR_OK &&
                   slice_empty(rest)
               ? ERR_OK
               : ERR_SYNTAX;
}

enum err disposition_parse(struct slice value, bool *optional)
{
    struct known_params known = {.has_tag = false};
    struct slice rest = chars_skip_lws(value);
    struct slice params;
    *optional = false;
    if (slice_empty(take_token(&rest)) || parse_parameters(&rest, &params, &known) != ERR_OK ||
        !slice_empty(rest)) {
        return ERR_SYNTAX;
    }
    *optional = slice_equal_nocase(known.handling, SLICE("optional"));
    return ERR_OK;
}
