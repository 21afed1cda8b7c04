// SPDX-License-Identifier: Apache-2.0
#include "signpost/state/transaction.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

enum {
    // A wheel of one lap longer than the longest timer, so that every record is met in its slot.
    SLOT_MS = 50,
    WHEEL_SLOTS = 1024,
    // What malloc and the table's buckets take beside a record.
    OVERHEAD_BYTES = 24,
    // Records looked at under one hold of the lock.
    DUE_BATCH = 256,
};

static_assert(WHEEL_SLOTS * SLOT_MS > TIMER_H_MS + TIMER_T2_MS, "one lap holds every timer");

struct record {
    UT_hash_handle hh;       // in the table by key
    UT_hash_handle hh_merge; // in the table by what merged requests have in common
    uint64_t merge;
    struct record *wheel_next;
    struct record **wheel_link;
    uint64_t over_ms;   // when it is forgotten
    uint64_t repeat_ms; // when the answer is sent next, of an INVITE without its ACK
    uint32_t interval_ms;
    bool repeats;      // INVITE, and no ACK yet
    bool acknowledged; // INVITE and its ACK has come
    uint16_t key_len;
    uint32_t answer_len;
    struct transaction_path path;
    char bytes[]; // key, answer
};

struct shard {
    alignas(64) pthread_mutex_t lock;
    struct record *table;
    struct record *merges;
    struct record *wheel[WHEEL_SLOTS];
    struct record *due; // the slot that is being worked off
    uint64_t next_slot; // the next to be taken up
    _Atomic uint64_t transactions;
    _Atomic uint64_t bytes;
};

struct transactions {
    struct transactions_config config;
    struct shard *shards;
};

struct transactions *transactions_create(const struct transactions_config *config)
{
    assert(config->shards > 0 && (config->shards & (config->shards - 1)) == 0);
    struct transactions *const t = calloc(1, sizeof(*t));
    if (t == NULL) {
        return NULL;
    }
    t->config = *config;
    t->shards = aligned_alloc(alignof(struct shard), config->shards * sizeof(struct shard));
    if (t->shards == NULL) {
        free(t);
        return NULL;
    }
    memset(t->shards, 0, config->shards * sizeof(struct shard));
    for (unsigned i = 0; i < config->shards; i++) {
        const int rc = pthread_mutex_init(&t->shards[i].lock, NULL);
        assert(rc == 0); // only attributes could make it fail, and there are none
        (void)rc;
    }
    return t;
}

// ---- The table of a shard

static struct shard *shard_of(struct transactions *t, const struct transaction_key *key)
{
    // By Call-ID, so that all that has to be found together is under one lock.
    return &t->shards[key->call & (t->config.shards - 1)];
}

// NOLINTBEGIN(readability-function-size,readability-function-cognitive-complexity)
static struct record *table_find(const struct shard *shard, const struct transaction_key *key)
{
    struct record *found = NULL;
    HASH_FIND_BYHASHVALUE(hh, shard->table, key->text.at, key->text.len, (unsigned)key->hash,
                          found);
    return found;
}

static struct record *merge_find(const struct shard *shard, uint64_t merge)
{
    struct record *found = NULL;
    HASH_FIND_BYHASHVALUE(hh_merge, shard->merges, &merge, sizeof(merge), (unsigned)merge, found);
    return found;
}

// Of several transactions of one request by several ways the newest stands in the second table, for
// it is over last; the others have no table there.
static void merge_add(struct shard *shard, struct record *record)
{
    struct record *const older = merge_find(shard, record->merge);
    record->hh_merge.tbl = NULL;
    HASH_ADD_BYHASHVALUE(hh_merge, shard->merges, merge, sizeof(record->merge),
                         (unsigned)record->merge, record);
    if (older != NULL && record->hh_merge.tbl != NULL) {
        HASH_DELETE(hh_merge, shard->merges, older);
        older->hh_merge.tbl = NULL;
    }
}

static bool table_add(struct shard *shard, struct record *record, uint64_t hash)
{
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, shard->table, record->bytes, record->key_len, (unsigned)hash,
                                record);
    if (record->hh.tbl == NULL) {
        return false;
    }
    merge_add(shard, record);
    return true;
}

static void table_remove(struct shard *shard, struct record *record)
{
    HASH_DELETE(hh, shard->table, record);
    if (record->hh_merge.tbl != NULL) {
        HASH_DELETE(hh_merge, shard->merges, record);
    }
}

static void free_shard(struct shard *shard)
{
    struct record *record = shard->table;
    HASH_CLEAR(hh_merge, shard->merges);
    HASH_CLEAR(hh, shard->table);
    while (record != NULL) {
        struct record *const next = record->hh.next;
        free(record);
        record = next;
    }
    (void)pthread_mutex_destroy(&shard->lock);
}

// NOLINTEND(readability-function-size,readability-function-cognitive-complexity)

void transactions_destroy(struct transactions *t)
{
    if (t == NULL) {
        return;
    }
    for (unsigned i = 0; i < t->config.shards; i++) {
        free_shard(&t->shards[i]);
    }
    free(t->shards);
    free(t);
}

