// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_URI_H
#define SIGNPOST_SIP_URI_H

#include "signpost/base/endpoint.h"
#include "signpost/base/err.h"

// URIs (RFC 3261 19.1, 25.1). A parsed URI is a value of slices into the text it came from.

enum uri_scheme {
    URI_SIP,
    URI_SIPS,
    URI_OTHER, // tel, mailto, ...: only `text` and `scheme_name` are set
};

struct uri {
    enum uri_scheme scheme;
    bool has_user;
    bool has_password;
    uint16_t port;     // 0 when none is given
    struct slice text; // all of it
    struct slice scheme_name;
    struct slice user;     // escapes as they came
    struct slice password; // escapes as they came
    struct slice host;     // a name, dotted quad, or IPv6 reference with its brackets
    struct ip host_ip;     // IP_NONE when the host is a name
    struct slice params;   // from the first ";" up to the headers, or empty
    struct slice headers;  // after "?", or empty
};

// All of `text` must be the URI: sip: and sips: by RFC 3261 25.1, tel: by RFC 3966, any other
// scheme as absoluteURI. ERR_SYNTAX when it is not one, has more than URI_PARTS_MAX parameters or
// header components, or a parameter twice.
ERR_CHECKED enum err uri_parse(struct slice text, struct uri *out);

// The same, at once when `text` has the very bytes of `known`, which has been parsed before: the
// URIs of a request are mostly one another's copies.
ERR_CHECKED enum err uri_parse_like(struct slice text, const struct uri *known, struct uri *out);

// RFC 3261 19.1.4, and RFC 3966 4 for tel:. URIs of other schemes are equal when their bytes are,
// but for the scheme's case.
bool uri_equal(const struct uri *a, const struct uri *b);

// The host without the dot that a fully qualified name may end in, which makes it no other host.
struct slice uri_host(const struct uri *uri);

// Writes the canonical address of record (RFC 3261 10.3 step 5), an index and no URI: user with
// its escapes decoded, "@", host in lower case (an address as ip_put writes it). Scheme,
// password, port and parameters are left out, so that sip: and sips: name one address of record
// (RFC 5630), and a listening port in the URI makes no other user of it. The scheme must not be
// URI_OTHER.
void uri_put_aor(struct buf *b, const struct uri *uri);

#endif
