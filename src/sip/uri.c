// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/uri.h"

#include "signpost/base/limits.h"
#include "signpost/sip/chars.h"
#include "signpost/sip/host.h"
#include "signpost/sip/params.h"

static enum err parse_sip(struct slice rest, struct uri *uri);
static bool tel_well_formed(struct slice rest);

// The length of "sip" or "sips", if `text` begins with that and a colon; else 0.
static size_t sip_scheme_length(struct slice text)
{
    if (text.len < 5 || !slice_equal_nocase(slice_of(text.at, 3), SLICE("sip"))) {
        return 0;
    }
    if (text.at[3] == ':') {
        return 3;
    }
    return ascii_lower(text.at[3]) == 's' && text.at[4] == ':' ? 4 : 0;
}

static enum err parse_other(struct slice scheme, struct slice rest)
{
    if (slice_equal_nocase(scheme, SLICE("tel"))) {
        return tel_well_formed(rest) ? ERR_OK : ERR_SYNTAX;
    }
    const bool letter_first =
        scheme.len > 0 && ascii_lower(scheme.at[0]) >= 'a' && ascii_lower(scheme.at[0]) <= 'z';
    return letter_first && chars_all(CHARS_SCHEME, scheme) && chars_all_escaped(CHARS_URIC, rest)
               ? ERR_OK
               : ERR_SYNTAX;
}

enum err uri_parse(struct slice text, struct uri *out)
{
    const size_t sip = sip_scheme_length(text);
    const size_t colon = sip > 0 ? sip : slice_find(text, ':');
    const struct slice scheme = slice_of(text.at, colon);
    const struct slice rest = slice_from(text, colon + 1);
    *out = (struct uri){.text = text, .scheme_name = scheme, .scheme = URI_OTHER};
    if (colon == text.len || slice_empty(rest)) {
        return ERR_SYNTAX;
    }
    if (sip == 0) {
        return parse_other(scheme, rest);
    }
    out->scheme = sip == 3 ? URI_SIP : URI_SIPS;
    return parse_sip(rest, out);
}

enum err uri_parse_like(struct slice text, const struct uri *known, struct uri *out)
{
    if (!slice_equal(text, known->text)) {
        return uri_parse(text, out);
    }
    *out = *known;
    return ERR_OK;
}

// Takes "user[:password]@" off the front of `rest`, if that stands there. If it does not, an "@"
// that comes later is a fault, for it is in no character class of what follows.
static void take_userinfo(struct slice *rest, struct uri *uri)
{
    const struct slice user = slice_of(rest->at, chars_span_escaped(CHARS_USER, *rest));
    struct slice s = slice_from(*rest, user.len);
    struct slice password = slice_of(NULL, 0);
    const bool colon = s.len > 0 && s.at[0] == ':';
    if (colon) {
        s = slice_from(s, 1);
        password = slice_of(s.at, chars_span_escaped(CHARS_PASSWORD, s));
        s = slice_from(s, password.len);
    }
    if (!slice_empty(user) && s.len > 0 && s.at[0] == '@') {
        uri->has_user = true;
        uri->has_password = colon;
        uri->user = user;
        uri->password = password;
        *rest = slice_from(s, 1);
    }
}

// Takes "host[:port]" off the front of `rest`.
static enum err parse_hostport(struct slice *rest, struct uri *uri)
{
    if (host_take(rest, &uri->host, &uri->host_ip) != ERR_OK) {
        return ERR_SYNTAX;
    }
    if (rest->len > 0 && rest->at[0] == ':') {
        *rest = slice_from(*rest, 1);
        return host_take_port(rest, &uri->port);
    }
    return ERR_OK;
}

// "hname=hvalue" joined by "&" (RFC 3261 25.1 headers).
static bool headers_well_formed(struct slice headers)
{
    for (unsigned n = 0; !slice_empty(headers); n++) {
        const size_t end = slice_find(headers, '&');
        const struct slice one = slice_of(headers.at, end);
        const size_t equals = slice_find(one, '=');
        if (equals == 0 || equals == one.len ||
            !chars_all_escaped(CHARS_URI_HEADER, slice_of(one.at, equals)) ||
            !chars_all_escaped(CHARS_URI_HEADER, slice_from(one, equals + 1)) ||
            end + 1 == headers.len || n == URI_PARTS_MAX) {
            return false;
        }
        headers = slice_from(headers, end + 1);
    }
    return true;
}

// RFC 2396 2.2: an escaped reserved character is not the same as the character itself.
static bool reserved(char c)
{
    return c != '\0' && strchr(";/?:@&=+$,", c) != NULL;
}

