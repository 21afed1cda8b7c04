// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_NEWEST_H
#define SIGNPOSTCTL_NEWEST_H

#include "signpost/base/err.h"
#include "signpost/base/hash.h"

// The highest revision of each of many things, which are known by a hash.
struct newest;

// NULL when memory does not suffice. Holds nothing before newest_clear.
struct newest *newest_create(void);

// NULL is legal.
void newest_destroy(struct newest *newest);

// Forgets all, and holds count_max things from now on.
void newest_clear(struct newest *newest, size_t count_max);

// Takes down that there is this revision, below 2^63. ERR_FULL: that would be one thing more than
// count_max. ERR_NO_MEMORY.
ERR_CHECKED enum err newest_note(struct newest *newest, uint64_t hash, uint64_t revision);

// Whether it is the highest revision of this thing, and asked for the first time.
bool newest_take(struct newest *newest, uint64_t hash, uint64_t revision);

#endif
