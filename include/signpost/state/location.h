// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STATE_LOCATION_H
#define SIGNPOST_STATE_LOCATION_H

#include "signpost/base/err.h"
#include "signpost/base/hash.h"
#include "signpost/base/limits.h"
#include "signpost/base/now.h"
#include "signpost/sip/uri.h"

// The location service (RFC 3261 10.3): which Contacts an address of record is bound to, and until
// when. Any number of threads may call anything here at the same time, but for create and destroy.
//
// Locks: one class, the rwlock of a shard, of which a call holds one at a time and no other lock
// with it. Nothing but table code runs under it: results are copied out, and no pointer into the
// table leaves. A reader never sees a binding past its time, whether or not location_expire has
// come by.
struct location;

enum {
    // What all bindings of an address of record may take.
    AOR_BINDINGS_BYTES_MAX =
        AOR_STATE_BYTES_MAX + CONTACTS_PER_AOR_MAX * (CALL_ID_BYTES_MAX + BINDING_EXTRA_BYTES_MAX),
};

struct location_config {
    unsigned shards;       // a power of two, up to SHARDS_MAX; at least 4 for each worker is wise
    unsigned contacts_max; // bindings of one address of record, up to CONTACTS_PER_AOR_MAX
    bool replace_oldest;   // what is too many goes in the order it came, instead of being refused
    uint64_t bindings_max; // of all of them together
    struct hash_key key;   // secret
    char *memory;          // to live in, borrowed until location_destroy; NULL: that of malloc,
    size_t memory_bytes;   // which also gives what goes beyond this
};

// A binding as it is told: slices point into the list or page that it was copied to.
struct binding {
    struct slice uri;
    struct slice params; // Contact parameters other than q and expires, ";name=value..."
    struct slice call_id;
    struct slice extra;   // what only a store knows the meaning of, BINDING_EXTRA_BYTES_MAX of it
    uint64_t expires_ms;  // monotonic
    uint64_t request_id;  // of the request that made it; 0: unknown
    uint32_t remaining_s; // at least 1; the second that has begun counts whole
    uint32_t cseq;
    uint16_t q;   // 0..Q_ONE, or Q_ABSENT
    uint16_t age; // its place from the newest, 0, to the oldest
};

// The bindings of one address of record, best q first, and among equals the newest first. Scratch
// of the caller, reused from call to call.
struct binding_list {
    uint64_t revision; // of the address of record; of one that has no bindings none was higher
    size_t count;
    struct binding rows[CONTACTS_PER_AOR_MAX];
    size_t used;
    char bytes[AOR_BINDINGS_BYTES_MAX];
};

// One Contact of a REGISTER, with the expiry that it has been granted.
struct contact_update {
    struct uri uri; // brackets and display name apart
    struct slice params;
    uint16_t q;
    uint32_t expires_s; // 0 removes the binding
};

struct registration {
    struct slice aor; // canonical (uri_put_aor)
    struct slice call_id;
    uint32_t cseq;
    uint64_t request_id;                  // the same for all retransmissions of a request
    bool remove_all;                      // "Contact: *"; then there are no updates
    const struct contact_update *updates; // no two with equal URIs
    size_t update_count;                  // 0 without remove_all: nothing changes
};

// What a registration did.
struct registration_effect {
    unsigned added;
    unsigned refreshed;
    unsigned removed;
    unsigned repeated; // updates that this very request had made before
    unsigned replaced; // the oldest bindings, which had to make room
    unsigned expired;  // bindings met whose time was over; also after an error
};

// NULL when memory does not suffice.
struct location *location_create(const struct location_config *config);

// No other thread may be in a call. location_destroy(NULL) is legal.
void location_destroy(struct location *location);

