// SPDX-License-Identifier: Apache-2.0
// What holds for every value of a header field, tried on values that are made up by the grammar of
// RFC 3261 25.1: they are accepted, their parts are those they were made of, and written anew they
// are the same. With a byte changed, or cut off, they may be anything but read past their end.
#include "signpost/base/limits.h"
#include "signpost/sip/fields.h"
#include "signpost/sip/message.h"
#include "signpost/sip/params.h"
#include "signpost/sip/via.h"
#include "tests/unit/support.h"

enum { ROUNDS = 4000, TEXT_BYTES_MAX = 4096 };

// ---- Making up

struct maker {
    uint64_t random;
    bool lws; // white space and folding where the grammar has it
    struct buf b;
    char bytes[TEXT_BYTES_MAX];
};

static void maker_init(struct maker *m, uint64_t seed)
{
    m->random = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    m->b = buf_over(m->bytes, sizeof(m->bytes));
    for (unsigned i = 0; i < 8; i++) {
        (void)next_random(&m->random);
    }
    m->lws = (next_random(&m->random) >> 40) % 2 == 0;
}

static unsigned upto(struct maker *m, unsigned n)
{
    return (unsigned)((next_random(&m->random) >> 33) % n);
}

static bool one_in(struct maker *m, unsigned n)
{
    return upto(m, n) == 0;
}

static void put(struct maker *m, const char *text)
{
    buf_put(&m->b, text_slice(text));
}

static void put_any(struct maker *m, const char *chars)
{
    buf_put_char(&m->b, chars[upto(m, (unsigned)strlen(chars))]);
}

#define ALPHA    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT    "0123456789"
#define ALPHANUM ALPHA DIGIT
#define MARK     "-_.!~*'()"

static struct slice made_since(const struct maker *m, size_t from)
{
    return slice_of(m->bytes + from, m->b.len - from);
}

// `min` to `max` of these characters, some escaped if they may be.
static struct slice put_some(struct maker *m, const char *chars, unsigned min, unsigned max,
                             bool escapes)
{
    const size_t from = m->b.len;
    for (unsigned n = min + upto(m, max - min + 1); n > 0; n--) {
        if (escapes && one_in(m, 12)) {
            put(m, "%");
            put_any(m, "0123456789abcdefABCDEF");
            put_any(m, "0123456789abcdefABCDEF");
        } else {
            put_any(m, chars);
        }
    }
    return made_since(m, from);
}

static struct slice put_token(struct maker *m)
{
    return put_some(m, ALPHANUM "-.!%*_+`'~", 1, 12, false);
}

// A name that has not been in the list, so that none stands there twice.
static void put_new_name(struct maker *m, unsigned n)
{
    put_any(m, ALPHA);
    buf_put_u64(&m->b, n);
    (void)put_some(m, ALPHANUM "-.!*_+~", 0, 6, false);
}

static void put_lws(struct maker *m)
{
    static const char *const some[] = {" ", "\t", "  ", "\r\n ", " \r\n\t"};
    if (m->lws && one_in(m, 3)) {
        put(m, some[upto(m, LENGTH_OF(some))]);
    }
}

static void put_around(struct maker *m, const char *separator)
{
    put_lws(m);
    put(m, separator);
    put_lws(m);
}

static void put_quoted(struct maker *m)
{
    static const char *const parts[] = {"\\\"",     "\\\\", "<", ">", ",",  ";",
                                        "\xc3\xa9", "x y",  "a", "@", "\\a"};
    put(m, "\"");
    for (unsigned n = upto(m, 8); n > 0; n--) {
        put(m, parts[upto(m, LENGTH_OF(parts))]);
    }
    put(m, "\"");
}

static void put_hostname(struct maker *m)
{
    for (unsigned labels = upto(m, 3); labels > 0; labels--) {
        put_any(m, ALPHANUM);
        (void)put_some(m, ALPHANUM "-", 0, 6, false);
        put_any(m, ALPHANUM);
        put(m, ".");
    }
    put_any(m, ALPHA);
    (void)put_some(m, ALPHANUM, 0, 6, false);
    put(m, one_in(m, 8) ? "." : "");
}

