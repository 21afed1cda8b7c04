// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/hash.h"

#include "tests/unit/support.h"

// The key and inputs of the SipHash paper's appendix and reference code: bytes counting up. What
// they give with 1 and 3 rounds another implementation has told (openssl mac, c-rounds, d-rounds).
static struct hash_key counting_key(void)
{
    struct hash_key key;
    for (unsigned i = 0; i < HASH_KEY_BYTES; i++) {
        key.bytes[i] = (unsigned char)i;
    }
    return key;
}

Test(hash, is_siphash_1_3)
{
    static const struct {
        size_t len;
        uint64_t hash;
    } rows[] = {
        {0, 0xabac0158050fc4dc}, {1, 0xc9f49bf37d57ca93},  {7, 0xd3927d989bb11140},
        {8, 0x369095118d299a8e}, {15, 0xd320d86d2a519956}, {63, 0x9d199062b7bbb3a8},
    };
    const struct hash_key key = counting_key();
    char input[64];
    for (unsigned i = 0; i < sizeof(input); i++) {
        input[i] = (char)i;
    }
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const uint64_t hash = hash_bytes(&key, slice_of(input, rows[i].len));
        cr_expect_eq(hash, rows[i].hash, "%zu bytes: %#lx", rows[i].len, hash);
    }
}

Test(hash, of_nothing_needs_no_memory)
{
    const struct hash_key key = counting_key();
    cr_assert_eq(hash_bytes(&key, slice_of(NULL, 0)), 0xabac0158050fc4dc);
}

Test(hash, every_bit_of_key_and_input_matters)
{
    struct hash_key key = counting_key();
    char input[] = "sip:bob@biloxi.com";
    const struct slice bytes = SLICE("sip:bob@biloxi.com");
    const uint64_t hash = hash_bytes(&key, bytes);
    for (unsigned bit = 0; bit < 8 * HASH_KEY_BYTES; bit++) {
        key.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
        cr_expect_neq(hash_bytes(&key, bytes), hash, "bit %u of the key", bit);
        key.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
    }
    for (unsigned bit = 0; bit < 8 * bytes.len; bit++) {
        input[bit / 8] ^= (char)(1U << bit % 8);
        cr_expect_neq(hash_bytes(&key, slice_of(input, bytes.len)), hash, "bit %u", bit);
        input[bit / 8] ^= (char)(1U << bit % 8);
    }
    cr_assert_neq(hash_bytes(&key, slice_of(input, bytes.len - 1)), hash);
}

Test(hash, input_is_not_read_beyond_its_end)
{
    const struct guard guard = guard_create(64);
    const struct hash_key key = counting_key();
    for (size_t len = 0; len <= 64; len++) {
        static const char zeros[64];
        (void)hash_bytes(&key, guard_copy(guard, slice_of(zeros, len)));
    }
}
