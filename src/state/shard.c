// SPDX-License-Identifier: Apache-2.0
#include "state/shard.h"

#include <stddef.h>
#include <stdlib.h>

enum {
    CACHE_LINE = 64,
    AOR_LINES = 2,    // with a key of some length
    RECORD_LINES = 3, // with the Contact and Call-ID of an ordinary phone
};

// ---- The table: uthash behind four functions

static void count(_Atomic uint64_t *n, int64_t change)
{
    // relaxed: numbers for people and for the limit, ordered with nothing
    atomic_fetch_add_explicit(n, (uint64_t)change, memory_order_relaxed);
}

static size_t aor_bytes(size_t key_len)
{
    return offsetof(struct aor, key) + key_len;
}

// NOLINTBEGIN(readability-function-size,readability-function-cognitive-complexity)
struct aor *shard_find(const struct shard *shard, struct slice key, uint64_t hash)
{
    struct aor *found = NULL;
    HASH_FIND_BYHASHVALUE(hh, shard->table, key.at, key.len, (unsigned)hash, found);
    return found;
}

static void fetch(const void *at, unsigned lines)
{
    for (unsigned i = 0; i < lines; i++) {
        __builtin_prefetch((const char *)at + (size_t)i * CACHE_LINE);
    }
}

void shard_fetch(const struct shard *shard, uint64_t hash, enum shard_fetch step)
{
    if (shard->table == NULL) {
        return;
    }
    const UT_hash_table *const table = shard->table->hh.tbl;
    const UT_hash_bucket *const bucket = &table->buckets[(unsigned)hash & (table->num_buckets - 1)];
    if (step == SHARD_FETCH_BUCKET) {
        fetch(bucket, 1);
    } else if (bucket->hh_head != NULL) {
        const struct aor *const aor = ELMT_FROM_HH(table, bucket->hh_head);
        if (step == SHARD_FETCH_AOR) {
            fetch(aor, AOR_LINES);
        } else {
            fetch(aor->records, RECORD_LINES);
        }
    }
}

struct aor *shard_add(struct shard *shard, struct slice key, uint64_t hash)
{
    struct aor *aor = pool_take(&shard->pool, aor_bytes(key.len));
    if (aor == NULL) {
        return NULL;
    }
    aor->records = NULL;
    aor->revision = 0;
    aor->key_len = (uint16_t)key.len;
    memcpy(aor->key, key.at, key.len);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, shard->table, aor->key, key.len, (unsigned)hash, aor);
    if (aor->hh.tbl == NULL) {
        pool_give(&shard->pool, aor, aor_bytes(key.len));
        return NULL;
    }
    count(&shard->tally->aors, 1);
    return aor;
}

void shard_drop(struct shard *shard, struct aor *aor)
{
    assert(aor->records == NULL);
    for (unsigned reader = 0; reader < LOCATION_READERS; reader++) {
        if (shard->scans[reader] == aor) {
            shard_scan_move(shard, (enum location_reader)reader);
        }
    }
    HASH_DEL(shard->table, aor);
    pool_give(&shard->pool, aor, aor_bytes(aor->key_len));
    count(&shard->tally->aors, -1);
}

void shard_scan_begin(struct shard *shard, enum location_reader reader)
{
    shard->scans[reader] = shard->table;
}

void shard_scan_move(struct shard *shard, enum location_reader reader)
{
    shard->scans[reader] = shard->scans[reader]->hh.next;
}

void shard_drop_empty(struct shard *shard)
{
    for (struct aor *aor = shard->table; aor != NULL;) {
        struct aor *const next = aor->hh.next;
        if (aor->records == NULL) {
            shard_drop(shard, aor);
        }
        aor = next;
    }
}

void shard_clear(struct shard *shard)
{
    struct aor *aor = shard->table;
    HASH_CLEAR(hh, shard->table);
    while (aor != NULL) {
        struct aor *const next = aor->hh.next;
        while (aor->records != NULL) {
            struct record *const record = aor->records;
            aor->records = record->next;
            record_destroy(shard, record);
        }
        pool_give(&shard->pool, aor, aor_bytes(aor->key_len));
        aor = next;
    }
    (void)pthread_rwlock_destroy(&shard->lock);
}

// NOLINTEND(readability-function-size,readability-function-cognitive-complexity)

// By default readers go before writers, and callers of one much-called user could keep his phone
// from registering for as long as they liked. No hold is nested, which writers first would forbid.
static void init_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t writers_first;
    int rc = pthread_rwlockattr_init(&writers_first);
    assert(rc == 0);
    rc =
        pthread_rwlockattr_setkind_np(&writers_first, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    assert(rc == 0);
    rc = pthread_rwlock_init(lock, &writers_first);
    assert(rc == 0);
    (void)pthread_rwlockattr_destroy(&writers_first);
}

