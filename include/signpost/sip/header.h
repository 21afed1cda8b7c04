// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_HEADER_H
#define SIGNPOST_SIP_HEADER_H

#include "signpost/base/slice.h"

// X(id, name, compact form or 0, may stand only once): the header fields that this server looks
// at. Any other is HEADER_OTHER and passes unread (RFC 3261 7.3, 20).
#define HEADERS(X)                                                                                 \
    X(VIA, "Via", 'v', false)                                                                      \
    X(TO, "To", 't', true)                                                                         \
    X(FROM, "From", 'f', true)                                                                     \
    X(CALL_ID, "Call-ID", 'i', true)                                                               \
    X(CSEQ, "CSeq", 0, true)                                                                       \
    X(CONTACT, "Contact", 'm', false)                                                              \
    X(EXPIRES, "Expires", 0, true)                                                                 \
    X(MAX_FORWARDS, "Max-Forwards", 0, true)                                                       \
    X(CONTENT_LENGTH, "Content-Length", 'l', true)                                                 \
    X(REQUIRE, "Require", 0, false)                                                                \
    X(CONTENT_TYPE, "Content-Type", 'c', true)                                                     \
    X(CONTENT_ENCODING, "Content-Encoding", 'e', false)                                            \
    X(CONTENT_LANGUAGE, "Content-Language", 0, false)                                              \
    X(CONTENT_DISPOSITION, "Content-Disposition", 0, true)

enum header {

#define X(id, name, compact, once) HEADER_##id,
    HEADERS(X)
#undef X
        HEADER_OTHER,
    HEADER_COUNT,
};

// Full or compact name, without regard to case.
enum header header_of(struct slice name);

// The header field whose full name, of *name_len bytes, begins the line, with the colon right
// behind it: as nearly every line has it, and without looking for the colon. Else HEADER_OTHER,
// which may still be found by header_of.
enum header header_at(struct slice line, size_t *name_len);

// "Call-ID"; the header must not be HEADER_OTHER.
struct slice header_name(enum header h);

bool header_once(enum header h);

#endif
