// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_INTENT_H
#define SIGNPOST_TESTS_SIM_INTENT_H

#include "signpost/base/endpoint.h"

// What a simulated phone or caller means by a request. The text that is sent is made from it
// (intent_put), and the model judges by it; so neither has to take a request's text apart.

enum uri_spec_scheme { SPEC_SIP, SPEC_SIPS, SPEC_TEL };

enum uri_spec_transport { SPEC_NO_TRANSPORT, SPEC_UDP, SPEC_TCP };

// One URI in two ways: what it means, and by which of equivalent spellings it is written.
enum {
    SPELL_ESCAPED = 1,  // the user's first character as %XX
    SPELL_HOST = 2,     // upper case
    SPELL_SCHEME = 4,   // upper case
    SPELL_PARAMS = 8,   // upper case
    SPELLINGS = 16,     // all of them
    SPEC_USERS = 6,     // in the table of uri_spec_put
    SPEC_DOMAINS = 2,   // hosts that are domains of the server; the first ones in the table
    SPEC_HOSTS = 7,     // all
    SPEC_FOREIGN = 2,   // a domain of somebody else
    SPEC_NO_USER = 255, // the server itself
};

struct uri_spec {
    enum uri_spec_scheme scheme;
    enum uri_spec_transport transport;
    uint8_t user;
    uint8_t host;
    bool extra; // ";x=1", which may be in one of two equal URIs only
    bool phone; // ";user=phone", which may not
    uint8_t spelling;
    uint16_t port; // 0 for none
};

// RFC 3261 19.1.4.
bool uri_spec_same(const struct uri_spec *a, const struct uri_spec *b);
void uri_spec_put(struct buf *b, const struct uri_spec *uri);

// "user@domain", the canonical address of record (RFC 3261 10.3 step 5).
void uri_spec_put_aor(struct buf *b, uint8_t user, uint8_t domain);

enum intent_kind {
    INTENT_REGISTER,
    INTENT_INVITE,
    INTENT_OPTIONS,
    INTENT_MESSAGE,
    INTENT_SUBSCRIBE,
    INTENT_FOO, // a method that nobody has heard of
    INTENT_BYE,
    INTENT_CANCEL,
    INTENT_ACK,
};

// What is wrong with a request; one thing at a time, so that the answer to it is known.
enum flaw {
    FLAW_NONE,
    // of any request
    FLAW_NO_CSEQ,
    FLAW_CSEQ_METHOD,
    FLAW_NO_CALL_ID,
    FLAW_NO_FROM,
    FLAW_NO_TO,
    FLAW_NO_VIA,
    FLAW_CONTENT_LENGTH, // says more than there is
    FLAW_VERSION,
    FLAW_REQUEST_URI,
    FLAW_SCHEME,
    FLAW_GARBAGE,
    FLAW_RESPONSE,
    FLAW_KEEPALIVE,
    // of a REGISTER
    FLAW_CONTACT,
    FLAW_CONTACT_URI,
    FLAW_Q,
    FLAW_FOREIGN_URI,
    FLAW_FOREIGN_TO,
    FLAW_STRANGER, // from a network that may not register
    FLAW_STAR_EXPIRES,
    FLAW_STAR_NO_EXPIRES,
    FLAW_STAR_MIXED,
    FLAW_COUNT,
    FLAW_FIRST_OF_REGISTER = FLAW_CONTACT,
};

enum expiry_form { EXPIRY_ABSENT, EXPIRY_NUMBER, EXPIRY_MALFORMED };

struct expiry {
    enum expiry_form form;
    uint64_t seconds; // of a number, however large
};

enum { INTENT_CONTACTS_MAX = 4, INTENT_TAG_BYTES = 48, Q_NONE = -1 };

struct contact_intent {
    struct uri_spec uri;
    struct expiry expiry;
    int q;         // thousandths or Q_NONE
    bool instance; // it has a parameter of the phone's own
};

struct intent {
    unsigned id; // number of the request; copies have the same
    enum intent_kind kind;
    enum flaw flaw;
    struct uri_spec target; // Request-URI
    struct uri_spec to;
    bool in_dialog; // To has a tag
    bool requires;  // an extension that nobody has
    unsigned call;  // Call-ID, From tag and branch by their numbers
    unsigned from_tag;
    unsigned branch;
    uint32_t cseq;
    unsigned peer;
    bool rport;
    bool natted;  // sent-by is another address than the peer's
    bool no_port; // sent-by has no port
    bool proxied; // has a second Via
    bool compact; // short header names
    bool one_row; // Contacts in one header field
    bool star;
    struct expiry expires; // the header field
    unsigned contact_count;
    struct contact_intent contacts[INTENT_CONTACTS_MAX];
    char to_tag[INTENT_TAG_BYTES]; // of an ACK: the answer's
};

const char *intent_method(const struct intent *in);
void intent_put(struct buf *b, const struct intent *in);

// The values of header fields that an answer must repeat.
void intent_put_sent_by(struct buf *b, const struct intent *in);
void intent_put_from(struct buf *b, const struct intent *in);
void intent_put_to(struct buf *b, const struct intent *in);
void intent_put_call_id(struct buf *b, const struct intent *in);
void intent_put_cseq(struct buf *b, const struct intent *in);
void intent_put_second_via(struct buf *b, const struct intent *in);

// Where it comes from, and where its answer belongs (RFC 3261 18.2.2, RFC 3581 4).
struct endpoint intent_peer(const struct intent *in);
struct endpoint intent_answer_target(const struct intent *in);

#endif
