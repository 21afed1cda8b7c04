// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_SERVICE_HARNESS_H
#define SIGNPOST_TESTS_UNIT_SERVICE_HARNESS_H

#include "signpost/service/uas.h"

// The whole core without a socket: a user agent server with fixed keys, and a clock and a peer
// that the test sets. A test sends a message and looks at the answer. Criterion runs each test in
// a process of its own, so one is enough.
//
// Texts of messages, sent and expected, end their lines in "\n", which stands for CRLF.

struct harness {
    struct uas uas;
    struct uas_scratch *scratch;
    struct metrics metrics;
    struct now now;
    struct endpoint peer;  // of what is sent: 192.0.2.4:5070 unless the test says otherwise
    struct endpoint local; // 192.0.2.1:5060
    uint32_t waited_ms;    // 0
    enum uas_service service;
    uint32_t cseq; // of the last message made by harness_send
    bool answered;
    struct endpoint target;
    const struct binding_list *state;  // that a REGISTER has left, or NULL
    struct slice aor;                  // then
    char answer[ANSWER_BYTES_MAX + 1]; // NUL-terminated
    size_t answer_len;
};

extern struct harness harness;

// Suite fixtures. Responsible for any domain; peers of 192.0.2.0/24 and 2001:db8::/32 may
// register; expiry 3600 unless asked for, from 60 to 7200 seconds; no Server header field.
void harness_start(void);
void harness_stop(void);

// From now on transactions are remembered, in so many bytes.
void harness_stateful(size_t budget_bytes);

// Responsible for this domain only.
void harness_serve(const char *name);

void harness_advance_ms(uint64_t ms);
void harness_peer(const char *ip, uint16_t port);

// Sends a message as it stands.
void harness_text(const char *text);
void harness_bytes(const void *bytes, size_t len);

// A request; what is left out gets a usual value, and a CSeq and branch of its own each time.
struct sip {
    const char *method;  // "REGISTER"
    const char *uri;     // "sip:example.com" for REGISTER, else "sip:bob@example.com"
    const char *via;     // value; "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK<cseq>"
    const char *to;      // "<sip:bob@example.com>"
    const char *from;    // "<sip:alice@example.com>;tag=al1ce"
    const char *call_id; // "call-1@192.0.2.4"
    uint32_t cseq;       // one more than the last time
    const char *extra;   // further header rows, each with its "\n"
};

void harness_send(struct sip sip);

// REGISTER for bob@example.com with these header rows, each with its "\n".
void harness_register(const char *rows);

// ---- The answer to what was sent last

// 0 when there was none.
unsigned answer_status(void);

// "404 Not Found", "" when there was none.
const char *answer_line(void);

// Value of the n-th row (from 0) with that name, "-" when there is none.
const char *answer_row(const char *name, size_t n);
const char *answer_header(const char *name);

// All Contact rows, joined by " | "; "" for none.
const char *answer_contacts(void);

// "192.0.2.4:5070"
const char *answer_target(void);

// The tag of To, "" without one.
const char *answer_to_tag(void);

// The whole answer is this text, in which "{tag}" stands for sixteen hexadecimal digits.
void expect_answer(const char *text);

uint64_t count_of(enum metric id);

#endif
