// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SERVICE_UAS_H
#define SIGNPOST_SERVICE_UAS_H

#include "signpost/base/hash.h"
#include "signpost/base/now.h"
#include "signpost/state/admission.h"
#include "signpost/state/location.h"
#include "signpost/state/metrics.h"
#include "signpost/state/transaction.h"

// The user agent server (RFC 3261 8.2): the one entry point of the core. Bytes, a peer and the
// time come in; bytes and their target go out. No socket, no clock, no lock but the tables'; what
// it needs to remember between calls is in the location and transaction tables alone.

struct uas_config {
    const struct slice *domains; // in lower case; none: responsible for any domain
    size_t domain_count;
    struct admission admission;
    uint32_t expires_default_s;      // granted when a REGISTER does not say
    uint32_t expires_min_s;          // 423 below, where RFC 3261 10.3 allows it
    uint32_t expires_max_s;          // granted when a REGISTER asks for more
    uint32_t expires_jitter_percent; // by up to which part what is granted is shortened, 0..50
    uint32_t register_contacts_max;  // Contacts in one REGISTER, up to CONTACTS_PER_AOR_MAX
    uint32_t redirect_bytes_max;     // of a 302 with more than one Contact
    uint32_t busy_after_ms;          // a new request that has waited longer gets 503; 0: none does
    uint32_t retry_after_s;          // told then, and up to twice this
    bool answers_wait;   // a 200 to a REGISTER is to be sent only when out->state has been kept
    struct slice server; // value of the Server header field, empty for none
    struct hash_key key; // secret, of To tags and request identities
};

// What all workers share: read only, but for the tables, which guard themselves.
struct uas {
    struct uas_config config;
    struct location *location;
    struct transactions *transactions; // NULL: stateless, each request is answered anew
};

// Working memory of one thread; no state of its own between calls.
struct uas_scratch;

// NULL when memory does not suffice.
struct uas_scratch *uas_scratch_create(void);
void uas_scratch_destroy(struct uas_scratch *scratch);

// What the location table can be asked for.
enum uas_service {
    UAS_SERVES,     // everything
    UAS_LOOKS_UP,   // nothing new, for it could not be kept: REGISTER gets 503
    UAS_IS_LOADING, // nothing, for it is not yet filled: 503 to all that needs it
};

struct uas_input {
    struct slice bytes;           // one datagram
    const struct endpoint *peer;  // its source
    const struct endpoint *local; // the address it came to
    uint32_t socket;              // the caller's name for where it came in, for answers sent later
    uint32_t waited_ms;           // since it arrived
    enum uas_service service;
    struct now now;
};

struct uas_output {
    struct buf answer;      // over memory of the caller, ANSWER_BYTES_MAX of it, len 0
    struct endpoint target; // where the answer goes, from the address the datagram came to

    // What a REGISTER has left, for a store to keep: all bindings of the address of record, and
    // their revision. NULL when it has changed nothing; with answers_wait, only when its answer
    // promises nothing. Valid until the next call with this scratch. To be NULL before the call.
    const struct binding_list *state;
    struct slice aor;
};

// Handles one datagram. True when out->answer is to be sent to out->target; false when nothing is
// to be answered. Allocates memory for nothing but a new or longer binding, and for a transaction
// to remember. Counts into `metrics`. out->state may be set either way. Threads may call it at the
// same time with scratch, output and metrics of their own.
bool uas_handle(const struct uas *uas, struct uas_scratch *scratch, struct metrics *metrics,
                const struct uas_input *in, struct uas_output *out);

// The two halves of uas_handle, for who has several datagrams at hand: while some are read, the
// memory comes that others will look at. They are answered in the order of reading, each when at
// most UAS_AHEAD behind it have been read, and what `in` points to must stay until then. What holds
// for the service is what uas_answer is told, not in->service.
enum { UAS_AHEAD = 3 };

void uas_read(const struct uas *uas, struct uas_scratch *scratch, struct metrics *metrics,
              const struct uas_input *in);
bool uas_answer(struct uas_scratch *scratch, enum uas_service service, struct uas_output *out);

#endif