static void put_ipv4(struct maker *m)
{
    for (unsigned i = 0; i < 4; i++) {
        put(m, i > 0 ? "." : "");
        buf_put_u64(&m->b, upto(m, 256));
    }
}

// A reference with its brackets: groups, of which a run may be "::" and the last two a quad.
static void put_ipv6(struct maker *m)
{
    const bool quad = one_in(m, 4);
    const unsigned count = quad ? 6 : 8;
    const unsigned gap = one_in(m, 3) ? count : upto(m, count);
    const unsigned gap_end = gap + 1 + (gap < count ? upto(m, count - gap) : 0);
    put(m, "[");
    for (unsigned i = 0; i < count; i++) {
        if (i == gap) {
            put(m, "::");
            i = gap_end - 1;
            continue;
        }
        put(m, i > 0 && i != gap_end ? ":" : "");
        (void)put_some(m, "0123456789abcdefABCDEF", 1, 4, false);
    }
    if (quad) {
        put(m, gap < count && gap_end == count ? "" : ":");
        put_ipv4(m);
    }
    put(m, "]");
}

static struct slice put_host(struct maker *m)
{
    const size_t from = m->b.len;
    const unsigned kind = upto(m, 4);
    if (kind == 0) {
        put_ipv4(m);
    } else if (kind == 1) {
        put_ipv6(m);
    } else {
        put_hostname(m);
    }
    return made_since(m, from);
}

// Returns the port, or 0 when there is none.
static unsigned put_port(struct maker *m, bool spaced)
{
    if (one_in(m, 2)) {
        return 0;
    }
    const unsigned port = 1 + upto(m, 65535);
    if (spaced) {
        put_around(m, ":");
    } else {
        put(m, ":");
    }
    buf_put_u64(&m->b, port);
    return port;
}

// What a URI was made of.
struct made_uri {
    struct slice text;
    bool secure;
    struct slice user;
    struct slice password;
    struct slice host;
    unsigned port;
    struct slice params;
    struct slice headers;
};

static struct slice put_uri_params(struct maker *m)
{
    static const char paramchar[] = ALPHANUM MARK "[]/:&+$";
    const size_t from = m->b.len;
    const unsigned count = one_in(m, 3) ? upto(m, one_in(m, 10) ? URI_PARTS_MAX + 1 : 4) : 0;
    for (unsigned i = 0; i < count; i++) {
        put(m, ";");
        put_new_name(m, i);
        if (one_in(m, 2)) {
            put(m, "=");
            (void)put_some(m, paramchar, 1, 8, true);
        }
    }
    return made_since(m, from);
}

static struct slice put_uri_headers(struct maker *m)
{
    static const char hchar[] = ALPHANUM MARK "[]/?:+$";
    const unsigned count = one_in(m, 4) ? 1 + upto(m, 3) : 0;
    put(m, count > 0 ? "?" : "");
    const size_t from = m->b.len;
    for (unsigned i = 0; i < count; i++) {
        put(m, i > 0 ? "&" : "");
        (void)put_some(m, hchar, 1, 6, true);
        put(m, "=");
        (void)put_some(m, hchar, 0, 6, true);
    }
    return made_since(m, from);
}

// A Request-URI has no headers.
static void put_uri(struct maker *m, struct made_uri *made, bool headers)
{
    const size_t from = m->b.len;
    *made = (struct made_uri){.secure = one_in(m, 3)};
    put(m, made->secure ? (one_in(m, 4) ? "SIPS:" : "sips:") : (one_in(m, 4) ? "Sip:" : "sip:"));
    if (!one_in(m, 4)) {
        made->user = put_some(m, ALPHANUM MARK "&=+$,;?/", 1, 12, true);
        if (one_in(m, 4)) {
            put(m, ":");
            made->password = put_some(m, ALPHANUM MARK "&=+$,", 0, 8, true);
        }
        put(m, "@");
    }
    made->host = put_host(m);
    made->port = put_port(m, false);
    made->params = put_uri_params(m);
    made->headers = headers ? put_uri_headers(m) : slice_of(NULL, 0);
    made->text = made_since(m, from);
}