// ---- Counting: written under the shard's lock, read by anyone

static void count(struct shard *shard, int64_t records, int64_t bytes)
{
    // relaxed: numbers for people and for the budget, ordered with nothing
    const uint64_t r = atomic_load_explicit(&shard->transactions, memory_order_relaxed);
    const uint64_t b = atomic_load_explicit(&shard->bytes, memory_order_relaxed);
    atomic_store_explicit(&shard->transactions, r + (uint64_t)records, memory_order_relaxed);
    atomic_store_explicit(&shard->bytes, b + (uint64_t)bytes, memory_order_relaxed);
}

struct transactions_size transactions_size(const struct transactions *t)
{
    struct transactions_size size = {0};
    for (unsigned i = 0; i < t->config.shards; i++) {
        // relaxed: as above
        size.transactions += atomic_load_explicit(&t->shards[i].transactions, memory_order_relaxed);
        size.bytes += atomic_load_explicit(&t->shards[i].bytes, memory_order_relaxed);
    }
    return size;
}

static size_t cost_of(size_t key_len, size_t answer_len)
{
    return offsetof(struct record, bytes) + key_len + answer_len + OVERHEAD_BYTES;
}

// ---- The wheel

static bool over(const struct record *record, struct now now)
{
    return record->over_ms <= now.mono_ms;
}

static void wheel_unlink(struct record *record)
{
    *record->wheel_link = record->wheel_next;
    if (record->wheel_next != NULL) {
        record->wheel_next->wheel_link = record->wheel_link;
    }
}

// Into the slot that is worked off first after `at_ms`.
static void wheel_link(struct shard *shard, struct record *record, uint64_t at_ms)
{
    uint64_t slot = (at_ms + SLOT_MS - 1) / SLOT_MS;
    slot = slot < shard->next_slot ? shard->next_slot : slot;
    struct record **const head = &shard->wheel[slot % WHEEL_SLOTS];
    record->wheel_next = *head;
    record->wheel_link = head;
    if (*head != NULL) {
        (*head)->wheel_link = &record->wheel_next;
    }
    *head = record;
}

static uint64_t next_event_ms(const struct record *record)
{
    return record->repeats && record->repeat_ms < record->over_ms ? record->repeat_ms
                                                                  : record->over_ms;
}

static void forget(struct shard *shard, struct record *record)
{
    wheel_unlink(record);
    table_remove(shard, record);
    count(shard, -1, -(int64_t)cost_of(record->key_len, record->answer_len));
    free(record);
}

// ---- Adding and finding

static struct record *record_create(const struct transaction_key *key, enum transaction_kind kind,
                                    struct slice answer, const struct transaction_path *path,
                                    struct now now)
{
    struct record *const record =
        malloc(offsetof(struct record, bytes) + key->text.len + answer.len);
    if (record == NULL) {
        return NULL;
    }
    record->merge = key->merge;
    record->over_ms = now.mono_ms + (kind == TRANSACTION_INVITE ? TIMER_H_MS : TIMER_J_MS);
    record->repeat_ms = now.mono_ms + TIMER_G_MS;
    record->interval_ms = TIMER_G_MS;
    record->repeats = kind == TRANSACTION_INVITE;
    record->acknowledged = false;
    record->key_len = (uint16_t)key->text.len;
    record->answer_len = (uint32_t)answer.len;
    record->path = *path;
    struct buf bytes = buf_over(record->bytes, key->text.len + answer.len);
    buf_put(&bytes, key->text);
    buf_put(&bytes, answer);
    return record;
}

static struct slice record_answer(const struct record *record)
{
    return slice_of(record->bytes + record->key_len, record->answer_len);
}

static enum transaction_added insert(struct shard *shard, struct record *record,
                                     const struct transaction_key *key, struct now now)
{
    struct record *const present = table_find(shard, key);
    if (present != NULL && !over(present, now)) {
        return TRANSACTION_EXISTS;
    }
    if (present != NULL) {
        forget(shard, present); // the ticker has not come by yet
    }
    if (!table_add(shard, record, key->hash)) {
        return TRANSACTION_NO_ROOM;
    }
    wheel_link(shard, record, next_event_ms(record));
    count(shard, 1, (int64_t)cost_of(record->key_len, record->answer_len));
    return TRANSACTION_ADDED;
}

enum transaction_added transactions_add(struct transactions *t, const struct transaction_key *key,
                                        enum transaction_kind kind, struct slice answer,
                                        const struct transaction_path *path, struct now now)
{
    assert(key->text.len <= TRANSACTION_KEY_BYTES_MAX && answer.len <= ANSWER_BYTES_MAX);
    struct shard *const shard = shard_of(t, key);
    const size_t cost = cost_of(key->text.len, answer.len);
    // relaxed: the shard's own share of the budget, which only threads that add at the same moment
    // can pass, by as much as they add
    if (atomic_load_explicit(&shard->bytes, memory_order_relaxed) + cost >
        t->config.budget_bytes / t->config.shards) {
        return TRANSACTION_NO_ROOM;
    }
    struct record *const record = record_create(key, kind, answer, path, now);
    if (record == NULL) {
        return TRANSACTION_NO_ROOM;
    }
    (void)pthread_mutex_lock(&shard->lock);
    const enum transaction_added added = insert(shard, record, key, now);
    (void)pthread_mutex_unlock(&shard->lock);
    if (added != TRANSACTION_ADDED) {
        free(record);
    }
    return added;
}

