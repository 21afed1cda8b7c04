// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_SUPPORT_H
#define SIGNPOST_TESTS_UNIT_SUPPORT_H

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

#include "signpost/base/buf.h"

// What unit tests of several layers share.

#define LENGTH_OF(array) (sizeof(array) / sizeof((array)[0]))

// The two arguments of a "%.*s".
#define PRINTED(s) (int)(s).len, (s).len == 0 ? "" : (s).at

static inline struct slice text_slice(const char *text)
{
    return slice_of(text, strlen(text));
}

static inline bool slice_is(struct slice s, const char *text)
{
    return slice_equal(s, text_slice(text));
}

// The slice must hold exactly the text.
#define ASSERT_TEXT(s, text)                                                                       \
    cr_assert(slice_is(s, text), "is \"%.*s\", should be \"%s\"", PRINTED(s), text)

// `part` borrows its bytes from `whole`, or has none.
static inline bool slice_within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.at >= whole.at && slice_end(part) <= slice_end(whole));
}

// Memory that ends at a page which may not be touched: one byte read too far is a crash, with or
// without a sanitizer. Lives as long as the test's process.
struct guard {
    char *end;
    size_t cap;
};

static inline struct guard guard_create(size_t cap)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t bytes = (cap + page - 1) / page * page;
    char *const at =
        mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(at != MAP_FAILED);
    cr_assert_eq(mprotect(at + bytes, page, PROT_NONE), 0);
    return (struct guard){.end = at + bytes, .cap = bytes};
}

// A copy of the bytes whose last one is the last before the forbidden page.
static inline struct slice guard_copy(struct guard g, struct slice bytes)
{
    assert(bytes.len <= g.cap);
    if (bytes.len > 0) {
        memcpy(g.end - bytes.len, bytes.at, bytes.len);
    }
    return slice_of(g.end - bytes.len, bytes.len);
}

// xorshift64*: the same numbers in every run.
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

#endif
