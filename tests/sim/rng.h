// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_RNG_H
#define SIGNPOST_TESTS_SIM_RNG_H

#include <stdbool.h>
#include <stdint.h>

// All chance in a simulation comes from one of these (splitmix64), so that a seed says it all.
struct rng {
    uint64_t state;
};

static inline uint64_t rng_next(struct rng *rng)
{
    rng->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = rng->state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

// 0..n-1
static inline unsigned rng_below(struct rng *rng, unsigned n)
{
    return (unsigned)(rng_next(rng) % n);
}

static inline bool rng_chance(struct rng *rng, unsigned percent)
{
    return rng_below(rng, 100) < percent;
}

// One element of an array.
#define RNG_PICK(rng, array) (array)[rng_below(rng, sizeof(array) / sizeof((array)[0]))]

#endif
