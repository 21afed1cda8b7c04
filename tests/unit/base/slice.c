// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/slice.h"

#include <signal.h>
#include <stdio.h>

#include "tests/unit/support.h"

static const struct slice nothing = {NULL, 0};

Test(slice, literal_has_no_terminating_nul)
{
    const struct slice s = SLICE("SIP/2.0");
    cr_assert_eq(s.len, 7);
    static const struct slice row = SLICE_INIT("a\0b");
    cr_assert_eq(row.len, 3, "a NUL inside counts");
}

Test(slice, between_two_pointers)
{
    static const char text[] = "Via: x";
    ASSERT_TEXT(slice_between(text, text + 3), "Via");
    cr_assert(slice_empty(slice_between(text + 2, text + 2)));
    ASSERT_TEXT(slice_between(text, slice_end(slice_of(text, 6))), "Via: x");
}

Test(slice, between_pointers_in_wrong_order_is_a_broken_contract, .signal = SIGABRT)
{
    static const char text[] = "Via";
    (void)slice_between(text + 1, text);
}

Test(slice, end_of_nothing_is_null)
{
    cr_assert_null(slice_end(nothing));
}

Test(slice, equality_is_of_bytes_and_empty_ones_are_equal)
{
    cr_assert(slice_equal(SLICE("To"), SLICE("To")));
    cr_assert_not(slice_equal(SLICE("To"), SLICE("to")));
    cr_assert_not(slice_equal(SLICE("To"), SLICE("T")));
    cr_assert(slice_equal(nothing, SLICE("")));
    cr_assert(slice_equal(SLICE("a\0b"), SLICE("a\0b")));
    cr_assert_not(slice_equal(SLICE("a\0b"), SLICE("a\0c")), "a NUL ends nothing");
}

Test(slice, case_is_ignored_for_ascii_letters_only)
{
    for (unsigned a = 0; a < 256; a++) {
        for (unsigned b = 0; b < 256; b++) {
            const char ca = (char)a;
            const char cb = (char)b;
            const bool letters =
                ((a | 0x20) == (b | 0x20)) && (a | 0x20) >= 'a' && (a | 0x20) <= 'z';
            const bool equal = slice_equal_nocase(slice_of(&ca, 1), slice_of(&cb, 1));
            if (equal != (a == b || letters)) {
                cr_assert_fail("bytes %#x and %#x", a, b);
            }
        }
    }
    cr_assert(slice_equal_nocase(SLICE("CALL-ID"), SLICE("Call-Id")));
    cr_assert_not(slice_equal_nocase(SLICE("Call-ID"), SLICE("Call-I")));
    cr_assert(slice_equal_nocase(nothing, SLICE("")));
}

// Longer ones are compared a word at a time.
Test(slice, equal_nocase_sees_every_byte_of_longer_text)
{
    char a[20];
    char b[20];
    for (size_t len = 1; len <= sizeof(a); len++) {
        memset(a, 'k', sizeof(a));
        for (size_t at = 0; at < len; at++) {
            for (unsigned c = 0; c < 256; c++) {
                memset(b, 'K', sizeof(b));
                b[at] = (char)c;
                cr_assert_eq(slice_equal_nocase(slice_of(a, len), slice_of(b, len)),
                             c == 'k' || c == 'K', "%#x at %zu of %zu", c, at, len);
            }
        }
    }
}

Test(slice, ascii_helpers_agree_with_the_table_of_all_bytes)
{
    static const char hex[] = "0123456789abcdef";
    for (unsigned i = 0; i < 256; i++) {
        const char c = (char)i;
        const bool upper = i >= 'A' && i <= 'Z';
        const char *const digit = i == 0 ? NULL : strchr(hex, upper ? (int)i + 32 : (int)i);
        if (ascii_lower(c) != (upper ? (char)(i + 32) : c) ||
            ascii_digit(c) != (i >= '0' && i <= '9') ||
            ascii_hex(c) != (digit == NULL ? -1 : (int)(digit - hex))) {
            cr_assert_fail("byte %#x", i);
        }
    }
}

Test(slice, from_an_offset)
{
    const struct slice s = SLICE("branch");
    ASSERT_TEXT(slice_from(s, 0), "branch");
    ASSERT_TEXT(slice_from(s, 4), "ch");
    cr_assert(slice_empty(slice_from(s, 6)));
    cr_assert(slice_empty(slice_from(s, 7)), "beyond the end is empty");
    cr_assert(slice_empty(slice_from(s, SIZE_MAX)));
    cr_assert_eq(slice_from(s, 99).at, s.at + 6, "and stays at the end of the same buffer");
    cr_assert(slice_empty(slice_from(nothing, 1)));
}

Test(slice, trim_takes_white_space_at_both_ends_only)
{
    ASSERT_TEXT(slice_trim(SLICE(" \t\r\n a b\r\n c \t\r\n")), "a b\r\n c");
    ASSERT_TEXT(slice_trim(SLICE("a")), "a");
    ASSERT_TEXT(slice_trim(SLICE("\va\f")), "\va\f");
    cr_assert(slice_empty(slice_trim(SLICE(" \r\n\t "))));
    cr_assert(slice_empty(slice_trim(nothing)));
}

