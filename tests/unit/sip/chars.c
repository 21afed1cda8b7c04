// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/chars.h"

#include "tests/unit/support.h"

#define DIGITS     "0123456789"
#define LETTERS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define ALPHANUM   LETTERS DIGITS
#define MARK       "-_.!~*'()"
#define UNRESERVED ALPHANUM MARK
#define RESERVED   ";/?:@&=+$,"

// RFC 3261 25.1, rule by rule.
static const char *const spelled[CHARS_COUNT] = {
    [CHARS_TOKEN] = ALPHANUM "-.!%*_+`'~",
    [CHARS_WORD] = ALPHANUM "-.!%*_+`'~()<>:\\\"/[]?{}",
    [CHARS_LABEL] = ALPHANUM "-_",
    [CHARS_HOST] = ALPHANUM "-._",
    [CHARS_USER] = UNRESERVED "&=+$,;?/",
    [CHARS_PASSWORD] = UNRESERVED "&=+$,",
    [CHARS_URI_PARAM] = UNRESERVED "[]/:&+$",
    [CHARS_URI_HEADER] = UNRESERVED "[]/?:+$",
    [CHARS_URIC] = UNRESERVED RESERVED "[]", // the brackets by RFC 2732
    [CHARS_SCHEME] = ALPHANUM "+-.",
};

Test(chars, classes_are_those_of_the_grammar)
{
    for (unsigned class = 0; class < CHARS_COUNT; class ++) {
        for (unsigned i = 0; i < 256; i++) {
            const bool expected = i != 0 && strchr(spelled[class], (int)i) != NULL;
            if (chars_has((enum char_class) class, (char)i) != expected) {
                cr_expect_fail("class %u, byte %#x '%c': should %sbe in", class, i,
                               i >= ' ' && i < 127 ? (int)i : '.', expected ? "" : "not ");
            }
        }
    }
}

Test(chars, span_ends_before_the_first_stranger)
{
    cr_assert_eq(chars_span(CHARS_TOKEN, SLICE("INVITE sip:bob")), 6);
    cr_assert_eq(chars_span(CHARS_TOKEN, SLICE(" INVITE")), 0);
    cr_assert_eq(chars_span(CHARS_TOKEN, SLICE("INVITE")), 6);
    cr_assert_eq(chars_span(CHARS_TOKEN, SLICE("IN\0VITE")), 2);
    cr_assert_eq(chars_span(CHARS_TOKEN, slice_of(NULL, 0)), 0);
}

Test(chars, all_passes_for_nothing)
{
    cr_assert(chars_all(CHARS_TOKEN, slice_of(NULL, 0)));
    cr_assert(chars_all(CHARS_TOKEN, SLICE("z9hG4bK-776")));
    cr_assert_not(chars_all(CHARS_TOKEN, SLICE("z9hG4bK;776")));
    cr_assert(chars_all_escaped(CHARS_USER, slice_of(NULL, 0)));
}

Test(chars, escapes_are_a_percent_sign_and_two_hexadecimal_digits)
{
    static const char *const good[] = {"%61", "a%40b", "%00", "%Ff%fF", "%25%20", "bob"};
    static const char *const bad[] = {"%",  "%4",  "a%",   "a%4",  "%4g", "%g4",
                                      "%%", "%-1", "% 41", "%4 1", "@",   "%40@"};
    for (size_t i = 0; i < LENGTH_OF(good); i++) {
        cr_expect(chars_all_escaped(CHARS_USER, text_slice(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        cr_expect_not(chars_all_escaped(CHARS_USER, text_slice(bad[i])), "%s", bad[i]);
    }
}

Test(chars, escape_at_the_end_is_not_read_beyond_it)
{
    const struct guard guard = guard_create(16);
    cr_assert_not(chars_all_escaped(CHARS_USER, guard_copy(guard, SLICE("bob%"))));
    cr_assert_not(chars_all_escaped(CHARS_USER, guard_copy(guard, SLICE("bob%4"))));
    cr_assert(chars_all_escaped(CHARS_USER, guard_copy(guard, SLICE("bob%40"))));
}

Test(chars, white_space_is_that_of_folded_lines)
{
    for (unsigned i = 0; i < 256; i++) {
        cr_assert_eq(chars_lws((char)i), i == ' ' || i == '\t' || i == '\r' || i == '\n', "%#x", i);
    }
    ASSERT_TEXT(chars_skip_lws(SLICE(" \t\r\n x ")), "x ");
    ASSERT_TEXT(chars_skip_lws(SLICE("x")), "x");
    cr_assert(slice_empty(chars_skip_lws(SLICE(" \r\n"))));
    cr_assert(slice_empty(chars_skip_lws(slice_of(NULL, 0))));
}
