// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_FIELDS_H
#define SIGNPOST_SIP_FIELDS_H

#include "signpost/base/err.h"
#include "signpost/sip/method.h"
#include "signpost/sip/uri.h"

// The typed header fields beside Via. Slices point into the value.

// name-addr or addr-spec with its parameters (RFC 3261 20.10, 25.1).
struct addr {
    struct slice uri;    // not parsed yet
    struct slice params; // header parameters, from the first ";" to the end, or empty
};

// To or From: the value holds exactly one address, and a URI of any scheme in it. *tag is empty
// when there is none. `known` is NULL or a URI that has been parsed: one with the same bytes, as
// From and To of a REGISTER have it, is not parsed again.
ERR_CHECKED enum err addr_parse(struct slice value, const struct uri *known, struct addr *out,
                                struct slice *tag);

// The same for those who need the URI too: *uri is it.
ERR_CHECKED enum err addr_parse_uri(struct slice value, struct addr *out, struct slice *tag,
                                    struct uri *uri);

enum {
    Q_ABSENT = 0xffff, // no q was given, which counts as 1 (RFC 3261 16.6)
    Q_ONE = 1000,      // q in thousandths
};

struct contact {
    struct addr addr;
    uint16_t q;         // 0..Q_ONE or Q_ABSENT
    bool has_expires;   // the parameter is there
    bool expires_valid; // and is a number
    uint32_t expires_s; // that number, at most EXPIRES_S_LIMIT
};

// Takes the next contact off the front of a Contact row's value and the comma behind it; for use
// while *rest is not empty. "*" is not a contact (contact_is_star).
ERR_CHECKED enum err contact_next(struct slice *rest, struct contact *out);

// The row's value is the "*" that removes all bindings.
bool contact_is_star(struct slice value);

// Seconds of an Expires header field; beyond EXPIRES_S_LIMIT that limit. ERR_SYNTAX for what is no
// number below 2^32 (RFC 3261 20.19).
ERR_CHECKED enum err expires_parse(struct slice value, uint32_t *seconds);

struct cseq {
    uint32_t number; // below 2^31 (RFC 3261 8.1.1.5)
    struct slice method;
};

ERR_CHECKED enum err cseq_parse(struct slice value, struct cseq *out);

// Call-ID: word ["@" word].
bool call_id_well_formed(struct slice value);

// Max-Forwards (RFC 3261 20.22): a number, of which those above 255 may be taken for none at all
// (RFC 4475 3.1.2.4). Nobody here asks for it: nothing is forwarded.
bool max_forwards_well_formed(struct slice value);

// Takes the next token off the front of the value of a header field that is a list of them
// (Require, Content-Encoding, Content-Language), and the comma behind it; for use while *rest is
// not empty.
ERR_CHECKED enum err token_next(struct slice *rest, struct slice *token);

// Content-Type (RFC 3261 20.15).
struct media_type {
    struct slice type;    // "application"
    struct slice subtype; // "sdp"
    struct slice params;  // from the first ";", or empty
};

ERR_CHECKED enum err media_type_parse(struct slice value, struct media_type *out);

// Content-Disposition (RFC 3261 20.11). *optional: it has handling=optional, so that a body which
// is not understood is ignored; without the parameter it is required.
ERR_CHECKED enum err disposition_parse(struct slice value, bool *optional);

#endif
