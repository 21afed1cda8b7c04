// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_JSONL_H
#define SIGNPOSTCTL_JSONL_H

#include <jansson.h>

#include "signpostctl/entry.h"
#include "signpostctl/source.h"

// Bindings as JSON lines: what GET /bindings of a server tells, and what a backup needs besides.
//
//   aor, contact, params, q, expires (seconds from now on), call_id, cseq   as /bindings has them;
//                 without params there are none, and without cseq it is 0
//   expires_at    RFC 3339, to the millisecond
//   revision      of the address of record, a number
//   request_id    16 hexadecimal digits; absent: unknown
//   extra         what a later release wrote, in hexadecimal digits; absent: nothing
//   aor_hex, params_hex    the bytes of those that are no text; absent otherwise
//
// The bindings of one address of record stand side by side, the newest first.

enum {
    // An escaped byte takes six, one in hexadecimal digits two, and names and numbers have theirs.
    JSONL_BYTES_MAX = 8 * (AOR_BYTES_MAX + CONTACT_BYTES_MAX + CALL_ID_BYTES_MAX) +
                      2 * RECORD_EXTRA_BYTES_MAX + 512,
};

// Writes the state's binding number i, and a line end.
void jsonl_put(struct buf *b, const struct record_state *state, size_t i, uint64_t now_ms);

struct jsonl {
    struct source *source;
    uint64_t now_ms;  // by the wall clock
    uint64_t lines;   // read
    uint64_t line;    // number of the last one
    struct slice row; // what it says, as far as it fits
    const char *why;  // what is wrong with it; static, or in `error`
    json_t *object;
    json_error_t error;
    struct buf text;
    char bytes[AOR_BYTES_MAX * 2 + CONTACT_BYTES_MAX + RECORD_EXTRA_BYTES_MAX];
    char line_bytes[JSONL_BYTES_MAX];
};

void jsonl_open(struct jsonl *jsonl, struct source *source, uint64_t now_ms);

// Reads the next line into the entry, which borrows from it until the next call. ERR_SYNTAX: it is
// none (jsonl->why), and the next may be. ERR_NOT_FOUND: there is none any more.
ERR_CHECKED enum err jsonl_next(struct jsonl *jsonl, struct entry *entry);

void jsonl_close(struct jsonl *jsonl);

#endif