// Locks the shard and finds the transaction, if its time is not over. The caller unlocks.
static struct record *lock_and_find(struct shard *shard, const struct transaction_key *key,
                                    struct now now)
{
    (void)pthread_mutex_lock(&shard->lock);
    struct record *const record = table_find(shard, key);
    return record != NULL && !over(record, now) ? record : NULL;
}

bool transactions_repeat(struct transactions *t, const struct transaction_key *key, struct now now,
                         struct buf *answer, struct endpoint *target)
{
    struct shard *const shard = shard_of(t, key);
    const struct record *const record = lock_and_find(shard, key, now);
    if (record != NULL && !record->acknowledged) {
        buf_put(answer, record_answer(record));
        *target = record->path.target;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return record != NULL;
}

bool transactions_acknowledge(struct transactions *t, const struct transaction_key *key,
                              struct now now)
{
    struct shard *const shard = shard_of(t, key);
    struct record *const record = lock_and_find(shard, key, now);
    if (record != NULL && record->repeats) {
        record->repeats = false;
        record->acknowledged = true;
        record->over_ms = now.mono_ms + TIMER_I_MS;
        wheel_unlink(record);
        wheel_link(shard, record, record->over_ms);
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return record != NULL;
}

bool transactions_has(struct transactions *t, const struct transaction_key *key, struct now now)
{
    struct shard *const shard = shard_of(t, key);
    const struct record *const record = lock_and_find(shard, key, now);
    (void)pthread_mutex_unlock(&shard->lock);
    return record != NULL;
}

bool transactions_merged(struct transactions *t, const struct transaction_key *key, struct now now)
{
    struct shard *const shard = shard_of(t, key);
    (void)pthread_mutex_lock(&shard->lock);
    const struct record *const record = merge_find(shard, key->merge);
    const bool merged = record != NULL && !over(record, now) &&
                        !slice_equal(slice_of(record->bytes, record->key_len), key->text);
    (void)pthread_mutex_unlock(&shard->lock);
    return merged;
}

// ---- What is due

// The next record of the slots that have been passed, or NULL. A slot is taken off the wheel to be
// worked off, for what is not due yet may have its place in the same one, a lap later.
static struct record *next_passed(struct shard *shard, struct now now)
{
    const uint64_t now_slot = now.mono_ms / SLOT_MS;
    if (shard->next_slot + WHEEL_SLOTS <= now_slot) {
        shard->next_slot = now_slot - WHEEL_SLOTS + 1; // one lap meets every slot
    }
    while (shard->due == NULL && shard->next_slot <= now_slot) {
        struct record **const slot = &shard->wheel[shard->next_slot++ % WHEEL_SLOTS];
        shard->due = *slot;
        *slot = NULL;
        if (shard->due != NULL) {
            shard->due->wheel_link = &shard->due;
        }
    }
    return shard->due;
}

// RFC 3261 17.2.1: the interval of timer G doubles up to T2.
static void repeat(struct record *record, struct now now, struct buf *answer,
                   struct transaction_path *path)
{
    const uint32_t doubled = 2 * record->interval_ms;
    buf_put(answer, record_answer(record));
    *path = record->path;
    record->interval_ms = doubled < TIMER_T2_MS ? doubled : TIMER_T2_MS;
    record->repeat_ms = now.mono_ms + record->interval_ms;
}

// Works off passed slots under one hold of the lock, until an answer is to be sent again or the
// batch is full. *more: there is more to do in this shard.
static bool work_off(struct shard *shard, struct now now, struct buf *answer,
                     struct transaction_path *path, bool *more)
{
    for (unsigned i = 0; i < DUE_BATCH; i++) {
        struct record *const record = next_passed(shard, now);
        *more = record != NULL;
        if (record == NULL) {
            return false;
        }
        if (over(record, now)) {
            forget(shard, record);
            continue;
        }
        const bool repeats = record->repeats && record->repeat_ms <= now.mono_ms;
        if (repeats) {
            repeat(record, now, answer, path);
        }
        wheel_unlink(record);
        wheel_link(shard, record, next_event_ms(record));
        if (repeats) {
            return true;
        }
    }
    return false;
}

bool transactions_next_due(struct transactions *t, unsigned *shard, struct now now,
                           struct buf *answer, struct transaction_path *path)
{
    while (*shard < t->config.shards) {
        struct shard *const s = &t->shards[*shard];
        bool more;
        (void)pthread_mutex_lock(&s->lock);
        const bool found = work_off(s, now, answer, path, &more);
        (void)pthread_mutex_unlock(&s->lock);
        *shard += more ? 0 : 1;
        if (found) {
            return true;
        }
    }
    return false;
}
