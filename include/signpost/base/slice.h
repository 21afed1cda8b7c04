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

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
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

// Everything from offset `from` on; empty when the slice is shorter.
struct slice slice_from(struct slice s, size_t from);

// Without SP, HTAB, CR and LF at both ends (a header value may be folded over lines).
struct slice slice_trim(struct slice s);

// Equal but for the case of ASCII letters.
bool slice_equal_nocase(struct slice a, struct slice b);

// Offset of the first `c`, or s.len when there is none.
size_t slice_find(struct slice s, char c);

// Decimal digits only, at least one, no sign, no space: true and *out, or false (also when the
// value exceeds `max`; then *out is `max`, so that a caller may clamp instead of reject).
bool slice_to_u64(struct slice s, uint64_t max, uint64_t *out);

#endif