// RFC 3261 10.3 steps 6 to 8, at one stroke: either every update takes effect or none, and *list
// holds what is bound afterwards. Contacts are matched by 19.1.4. ERR_STALE: a binding was made
// with the same Call-ID and a CSeq not lower (unless by a copy of the same request, which then
// changes nothing). ERR_TOO_MANY: more than contacts_max bindings, or AOR_STATE_BYTES_MAX bytes of
// them (with replace_oldest, only if the request alone is too many). ERR_FULL: more than
// bindings_max of all users; refreshing and removing go on. ERR_NO_MEMORY. After an error nothing
// has changed, and *list is empty. Each registration that succeeds draws a revision of its own,
// higher than any that the address of record has had, also where it had been forgotten meanwhile:
// whoever keeps *list may keep several in any order, and believe the highest.
ERR_CHECKED enum err location_register(struct location *location, const struct registration *r,
                                       struct now now, struct binding_list *list,
                                       struct registration_effect *effect);

// Copies the bindings of the address of record; an empty list when it has none.
void location_lookup(struct location *location, struct slice aor, struct now now,
                     struct binding_list *list);

// ---- Fetching ahead

// The memory that a later call for an address of record will look at, on its way into the caches.
// Each step asks for one piece of it, where the one before tells where the next lies; so there is
// to be other work between them. It is for speed alone: nothing follows from it, no step waits for
// a lock, and what it has found out is not used again.
struct location_fetch {
    struct location *location; // NULL: there is nothing to fetch
    uint64_t hash;
    unsigned steps; // done
};

struct location_fetch location_fetch(struct location *location, struct slice aor); // first step
void location_fetch_on(struct location_fetch *fetch); // the next one, if there is any

// ---- Expiry

// Removes what has expired, and adds to *removed how many bindings that were. It looks at so many
// batches of EXPIRE_BATCH bindings at most, holding a lock for one batch at a time, and returns
// true when there is more to do at once. For one thread (the ticker), every second or oftener; it
// takes time in proportion to what has expired.
enum { EXPIRE_BATCH = 64 };

bool location_expire(struct location *location, struct now now, unsigned batches, size_t *removed);

// ---- Telling all of it

enum {
    LOCATION_PAGE_ROWS = 64, // few, for a lock is held while they are copied
    LOCATION_PAGE_BYTES = 128 * 1024,
};

// A binding as a scan tells it; slices point into the page.
struct location_row {
    struct slice aor;
    uint64_t revision;
    struct binding binding;
};

// Scratch of the caller, reused from call to call.
struct location_page {
    size_t count;
    struct location_row rows[LOCATION_PAGE_ROWS];
    size_t used;
    char bytes[LOCATION_PAGE_BYTES];
};

// Who scans. There is one scan of each at a time: a second one would make the first miss bindings.
enum location_reader {
    LOCATION_READER_DUMP,
    LOCATION_READER_STORE,
    LOCATION_READERS,
};

// Where a scan has come to; in the beginning zero but for the reader.
struct location_cursor {
    enum location_reader reader;
    unsigned shard;
    bool inside; // of the shard
};

// Copies the next bindings into *page, those of one address of record side by side, and returns
// false when there are no more. What is there from the scan's beginning to its end is told once;
// what comes or goes meanwhile may be told or not. A lock is held for reading while
// LOCATION_PAGE_ROWS addresses of record are looked at.
bool location_scan(struct location *location, struct location_cursor *cursor, struct now now,
                   struct location_page *page);

// ---- Filling it again

// All that an address of record was bound to as of a revision; the newest binding first. Of each
// binding remaining_s and age are not looked at. None: it is bound to nothing any more.
struct location_state {
    struct slice aor;
    uint64_t revision;
    size_t count;
    const struct binding *bindings;
};

// Takes in what a store has kept, unless a later revision is known. States may come in any order
// and from several threads, and bindings whose time is over may be among them. No address of record
// is to be registered or expired before location_restored. ERR_NO_MEMORY: the state is lost in
// part.
ERR_CHECKED enum err location_restore(struct location *location, const struct location_state *state,
                                      struct now now);

// All states have been taken in: forgets those that were bound to nothing. By now registrations may
// come.
void location_restored(struct location *location);

struct location_size {
    uint64_t bindings;
    uint64_t aors;
};

// Counted without a lock: each number was true a moment ago.
struct location_size location_size(const struct location *location);

#endif
