// SPDX-License-Identifier: Apache-2.0
#ifndef MICRO_PHONE_H
#define MICRO_PHONE_H

#include "signpost/base/slice.h"

// What phones say, byte for byte as long as what sipflood's say: an address of record of 21 bytes
// with its scheme, a Contact of 46, a Call-ID of 33. Each datagram follows from a few numbers.

enum { PHONE_BYTES_MAX = 1024 };

enum phone_text {
    PHONE_REGISTER,
    PHONE_REGISTER_BRIEF,  // asks for fewer seconds than any registrar grants
    PHONE_REGISTER_REMOVE, // asks for none
    PHONE_INVITE,          // with the SDP of an audio call
    PHONE_INVITE_STRANGER, // to a name that nobody registers
    PHONE_ACK,             // of that INVITE which has the same numbers
    PHONE_OPTIONS,         // to the server itself
    PHONE_KEEPALIVE,       // RFC 5626 3.5.1: two line ends
    PHONE_STUN,            // RFC 5626 3.5.2: a binding request
};

struct phone_words {
    uint32_t user;   // who says it
    uint32_t callee; // to whom, for an INVITE and its ACK
    uint32_t cseq;
    uint64_t call;   // makes the Call-ID; for a REGISTER the user makes it
    uint64_t branch; // makes the branch and the From tag
};

// Writes the datagram; `out` holds PHONE_BYTES_MAX. Returns its length.
size_t phone_write(enum phone_text text, const struct phone_words *words, char *out);

// Without the angle brackets; `out` holds PHONE_BYTES_MAX.
struct slice phone_contact_uri(uint32_t user, char *out);

// As the location table knows the user, "u0000000@sip.test"; `out` holds PHONE_BYTES_MAX.
struct slice phone_aor(uint32_t user, char *out);

// Of the user's REGISTERs; `out` holds PHONE_BYTES_MAX.
struct slice phone_call_id(uint32_t user, char *out);

#endif
