// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_JSON_H
#define SIGNPOST_BASE_JSON_H

#include "signpost/base/buf.h"

// Writes a JSON string (RFC 8259) with its quotes. What is UTF-8 stays as it is, control characters
// are escaped, and a byte that belongs to no character becomes U+FFFD.
void json_put_text(struct buf *b, struct slice text);

// All of it is UTF-8, so that who reads the JSON string has the very bytes.
bool json_is_text(struct slice text);

#endif