// Takes one character off the front, decoding an escape, and sets *literal when it must not equal
// an unescaped one.
static char take_char(struct slice *s, bool *literal)
{
    char c = s->at[0];
    size_t used = 1;
    *literal = false;
    if (c == '%' && s->len >= 3) {
        c = (char)((unsigned)ascii_hex(s->at[1]) << 4 | (unsigned)ascii_hex(s->at[2]));
        *literal = reserved(c);
        used = 3;
    }
    *s = slice_from(*s, used);
    return c;
}

static bool equal_escaped(struct slice a, struct slice b, bool nocase)
{
    while (a.len > 0 && b.len > 0) {
        bool literal_a;
        bool literal_b;
        const char ca = take_char(&a, &literal_a);
        const char cb = take_char(&b, &literal_b);
        const bool same = nocase ? ascii_lower(ca) == ascii_lower(cb) : ca == cb;
        if (!same || literal_a != literal_b) {
            return false;
        }
    }
    return a.len == b.len;
}

// A URI's parameters, each looked at once.
struct uri_params {
    size_t count;
    struct param at[URI_PARTS_MAX];
};

static const struct param *find_param(const struct uri_params *params, struct slice name)
{
    for (size_t i = 0; i < params->count; i++) {
        if (equal_escaped(params->at[i].name, name, true)) {
            return &params->at[i];
        }
    }
    return NULL;
}

// False when they are malformed or too many, or when one stands there twice (RFC 3261 19.1.1).
static bool split_params(struct slice text, struct uri_params *out)
{
    out->count = 0;
    while (!slice_empty(text)) {
        struct param *const next = &out->at[out->count];
        if (out->count == URI_PARTS_MAX || !params_next_uri(&text, next) ||
            find_param(out, next->name) != NULL) {
            return false;
        }
        out->count++;
    }
    return true;
}

// ---- tel (RFC 3966), without its "tel:"

static bool visual_separator(char c)
{
    return c == '-' || c == '.' || c == '(' || c == ')';
}

// Length of a global number ("+" and digits) or a local one (hexadecimal digits, "*" and "#"),
// with visual separators among them; 0 for neither. A local number should have its phone-context,
// but "tel:112" is so common that it passes.
static size_t tel_number_length(struct slice s)
{
    const bool global = s.len > 0 && s.at[0] == '+';
    size_t n = global ? 1 : 0;
    bool digit = false;
    for (; n < s.len && s.at[n] != ';'; n++) {
        const char c = s.at[n];
        const bool counts = global ? ascii_digit(c) : ascii_hex(c) >= 0 || c == '*' || c == '#';
        if (!counts && !visual_separator(c)) {
            return 0;
        }
        digit = digit || counts;
    }
    return digit ? n : 0;
}

static bool tel_well_formed(struct slice rest)
{
    const size_t number = tel_number_length(rest);
    struct uri_params params;
    return number > 0 && split_params(slice_from(rest, number), &params);
}

// The digits are the same; RFC 3966 4: visual separators and the case of hexadecimal digits do not
// matter.
static bool tel_number_equal(struct slice a, struct slice b)
{
    size_t i = 0;
    size_t j = 0;
    for (;;) {
        while (i < a.len && visual_separator(a.at[i])) {
            i++;
        }
        while (j < b.len && visual_separator(b.at[j])) {
            j++;
        }
        if (i == a.len || j == b.len) {
            return i == a.len && j == b.len;
        }
        if (ascii_lower(a.at[i++]) != ascii_lower(b.at[j++])) {
            return false;
        }
    }
}

// Every parameter of `a` stands in `b` with the same value.
static bool tel_params_within(const struct uri_params *a, const struct uri_params *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct param *const theirs = find_param(b, a->at[i].name);
        if (theirs == NULL || !equal_escaped(a->at[i].value, theirs->value, true)) {
            return false;
        }
    }
    return true;
}

static bool tel_equal(struct slice a, struct slice b)
{
    const size_t mine = slice_find(a, ';');
    const size_t theirs = slice_find(b, ';');
    struct uri_params my_params;
    struct uri_params their_params;
    return tel_number_equal(slice_of(a.at, mine), slice_of(b.at, theirs)) &&
           split_params(slice_from(a, mine), &my_params) &&
           split_params(slice_from(b, theirs), &their_params) &&
           my_params.count == their_params.count && tel_params_within(&my_params, &their_params);
}

static enum err parse_sip(struct slice rest, struct uri *uri)
{
    take_userinfo(&rest, uri);
    if (parse_hostport(&rest, uri) != ERR_OK) {
        return ERR_SYNTAX;
    }
    if (slice_empty(rest)) {
        return ERR_OK;
    }
    const size_t question = slice_find(rest, '?');
    uri->params = slice_of(rest.at, question);
    uri->headers = slice_from(rest, question + 1);
    if (question < rest.len && slice_empty(uri->headers)) {
        return ERR_SYNTAX;
    }
    struct uri_params params;
    if (!split_params(uri->params, &params)) {
        return ERR_SYNTAX;
    }
    return headers_well_formed(uri->headers) ? ERR_OK : ERR_SYNTAX;
}

