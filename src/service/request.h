// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SERVICE_REQUEST_H
#define SIGNPOST_SERVICE_REQUEST_H

#include "signpost/service/uas.h"
#include "signpost/sip/fields.h"
#include "signpost/sip/message.h"
#include "signpost/sip/response.h"
#include "signpost/sip/uri.h"
#include "signpost/sip/via.h"

// A request while it is being answered, and how it is answered. For registrar, redirect and uas;
// lives from uas_read to uas_answer.
struct request {
    const struct uas *uas;
    struct metrics *metrics;
    const struct uas_input *in;
    struct buf *out;
    const struct message *message;
    struct via via;         // the topmost
    struct endpoint target; // where the answer goes
    const char *problem;    // NULL, or what is wrong with it

    // Set once the request has proved well-formed:
    struct uri uri;        // Request-URI
    struct uri to;         // the URI in To
    bool uri_ok;           // the Request-URI is one
    bool has_subject;      // it is about an address of record, which `aor` then is
    bool names_server;     // the Request-URI does, and no user of it
    struct slice to_tag;   // empty when it has none
    struct slice from_tag; // empty when it has none
    struct slice call_id;
    struct cseq cseq;
    struct transaction_key key; // text empty when it would be too long to be remembered
    bool rfc2543;               // it has no branch of RFC 3261, and the key is made of other fields
    bool merged;                // it has come before by another way
    bool done_before;           // it has come before and been granted, but is answered anew
    uint64_t id; // keyed hash: the same for all that belongs to the request's transaction
    bool tag_to; // the response's To gets a tag, made of the id

    enum status status; // of the answer that was begun last
    bool leaves_state;  // the store is to keep *list, the bindings of `aor`

    // Working memory:
    struct binding_list *list;
    struct contact_update *updates; // CONTACTS_PER_AOR_MAX
    struct buf aor;                 // AOR_BYTES_MAX
    struct buf key_text;            // TRANSACTION_KEY_BYTES_MAX
    struct buf params;              // AOR_STATE_BYTES_MAX
};

// The user agent server is responsible for the domain that `uri` names (RFC 3261 10.3 step 1).
bool request_domain_served(const struct request *r, const struct uri *uri);

// The Request-URI names this server and no user of it. The dispatcher asks once.
bool request_names_server(const struct request *r);

// Writes a whole response without header fields of its own; an empty phrase is the status's own.
void request_answer(struct request *r, enum status status, struct slice phrase);

// The same in two parts, for header fields in between.
void request_answer_begin(struct request *r, enum status status, struct slice phrase);
void request_answer_end(struct request *r);

// 420 with Unsupported when the request requires an extension; there is none that this server
// has. True when it has answered so.
bool request_refuse_extensions(struct request *r);

// 415 when the request has a body that this server would have to understand and does not
// (RFC 3261 8.2.3). True when it has answered so. A body of nothing but line ends is none.
bool request_refuse_content(struct request *r);

// Accept, Accept-Encoding, Accept-Language: what bodies and languages are understood.
void request_put_accept(struct request *r);

// "<uri>", ";q=" unless it is Q_ABSENT, ";expires=": a binding as a Contact header field tells it.
void request_put_binding(struct buf *b, const struct binding *binding);

#endif
