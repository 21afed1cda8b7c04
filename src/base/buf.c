// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/buf.h"

enum { U64_DIGITS_MAX = 20 };

// Writes the number so that it ends before `end`, two digits at a time, and returns its front.
static char *write_digits(char *end, uint64_t value)
{
    for (; value >= 100; value /= 100) {
        end -= 2;
        (void)buf_write2(end, (unsigned)(value % 100));
    }
    if (value >= 10) {
        end -= 2;
        (void)buf_write2(end, (unsigned)value);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

void buf_put_u64(struct buf *b, uint64_t value)
{
    char digits[U64_DIGITS_MAX];
    char *const end = digits + sizeof(digits);
    buf_put(b, slice_between(write_digits(end, value), end));
}

void buf_put_padded(struct buf *b, uint64_t value, unsigned width)
{
    char digits[U64_DIGITS_MAX];
    assert(width <= U64_DIGITS_MAX);
    char *const end = digits + sizeof(digits);
    char *front = write_digits(end, value);
    while (front > end - width) {
        *--front = '0';
    }
    buf_put(b, slice_between(front, end));
}

void buf_put_hex64(struct buf *b, uint64_t value)
{
    static const char hex[] = "0123456789abcdef";
    char *const at = buf_room(b, 16);
    for (unsigned i = 0; at != NULL && i < 16; i++) {
        at[i] = hex[value >> (60 - 4 * i) & 0xf];
    }
}
