// SPDX-License-Identifier: Apache-2.0
#include "sipflood/digest.h"

#include <openssl/evp.h>
#include <stdlib.h>

enum { PARTS_MAX = 6, HEX_BYTES = 2 * EVP_MAX_MD_SIZE };

// How SIP and how the library calls them.
static const struct {
    struct slice sip;
    const char *library;
} algorithms[DIGEST_ALGORITHMS] = {
    [DIGEST_MD5] = {SLICE_INIT("MD5"), "MD5"},
    [DIGEST_SHA_256] = {SLICE_INIT("SHA-256"), "SHA256"},
    [DIGEST_SHA_512_256] = {SLICE_INIT("SHA-512-256"), "SHA512-256"},
};

// --- challenges -----------------------------------------------------------------------------

// Where a parameter's value ends: at the comma outside of quotes.
static size_t value_end(struct slice s)
{
    bool quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        if (quoted && s.at[i] == '\\') {
            i++;
        } else if (s.at[i] == '"') {
            quoted = !quoted;
        } else if (s.at[i] == ',' && !quoted) {
            return i;
        }
    }
    return s.len;
}

static struct slice unquoted(struct slice s)
{
    const bool quoted = s.len >= 2 && s.at[0] == '"' && s.at[s.len - 1] == '"';
    return quoted ? slice_of(s.at + 1, s.len - 2) : s;
}

static bool offers_auth(struct slice list)
{
    while (!slice_empty(list)) {
        const size_t comma = slice_find(list, ',');
        if (slice_equal_nocase(slice_trim(slice_of(list.at, comma)), SLICE("auth"))) {
            return true;
        }
        list = slice_from(list, comma + 1);
    }
    return false;
}

static bool take_algorithm(struct challenge *c)
{
    static const struct slice sess = SLICE_INIT("-sess");
    struct slice name = c->algorithm_name;
    c->algorithm = DIGEST_MD5;
    if (slice_empty(name)) {
        return true;
    }
    c->session =
        name.len > sess.len && slice_equal_nocase(slice_from(name, name.len - sess.len), sess);
    name.len -= c->session ? sess.len : 0;
    for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++) {
        if (slice_equal_nocase(name, algorithms[i].sip)) {
            c->algorithm = (enum digest_algorithm)i;
            return true;
        }
    }
    return false;
}

bool challenge_parse(struct slice value, struct challenge *out)
{
    static const struct slice scheme = SLICE_INIT("Digest ");
    struct slice qop = slice_of(NULL, 0);
    *out = (struct challenge){0};
    if (value.len < scheme.len || !slice_equal_nocase(slice_of(value.at, scheme.len), scheme)) {
        return false;
    }
    struct slice rest = slice_from(value, scheme.len);
    while (!slice_empty(rest)) {
        const size_t end = value_end(rest);
        const struct slice one = slice_of(rest.at, end);
        const size_t equals = slice_find(one, '=');
        const struct slice name = slice_trim(slice_of(one.at, equals));
        const struct slice text = unquoted(slice_trim(slice_from(one, equals + 1)));
        if (slice_equal_nocase(name, SLICE("realm"))) {
            out->realm = text;
        } else if (slice_equal_nocase(name, SLICE("nonce"))) {
            out->nonce = text;
        } else if (slice_equal_nocase(name, SLICE("opaque"))) {
            out->opaque = text;
        } else if (slice_equal_nocase(name, SLICE("algorithm"))) {
            out->algorithm_name = text;
        } else if (slice_equal_nocase(name, SLICE("qop"))) {
            qop = text;
        }
        rest = slice_from(rest, end + 1);
    }
    out->qop = offers_auth(qop);
    return !slice_empty(out->realm) && !slice_empty(out->nonce) && take_algorithm(out) &&
           (slice_empty(qop) || out->qop);
}

// --- answers --------------------------------------------------------------------------------

struct digest {
    EVP_MD_CTX *context;
    EVP_MD *algorithms[DIGEST_ALGORITHMS];
};

