// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SERVICE_REDIRECT_H
#define SIGNPOST_SERVICE_REDIRECT_H

#include "service/request.h"

// Answers a request for `callee` (RFC 3261 8.3): 302 with the Contacts it is bound to, best q
// first, as many as redirect_bytes_max allows and one at least; 404 when it has none, or is of a
// domain that is not served; 480 when none of them would do, because it is the Request-URI itself
// or not secure for a sips: request.
void redirect_request(struct request *r, const struct uri *callee);

#endif
