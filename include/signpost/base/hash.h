// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_HASH_H
#define SIGNPOST_BASE_HASH_H

#include "signpost/base/slice.h"

enum { HASH_KEY_BYTES = 16 };

// A secret drawn at start-up by the shell (a fixed one in tests). Who does not know it can neither
// aim at one bucket of a table nor guess a tag.
struct hash_key {
    unsigned char bytes[HASH_KEY_BYTES];
};

// SipHash-1-3 of the bytes under the key.
uint64_t hash_bytes(const struct hash_key *key, struct slice bytes);

#endif
