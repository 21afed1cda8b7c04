// SPDX-License-Identifier: Apache-2.0
#include "state/index.h"

#include <assert.h>
#include <stdlib.h>

enum { ROWS_MIN = 64 };

// A free row ends a search, so some must be left, and the more the shorter searches are.
static bool crowded(uint32_t used, uint64_t rows)
{
    return used > rows / 8 * 5;
}

bool index_reserve(struct index *index, uint32_t more)
{
    const uint64_t present = index->rows == NULL ? 0 : (uint64_t)index->mask + 1;
    uint64_t wanted = present == 0 ? ROWS_MIN : present;
    while (crowded(index->used + more, wanted)) {
        wanted *= 2;
    }
    if (wanted == present) {
        return true;
    }
    struct index larger = {.rows = calloc(wanted, sizeof(struct index_row)),
                           .mask = (uint32_t)(wanted - 1)};
    if (larger.rows == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < present; i++) {
        if (index->rows[i].ref != 0) {
            index_add(&larger, index->rows[i].tag, index->rows[i].ref);
        }
    }
    free(index->rows);
    *index = larger;
    return true;
}

void index_destroy(struct index *index)
{
    free(index->rows);
}

void index_add(struct index *index, uint32_t tag, uint32_t ref)
{
    assert(ref != 0 && !crowded(index->used + 1, (uint64_t)index->mask + 1));
    uint32_t at = tag & index->mask;
    while (index->rows[at].ref != 0) {
        at = (at + 1) & index->mask;
    }
    index->rows[at] = (struct index_row){.tag = tag, .ref = ref};
    index->used++;
}

// Rows behind a gap move up into it, unless that would bring them before the place where the search
// for them begins. So no search ends too early, and no mark of what was there remains.
static void close_gap(struct index *index, uint32_t gap)
{
    for (uint32_t at = (gap + 1) & index->mask; index->rows[at].ref != 0;
         at = (at + 1) & index->mask) {
        const uint32_t from_home = (at - index->rows[at].tag) & index->mask;
        const uint32_t from_gap = (at - gap) & index->mask;
        if (from_home >= from_gap) {
            index->rows[gap] = index->rows[at];
            gap = at;
        }
    }
    index->rows[gap].ref = 0;
}

void index_remove(struct index *index, uint32_t tag, uint32_t ref)
{
    assert(index->used > 0);
    uint32_t at = tag & index->mask;
    while (index->rows[at].ref != ref || index->rows[at].tag != tag) {
        assert(index->rows[at].ref != 0);
        at = (at + 1) & index->mask;
    }
    close_gap(index, at);
    index->used--;
}
