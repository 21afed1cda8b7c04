// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_STATE_ALLOCATOR_H
#define SIGNPOST_TESTS_UNIT_STATE_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>

// malloc and its kin as they are, but counted, and failing when a test says so. The definitions
// stand here: one file of a test program includes this as it is, others after defining
// ALLOCATOR_ELSEWHERE. They take the place of the C library's for the whole program; counting and
// failing concern the calling thread only.
//
// The memory comes from the C library under other names, or from the address sanitizer, which
// then still sees every use of it.

struct allocator {
    unsigned long calls;      // of this thread since it was last set to 0
    long live;                // pieces of memory taken less those given back, since then
    unsigned long fail_after; // calls that succeed before the first that does not
    bool failing;             // fail_after holds
};

extern _Thread_local struct allocator allocator;

#if !defined(ALLOCATOR_ELSEWHERE)

_Thread_local struct allocator allocator;

#if defined(__SANITIZE_ADDRESS__)
#define UNDERLYING(name)         __interceptor_##name
#define UNDERLYING_ALIGNED_ALLOC __interceptor_aligned_alloc
#else
#define UNDERLYING(name)         __libc_##name
#define UNDERLYING_ALIGNED_ALLOC __libc_memalign
#endif

// NOLINTBEGIN(bugprone-reserved-identifier)
void *UNDERLYING(malloc)(size_t size);
void *UNDERLYING(calloc)(size_t n, size_t size);
void *UNDERLYING(realloc)(void *old, size_t size);
void *UNDERLYING_ALIGNED_ALLOC(size_t alignment, size_t size);
void UNDERLYING(free)(void *at);
// NOLINTEND(bugprone-reserved-identifier)

// Declared here lest stdlib.h, whose attributes differ, be needed.
void *malloc(size_t size);
void *calloc(size_t n, size_t size);
void *realloc(void *old, size_t size);
void *aligned_alloc(size_t alignment, size_t size);
void free(void *at);

static bool allocator_refuses(void)
{
    return ++allocator.calls > allocator.fail_after && allocator.failing;
}

static void *allocator_gives(void *at)
{
    allocator.live += at != NULL ? 1 : 0;
    return at;
}

void *malloc(size_t size)
{
    return allocator_refuses() ? NULL : allocator_gives(UNDERLYING(malloc)(size));
}

void *calloc(size_t n, size_t size)
{
    return allocator_refuses() ? NULL : allocator_gives(UNDERLYING(calloc)(n, size));
}

void *realloc(void *old, size_t size)
{
    if (allocator_refuses()) {
        return NULL;
    }
    void *const at = UNDERLYING(realloc)(old, size);
    return old == NULL ? allocator_gives(at) : at;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    return allocator_refuses() ? NULL : allocator_gives(UNDERLYING_ALIGNED_ALLOC(alignment, size));
}

void free(void *at)
{
    allocator.live -= at != NULL ? 1 : 0;
    UNDERLYING(free)(at);
}

#endif

// The calls from now on until allocator_stop are counted, and those after the first `n` fail.
static inline void allocator_fail_after(unsigned long n)
{
    allocator = (struct allocator){.fail_after = n, .failing = true};
}

static inline void allocator_count(void)
{
    allocator = (struct allocator){0};
}

// Returns the number of calls.
static inline unsigned long allocator_stop(void)
{
    allocator.failing = false;
    return allocator.calls;
}

#endif