void shard_init(struct shard *shard, struct tally *tally, struct pool_ground *ground)
{
    memset(shard, 0, sizeof(*shard));
    shard->tally = tally;
    pool_init(&shard->pool, ground);
    init_lock(&shard->lock);
}

// ---- The wheel: which binding expires in which second

// The first whole second at which the binding has surely expired.
static uint32_t expiry_second(const struct record *record)
{
    return (uint32_t)((record->expires_ms + MS_PER_S - 1) / MS_PER_S);
}

static void wheel_unlink(struct record *record)
{
    *record->wheel_link = record->wheel_next;
    if (record->wheel_next != NULL) {
        record->wheel_next->wheel_link = record->wheel_link;
    }
}

static void wheel_link(struct shard *shard, struct record *record)
{
    // A slot that has been passed comes round a lap later: what is due by then goes to the next.
    const uint32_t second = expiry_second(record);
    record->wheel_s = second < shard->due_next_s ? (uint32_t)shard->due_next_s : second;
    struct record **const slot = &shard->wheel[record->wheel_s % WHEEL_SLOTS];
    record->wheel_next = *slot;
    record->wheel_link = slot;
    if (*slot != NULL) {
        (*slot)->wheel_link = &record->wheel_next;
    }
    *slot = record;
}

// A later expiry leaves the record where it is: when its slot comes up it moves on. So a refresh,
// the commonest of all requests, touches no other record.
void shard_refreshed(struct shard *shard, struct record *record)
{
    if (expiry_second(record) < record->wheel_s) {
        wheel_unlink(record);
        wheel_link(shard, record);
    }
}

// ---- Records

struct record *record_create(struct shard *shard, size_t bytes)
{
    struct record *record = pool_take(&shard->pool, offsetof(struct record, bytes) + bytes);
    if (record != NULL) {
        record->capacity = (uint16_t)bytes;
    }
    return record;
}

void record_destroy(struct shard *shard, struct record *record)
{
    if (record != NULL) {
        pool_give(&shard->pool, record, offsetof(struct record, bytes) + record->capacity);
    }
}

struct record **shard_link(struct aor *aor, const struct record *record)
{
    struct record **link = &aor->records;
    while (*link != record) {
        link = &(*link)->next;
    }
    return link;
}

void shard_insert(struct shard *shard, struct aor *aor, struct record *record)
{
    record->aor = aor;
    record->next = aor->records;
    aor->records = record;
    wheel_link(shard, record);
    count(&shard->tally->bindings, 1);
}

// `link` is what points to the record in its address of record's list.
void shard_remove(struct shard *shard, struct record **link)
{
    struct record *const record = *link;
    *link = record->next;
    wheel_unlink(record);
    record_destroy(shard, record);
    count(&shard->tally->bindings, -1);
}

// Puts a larger record in the place of another.
void shard_replace(struct shard *shard, struct record *old, struct record *new)
{
    struct record **const link = shard_link(old->aor, old);
    new->aor = old->aor;
    new->next = old->next;
    *link = new;
    wheel_unlink(old);
    wheel_link(shard, new);
    record_destroy(shard, old);
}

// ---- Expiry

// Takes up the slot of the next second that has passed. False when none has.
static bool take_up_slot(struct shard *shard, uint64_t now_s)
{
    if (shard->due_next_s + WHEEL_SLOTS <= now_s) {
        shard->due_next_s = now_s - WHEEL_SLOTS + 1; // one lap meets every slot
    }
    while (shard->due == NULL && shard->due_next_s <= now_s) {
        struct record **const slot = &shard->wheel[shard->due_next_s++ % WHEEL_SLOTS];
        shard->due = *slot;
        *slot = NULL;
        if (shard->due != NULL) {
            shard->due->wheel_link = &shard->due;
        }
    }
    return shard->due != NULL;
}

size_t shard_expire(struct shard *shard, struct now now, unsigned most, bool *more)
{
    size_t removed = 0;
    *more = true;
    for (unsigned i = 0; i < most; i++) {
        if (!take_up_slot(shard, now.mono_ms / MS_PER_S)) {
            *more = false;
            break;
        }
        struct record *const record = shard->due;
        if (!record_expired(record, now)) {
            wheel_unlink(record);
            wheel_link(shard, record);
            continue;
        }
        struct aor *const aor = record->aor;
        // An address of record goes with its last binding, so no later one can name it; which the
        // analyzer cannot know. NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
        shard_remove(shard, shard_link(aor, record));
        removed++;
        if (aor->records == NULL) {
            shard_drop(shard, aor);
        }
    }
    return removed;
}
