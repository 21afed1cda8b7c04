// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/slice.h"

bool slice_same_nocase(const char *a, const char *b, size_t len)
{
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
