// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/buf.h"

enum { U64_DIGITS_MAX = 20 };

const char buf_pairs[] = "00010203040506070809101112131415161718192021222324"
                         "25262728293031323334353637383940414243444546474849"
                         "50515253545556575859606162636465666768697071727374"
                         "75767778798081828384858687888990919293949596979899";

char *buf_write_u64(char *at, uint64_t value, unsigned digits)
{
    unsigned left = digits;
    for (; left >= 2 && value > UINT32_MAX; value /= 100) {
        left -= 2;
        (void)buf_write2(at + left, (unsigned)(value % 100));
    }
    uint32_t low = (uint32_t)value; // 32 bits, as most numbers have, take less to divide
    for (; left >= 2; low /= 100) {
        left -= 2;
        (void)buf_write2(at + left, low % 100);
    }
    if (left == 1) {
        *at = (char)('0' + low % 10);
    }
    return at + digits;
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    const unsigned digits = buf_digits(value);
    char *const at = buf_room(b, digits);
    if (at != NULL) {
        (void)buf_write_u64(at, value, digits);
    }
}

void buf_put_padded(struct buf *b, uint64_t value, unsigned width)
{
    assert(width <= U64_DIGITS_MAX);
    const unsigned digits = buf_digits(value);
    const unsigned n = digits > width ? digits : width;
    char *const at = buf_room(b, n);
    if (at != NULL) {
        (void)buf_write_u64(at, value, n);
    }
}

// The four-bit digits of a number, one in each byte.
static uint64_t spread(uint32_t value)
{
    uint64_t x = value;
    x = (x | x << 16) & 0x0000ffff0000ffff;
    x = (x | x << 8) & 0x00ff00ff00ff00ff;
    return (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
}

// Eight digits at once: a byte from 10 on has its fifth bit set when 6 is added.
static char *write_hex32(char *at, uint32_t value)
{
    const uint64_t each = 0x0101010101010101;
    const uint64_t digits = spread(value);
    const uint64_t letters = (digits + 6 * each) >> 4 & each;
    uint64_t text = digits + '0' * each + letters * ('a' - '0' - 10);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    text = __builtin_bswap64(text); // the first digit is the highest
#endif
    memcpy(at, &text, sizeof(text));
    return at + sizeof(text);
}

void buf_put_hex64(struct buf *b, uint64_t value)
{
    char *const at = buf_room(b, 16);
    if (at != NULL) {
        (void)write_hex32(write_hex32(at, (uint32_t)(value >> 32)), (uint32_t)value);
    }
}
