// SPDX-License-Identifier: Apache-2.0
// Two lines, each a URI: parsing and writing, and the laws of RFC 3261 19.1.4 and 10.3 step 5.
#include "signpost/sip/params.h"
#include "signpost/sip/uri.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

// Escaping makes a user three times as long.
enum { TEXT_BYTES_MAX = 3 * MESSAGE_BYTES_MAX + 64 };

struct text {
    struct buf b;
    char bytes[TEXT_BYTES_MAX];
};

static size_t count_of(struct slice s, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++) {
        n += s.at[i] == c ? 1 : 0;
    }
    return n;
}

static void check_parts(const struct uri *uri, struct slice input)
{
    assert(same(uri->text, input) && within(uri->scheme_name, input));
    for (size_t i = 0; i < input.len; i++) {
        const char c = input.at[i];
        assert(c > ' ' && c < 0x7f && c != '<' && c != '>' && c != '"');
    }
    if (uri->scheme == URI_OTHER) {
        return;
    }
    assert(within(uri->user, input) && within(uri->password, input) && within(uri->host, input));
    assert(within(uri->params, input) && within(uri->headers, input));
    assert(uri->host.len > 0 && uri->has_user == (uri->user.len > 0));
    assert(uri->has_password ? uri->has_user : uri->password.len == 0);
    const struct slice behind = slice_from(input, (size_t)(slice_end(uri->host) - input.at));
    assert((behind.len > 0 && behind.at[0] == ':') == (uri->port != 0));
    assert((uri->host.at[0] == '[') == (uri->host_ip.family == IP_V6));
    assert(uri->params.len == 0 || uri->params.at[0] == ';');
    assert(count_of(uri->params, ';') <= URI_PARTS_MAX);
    assert(uri->headers.len == 0 || count_of(uri->headers, '&') < URI_PARTS_MAX);
}

// ---- Writing: as it is, or in another way that means the same

enum change {
    CHANGE_NOTHING,
    CHANGE_CASE,   // of scheme, host and parameters
    CHANGE_ESCAPE, // letters and digits of the user
    CHANGE_ORDER,  // of the parameters
    CHANGE_COUNT,
};

static void put_case(struct buf *b, struct slice s, bool flip)
{
    for (size_t i = 0; i < s.len; i++) {
        const char lower = ascii_lower(s.at[i]);
        const bool letter = lower >= 'a' && lower <= 'z';
        buf_put_char(b, flip && letter ? (char)(s.at[i] ^ 0x20) : s.at[i]);
    }
}

static void put_user(struct buf *b, struct slice user, bool escape)
{
    static const char hex[] = "0123456789abcdefABCDEF";
    for (size_t i = 0; i < user.len; i++) {
        const char c = user.at[i];
        const char lower = ascii_lower(c);
        if (c == '%') {
            buf_put(b, slice_of(user.at + i, 3));
            i += 2;
        } else if (escape && (ascii_digit(c) || (lower >= 'a' && lower <= 'z'))) {
            buf_put_char(b, '%');
            buf_put_char(b, hex[c >> 4]);
            buf_put_char(b, hex[(c & 0xf) + ((c & 0xf) > 9 ? 6 : 0)]);
        } else {
            buf_put_char(b, c);
        }
    }
}

static void put_params(struct buf *b, struct slice params, enum change change)
{
    struct param all[URI_PARTS_MAX];
    size_t n = 0;
    while (n < URI_PARTS_MAX && params_next_uri(&params, &all[n])) {
        n++;
    }
    assert(slice_empty(params));
    for (size_t i = 0; i < n; i++) {
        const size_t which = change == CHANGE_ORDER ? n - 1 - i : i;
        put_case(b, all[which].whole, change == CHANGE_CASE);
    }
}

static void put_uri(struct text *out, struct slice scheme, const struct uri *uri,
                    enum change change)
{
    struct buf *const b = &out->b;
    *b = buf_over(out->bytes, sizeof(out->bytes));
    put_case(b, scheme, change == CHANGE_CASE);
    buf_put_char(b, ':');
    if (uri->scheme == URI_OTHER) {
        buf_put(b, slice_from(uri->text, uri->scheme_name.len + 1));
        return;
    }
    if (uri->has_user) {
        put_user(b, uri->user, change == CHANGE_ESCAPE);
    }
    if (uri->has_password) {
        buf_put_char(b, ':');
        buf_put(b, uri->password);
    }
    if (uri->has_user) {
        buf_put_char(b, '@');
    }
    put_case(b, uri->host, change == CHANGE_CASE);
    if (uri->port != 0) {
        buf_put_char(b, ':');
        buf_put_u64(b, uri->port);
    }
    put_params(b, uri->params, change);
    if (uri->headers.len > 0) {
        buf_put_char(b, '?');
        buf_put(b, uri->headers);
    }
}

static struct uri parsed(const struct text *text)
{
    struct uri uri;
    assert(buf_ok(&text->b));
    const enum err e = uri_parse(buf_slice(&text->b), &uri);
    assert(e == ERR_OK);
    (void)e;
    return uri;
}

static void put_aor(struct text *out, const struct uri *uri)
{
    out->b = buf_over(out->bytes, sizeof(out->bytes));
    uri_put_aor(&out->b, uri);
    assert(buf_ok(&out->b));
}

