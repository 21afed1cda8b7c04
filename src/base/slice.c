// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/slice.h"

enum { WORD = sizeof(uint64_t), HALF = sizeof(uint32_t) };

// ascii_lower of eight bytes at once. To the lower seven bits of each is added what makes the
// eighth one of it say "at least 'A'", and "beyond 'Z'"; a byte that had its own eighth is no
// ASCII.
static uint64_t lower(uint64_t word)
{
    const uint64_t each = 0x0101010101010101;
    const uint64_t low = word & 0x7f * each;
    const uint64_t from_a = low + (0x80 - 'A') * each;
    const uint64_t beyond_z = low + (0x7f - 'Z') * each;
    const uint64_t upper = from_a & ~beyond_z & ~word & 0x80 * each;
    return word | upper >> 2; // 0x80 becomes 0x20, by which the cases differ
}

static bool same(uint64_t a, uint64_t b)
{
    return a == b || lower(a) == lower(b);
}

static bool same_word(const char *a, const char *b)
{
    uint64_t x;
    uint64_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return same(x, y);
}

static bool same_half(const char *a, const char *b)
{
    uint32_t x;
    uint32_t y;
    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return same(x, y);
}

// By words and halves, of which the last may overlap the one before it.
bool slice_same_nocase(const char *a, const char *b, size_t len)
{
    if (len >= WORD) {
        for (size_t i = 0; i + WORD < len; i += WORD) {
            if (!same_word(a + i, b + i)) {
                return false;
            }
        }
        return same_word(a + len - WORD, b + len - WORD);
    }
    if (len >= HALF) {
        return same_half(a, b) && same_half(a + len - HALF, b + len - HALF);
    }
    for (size_t i = 0; i < len; i++) {
        if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i])) {
            return false;
        }
    }
    return true;
}

bool slice_to_u64_long(struct slice s, uint64_t max, uint64_t *out)
{
    uint64_t value = 0;
    bool fits = true;
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_digit(s.at[i])) {
            return false;
        }
        const uint64_t digit = (uint64_t)(s.at[i] - '0');
        if (digit > max || value > (max - digit) / 10) {
            fits = false;
        }
        value = fits ? value * 10 + digit : max;
    }
    *out = value;
    return fits;
}
