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

static inline void buf_put(struct buf *b, struct slice s)
{
    assert(b->len <= b->cap);
    if (b->overflow || s.len > b->cap - b->len) {
        b->overflow = true;
        return;
    }
    if (s.len > 0) {
        memcpy(b->at + b->len, s.at, s.len);
        b->len += s.len;
    }
}

static inline void buf_put_char(struct buf *b, char c)
{
    buf_put(b, slice_of(&c, 1));
}

// Decimal, without leading zeros.
void buf_put_u64(struct buf *b, uint64_t value);

// Decimal with at least `width` digits, zero-padded.
void buf_put_padded(struct buf *b, uint64_t value, unsigned width);

// Sixteen lower-case hexadecimal digits.
void buf_put_hex64(struct buf *b, uint64_t value);

#endif
