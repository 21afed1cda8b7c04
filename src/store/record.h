// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_RECORD_H
#define SIGNPOST_STORE_RECORD_H

#include "signpost/base/buf.h"
#include "signpost/base/err.h"
#include "signpost/base/limits.h"
#include "signpost/state/location.h"

// How an address of record is written down: all that it is bound to, as of a revision. Records
// stand one behind the other in blocks, in any order and number; of several of one address of
// record the one with the highest revision counts. So a record may be written twice, or late.
//
// Numbers are little-endian. A record:
//
//   u32 bytes of all that follows the checksum
//   u32 CRC-32C of those bytes
//   u8  RECORD_VERSION
//   u64 revision
//   u16 length of the address of record, and its bytes
//   u8  number of bindings, the newest first; 0: there is none any more
//   of each binding:
//     u32 bytes of its fields
//     fields, in ascending order of their tags: u8 tag, u16 length, and that many bytes
//
//   tag 1  Contact URI (RFC 3261 20.10), as it came
//       2  Contact parameters other than q and expires, ";name=value..."; absent: none
//       3  Call-ID
//       4  u32 CSeq
//       5  u64 milliseconds since 1970 at which it expires
//       6  u16 q in thousandths; absent: none was given
//       7  u64 identity of the request that made it; absent: unknown
//
// 1, 3, 4 and 5 are in every binding; no field is there twice. What is absent is left out, never
// written empty or as 0, so that there is one way only to write a state. The limits of
// base/limits.h hold; whether a URI is one, and how far off an expiry may be, is for the reader to
// find out.
//
// A tag that a later release adds is higher than those before it. So the fields that a reader does
// not know are the last of a binding, in one piece; it keeps them and writes them again with the
// binding, as they were. What a later release wants to say of the address of record as a whole it
// says in its bindings. RECORD_VERSION changes only when an older reader would be wrong to go on;
// all up to the version stays where it is.
enum {
    RECORD_VERSION = 1,
    RECORD_HEAD_BYTES = 8,

    // RFC 3261 8.1.1.5. A binding with a higher one could not be refreshed any more.
    RECORD_CSEQ_MAX = 0x7fffffff,

    // Fields that this release does not know, of one binding; a longer lot is damaged.
    RECORD_EXTRA_BYTES_MAX = 1024,

    // An address of record with all that its bindings may have.
    RECORD_BYTES_MAX = 128 * 1024,
};

// What a record says. Slices point into the record's bytes; expiries are moments of the wall clock.
struct record_binding {
    struct slice uri;
    struct slice params;
    struct slice call_id;
    struct slice extra; // fields unknown here, as they are written
    uint64_t expires_wall_ms;
    uint64_t request_id; // 0: unknown
    uint32_t cseq;
    uint16_t q; // 0..Q_ONE, or Q_ABSENT
};

struct record_state {
    struct slice aor;
    uint64_t revision;
    size_t count;
    struct record_binding bindings[CONTACTS_PER_AOR_MAX]; // the newest first
};

// How many bytes record_put writes.
size_t record_bytes(const struct record_state *state);

// Writes one record. What the state says is within the limits.
void record_put(struct buf *b, const struct record_state *state);

// Of a whole record as record_put writes it.
struct slice record_aor(struct slice record);
uint64_t record_revision(struct slice record);

// Takes the next record off the front of *block. ERR_NOT_FOUND: the block is at its end.
// ERR_DAMAGED: a checksum or a length is wrong, or what is told cannot be. ERR_NEWER: a version not
// known here. After all but ERR_NOT_FOUND *block is behind the record, or at its end when a length
// is told that the block does not have. After an error the state is undefined.
ERR_CHECKED enum err record_next(struct slice *block, struct record_state *state);

#endif
