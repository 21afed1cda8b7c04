// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_MEMORY_H
#define SIGNPOST_ENV_MEMORY_H

#include <stddef.h>

// Large stretches of memory that are zero, of which the system gives what is touched, by pages as
// large as it has: with those the processor seldom has to look up where an address lies.

// NULL when there is no room for it.
void *memory_reserve(size_t bytes);

// NULL is legal.
void memory_release(void *at, size_t bytes);

#endif
