// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/buf.h"

enum { U64_DIGITS_MAX = 20 };

void buf_put_padded(struct buf *b, uint64_t value, unsigned width)
{
    char digits[U64_DIGITS_MAX];
    assert(width <= U64_DIGITS_MAX);
    unsigned n = 0;
    do {
        digits[U64_DIGITS_MAX - ++n] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0 || n < width);
    buf_put(b, slice_of(digits + U64_DIGITS_MAX - n, n));
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    buf_put_padded(b, value, 1);
}

void buf_put_hex64(struct buf *b, uint64_t value)
{
    static const char hex[] = "0123456789abcdef";
    char digits[16];
    for (unsigned i = 0; i < sizeof(digits); i++) {
        digits[i] = hex[value >> (60 - 4 * i) & 0xf];
    }
    buf_put(b, slice_of(digits, sizeof(digits)));
}
