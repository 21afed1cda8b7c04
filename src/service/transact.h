// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SERVICE_TRANSACT_H
#define SIGNPOST_SERVICE_TRANSACT_H

#include "service/request.h"

// The transaction layer (RFC 3261 17.2) of a request that has been read: who it is, whether it has
// been here before, and remembering what it was answered. Without a transaction table
// (uas.transactions is NULL) all but the first do nothing.

// Sets key, rfc2543 and id of the request, from its topmost Via and, where that has no branch of
// RFC 3261, from the fields that 17.2.3 names. Never fails: a key that would be too long is left
// empty, and nothing is remembered under it.
void transact_identify(struct request *r);

// True when the request is a retransmission. Then r->out is the answer it had, or empty for one
// that wants none any more, and *target, where an answer would go, becomes where that went if it
// can be reached from where the copy came in. Otherwise sets r->merged (RFC 3261 8.2.2.2).
bool transact_repeat(struct request *r, struct endpoint *target);

// Ends the repetitions of the answer that the ACK acknowledges.
void transact_acknowledge(struct request *r);

// The request that a CANCEL means is remembered (RFC 3261 9.2). r->id becomes that one's.
bool transact_cancels(struct request *r);

// Remembers the answer in r->out. If a copy of the request has been answered by another thread at
// the same moment, r->out becomes the answer that one was given, or empty when that has even been
// acknowledged.
void transact_remember(struct request *r, struct endpoint *target);

#endif