// Generic parameters of a header field.
static void put_params(struct maker *m, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        put_around(m, ";");
        put_new_name(m, i);
        const unsigned kind = upto(m, 4);
        if (kind == 0) {
            continue;
        }
        put_around(m, "=");
        if (kind == 1) {
            put_quoted(m);
        } else if (kind == 2) {
            (void)put_host(m);
        } else {
            (void)put_token(m);
        }
    }
}

// A name-addr, for an addr-spec may not hold everything that a URI may.
static void put_addr(struct maker *m, struct made_uri *made)
{
    switch (upto(m, 3)) {
    case 0: put_quoted(m); break;
    case 1:
        (void)put_token(m);
        put(m, " ");
        (void)put_token(m);
        put(m, " ");
        break;
    default: break;
    }
    put_lws(m);
    put(m, "<");
    put_uri(m, made, true);
    put(m, ">");
}

// ---- Trying out

static struct guard guard_of_test(void)
{
    return guard_create(TEXT_BYTES_MAX);
}

// Every cut, and as many changes of one byte, at the end of the readable memory.
static void try_damaged(struct maker *m, struct guard guard, void (*parse)(struct slice value))
{
    static const char special[] = "\0\r\n \t\"\\<>,;:=@%?[]&/*0aZ\x7f\x80\xff";
    const struct slice whole = buf_slice(&m->b);
    for (size_t len = 0; len <= whole.len; len++) {
        parse(guard_copy(guard, slice_of(whole.at, len)));
    }
    for (unsigned n = 0; n < 32 && whole.len > 0; n++) {
        const struct slice copy = guard_copy(guard, whole);
        char *const at = guard.end - copy.len;
        at[upto(m, (unsigned)whole.len)] = special[upto(m, sizeof(special) - 1)];
        parse(copy);
    }
}

static void check_uri(const struct made_uri *made, const struct uri *uri)
{
    cr_assert_eq(uri->scheme, made->secure ? URI_SIPS : URI_SIP);
    cr_assert(slice_equal(uri->user, made->user) && slice_equal(uri->password, made->password));
    cr_assert(slice_equal(uri->host, made->host));
    cr_assert_eq(uri->port, made->port);
    cr_assert(slice_equal(uri->params, made->params));
    cr_assert(slice_equal(uri->headers, made->headers));
}

static void parse_uri(struct slice value)
{
    struct uri uri;
    if (uri_parse(value, &uri) != ERR_OK) {
        return;
    }
    cr_assert(slice_find(value, '\0') == value.len && slice_find(value, '\n') == value.len);
    cr_assert(slice_within(uri.user, value) && slice_within(uri.password, value));
    cr_assert(slice_within(uri.host, value) && slice_within(uri.params, value));
    cr_assert(slice_within(uri.headers, value) && uri_equal(&uri, &uri));
}

Test(properties, uri_of_the_grammar_has_the_parts_it_was_made_of)
{
    static struct maker m;
    const struct guard guard = guard_of_test();
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct made_uri made;
        struct uri uri;
        maker_init(&m, seed);
        put_uri(&m, &made, true);
        cr_assert(buf_ok(&m.b));
        const struct slice value = guard_copy(guard, made.text);
        if (uri_parse(value, &uri) != ERR_OK) {
            cr_assert_fail("seed %u: refused: %.*s", seed, PRINTED(made.text));
        }
        check_uri(&made, &uri);
        if (seed % 8 == 0) {
            try_damaged(&m, guard, parse_uri);
        }
    }
}

