// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_KAMAILIO_H
#define SIGNPOSTCTL_KAMAILIO_H

#include "signpostctl/entry.h"
#include "signpostctl/moment.h"
#include "signpostctl/table.h"

// Rows of Kamailio's location table (usrloc) as bindings.

struct kamailio_rules {
    struct slice domain; // of rows without one; empty: none
    struct zone zone;    // of dates
    uint64_t now_ms;     // by the wall clock
};

enum { KAMAILIO_TEXT_BYTES = AOR_BYTES_MAX + CONTACT_BYTES_MAX };

// Makes an entry of the table's row. Its slices point into the row and into *text, whose memory
// holds KAMAILIO_TEXT_BYTES. ERR_SYNTAX: it is none, and *why says what is wrong with it (static).
// ERR_NOT_FOUND: it has no domain, nor have the rules.
ERR_CHECKED enum err kamailio_entry(const struct table *table, const struct kamailio_rules *rules,
                                    struct buf *text, struct entry *entry, const char **why);

#endif
