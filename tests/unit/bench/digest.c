// SPDX-License-Identifier: Apache-2.0
#include "sipflood/digest.h"

#include <criterion/criterion.h>

static struct challenge c;

static bool parse(const char *text)
{
    return challenge_parse(slice_of(text, strlen(text)), &c);
}

// The example of RFC 7616 3.9.1.
static const struct credentials mufasa = {
    .user = SLICE_INIT("Mufasa"),
    .password = SLICE_INIT("Circle of Life"),
    .method = SLICE_INIT("GET"),
    .uri = SLICE_INIT("/dir/index.html"),
    .cnonce = SLICE_INIT("f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"),
};

#define EXAMPLE                                                                                    \
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", "                             \
    "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "                                     \
    "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""

static const char *answer(const char *challenge)
{
    static char text[1024];
    struct digest *d = digest_create(stderr);
    struct buf out = buf_over(text, sizeof(text) - 1);
    cr_assert(d != NULL);
    cr_assert(parse(challenge), "%s", challenge);
    cr_assert(digest_answer(d, &c, &mufasa, &out));
    cr_assert(buf_ok(&out));
    text[out.len] = '\0';
    digest_destroy(d);
    return text;
}

static void assert_response(const char *challenge, const char *response)
{
    const char *text = answer(challenge);
    cr_assert(strstr(text, response) != NULL, "no %s in %s", response, text);
}

Test(digest, examples_of_rfc_7616)
{
    assert_response(EXAMPLE ", algorithm=MD5", "response=\"8ca523f5e9506fed4657c9700eebdbec\"");
    assert_response(
        EXAMPLE ", algorithm=SHA-256",
        "response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\"");
}

Test(digest, an_answer_repeats_what_it_must)
{
    const char *text = answer(EXAMPLE ", algorithm=SHA-512-256");
    const char *parts[] = {"Digest username=\"Mufasa\", realm=\"http-auth@example.org\", ",
                           "uri=\"/dir/index.html\"",
                           ", algorithm=SHA-512-256",
                           ", qop=auth, nc=00000001",
                           "cnonce=\"f2/w",
                           "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""};
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        cr_assert(strstr(text, parts[i]) != NULL, "no %s in %s", parts[i], text);
    }
}

Test(digest, without_qop_it_is_that_of_rfc_2069)
{
    const char *text = answer("Digest realm=\"r\", nonce=\"n\"");
    cr_assert(strstr(text, "qop") == NULL);
    cr_assert(strstr(text, "cnonce") == NULL);
    cr_assert(strstr(text, "algorithm") == NULL);
}

Test(digest, challenges_are_read_however_they_are_written)
{
    cr_assert(parse("digest NONCE=\"a,\\\"b\" , Realm=\"x\",algorithm=\"sha-256-SESS\",qop=auth"));
    cr_assert(slice_equal(c.nonce, SLICE("a,\\\"b")));
    cr_assert_eq(c.algorithm, DIGEST_SHA_256);
    cr_assert(c.session);
    cr_assert(c.qop);
}

Test(digest, what_cannot_be_answered_is_no_challenge)
{
    const char *bad[] = {"",
                         "Digest",
                         "Basic realm=\"r\"",
                         "Digest realm=\"r\"",
                         "Digest nonce=\"n\"",
                         "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-1",
                         "Digest realm=\"r\", nonce=\"n\", algorithm=-sess",
                         "Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        cr_assert_not(parse(bad[i]), "%s", bad[i]);
    }
}
