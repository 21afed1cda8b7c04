// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/scan.h"

#include "tests/unit/support.h"

enum { LEN_MAX = 50 };

Test(scan, finds_the_first_of_both_at_every_place)
{
    const struct guard guard = guard_create(LEN_MAX);
    char text[LEN_MAX];
    for (size_t len = 0; len <= LEN_MAX; len++) {
        for (size_t a = 0; a <= len; a++) {
            for (size_t b = 0; b <= len; b++) {
                memset(text, 'x', sizeof(text));
                if (a < len) {
                    text[a] = '\r';
                }
                if (b < len) {
                    text[b] = '\n';
                }
                // Both at one place are one of them.
                const size_t first = a < b ? a : b;
                const struct slice s = guard_copy(guard, slice_of(text, len));
                cr_assert_eq(scan_either(s, '\r', '\n'), first, "%zu, %zu of %zu", a, b, len);
            }
        }
    }
}

Test(scan, no_other_byte_is_found)
{
    char text[LEN_MAX];
    for (unsigned c = 0; c < 256; c++) {
        memset(text, (int)c, sizeof(text));
        const size_t expected = c == ' ' || c == '\t' ? 0 : sizeof(text);
        cr_assert_eq(scan_either(slice_of(text, sizeof(text)), ' ', '\t'), expected, "%#x", c);
    }
    cr_assert_eq(scan_either(slice_of(NULL, 0), ' ', '\t'), 0);
}
