// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_RESPONSE_H
#define SIGNPOST_SIP_RESPONSE_H

#include "signpost/sip/message.h"
#include "signpost/sip/status.h"
#include "signpost/sip/via.h"

// Builds responses (RFC 3261 8.2.6): response_begin, then the caller's own header fields by
// response_header, then response_end. Overflow shows in the buffer (buf_ok) and nowhere else.

struct response_head {
    const struct message *request;
    const struct via *via; // the request's topmost
    const struct endpoint *peer;
    enum status status;
    struct slice phrase;    // empty for the status's own
    struct slice server;    // value of the Server header field, empty for none
    const uint64_t *to_tag; // NULL: To stays as it is, because it has a tag or is malformed
};

// Status line; Via, To, From, Call-ID, CSeq as in the request, those that it has; Server.
void response_begin(struct buf *b, const struct response_head *head);

// "Name: value" as one line.
static inline void response_header(struct buf *b, struct slice name, struct slice value)
{
    char *at = buf_room(b, name.len + value.len + 4);
    if (at != NULL) {
        at = buf_write(at, name);
        at = buf_write(at, SLICE(": "));
        at = buf_write(at, value);
        (void)buf_write(at, SLICE("\r\n"));
    }
}

// Content-Length and the empty line: Signpost's responses have no body.
static inline void response_end(struct buf *b)
{
    buf_put(b, SLICE("Content-Length: 0\r\n\r\n"));
}

#endif
