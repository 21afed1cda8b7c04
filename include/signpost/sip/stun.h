// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_STUN_H
#define SIGNPOST_SIP_STUN_H

#include "signpost/base/endpoint.h"
#include "signpost/base/err.h"

// The STUN binding request that a phone sends to the SIP port to keep its NAT binding open and to
// learn its own address (RFC 5626 4.4.2, RFC 5389; RFC 3489 clients get MAPPED-ADDRESS).

// A datagram can be STUN, and cannot be SIP.
bool stun_looks_like(struct slice bytes);

// Answers a binding request: a success response with the peer's address, or a 420 error that lists
// attributes this server should understand and does not. ERR_SYNTAX for anything that asks for no
// answer; then nothing is written.
ERR_CHECKED enum err stun_answer(struct slice bytes, const struct endpoint *peer, struct buf *out);

#endif
