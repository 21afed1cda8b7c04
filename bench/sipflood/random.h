// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_RANDOM_H
#define SIPFLOOD_RANDOM_H

#include <stdint.h>

// Numbers that look random and follow from other numbers. They need not be secret.

// Different numbers give different ones (the finalizer of splitmix64).
static inline uint64_t random_mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

// From 0 to limit - 1.
static inline uint32_t random_below(uint64_t x, uint32_t limit)
{
    return (uint32_t)((random_mix(x) >> 32) * limit >> 32);
}

#endif
