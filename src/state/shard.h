// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STATE_SHARD_H
#define SIGNPOST_STATE_SHARD_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>

// uthash would end the process when memory runs out; with this it leaves the element out instead.
#define HASH_NONFATAL_OOM 1
// Its own memory is the shard's too; each function that has uthash change the table calls it so.
// NOLINTBEGIN(readability-identifier-naming): the names are uthash's
#define uthash_malloc(bytes)   pool_take(&shard->pool, bytes)
#define uthash_free(at, bytes) pool_give(&shard->pool, at, bytes)
// NOLINTEND(readability-identifier-naming)
#include <uthash.h>

// Each element of a bucket that is looked at is a line of memory that has to be waited for, so the
// buckets are doubled when the fullest has five (uthash: ten). That costs 37 bytes a binding.
#undef HASH_BKT_CAPACITY_THRESH
#define HASH_BKT_CAPACITY_THRESH 5U

#include "signpost/base/now.h"
#include "signpost/base/slice.h"
#include "signpost/state/location.h"
#include "state/pool.h"

// A shard of the location table: addresses of record by their key, the bindings of each, and the
// wheel of their expiries. For location.c alone, which takes the shard's lock: for reading around
// shard_find and looking at what it finds, and for the one scan; for writing around everything
// else.

enum {
    // One slot a second. A binding that lives longer than a lap is met once a lap and stays.
    WHEEL_SLOTS = 4096,
};

struct aor;

// A binding as it is kept.
struct record {
    struct record *next; // of the same address of record, newest first
    struct aor *aor;
    struct record *wheel_next;
    struct record **wheel_link; // what points here in the wheel
    uint64_t expires_ms;        // monotonic; expired when this moment has come
    uint64_t request_id;
    uint32_t wheel_s; // second whose slot this is in: never after the expiry's, but maybe before
    uint32_t cseq;
    uint16_t q;
    uint16_t uri_len;
    uint16_t params_len;
    uint16_t call_id_len;
    uint16_t extra_len;
    uint16_t capacity; // of bytes
    char bytes[];      // extra, which a refresh leaves where it is; URI, parameters, Call-ID
};

struct aor {
    UT_hash_handle hh;
    struct record *records; // none only until location_restored
    uint64_t revision;
    uint16_t key_len;
    char key[];
};

// Numbers of the whole table, counted when bindings and addresses of record come and go, not when
// they are refreshed.
struct tally {
    alignas(64) _Atomic uint64_t bindings;
    _Atomic uint64_t aors;
};

struct shard {
    alignas(64) pthread_rwlock_t lock;
    struct tally *tally;
    struct aor *table;
    uint64_t revision;                   // the last that was drawn
    struct aor *scans[LOCATION_READERS]; // the next that each will come to
    struct record *wheel[WHEEL_SLOTS];
    struct record *due;  // the slot that location_expire is working on
    uint64_t due_next_s; // second whose slot is the next to be taken up
    struct pool pool;    // of all of its memory
};

// The tally and the ground are borrowed until shard_clear.
void shard_init(struct shard *shard, struct tally *tally, struct pool_ground *ground);

// Frees all that it holds, and the lock.
void shard_clear(struct shard *shard);

// NULL when there is no such address of record.
struct aor *shard_find(const struct shard *shard, struct slice key, uint64_t hash);

// The steps in which the memory of a look-up is fetched.
enum shard_fetch {
    SHARD_FETCH_BUCKET,
    SHARD_FETCH_AOR,     // the bucket's first, which it mostly is
    SHARD_FETCH_BINDING, // its newest
    SHARD_FETCHES,
};

// Has the processor fetch what the step names, and waits for what the step before has fetched.
void shard_fetch(const struct shard *shard, uint64_t hash, enum shard_fetch step);

// A new address of record without bindings; NULL when memory does not suffice.
struct aor *shard_add(struct shard *shard, struct slice key, uint64_t hash);

// Forgets an address of record that has no bindings left.
void shard_drop(struct shard *shard, struct aor *aor);

// Memory for a binding with that many bytes; NULL when it does not suffice.
struct record *record_create(struct shard *shard, size_t bytes);

// Gives it back while no list has it. NULL is legal.
void record_destroy(struct shard *shard, struct record *record);

// What points to the record in its address of record's list.
struct record **shard_link(struct aor *aor, const struct record *record);

// Makes a written record the newest of the address of record.
void shard_insert(struct shard *shard, struct aor *aor, struct record *record);

// Removes and frees the record that `link` points to.
void shard_remove(struct shard *shard, struct record **link);

// Puts a written record in the place of another, which it frees.
void shard_replace(struct shard *shard, struct record *old, struct record *new);

// The record has been written anew, with another expiry.
void shard_refreshed(struct shard *shard, struct record *record);

// The address of record that a scan comes to next, NULL at the end of the shard; it remains so, or
// becomes the one behind it when it is dropped, until shard_scan_move goes one on. New ones come in
// at the end. The lock for reading will do, as long as each reader has one scan only.
void shard_scan_begin(struct shard *shard, enum location_reader reader);
void shard_scan_move(struct shard *shard, enum location_reader reader);

// Forgets the addresses of record that have no bindings.
void shard_drop_empty(struct shard *shard);

// Removes expired bindings, looking at so many at most; returns how many. *more: it was
// enough for that many.
size_t shard_expire(struct shard *shard, struct now now, unsigned most, bool *more);

static inline bool record_expired(const struct record *record, struct now now)
{
    return record->expires_ms <= now.mono_ms;
}

static inline struct slice record_uri(const struct record *record)
{
    return slice_of(record->bytes + record->extra_len, record->uri_len);
}

static inline struct slice record_params(const struct record *record)
{
    return slice_of(record->bytes + record->extra_len + record->uri_len, record->params_len);
}

static inline struct slice record_call_id(const struct record *record)
{
    return slice_of(record->bytes + record->extra_len + record->uri_len + record->params_len,
                    record->call_id_len);
}

static inline struct slice record_extra(const struct record *record)
{
    return slice_of(record->bytes, record->extra_len);
}

// Bytes that are in use.
static inline size_t record_used(const struct record *record)
{
    return (size_t)record->uri_len + record->params_len + record->call_id_len + record->extra_len;
}

static inline struct record *first_record(const struct aor *aor)
{
    return aor == NULL ? NULL : aor->records;
}

#endif
