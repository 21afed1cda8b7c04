// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_SLICE_H
#define SIGNPOST_BASE_SLICE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

// Borrowed bytes: a pointer and a length, passed by value, never NUL-terminated and free to
// contain NUL. Whoever hands one out says whose buffer it points into and until when.
// The empty slice is {NULL, 0} or any pointer with length 0.
struct slice {
    const char *at;
    size_t len;
};

// A slice over a string literal (or char array with its terminating NUL).
#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})

// The same as an initializer of a static table's row, where a compound literal may not stand.
#define SLICE_INIT(literal)                                                                        \
    {                                                                                              \
        (literal), sizeof(literal) - 1                                                             \
    }

static inline struct slice slice_of(const char *at, size_t len)
{
    return (struct slice){at, len};
}

// The bytes [from, to) of one buffer.
static inline struct slice slice_between(const char *from, const char *to)
{
    assert(from <= to);
    return (struct slice){from, (size_t)(to - from)};
}

static inline const char *slice_end(struct slice s)
{
    // NULL + 0 is undefined in C17, hence the test.
    return s.len == 0 ? s.at : s.at + s.len;
}

static inline bool slice_empty(struct slice s)
{
    return s.len == 0;
}

static inline bool slice_same8(const char *a, const char *b)
{
    return memcmp(a, b, 8) == 0;
}

// What SIP compares is short: by words, of which the last may overlap the one before it, it takes
// less than calling memcmp.
static inline bool slice_same(const char *a, const char *b, size_t len)
{
    if (len >= 8) {
        size_t i = 0;
        while (i + 8 < len && slice_same8(a + i, b + i)) {
            i += 8;
        }
        return i + 8 >= len && slice_same8(a + len - 8, b + len - 8);
    }
    if (len >= 4) {
        return memcmp(a, b, 4) == 0 && memcmp(a + len - 4, b + len - 4, 4) == 0;
    }
    if (len >= 2) {
        return memcmp(a, b, 2) == 0 && memcmp(a + len - 2, b + len - 2, 2) == 0;
    }
    return len == 0 || a[0] == b[0];
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && slice_same(a.at, b.at, b.len);
}

// ASCII only: SIP tokens compare without regard to case, and never by locale.
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool ascii_digit(char c)
{
    return c >= '0' && c <= '9';
}

// Value of a hexadecimal digit, or -1.
static inline int ascii_hex(char c)
{
    if (ascii_digit(c)) {
        return c - '0';
    }
    const char l = ascii_lower(c);
    return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

// SP, HTAB, CR and LF: the white space of a header value, which may be folded over lines.
static inline bool ascii_space(char c)
{
    return (unsigned char)c <= ' ' && (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

// Everything from offset `from` on; empty when the slice is shorter.
static inline struct slice slice_from(struct slice s, size_t from)
{
    const size_t skipped = from < s.len ? from : s.len;
    return slice_of(skipped == 0 ? s.at : s.at + skipped, s.len - skipped);
}

// Without ascii_space at both ends.
static inline struct slice slice_trim(struct slice s)
{
    // As a header value has it: one space in front, none behind.
    if (s.len >= 2 && s.at[0] == ' ' && (unsigned char)s.at[1] > ' ' &&
        (unsigned char)s.at[s.len - 1] > ' ') {
        return slice_of(s.at + 1, s.len - 1);
    }
    while (s.len > 0 && ascii_space(s.at[0])) {
        s.at++;
        s.len--;
    }
    while (s.len > 0 && ascii_space(s.at[s.len - 1])) {
        s.len--;
    }
    return s;
}

// Offset of the first `c`, or s.len when there is none.
static inline size_t slice_find(struct slice s, char c)
{
    const char *const hit = s.len == 0 ? NULL : (const char *)memchr(s.at, c, s.len);
    return hit == NULL ? s.len : (size_t)(hit - s.at);
}

// For slice_equal_nocase, when the lengths are the same and the bytes are not.
bool slice_same_nocase(const char *a, const char *b, size_t len);

// Equal but for the case of ASCII letters. Most of what is compared differs in length, or is
// written alike.
static inline bool slice_equal_nocase(struct slice a, struct slice b)
{
    return a.len == b.len &&
           (slice_same(a.at, b.at, b.len) || slice_same_nocase(a.at, b.at, b.len));
}

// For slice_to_u64: a number of more digits than surely fit.
bool slice_to_u64_long(struct slice s, uint64_t max, uint64_t *out);

// Decimal digits only, at least one, no sign, no space: true and *out, or false (also when the
// value exceeds `max`; then *out is `max`, so that a caller may clamp instead of reject).
static inline bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out)
{
    enum { DIGITS_SURE_MAX = 19 };

    uint64_t value = 0;
    if (s.len == 0 || s.len > DIGITS_SURE_MAX) {
        return s.len > 0 && slice_to_u64_long(s, max, out);
    }
    for (size_t i = 0; i < s.len; i++) {
        if (!ascii_digit(s.at[i])) {
            return false;
        }
        value = value * 10 + (uint64_t)(s.at[i] - '0');
    }
    *out = value <= max ? value : max;
    return value <= max;
}

#endif