// These may not stand in one URI only, even with their default value.
static bool param_must_match(struct slice name)
{
    static const struct slice names[] = {SLICE_INIT("user"), SLICE_INIT("ttl"),
                                         SLICE_INIT("method"), SLICE_INIT("maddr"),
                                         SLICE_INIT("transport")};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (equal_escaped(name, names[i], true)) {
            return true;
        }
    }
    return false;
}

// Every parameter of `a` agrees with `b`: the same value in both, or absent there and of a kind
// that may be.
static bool params_agree(const struct uri_params *a, const struct uri_params *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct param *const mine = &a->at[i];
        const struct param *const theirs = find_param(b, mine->name);
        if (theirs == NULL ? param_must_match(mine->name)
                           : !equal_escaped(mine->value, theirs->value, true)) {
            return false;
        }
    }
    return true;
}

static bool params_equal(const struct uri *a, const struct uri *b)
{
    struct uri_params mine;
    struct uri_params theirs;
    // Both have been split before, when the URIs were parsed.
    return split_params(a->params, &mine) && split_params(b->params, &theirs) &&
           params_agree(&mine, &theirs) && params_agree(&theirs, &mine);
}

static struct slice next_uri_header(struct slice *headers)
{
    const size_t end = slice_find(*headers, '&');
    const struct slice one = slice_of(headers->at, end);
    *headers = slice_from(*headers, end + 1);
    return one;
}

// Every header component of `a` stands in `b` too, order apart.
static bool headers_within(struct slice a, struct slice b)
{
    while (!slice_empty(a)) {
        const struct slice mine = next_uri_header(&a);
        const size_t name_len = slice_find(mine, '=');
        struct slice others = b;
        bool found = false;
        while (!found && !slice_empty(others)) {
            const struct slice theirs = next_uri_header(&others);
            const size_t their_len = slice_find(theirs, '=');
            found =
                equal_escaped(slice_of(mine.at, name_len), slice_of(theirs.at, their_len), true) &&
                equal_escaped(slice_from(mine, name_len), slice_from(theirs, their_len), false);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static bool host_equal(const struct uri *a, const struct uri *b)
{
    if (a->host_ip.family != IP_NONE || b->host_ip.family != IP_NONE) {
        return ip_equal(&a->host_ip, &b->host_ip);
    }
    return slice_equal_nocase(uri_host(a), uri_host(b));
}

bool uri_equal(const struct uri *a, const struct uri *b)
{
    if (slice_equal(a->text, b->text)) {
        return true;
    }
    if (a->scheme != b->scheme) {
        return false;
    }
    if (a->scheme == URI_OTHER) {
        const struct slice mine = slice_from(a->text, a->scheme_name.len + 1);
        const struct slice theirs = slice_from(b->text, b->scheme_name.len + 1);
        return slice_equal_nocase(a->scheme_name, b->scheme_name) &&
               (slice_equal_nocase(a->scheme_name, SLICE("tel")) ? tel_equal(mine, theirs)
                                                                 : slice_equal(mine, theirs));
    }
    return a->has_user == b->has_user && a->has_password == b->has_password && a->port == b->port &&
           host_equal(a, b) && equal_escaped(a->user, b->user, false) &&
           equal_escaped(a->password, b->password, false) && params_equal(a, b) &&
           headers_within(a->headers, b->headers) && headers_within(b->headers, a->headers);
}

struct slice uri_host(const struct uri *uri)
{
    const size_t len = uri->host.len;
    const bool dot = len > 1 && uri->host.at[len - 1] == '.';
    return slice_of(uri->host.at, dot ? len - 1 : len);
}

static void put_unescaped(struct buf *b, struct slice text)
{
    while (text.len > 0) {
        bool literal;
        buf_put_char(b, take_char(&text, &literal));
    }
}

void uri_put_aor(struct buf *b, const struct uri *uri)
{
    assert(uri->scheme != URI_OTHER);
    if (slice_find(uri->user, '%') == uri->user.len) {
        buf_put(b, uri->user);
    } else {
        put_unescaped(b, uri->user);
    }
    if (uri->host_ip.family != IP_NONE) {
        buf_put_char(b, '@');
        ip_put(b, &uri->host_ip);
        return;
    }
    const struct slice host = uri_host(uri);
    char *const at = buf_room(b, 1 + host.len);
    if (at == NULL) {
        return;
    }
    at[0] = '@';
    for (size_t i = 0; i < host.len; i++) {
        at[1 + i] = ascii_lower(host.at[i]);
    }
}