Test(properties, uri_equality_is_symmetric_and_an_equal_one_is_the_same_user)
{
    static struct maker a;
    static struct maker b;
    unsigned equal = 0;
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct made_uri made;
        struct uri first;
        struct uri second;
        maker_init(&a, seed);
        put_uri(&a, &made, true);
        // the same again, but for one byte or its case
        maker_init(&b, seed);
        put_uri(&b, &made, true);
        const unsigned where = upto(&a, (unsigned)b.b.len);
        b.bytes[where] = one_in(&a, 2) ? (char)(b.bytes[where] ^ 0x20) : 'a';
        cr_assert_eq(uri_parse(buf_slice(&a.b), &first), ERR_OK, "seed %u", seed);
        if (uri_parse(buf_slice(&b.b), &second) != ERR_OK) {
            continue;
        }
        const bool same = uri_equal(&first, &second);
        cr_assert_eq(uri_equal(&second, &first), same, "seed %u", seed);
        if (same && first.scheme != URI_OTHER) {
            char bytes[2][TEXT_BYTES_MAX];
            struct buf aors[2] = {buf_over(bytes[0], TEXT_BYTES_MAX),
                                  buf_over(bytes[1], TEXT_BYTES_MAX)};
            uri_put_aor(&aors[0], &first);
            uri_put_aor(&aors[1], &second);
            cr_assert(slice_equal(buf_slice(&aors[0]), buf_slice(&aors[1])), "seed %u", seed);
            equal++;
        }
    }
    cr_assert_gt(equal, ROUNDS / 20);
}

static void parse_via(struct slice value)
{
    struct via via;
    const enum err e = via_parse(value, &via);
    cr_assert(slice_within(via.text, value) && slice_within(via.sent_by, value));
    cr_assert(slice_within(via.params, value) && slice_within(via.branch, value));
    cr_assert(e != ERR_OK || !slice_empty(via.sent_by));
}

Test(properties, via_of_the_grammar_comes_back_in_a_response)
{
    static struct maker m;
    const struct guard guard = guard_of_test();
    const struct endpoint peer = {.ip = {IP_V4, {192, 0, 2, 1}}, .port = 5070};
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        char answer[TEXT_BYTES_MAX];
        struct buf b = buf_over(answer, sizeof(answer));
        struct via via;
        struct via again;
        maker_init(&m, seed);
        put(&m, "SIP");
        put_around(&m, "/");
        put(&m, "2.0");
        put_around(&m, "/");
        const struct slice transport = put_token(&m);
        put(&m, " ");
        put_lws(&m);
        const struct slice host = put_host(&m);
        const unsigned port = put_port(&m, true);
        put_params(&m, upto(&m, 4));
        put_around(&m, ";");
        put(&m, "branch");
        put_around(&m, "=");
        const struct slice branch = put_token(&m);
        const struct slice text = buf_slice(&m.b);
        if (one_in(&m, 3)) {
            put_around(&m, ",");
            put(&m, "SIP/2.0/UDP next");
        }
        cr_assert_eq(via_parse(guard_copy(guard, buf_slice(&m.b)), &via), ERR_OK, "seed %u: %.*s",
                     seed, PRINTED(buf_slice(&m.b)));
        cr_assert(slice_equal(via.text, text) && slice_equal(via.transport, transport));
        cr_assert(slice_equal(via.host, host) && slice_equal(via.branch, branch));
        cr_assert_eq(via.port, port);
        via_put_response(&b, &via, &peer);
        cr_assert_eq(via_parse(buf_slice(&b), &again), ERR_OK, "seed %u", seed);
        cr_assert(slice_equal(again.sent_by, via.sent_by) && slice_equal(again.branch, branch));
        if (seed % 8 == 0) {
            try_damaged(&m, guard, parse_via);
        }
    }
}

static void parse_contacts(struct slice value)
{
    struct slice rest = value;
    struct contact c;
    struct uri uri;
    while (!slice_empty(rest)) {
        const size_t before = rest.len;
        if (contact_next(&rest, &c) != ERR_OK) {
            return;
        }
        cr_assert(rest.len < before && slice_within(rest, value));
        cr_assert(slice_within(c.addr.uri, value) && slice_within(c.addr.params, value));
        if (uri_parse(c.addr.uri, &uri) == ERR_OK) {
            cr_assert(slice_within(uri.text, value));
        }
    }
}

struct made_contact {
    struct made_uri uri;
    unsigned q;
    bool has_expires;
    unsigned expires_s;
};

