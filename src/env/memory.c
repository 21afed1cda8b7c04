// SPDX-License-Identifier: Apache-2.0
#include "env/memory.h"

#include <sys/mman.h>

void *memory_reserve(size_t bytes)
{
    void *const at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) {
        return NULL;
    }
    // A wish: a kernel that knows no large pages gives small ones.
    (void)madvise(at, bytes, MADV_HUGEPAGE);
    return at;
}

void memory_release(void *at, size_t bytes)
{
    if (at != NULL) {
        (void)munmap(at, bytes);
    }
}
