// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_MESSAGE_H
#define SIGNPOST_SIP_MESSAGE_H

#include "signpost/base/err.h"
#include "signpost/base/limits.h"
#include "signpost/sip/header.h"
#include "signpost/sip/method.h"

// A SIP message taken apart into start line, header rows and body (RFC 3261 7). All slices point
// into the datagram. Of the header values only those are looked into here that nobody reads later:
// Max-Forwards and Content-Length.

struct message_row {
    struct slice value; // trimmed; may still hold the line breaks of folding
    enum header id;     // never HEADER_OTHER: such rows are not kept
    uint16_t next;      // row number of the next one with this id, or MESSAGE_NO_ROW
};

enum { MESSAGE_NO_ROW = 0xffff };

static_assert(HEADER_ROWS_MAX < UINT16_MAX, "a row number fits and is never MESSAGE_NO_ROW");

enum message_kind {
    MESSAGE_GARBAGE, // the first line is neither a request's nor a response's
    MESSAGE_REQUEST,
    MESSAGE_RESPONSE,
};

struct message {
    enum message_kind kind;
    enum method method;       // of a request
    struct slice method_name; // of a request; empty, or a part of it, when it is no token
    struct slice uri;         // of a request: the Request-URI as it came
    struct slice version;     // of a request: "SIP/2.0" or what else stood there
    struct slice body;        // Content-Length bytes, or all that follow the header
    const char *problem;      // NULL, or the first fault found: a reason phrase for a 400, static
    bool via_lost; // a Via row is faulty or did not fit: no answer would find its way back
    uint16_t row_count;
    uint16_t first[HEADER_COUNT]; // row number of the first row with that id, or MESSAGE_NO_ROW
    struct message_row rows[HEADER_ROWS_MAX + HEADER_COUNT];
};

// Takes the bytes of one datagram apart. Always fills `m` as far as it gets, so that a faulty
// request can still be answered: ERR_OK, or ERR_SYNTAX when m->problem says what is wrong with it
// or the kind is MESSAGE_GARBAGE. Of more than HEADER_ROWS_MAX rows that matter, only the first of
// each id are kept, and that is a fault. A request without any fault has each mandatory header (RFC
// 3261 8.1.1: To, From, CSeq, Call-ID, Via; Max-Forwards may lack, as RFC 2543 had it) and none
// twice that may stand only once.
ERR_CHECKED enum err message_parse(struct slice bytes, struct message *m);

// The first row with that id, or NULL.
const struct message_row *message_first(const struct message *m, enum header id);

// The row after `row` with the same id, or NULL.
const struct message_row *message_next(const struct message *m, const struct message_row *row);

static inline bool message_has(const struct message *m, enum header id)
{
    return m->first[id] != MESSAGE_NO_ROW;
}

// The value of the first row with that id, which there must be.
static inline struct slice message_value(const struct message *m, enum header id)
{
    assert(message_has(m, id));
    return m->rows[m->first[id]].value;
}

#endif
