// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_LIMITS_H
#define SIGNPOST_BASE_LIMITS_H

#include <assert.h>

// Everything that could grow without end stops here. Exceeding a limit has a defined reaction,
// named beside it, and a counter in state/metrics.h. Limits that an operator may move are options
// (src/env/options.h); their bounds refer to this file.
enum {
    // A datagram cannot be longer; a socket would have cut it (RFC 3261 18.1.1 asks for all of it).
    MESSAGE_BYTES_MAX = 65535,

    // Header field rows that this server looks at: 400 "Too Many Header Fields". A request that has
    // made all the hops that Max-Forwards allows has a Via row of each; with more of those than are
    // kept no answer would find its way back, and there is none.
    HEADER_ROWS_MAX = 320,

    // Parameters, and header components, of one URI: 400. Two URIs are compared in time that grows
    // with the product of their numbers.
    URI_PARTS_MAX = 24,

    // Parameters of one header field: 400.
    HEADER_PARAMS_MAX = 64,

    // Contacts in one REGISTER, and bindings of one address of record: 403 "Too Many Contacts".
    CONTACTS_PER_AOR_MAX = 64,

    // An address of record in canonical form: 414 when the Request-URI's is longer, 400 when To's
    // is.
    AOR_BYTES_MAX = 512,

    // URI and parameters of one Contact; push tokens need more than a kilobyte: 400.
    CONTACT_BYTES_MAX = 4096,

    // Call-ID of a REGISTER, kept with the binding: 400.
    CALL_ID_BYTES_MAX = 512,

    // What a later release has kept with a binding and this one does not know; taken along.
    BINDING_EXTRA_BYTES_MAX = 1024,

    // Branch and sent-by of a request, or what identified it before there were branches: no
    // transaction is remembered for a longer one.
    TRANSACTION_KEY_BYTES_MAX = 512,

    // URIs and parameters of all bindings of one address of record: 403 "Too Many Contacts".
    // An answer that lists them all must fit into one datagram.
    AOR_STATE_BYTES_MAX = 24576,

    // An answer: what one datagram over IPv4 holds. A longer one is replaced by 500.
    ANSWER_BYTES_MAX = 65507,

    // A REGISTER whose header fields would leave no room in its answer for all the bindings: 513
    // "Message Too Large", before it changes anything.
    REGISTER_BYTES_MAX = 32768,

    // A longer expiry is taken for this one, before the configured maximum is applied.
    EXPIRES_S_LIMIT = 0x7fffffff,

    RING_SLOTS_MIN = 64,
    RING_SLOTS_MAX = 65536,
    WORKERS_MAX = 256,
    RECEIVERS_MAX = 64,
    SHARDS_MAX = 65536,
    LISTENERS_MAX = 64,
};

static_assert(CONTACT_BYTES_MAX < AOR_STATE_BYTES_MAX, "one Contact fits an address of record");
static_assert(REGISTER_BYTES_MAX + AOR_STATE_BYTES_MAX + CONTACTS_PER_AOR_MAX * 64 + 1024 <
                  ANSWER_BYTES_MAX,
              "what is echoed of a REGISTER, all bindings and the rest fit an answer");

#endif
