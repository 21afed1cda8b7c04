// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_BUF_H
#define SIGNPOST_BASE_BUF_H

#include "signpost/base/slice.h"

// A bounded writer over memory that the caller owns. Overflow is sticky: once something did not
// fit, nothing more is written, so a builder writes everything and asks buf_ok once at the end.
// Invariant: len <= cap.
struct buf {
    char *at;
    size_t cap;
    size_t len;
    bool overflow;
};

static inline struct buf buf_over(char *at, size_t cap)
{
    return (struct buf){.at = at, .cap = cap, .len = 0, .overflow = false};
}

static inline bool buf_ok(const struct buf *b)
{
    return !b->overflow;
}

// What has been written; borrowed from the buffer's memory.
static inline struct slice buf_slice(const struct buf *b)
{
    return slice_of(b->at, b->len);
}

// Room for `n` more bytes, which the caller writes all; NULL, and overflow, when there is not so
// much. For what is made of parts, and asks once for all of them.
static inline char *buf_room(struct buf *b, size_t n)
{
    assert(b->len <= b->cap);
    if (b->overflow || n > b->cap - b->len) {
        b->overflow = true;
        return NULL;
    }
    b->len += n;
    return b->at + b->len - n;
}

// Writes into room that there is, and returns where it goes on.
static inline char *buf_write(char *at, struct slice s)
{
    if (s.len > 0) {
        memcpy(at, s.at, s.len);
    }
    return at + s.len;
}

static inline void buf_put(struct buf *b, struct slice s)
{
    char *const at = s.len == 0 ? NULL : buf_room(b, s.len);
    if (at != NULL) {
        memcpy(at, s.at, s.len);
    }
}

static inline void buf_put_char(struct buf *b, char c)
{
    char *const at = buf_room(b, 1);
    if (at != NULL) {
        *at = c;
    }
}

// "00" to "99".
extern const char buf_pairs[];

// Writes a number below 100 as two digits, into room that there is.
static inline char *buf_write2(char *at, unsigned value)
{
    assert(value < 100);
    memcpy(at, buf_pairs + 2 * (size_t)value, 2);
    return at + 2;
}

// How many decimal digits the number has.
static inline unsigned buf_digits(uint64_t value)
{
    unsigned more = 0;
    for (; value >= 100000; value /= 100000) {
        more += 5;
    }
    return more + 1 + (value >= 10) + (value >= 100) + (value >= 1000) + (value >= 10000);
}

// Writes the number into room that there is, with that many digits, some of them zeros at its front
// if it has less, and returns where it goes on.
char *buf_write_u64(char *at, uint64_t value, unsigned digits);

// Decimal, without leading zeros.
void buf_put_u64(struct buf *b, uint64_t value);

// Decimal with at least `width` digits, zero-padded.
void buf_put_padded(struct buf *b, uint64_t value, unsigned width);

// Sixteen lower-case hexadecimal digits.
void buf_put_hex64(struct buf *b, uint64_t value);

#endif
