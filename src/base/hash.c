// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/hash.h"

#include <sodium/crypto_shorthash.h>

static_assert(crypto_shorthash_BYTES == sizeof(uint64_t), "SipHash gives 64 bits");
static_assert(crypto_shorthash_KEYBYTES == HASH_KEY_BYTES, "SipHash takes a 128-bit key");

uint64_t hash_bytes(const struct hash_key *key, struct slice bytes)
{
    uint64_t hash;
    unsigned char out[sizeof(hash)];
    crypto_shorthash(out, (const unsigned char *)bytes.at, bytes.len, key->bytes);
    memcpy(&hash, out, sizeof(hash));
    return hash;
}