static void put_contact(struct maker *m, struct made_contact *made)
{
    *made = (struct made_contact){.q = Q_ABSENT};
    put_addr(m, &made->uri);
    put_params(m, upto(m, 3));
    if (one_in(m, 2)) {
        made->q = upto(m, Q_ONE);
        put_around(m, ";");
        put(m, one_in(m, 2) ? "q" : "Q");
        put_around(m, "=");
        put(m, "0.");
        buf_put_padded(&m->b, made->q, 3);
    }
    made->has_expires = one_in(m, 2);
    if (made->has_expires) {
        made->expires_s = upto(m, 100000);
        put_around(m, ";");
        put(m, "expires");
        put_around(m, "=");
        buf_put_u64(&m->b, made->expires_s);
    }
}

Test(properties, contact_list_of_the_grammar_is_taken_one_by_one)
{
    enum { CONTACTS = 3 };
    static struct maker m;
    const struct guard guard = guard_of_test();
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct made_contact made[CONTACTS];
        maker_init(&m, seed);
        const unsigned count = 1 + upto(&m, CONTACTS);
        for (unsigned i = 0; i < count; i++) {
            if (i > 0) {
                put_around(&m, ",");
            }
            put_contact(&m, &made[i]);
        }
        cr_assert(buf_ok(&m.b));
        struct slice rest = guard_copy(guard, buf_slice(&m.b));
        for (unsigned i = 0; i < count; i++) {
            struct contact c;
            struct uri uri;
            cr_assert_eq(contact_next(&rest, &c), ERR_OK, "seed %u, contact %u: %.*s", seed, i,
                         PRINTED(buf_slice(&m.b)));
            cr_assert_eq(uri_parse(c.addr.uri, &uri), ERR_OK, "seed %u", seed);
            check_uri(&made[i].uri, &uri);
            cr_assert_eq(c.q, made[i].q, "seed %u", seed);
            cr_assert_eq(c.has_expires, made[i].has_expires, "seed %u", seed);
            cr_assert(!c.has_expires || (c.expires_valid && c.expires_s == made[i].expires_s));
        }
        cr_assert(slice_empty(rest), "seed %u", seed);
        if (seed % 16 == 0) {
            try_damaged(&m, guard, parse_contacts);
        }
    }
}

static void parse_addr(struct slice value)
{
    struct addr addr;
    struct slice tag;
    if (addr_parse(value, NULL, &addr, &tag) == ERR_OK) {
        cr_assert(slice_within(addr.uri, value) && slice_within(addr.params, value));
    }
    cr_assert(slice_within(tag, value));
}

Test(properties, to_of_the_grammar_is_read_with_its_tag)
{
    static struct maker m;
    const struct guard guard = guard_of_test();
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct made_uri made;
        struct addr addr;
        struct uri uri;
        struct slice found;
        struct slice tag = slice_of(NULL, 0);
        maker_init(&m, seed);
        put_addr(&m, &made);
        put_params(&m, upto(&m, 4));
        if (one_in(&m, 2)) {
            put_around(&m, ";");
            put(&m, one_in(&m, 4) ? "TAG" : "tag");
            put_around(&m, "=");
            tag = put_token(&m);
        }
        const struct slice value = guard_copy(guard, buf_slice(&m.b));
        cr_assert_eq(addr_parse_uri(value, &addr, &found, &uri), ERR_OK, "seed %u: %.*s", seed,
                     PRINTED(value));
        check_uri(&made, &uri);
        cr_assert(slice_equal(found, tag), "seed %u", seed);
        if (seed % 16 == 0) {
            try_damaged(&m, guard, parse_addr);
        }
    }
}

static void parse_cseq(struct slice value)
{
    struct cseq cseq;
    if (cseq_parse(value, &cseq) == ERR_OK) {
        cr_assert(slice_within(cseq.method, value) && cseq.number <= INT32_MAX);
    }
}

static void parse_call_id(struct slice value)
{
    if (call_id_well_formed(value)) {
        cr_assert(slice_find(value, '\0') == value.len && slice_find(value, ' ') == value.len);
    }
}

