// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_DIGEST_H
#define SIPFLOOD_DIGEST_H

#include <stdio.h>

#include "signpost/base/buf.h"
#include "signpost/base/slice.h"

// Digest authentication as a phone does it: RFC 3261 22, with the algorithms of RFC 8760 and their
// session variants.

enum digest_algorithm {
    DIGEST_MD5,
    DIGEST_SHA_256,
    DIGEST_SHA_512_256,
    DIGEST_ALGORITHMS,
};

// Slices borrow from the header field; texts are as they stand between the quotes.
struct challenge {
    struct slice realm;
    struct slice nonce;
    struct slice opaque;         // empty: none
    struct slice algorithm_name; // empty: none, which means MD5
    enum digest_algorithm algorithm;
    bool session; // a "-sess" variant
    bool qop;     // quality of protection "auth" is offered
};

// Reads the value of a WWW-Authenticate or Proxy-Authenticate. False when it is malformed, or asks
// for something else than these algorithms and "auth", so that another challenge may be answered.
bool challenge_parse(struct slice value, struct challenge *out);

struct credentials {
    struct slice user;
    struct slice password;
    struct slice method;
    struct slice uri;
    struct slice cnonce;
};

// The library's state; one thread.
struct digest;

// NULL when the library gives none; one line about it goes to `why`. The caller destroys it.
struct digest *digest_create(FILE *why);
void digest_destroy(struct digest *d);

// Writes the value of an Authorization or Proxy-Authorization: the first use of the nonce. False
// when the library fails.
bool digest_answer(struct digest *d, const struct challenge *challenge,
                   const struct credentials *credentials, struct buf *out);

#endif