struct digest *digest_create(FILE *why)
{
    struct digest *d = calloc(1, sizeof(*d));
    bool ok = d != NULL && (d->context = EVP_MD_CTX_new()) != NULL;
    for (unsigned i = 0; i < DIGEST_ALGORITHMS && ok; i++) {
        d->algorithms[i] = EVP_MD_fetch(NULL, algorithms[i].library, NULL);
        ok = d->algorithms[i] != NULL;
    }
    if (!ok) {
        (void)fprintf(why, "libcrypto does not give what digest authentication needs\n");
        digest_destroy(d);
        return NULL;
    }
    return d;
}

void digest_destroy(struct digest *d)
{
    if (d == NULL) {
        return;
    }
    for (unsigned i = 0; i < DIGEST_ALGORITHMS; i++) {
        EVP_MD_free(d->algorithms[i]);
    }
    EVP_MD_CTX_free(d->context);
    free(d);
}

// H(part ":" part ":" ...) in hexadecimal; the empty slice when the library fails.
static struct slice hash(struct digest *d, enum digest_algorithm algorithm,
                         const struct slice *parts, unsigned count, char *room)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned len = 0;
    bool ok = EVP_DigestInit_ex2(d->context, d->algorithms[algorithm], NULL) == 1;
    for (unsigned i = 0; i < count && ok; i++) {
        ok = (i == 0 || EVP_DigestUpdate(d->context, ":", 1) == 1) &&
             EVP_DigestUpdate(d->context, parts[i].at, parts[i].len) == 1;
    }
    if (!ok || EVP_DigestFinal_ex(d->context, bytes, &len) != 1) {
        return slice_of(NULL, 0);
    }
    for (size_t i = 0; i < len; i++) {
        room[2 * i] = digits[bytes[i] >> 4];
        room[2 * i + 1] = digits[bytes[i] & 0xf];
    }
    return slice_of(room, 2 * (size_t)len);
}

static const struct slice first_use = SLICE_INIT("00000001");

// RFC 7616 3.4.1.
static struct slice response_of(struct digest *d, const struct challenge *c,
                                const struct credentials *who, char *room)
{
    char room_1[HEX_BYTES];
    char room_2[HEX_BYTES];
    const struct slice a1[] = {who->user, c->realm, who->password};
    const struct slice a2[] = {who->method, who->uri};
    struct slice secret = hash(d, c->algorithm, a1, 3, room_1);
    if (c->session) {
        const struct slice session[] = {secret, c->nonce, who->cnonce};
        secret = hash(d, c->algorithm, session, 3, room_1);
    }
    const struct slice asked = hash(d, c->algorithm, a2, 2, room_2);
    const struct slice with[] = {secret, c->nonce, first_use, who->cnonce, SLICE("auth"), asked};
    const struct slice without[] = {secret, c->nonce, asked};
    if (slice_empty(secret) || slice_empty(asked)) {
        return slice_of(NULL, 0);
    }
    return c->qop ? hash(d, c->algorithm, with, 6, room) : hash(d, c->algorithm, without, 3, room);
}

static void put_quoted(struct buf *out, struct slice before, struct slice value)
{
    buf_put(out, before);
    buf_put(out, SLICE("=\""));
    buf_put(out, value);
    buf_put(out, SLICE("\""));
}

bool digest_answer(struct digest *d, const struct challenge *c, const struct credentials *who,
                   struct buf *out)
{
    char room[HEX_BYTES];
    const struct slice response = response_of(d, c, who, room);
    put_quoted(out, SLICE("Digest username"), who->user);
    put_quoted(out, SLICE(", realm"), c->realm);
    put_quoted(out, SLICE(", nonce"), c->nonce);
    put_quoted(out, SLICE(", uri"), who->uri);
    put_quoted(out, SLICE(", response"), response);
    if (!slice_empty(c->algorithm_name)) {
        buf_put(out, SLICE(", algorithm="));
        buf_put(out, c->algorithm_name);
    }
    if (c->qop || c->session) {
        put_quoted(out, SLICE(", cnonce"), who->cnonce);
    }
    if (c->qop) {
        buf_put(out, SLICE(", qop=auth, nc="));
        buf_put(out, first_use);
    }
    if (!slice_empty(c->opaque)) {
        put_quoted(out, SLICE(", opaque"), c->opaque);
    }
    return !slice_empty(response);
}
