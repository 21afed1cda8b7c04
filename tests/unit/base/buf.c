// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/buf.h"

#include <signal.h>

#include <stdio.h>

#include "tests/unit/support.h"

Test(buf, fresh_one_is_empty_and_fine)
{
    char memory[4];
    const struct buf b = buf_over(memory, sizeof(memory));
    cr_assert(buf_ok(&b));
    cr_assert(slice_empty(buf_slice(&b)));
}

Test(buf, holds_what_was_written_in_order)
{
    char memory[32];
    struct buf b = buf_over(memory, sizeof(memory));
    buf_put(&b, SLICE("SIP/2.0"));
    buf_put_char(&b, ' ');
    buf_put_u64(&b, 200);
    buf_put(&b, SLICE(" OK"));
    cr_assert(buf_ok(&b));
    ASSERT_TEXT(buf_slice(&b), "SIP/2.0 200 OK");
}

Test(buf, may_be_filled_to_the_last_byte)
{
    const struct guard guard = guard_create(8);
    struct buf b = buf_over(guard.end - 8, 8);
    buf_put(&b, SLICE("1234567"));
    buf_put_char(&b, '8');
    cr_assert(buf_ok(&b));
    ASSERT_TEXT(buf_slice(&b), "12345678");
    buf_put(&b, SLICE(""));
    buf_put(&b, slice_of(NULL, 0));
    cr_assert(buf_ok(&b), "nothing fits always");
    buf_put_char(&b, '9');
    cr_assert_not(buf_ok(&b));
}

Test(buf, what_does_not_fit_is_not_written_in_part)
{
    char memory[8] = "........";
    struct buf b = buf_over(memory, 5);
    buf_put(&b, SLICE("abc"));
    buf_put(&b, SLICE("def"));
    cr_assert_not(buf_ok(&b));
    ASSERT_TEXT(buf_slice(&b), "abc");
    cr_assert_eq(memcmp(memory, "abc.....", 8), 0);
}

Test(buf, overflow_stays_even_when_something_would_fit_again)
{
    char memory[5];
    struct buf b = buf_over(memory, sizeof(memory));
    buf_put(&b, SLICE("abc"));
    buf_put(&b, SLICE("def"));
    buf_put_char(&b, 'x');
    buf_put_u64(&b, 1);
    buf_put_padded(&b, 1, 2);
    buf_put(&b, SLICE(""));
    cr_assert_not(buf_ok(&b));
    ASSERT_TEXT(buf_slice(&b), "abc");
}

Test(buf, without_memory_only_nothing_fits)
{
    struct buf b = buf_over(NULL, 0);
    buf_put(&b, SLICE(""));
    cr_assert(buf_ok(&b));
    buf_put_char(&b, 'a');
    cr_assert_not(buf_ok(&b));
    cr_assert(slice_empty(buf_slice(&b)));
}

Test(buf, length_beyond_capacity_is_a_broken_contract, .signal = SIGABRT)
{
    char memory[4];
    struct buf b = {.at = memory, .cap = 2, .len = 3, .overflow = false};
    buf_put(&b, SLICE("x"));
}

static const struct {
    uint64_t value;
    unsigned width;
    const char *text;
} decimals[] = {
    {0, 1, "0"},
    {0, 0, "0"},
    {0, 2, "00"},
    {7, 1, "7"},
    {7, 2, "07"},
    {10, 2, "10"},
    {100, 2, "100"},
    {1999, 4, "1999"},
    {5060, 1, "5060"},
    {UINT64_MAX, 1, "18446744073709551615"},
    {UINT64_MAX, 20, "18446744073709551615"},
    {1, 20, "00000000000000000001"},
};

Test(buf, decimals_are_padded_to_the_width_and_never_cut)
{
    for (size_t i = 0; i < LENGTH_OF(decimals); i++) {
        char memory[32];
        struct buf b = buf_over(memory, sizeof(memory));
        buf_put_padded(&b, decimals[i].value, decimals[i].width);
        ASSERT_TEXT(buf_slice(&b), decimals[i].text);
    }
    char memory[20];
    struct buf b = buf_over(memory, sizeof(memory));
    buf_put_u64(&b, UINT64_MAX);
    cr_assert(buf_ok(&b));
    ASSERT_TEXT(buf_slice(&b), "18446744073709551615");
}

Test(buf, wider_than_any_number_is_a_broken_contract, .signal = SIGABRT)
{
    char memory[32];
    struct buf b = buf_over(memory, sizeof(memory));
    buf_put_padded(&b, 1, 21);
}

Test(buf, number_that_does_not_fit_overflows_whole)
{
    char memory[3];
    struct buf b = buf_over(memory, sizeof(memory));
    buf_put_u64(&b, 5060);
    cr_assert_not(buf_ok(&b));
    cr_assert_eq(b.len, 0);
}

Test(buf, hexadecimal_has_sixteen_lower_case_digits)
{
    static const struct {
        uint64_t value;
        const char *text;
    } rows[] = {
        {0, "0000000000000000"},
        {1, "0000000000000001"},
        {UINT64_MAX, "ffffffffffffffff"},
        {0x0123456789abcdef, "0123456789abcdef"},
        {0xfedcba9876543210, "fedcba9876543210"},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char memory[16];
        struct buf b = buf_over(memory, sizeof(memory));
        buf_put_hex64(&b, rows[i].value);
        cr_assert(buf_ok(&b));
        ASSERT_TEXT(buf_slice(&b), rows[i].text);
    }
    char memory[15];
    struct buf b = buf_over(memory, sizeof(memory));
    buf_put_hex64(&b, 1);
    cr_assert_not(buf_ok(&b));
}

Test(buf, digits_are_counted_and_written)
{
    char memory[32];
    for (uint64_t value = 1, digits = 1; digits <= 20; value *= 10, digits++) {
        const uint64_t values[] = {value - 1, value, value + 1, value * 9};
        for (size_t i = 0; i < LENGTH_OF(values); i++) {
            char expected[32];
            const int len = snprintf(expected, sizeof(expected), "%lu", values[i]);
            cr_assert_eq(buf_digits(values[i]), (unsigned)len, "%s", expected);
            const char *const end = buf_write_u64(memory, values[i], (unsigned)len);
            ASSERT_TEXT(slice_between(memory, end), expected);
        }
    }
    ASSERT_TEXT(slice_between(memory, buf_write_u64(memory, 42, 5)), "00042");
}

Test(buf, room_is_given_whole_or_not_at_all)
{
    char memory[4];
    struct buf b = buf_over(memory, sizeof(memory));
    cr_assert_eq(buf_room(&b, 3), memory);
    cr_assert_eq(buf_room(&b, 1), memory + 3);
    cr_assert_eq(b.len, 4);
    cr_assert_null(buf_room(&b, 1));
    cr_assert_not(buf_ok(&b));
    cr_assert_eq(b.len, 4);
}
