// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_SCRIPT_H
#define SIPFLOOD_SCRIPT_H

#include "signpost/base/endpoint.h"
#include "sipflood/scenario.h"
#include "sipflood/share.h"

// What the phones say. Every byte follows from the parameters of the run, the step and the number
// of the request: an answer is checked and a message sent again by computing the same bytes once
// more.
//
// User i is sip:u<i>@domain on the port that share.h gives it. Numbers have a fixed width, so that
// a message is a template with its numbers overwritten.

enum {
    SCRIPT_USERS_MAX = 10000000,
    SCRIPT_LOCAL_PORT_MIN = 10000, // five digits
    SCRIPT_DOMAIN_BYTES_MAX = 64,
    SCRIPT_MESSAGE_BYTES_MAX = 1536,
    SCRIPT_PATCHES_MAX = 20,
    SCRIPT_TEXT_BYTES = 16,
};

struct script_config {
    struct slice domain; // borrowed for script_init only
    struct ip local_ip;
    uint16_t local_port; // port 0 of the share
    struct share share;
    uint32_t expires_s;
    uint64_t run;    // tells the Call-IDs and branches of two runs, or threads, apart
    bool challenges; // there may be some: each turn leaves a CSeq for the answer to one
    // CSeq is 1,000,000,000 + this + the step's turn; below 10^9.
    // A later run needs a higher one, because the Call-ID of a user's REGISTERs never changes.
    uint32_t cseq_start;
};

// One request: what it is about. Its number on the wire is given apart.
struct step {
    uint64_t call; // tells the dialogs of the run apart
    uint32_t caller;
    uint32_t callee;  // without one the same as the caller
    uint32_t turn;    // higher than in any earlier request for the same registration
    bool credentials; // asked once more, with an answer to the challenge
    enum scenario_kind kind;
};

enum script_field {
    FIELD_CALLER,      // user number
    FIELD_CALLEE,      // user number
    FIELD_PORT,        // the caller's
    FIELD_CALLEE_PORT, // the callee's
    FIELD_BRANCH,      // the request's number in hexadecimal
    FIELD_TAG,
    FIELD_CALL,
    FIELD_CSEQ,
    FIELD_COUNT,
};

struct script_span {
    uint16_t at;
    uint16_t len;
};

// Where the request has its Request-URI, and what its answer must repeat.
struct script_spans {
    struct script_span uri, from, to, call_id, cseq;
};

struct script_patch {
    uint16_t at;
    uint16_t field;
};

struct script_template {
    uint16_t len;
    unsigned patches;
    struct script_patch patch[SCRIPT_PATCHES_MAX];
    char bytes[SCRIPT_MESSAGE_BYTES_MAX];
};

struct script_lines {
    struct script_template request;
    struct script_spans spans; // of the request
    uint16_t fields_at;        // where further header fields may stand
};

// Open for the sake of tests and of embedding; fields belong to script.c.
struct script {
    struct share share;
    uint64_t run;
    uint32_t cseq_start;
    uint32_t expires_s;
    uint32_t cseqs_each; // turn
    uint16_t local_port;
    uint16_t branch_prefix_len;
    char branch_prefix[SCRIPT_TEXT_BYTES];
    struct script_lines lines[SCENARIO_KINDS];
    struct script_template ack;     // all but the To field and the end
    struct script_template contact; // the callee's URI
};

// False when the parameters make a message longer than SCRIPT_MESSAGE_BYTES_MAX.
bool script_init(struct script *s, const struct script_config *c);

// The index of the socket that speaks for a user.
unsigned script_socket(const struct script *s, uint32_t user);

// A step with its numbers written out.
struct script_part {
    enum scenario_kind kind;
    char text[FIELD_COUNT][SCRIPT_TEXT_BYTES];
};

// Request `n` of the thread, which says `step`.
struct script_part script_part_of(const struct script *s, uint64_t n, const struct step *step);

// Writes the request; `out` holds SCRIPT_MESSAGE_BYTES_MAX. Returns its length.
size_t script_request(const struct script *s, const struct script_part *part, char *out);

// The same with one more header field. 0 when that does not fit.
size_t script_request_with(const struct script *s, const struct script_part *part,
                           struct slice field, char *out);

// The Request-URI; it borrows from the scratch.
struct script_scratch;
struct slice script_uri(const struct script *s, const struct script_part *part,
                        struct script_scratch *scratch);

// The user's name, without a domain; it borrows from the part.
struct slice script_user(const struct script_part *part, char room[SCRIPT_TEXT_BYTES]);

// Writes the ACK of RFC 3261 17.1.1.3: the INVITE's branch, From, Call-ID, CSeq number and
// Request-URI, and the To of the answer. 0 when it does not fit SCRIPT_MESSAGE_BYTES_MAX.
size_t script_ack(const struct script *s, const struct script_part *part, struct slice to,
                  char *out);

// What the right answer says.
struct expectation {
    const struct scenario *scenario;
    uint32_t expires_s;
    struct slice from; // the whole value
    struct slice to;   // without the tag that the server adds
    struct slice call_id;
    struct slice cseq;
    struct slice contact; // the callee's URI
};

struct script_scratch {
    char request[SCRIPT_MESSAGE_BYTES_MAX];
    char contact[SCRIPT_MESSAGE_BYTES_MAX];
};

// The result's slices borrow from the scratch.
struct expectation script_expect(const struct script *s, const struct script_part *part,
                                 struct script_scratch *scratch);

// The number of the request to which a Via with this run's branch belongs; false for any other.
bool script_number_of(const struct script *s, struct slice via, uint64_t *n);

#endif