static bool same_aor(const struct uri *a, const struct uri *b)
{
    static struct text mine;
    static struct text theirs;
    put_aor(&mine, a);
    put_aor(&theirs, b);
    return slice_equal(buf_slice(&mine.b), buf_slice(&theirs.b));
}

static bool equal(const struct uri *a, const struct uri *b)
{
    const bool result = uri_equal(a, b);
    assert(uri_equal(b, a) == result);
    // who is the same cannot be two users
    assert(!result || a->scheme == URI_OTHER || same_aor(a, b));
    return result;
}

static void check_written(const struct uri *uri)
{
    static struct text text;
    for (unsigned change = 0; change < CHANGE_COUNT; change++) {
        put_uri(&text, uri->scheme_name, uri, (enum change)change);
        const struct uri other = parsed(&text);
        assert(equal(uri, &other) && other.scheme == uri->scheme);
        if (change == CHANGE_NOTHING) {
            assert(slice_equal(uri->user, other.user) && slice_equal(uri->host, other.host));
            assert(slice_equal(uri->password, other.password) && uri->port == other.port);
            assert(slice_equal(uri->params, other.params));
            assert(slice_equal(uri->headers, other.headers));
            assert(ip_equal(&uri->host_ip, &other.host_ip) || uri->host_ip.family == IP_NONE);
        }
    }
}

// ---- Writing: in a way that means something else

static void check_differs(const struct uri *uri, const struct text *text)
{
    const struct uri other = parsed(text);
    assert(!equal(uri, &other));
}

static void check_changed(const struct uri *uri)
{
    static struct text text;
    const bool secure = uri->scheme == URI_SIPS;
    put_uri(&text, secure ? SLICE("sip") : SLICE("sips"), uri, CHANGE_NOTHING);
    check_differs(uri, &text);
    const struct uri other = parsed(&text);
    assert(same_aor(uri, &other)); // RFC 5630
    // the user counts letter by letter
    const char lower = uri->has_user ? ascii_lower(uri->user.at[0]) : '\0';
    if (lower >= 'a' && lower <= 'z') {
        put_uri(&text, uri->scheme_name, uri, CHANGE_NOTHING);
        text.bytes[uri->scheme_name.len + 1] ^= 0x20;
        check_differs(uri, &text);
    }
    // transport must be in both, what is unknown need not
    if (uri->headers.len == 0 && count_of(uri->params, ';') < URI_PARTS_MAX) {
        put_uri(&text, uri->scheme_name, uri, CHANGE_NOTHING);
        buf_put(&text.b, SLICE(";transport=udp"));
        struct uri more;
        if (uri_parse(buf_slice(&text.b), &more) == ERR_OK) {
            assert(!equal(uri, &more));
        }
        text.b.len -= strlen(";transport=udp");
        buf_put(&text.b, SLICE(";zz9"));
        if (uri_parse(buf_slice(&text.b), &more) == ERR_OK) {
            assert(equal(uri, &more));
        }
    }
}

// ---- The address of record

// A URI that is made of an address of record has that one too.
static void check_aor(const struct uri *uri)
{
    static const char hex[] = "0123456789ABCDEF";
    static struct text aor;
    static struct text text;
    put_aor(&aor, uri);
    const struct slice whole = buf_slice(&aor.b);
    size_t at = whole.len;
    while (whole.at[at - 1] != '@') {
        at--;
    }
    text.b = buf_over(text.bytes, sizeof(text.bytes));
    buf_put(&text.b, SLICE("sip:"));
    for (size_t i = 0; i + 1 < at; i++) {
        const unsigned char c = (unsigned char)whole.at[i];
        buf_put_char(&text.b, '%');
        buf_put_char(&text.b, hex[c >> 4]);
        buf_put_char(&text.b, hex[c & 0xf]);
    }
    buf_put(&text.b, at > 1 ? SLICE("@") : SLICE(""));
    const bool v6 = uri->host_ip.family == IP_V6;
    buf_put(&text.b, v6 ? SLICE("[") : SLICE(""));
    buf_put(&text.b, slice_from(whole, at));
    buf_put(&text.b, v6 ? SLICE("]") : SLICE(""));
    const struct uri other = parsed(&text);
    assert(same_aor(uri, &other));

    char few[AOR_BYTES_MAX];
    struct buf b = buf_over(few, sizeof(few));
    uri_put_aor(&b, uri);
    assert(buf_ok(&b) == (whole.len <= sizeof(few)));
}

static bool check_one(struct slice input, struct uri *uri)
{
    memset(uri, 0xa5, sizeof(*uri));
    if (uri_parse(input, uri) != ERR_OK) {
        return false;
    }
    check_parts(uri, input);
    check_written(uri);
    const bool reflexive = equal(uri, uri);
    assert(reflexive);
    (void)reflexive;
    if (uri->scheme != URI_OTHER) {
        check_changed(uri);
        check_aor(uri);
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice_of((const char *)data, size);
    const struct slice first = take_line(&rest);
    const struct slice second = take_line(&rest);
    struct uri a;
    struct uri b;
    const bool both = check_one(guarded(0, first.at, first.len), &a) &&
                      check_one(guarded(1, second.at, second.len), &b);
    if (both) {
        (void)equal(&a, &b);
    }
    return 0;
}
