// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_SCAN_H
#define SIGNPOST_BASE_SCAN_H

#include "signpost/base/slice.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

// Offset of the first `a` or `b`, or s.len when there is neither: for lines, which end at one of
// two characters. Sixteen bytes at a time where the processor can, and never a byte beyond the
// slice.
static inline size_t scan_either(struct slice s, char a, char b)
{
    size_t n = 0;
#ifdef __SSE2__
    const __m128i all_a = _mm_set1_epi8(a);
    const __m128i all_b = _mm_set1_epi8(b);
    for (; s.len - n >= sizeof(__m128i); n += sizeof(__m128i)) {
        __m128i block;
        memcpy(&block, s.at + n, sizeof(block));
        const __m128i hits =
            _mm_or_si128(_mm_cmpeq_epi8(block, all_a), _mm_cmpeq_epi8(block, all_b));
        const unsigned mask = (unsigned)_mm_movemask_epi8(hits);
        if (mask != 0) {
            return n + (unsigned)__builtin_ctz(mask);
        }
    }
#endif
    while (n < s.len && s.at[n] != a && s.at[n] != b) {
        n++;
    }
    return n;
}

#endif
