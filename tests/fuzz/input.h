// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_FUZZ_INPUT_H
#define SIGNPOST_TESTS_FUZZ_INPUT_H

#include <sys/mman.h>
#include <unistd.h>

#include "signpost/base/limits.h"
#include "signpost/base/slice.h"

// What the fuzz targets share.

// As many copies of guarded bytes may be held at the same time.
enum { GUARDS = 2 };

// Memory for MESSAGE_BYTES_MAX bytes before a page that may not be touched.
static inline char *guard_create(void)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t bytes = (MESSAGE_BYTES_MAX + page) / page * page;
    char *const at =
        mmap(NULL, bytes + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(at != MAP_FAILED);
    const int rc = mprotect(at + bytes, page, PROT_NONE);
    assert(rc == 0);
    (void)rc;
    return at + bytes;
}

// A copy of the bytes (of a datagram's length at most) that ends at a forbidden page: one byte read
// too far is a crash, with or without a sanitizer. Valid until the same guard is used again.
static inline struct slice guarded(unsigned guard, const void *data, size_t size)
{
    static char *ends[GUARDS];
    assert(guard < GUARDS);
    if (ends[guard] == NULL) {
        ends[guard] = guard_create();
    }
    size = size < MESSAGE_BYTES_MAX ? size : MESSAGE_BYTES_MAX;
    if (size > 0) {
        memcpy(ends[guard] - size, data, size);
    }
    return slice_of(ends[guard] - size, size);
}

// `part` borrows its bytes from `whole`, or has none.
static inline bool within(struct slice part, struct slice whole)
{
    return part.len == 0 || (part.at >= whole.at && slice_end(part) <= slice_end(whole));
}

// The very same bytes, not only equal ones.
static inline bool same(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || a.at == b.at);
}

static inline bool any_of(char c, struct slice chars)
{
    return slice_find(chars, c) < chars.len;
}

// Cuts the next line off *rest: how several values come out of one input.
static inline struct slice take_line(struct slice *rest)
{
    const size_t end = slice_find(*rest, '\n');
    const struct slice line = slice_of(rest->at, end);
    *rest = slice_from(*rest, end + 1);
    return line;
}

#endif
