// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_ANSWER_H
#define SIPFLOOD_ANSWER_H

#include "signpost/base/slice.h"

// Reads what came back. On purpose not the server's own parser: a mistake made in that one must
// not be blind to itself here.

enum {
    ANSWER_CONTACT_FIELDS_MAX = 64,
    ANSWER_CHALLENGES_MAX = 8,
    ANSWER_STATUS_NONE = 0, // the start line is a request's: an echo, or a request to the phone
};

// Slices borrow from the datagram. Values are trimmed; an absent field is the empty slice.
struct answer {
    unsigned status;
    struct slice start_line;
    struct slice via; // the topmost
    struct slice from;
    struct slice to;
    struct slice call_id;
    struct slice cseq;
    struct slice retry_after;  // the last one
    unsigned challenge_fields; // WWW-Authenticate and Proxy-Authenticate
    struct slice challenges[ANSWER_CHALLENGES_MAX];
    unsigned contact_fields;
    struct slice contacts[ANSWER_CONTACT_FIELDS_MAX]; // the first `contact_fields` are set
};

// False when it is no SIP message: start line, a header line, the end of the headers or the body
// (by Content-Length) is broken, or one of Via, From, To, Call-ID and CSeq is missing or, but for
// Via, there twice.
bool answer_parse(struct slice datagram, struct answer *out);

struct contact {
    struct slice uri; // without the angle brackets
    struct slice params;
};

// Takes the first Contact off a comma-separated field value. False when nothing is left, and when
// what is left starts with no Contact: then *rest is not empty.
bool answer_contact_next(struct slice *rest, struct contact *out);

// The value of ";name=value" among header parameters, empty when absent.
struct slice answer_param(struct slice params, struct slice name);

#endif