Test(properties, cseq_and_call_id_of_the_grammar_are_read)
{
    static const char word[] = ALPHANUM "-.!%*_+`'~()<>:\\\"/[]?{}";
    static struct maker m;
    const struct guard guard = guard_of_test();
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct cseq cseq;
        maker_init(&m, seed);
        const uint64_t number = next_random(&m.random) >> (33 + upto(&m, 31));
        put(&m, one_in(&m, 8) ? "000" : "");
        buf_put_u64(&m.b, number);
        put(&m, " ");
        put_lws(&m);
        const struct slice method = put_token(&m);
        cr_assert_eq(cseq_parse(guard_copy(guard, buf_slice(&m.b)), &cseq), ERR_OK, "seed %u: %.*s",
                     seed, PRINTED(buf_slice(&m.b)));
        cr_assert(cseq.number == number && slice_equal(cseq.method, method), "seed %u", seed);
        try_damaged(&m, guard, parse_cseq);

        maker_init(&m, seed);
        (void)put_some(&m, word, 1, 16, false);
        if (one_in(&m, 2)) {
            put(&m, "@");
            (void)put_some(&m, word, 1, 16, false);
        }
        cr_assert(call_id_well_formed(guard_copy(guard, buf_slice(&m.b))), "seed %u", seed);
        try_damaged(&m, guard, parse_call_id);
    }
}

// ---- Whole messages

static void parse_message(struct slice bytes)
{
    static struct message m;
    const enum err e = message_parse(bytes, &m);
    cr_assert_eq(e == ERR_OK, m.problem == NULL && m.kind != MESSAGE_GARBAGE);
    cr_assert(slice_within(m.body, bytes));
    for (unsigned i = 0; i < m.row_count; i++) {
        cr_assert(slice_within(m.rows[i].value, bytes));
    }
}

// The rows in any order, with some that nobody reads among them.
static void put_rows(struct maker *m, struct slice values[HEADER_OTHER])
{
    static const enum header ids[] = {HEADER_VIA, HEADER_TO, HEADER_FROM, HEADER_CALL_ID,
                                      HEADER_CSEQ};

    static const char *const texts[] = {"SIP/2.0/UDP h", "<sip:a@b>", "<sip:c@d>;tag=1", "i@h",
                                        "1 INVITE"};
    const unsigned first = upto(m, LENGTH_OF(ids));
    for (unsigned i = 0; i < LENGTH_OF(ids); i++) {
        const unsigned which = (first + i) % LENGTH_OF(ids);
        if (one_in(m, 4)) {
            put(m, "X-");
            (void)put_token(m);
            put(m, " :"); // no folding before the colon
            put_lws(m);
            put_quoted(m);
            put(m, "\r\n");
        }
        buf_put(&m->b, header_name(ids[which]));
        put(m, m->lws ? " :" : ":");
        put_lws(m);
        const size_t from = m->b.len;
        put(m, texts[which]);
        values[ids[which]] = made_since(m, from);
        put_lws(m);
        put(m, "\r\n");
    }
}

Test(properties, message_of_the_grammar_has_the_rows_it_was_made_of)
{
    static struct maker m;
    static struct message message;
    const struct guard guard = guard_of_test();
    for (unsigned seed = 0; seed < ROUNDS; seed++) {
        struct slice values[HEADER_OTHER];
        struct made_uri made;
        maker_init(&m, seed);
        put(&m, one_in(&m, 8) ? "\r\n\r\nINVITE " : "INVITE ");
        put_uri(&m, &made, false);
        put(&m, " SIP/2.0\r\n");
        put_rows(&m, values);
        put(&m, "\r\n");
        cr_assert(buf_ok(&m.b));
        const struct slice bytes = guard_copy(guard, buf_slice(&m.b));
        const enum err e = message_parse(bytes, &message);
        if (e != ERR_OK) {
            cr_assert_fail("seed %u: %s", seed, message.problem);
        }
        cr_assert(slice_equal(message.uri, made.text) && message.row_count == 5);
        for (unsigned i = 0; i < message.row_count; i++) {
            cr_assert(slice_equal(message.rows[i].value, values[message.rows[i].id]), "seed %u",
                      seed);
        }
        if (seed % 16 == 0) {
            try_damaged(&m, guard, parse_message);
        }
    }
}
