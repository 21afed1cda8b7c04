// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_SPOOL_H
#define SIGNPOSTCTL_SPOOL_H

#include "signpostctl/entry.h"
#include "signpostctl/walk.h"

// Joins the bindings of an import by their address of record. They come in any order and may be
// more than memory holds, so they are put down in temporary files first, each address of record in
// one of SPOOL_PARTS, and then these are put in order one by one. Nothing of an import is in the
// store before all of it has been read.
struct spool;

enum {
    SPOOL_PARTS = 64,
    SPOOL_WHY_BYTES = 256,
};

struct spool_report {
    uint64_t aors;
    uint64_t bindings;
    uint64_t doubled; // left out: a newer one has an equal Contact
    uint64_t crowded; // left out: an address of record holds no more; the oldest
};

// `directory` is where the files are made, which have no names and go with the process. ERR_IO with
// `why` of SPOOL_WHY_BYTES, and so below.
ERR_CHECKED enum err spool_create(const char *directory, struct spool **out, char *why);

ERR_CHECKED enum err spool_add(struct spool *spool, const struct entry *entry, char *why);

// Shows what has been added, of each address of record once, with the highest revision that one
// of its entries has.
ERR_CHECKED enum err spool_join(struct spool *spool, const struct walker *walker,
                                struct spool_report *report, char *why);

// NULL is legal.
void spool_destroy(struct spool *spool);

#endif
