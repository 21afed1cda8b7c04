// SPDX-License-Identifier: Apache-2.0
#include "store/crc32c.h"

#include "tests/unit/support.h"

// Bit by bit, as it is defined.
static uint32_t by_definition(struct slice bytes)
{
    uint32_t crc = UINT32_MAX;
    for (size_t bit = 0; bit < 8 * bytes.len; bit++) {
        const uint32_t in = (unsigned char)bytes.at[bit / 8] >> bit % 8 & 1;
        crc = crc >> 1 ^ ((crc ^ in) & 1) * 0x82f63b78;
    }
    return ~crc;
}

static void expect_crc(struct slice bytes, uint32_t crc)
{
    cr_expect_eq(crc32c_bytes(bytes), crc, "%zu bytes: %#x", bytes.len, crc32c_bytes(bytes));
    cr_expect_eq(crc32c_by_table(bytes), crc, "%zu bytes: %#x", bytes.len, crc32c_by_table(bytes));
}

Test(crc32c, of_the_check_string)
{
    expect_crc(SLICE("123456789"), 0xe3069283);
    expect_crc(slice_of(NULL, 0), 0);
}

Test(crc32c, of_the_examples_in_rfc_3720)
{
    char bytes[32];
    memset(bytes, 0, sizeof(bytes));
    expect_crc(slice_of(bytes, sizeof(bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof(bytes));
    expect_crc(slice_of(bytes, sizeof(bytes)), 0x62a8ab43);
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)i;
    }
    expect_crc(slice_of(bytes, sizeof(bytes)), 0x46dd794e);
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (char)(sizeof(bytes) - 1 - i);
    }
    expect_crc(slice_of(bytes, sizeof(bytes)), 0x113fdb5c);
}

Test(crc32c, of_every_byte)
{
    for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
        const char c = (char)byte;
        expect_crc(slice_of(&c, 1), by_definition(slice_of(&c, 1)));
    }
}

Test(crc32c, is_the_same_by_all_ways_at_every_length_and_alignment)
{
    enum { BYTES = 300 };

    const struct guard guard = guard_create(BYTES);
    char bytes[BYTES];
    uint64_t random = 1;
    for (size_t i = 0; i < BYTES; i++) {
        bytes[i] = (char)next_random(&random);
    }
    for (size_t len = 0; len <= BYTES; len++) {
        const struct slice s = guard_copy(guard, slice_of(bytes, len));
        expect_crc(s, by_definition(s));
    }
}