Test(slice, find_gives_the_first_or_the_length)
{
    cr_assert_eq(slice_find(SLICE("a:b:c"), ':'), 1);
    cr_assert_eq(slice_find(SLICE("a:b:c"), 'a'), 0);
    cr_assert_eq(slice_find(SLICE("a:b:c"), 'x'), 5);
    cr_assert_eq(slice_find(SLICE("a\0b"), '\0'), 1);
    cr_assert_eq(slice_find(SLICE("ab"), '\0'), 2, "the NUL behind is not part of it");
    cr_assert_eq(slice_find(nothing, 'x'), 0);
}

// The number, or what the caller may clamp to.
static const struct {
    const char *text;
    uint64_t max;
    bool fits;
    uint64_t out;
} numbers[] = {
    {"0", 0, true, 0},
    {"1", 0, false, 0},
    {"7", 0, false, 0},
    {"5", 5, true, 5},
    {"6", 5, false, 5},
    {"7", 5, false, 5},
    {"9", 8, false, 8},
    {"10", 5, false, 5},
    {"05", 5, true, 5},
    {"9", 9, true, 9},
    {"10", 9, false, 9},
    {"10", 10, true, 10},
    {"11", 10, false, 10},
    {"19", 10, false, 10},
    {"20", 19, false, 19},
    {"65535", 65535, true, 65535},
    {"65536", 65535, false, 65535},
    {"65540", 65535, false, 65535},
    {"2147483647", 0x7fffffff, true, 0x7fffffff},
    {"2147483648", 0x7fffffff, false, 0x7fffffff},
    {"18446744073709551614", UINT64_MAX, true, UINT64_MAX - 1},
    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"18446744073709551616", UINT64_MAX, false, UINT64_MAX},
    {"18446744073709551620", UINT64_MAX, false, UINT64_MAX},
    {"184467440737095516150", UINT64_MAX, false, UINT64_MAX},
    {"36893488147419103232", UINT64_MAX, false, UINT64_MAX},
    {"36893488147419103232", 100, false, 100},
    {"1000000000000000000000000000000000000000", 0xffffffff, false, 0xffffffff},
    {"0000000000000000000000000000000000000042", 42, true, 42},
};

Test(slice, number_is_read_or_clamped)
{
    for (size_t i = 0; i < LENGTH_OF(numbers); i++) {
        uint64_t out = 12345;
        const bool fits = slice_to_u64(text_slice(numbers[i].text), numbers[i].max, &out);
        cr_expect(fits == numbers[i].fits && out == numbers[i].out,
                  "\"%s\" up to %lu: %d, %lu instead of %d, %lu", numbers[i].text, numbers[i].max,
                  fits, out, numbers[i].fits, numbers[i].out);
    }
}

Test(slice, number_up_to_every_small_maximum)
{
    for (unsigned max = 0; max <= 130; max++) {
        for (unsigned value = 0; value <= 1400; value++) {
            char text[8];
            const int len = snprintf(text, sizeof(text), "%u", value);
            uint64_t out = 12345;
            const bool fits = slice_to_u64(slice_of(text, (size_t)len), max, &out);
            if (fits != (value <= max) || out != (fits ? value : max)) {
                cr_assert_fail("%u up to %u: %d, %lu", value, max, fits, out);
            }
        }
    }
}

Test(slice, what_is_no_number_is_never_clamped)
{
    static const char *const faulty[] = {"",          " ",
                                         "+1",        "-1",
                                         " 1",        "1 ",
                                         "1.0",       "0x1",
                                         "1e3",       "1,000",
                                         "\t1",       "99:",
                                         "a",         "99999x",
                                         "/",         "\xb2",
                                         "1\n",       "12 3",
                                         "0x",        "--",
                                         "99999999 ", "99999999999999999999999999z"};
    for (size_t i = 0; i < LENGTH_OF(faulty); i++) {
        uint64_t out = 12345;
        cr_expect_not(slice_to_u64(text_slice(faulty[i]), 99, &out), "\"%s\"", faulty[i]);
        cr_expect_neq(out, 99, "\"%s\" looks like too large a number", faulty[i]);
    }
    uint64_t out = 12345;
    cr_assert_not(slice_to_u64(SLICE("1\0"), 99, &out), "a NUL is no digit");
    cr_assert_not(slice_to_u64(nothing, 99, &out));
}

Test(slice, reading_stops_at_the_end)
{
    const struct guard guard = guard_create(64);
    uint64_t out;
    const struct slice digits = guard_copy(guard, SLICE("5060"));
    cr_assert(slice_to_u64(digits, 65535, &out));
    cr_assert_eq(slice_find(digits, 'x'), 4);
    cr_assert(slice_equal(digits, SLICE("5060")));
    cr_assert(slice_equal_nocase(digits, SLICE("5060")));
    cr_assert(slice_empty(slice_trim(guard_copy(guard, SLICE("\r\n \t")))));
}
