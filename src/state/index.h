// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STATE_INDEX_H
#define SIGNPOST_STATE_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Finds numbers by tags, of which several may have the same: an open hash table with linear
// probing, whose rows are so small that a search ends within one cache line as a rule. What is not
// there is found missing without a look at the things that the numbers stand for.
//
// No locks: one thread at a time; any number for index_first and index_next alone. The fields are
// for index.c and the two inline functions.

struct index_row {
    uint32_t tag;
    uint32_t ref; // 0: free
};

struct index {
    struct index_row *rows; // NULL while nothing has ever been added
    uint32_t mask;          // number of rows, a power of two, less one
    uint32_t used;
};

// Makes room for that many more. False when memory does not suffice; nothing has changed then.
bool index_reserve(struct index *index, uint32_t more);

void index_destroy(struct index *index);

// Room for it must have been made; the ref must not be 0.
void index_add(struct index *index, uint32_t tag, uint32_t ref);

// The pair must be there.
void index_remove(struct index *index, uint32_t tag, uint32_t ref);

// A search under way.
struct index_search {
    uint32_t tag;
    uint32_t at;
};

// The next ref with the tag, or 0.
static inline uint32_t index_next(const struct index *index, struct index_search *search)
{
    for (;;) {
        const struct index_row row = index->rows[search->at & index->mask];
        search->at++;
        if (row.ref == 0 || row.tag == search->tag) {
            return row.ref;
        }
    }
}

// The first ref with the tag, or 0.
static inline uint32_t index_first(const struct index *index, uint32_t tag,
                                   struct index_search *search)
{
    *search = (struct index_search){.tag = tag, .at = tag};
    return index->rows == NULL ? 0 : index_next(index, search);
}

#endif
