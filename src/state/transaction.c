// SPDX-License-Identifier: Apache-2.0
#include "signpost/state/transaction.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "state/fifo.h"
#include "state/index.h"

enum {
    // Records looked at under one hold of the lock.
    DUE_BATCH = 256,
    // Records that are over, taken back for each one that is added: more than come, so that what is
    // over never fills the memory, and few enough to be no burden.
    TAKE_BACK = 2,
};

// Timer G, which doubles from T1 up to T2: records wait in the queue of their interval. As all of a
// queue wait equally long, they are due in the order in which they came.
static const uint32_t intervals_ms[] = {TIMER_G_MS, 2 * TIMER_G_MS, 4 * TIMER_G_MS, TIMER_T2_MS};

enum { INTERVALS = sizeof(intervals_ms) / sizeof(intervals_ms[0]) };

static_assert(8 * TIMER_G_MS == TIMER_T2_MS, "the intervals double up to T2");

struct record {
    uint64_t over_ms; // when it is forgotten
    uint64_t hash;
    uint64_t merge;
    bool merges;
    bool acknowledged; // INVITE and its ACK has come
    bool repeats;      // INVITE, and no ACK yet: it stands in a queue
    uint8_t interval;  // of intervals_ms
    uint16_t key_len;
    uint32_t answer_len;
    uint64_t repeat_ms; // when the answer is sent next
    struct record *queue_next;
    struct record *queue_previous;
    struct transaction_path path;
    char bytes[]; // key, answer
};

struct queue {
    struct record *first;
    struct record *last;
};

// Records lie in a FIFO in the order they came, and are forgotten in it: what is over earlier than
// one before it, as an INVITE with its ACK, is not found any more, but waits for that one.
struct shard {
    alignas(64) pthread_mutex_t lock;
    struct fifo records;
    struct index index; // by hash, and by merge for those that have one
    struct queue queues[INTERVALS];
    // Read without the lock.
    _Atomic uint64_t transactions;
    _Atomic uint64_t bytes;
    _Atomic uint64_t evicted;
};

struct transactions {
    struct transactions_config config;
    struct shard *shards;
};

static bool shard_init(struct shard *shard, size_t budget_bytes)
{
    const int rc = pthread_mutex_init(&shard->lock, NULL);
    assert(rc == 0); // only attributes could make it fail, and there are none
    (void)rc;
    return fifo_create(&shard->records, budget_bytes);
}

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
    bool ok = true;
    for (unsigned i = 0; i < config->shards; i++) {
        ok = shard_init(&t->shards[i], config->budget_bytes / config->shards) && ok;
    }
    if (!ok) {
        transactions_destroy(t);
        return NULL;
    }
    return t;
}

void transactions_destroy(struct transactions *t)
{
    if (t == NULL) {
        return;
    }
    for (unsigned i = 0; i < t->config.shards; i++) {
        struct shard *const shard = &t->shards[i];
        index_destroy(&shard->index);
        fifo_destroy(&shard->records);
        (void)pthread_mutex_destroy(&shard->lock);
    }
    free(t->shards);
    free(t);
}

// By Call-ID, so that all that has to be found together is under one lock.
static struct shard *shard_of(struct transactions *t, const struct transaction_key *key)
{
    return &t->shards[key->call & (t->config.shards - 1)];
}

// ---- Counting: written under the shard's lock, read by anyone

static void publish(struct shard *shard)
{
    // relaxed: numbers for people, ordered with nothing
    atomic_store_explicit(&shard->transactions, shard->records.count, memory_order_relaxed);
    atomic_store_explicit(&shard->bytes, shard->records.used, memory_order_relaxed);
}

static void count_evicted(struct shard *shard)
{
    // relaxed: as above
    const uint64_t n = atomic_load_explicit(&shard->evicted, memory_order_relaxed);
    atomic_store_explicit(&shard->evicted, n + 1, memory_order_relaxed);
}

struct transactions_size transactions_size(const struct transactions *t)
{
    struct transactions_size size = {0};
    for (unsigned i = 0; i < t->config.shards; i++) {
        const struct shard *const shard = &t->shards[i];
        // relaxed: as above
        size.transactions += atomic_load_explicit(&shard->transactions, memory_order_relaxed);
        size.bytes += atomic_load_explicit(&shard->bytes, memory_order_relaxed);
        size.evicted += atomic_load_explicit(&shard->evicted, memory_order_relaxed);
    }
    return size;
}

// ---- Timer G

static void enqueue(struct shard *shard, struct record *record, struct now now)
{
    struct queue *const queue = &shard->queues[record->interval];
    record->repeat_ms = now.mono_ms + intervals_ms[record->interval];
    record->queue_next = NULL;
    record->queue_previous = queue->last;
    *(queue->last == NULL ? &queue->first : &queue->last->queue_next) = record;
    queue->last = record;
}

static void dequeue(struct shard *shard, struct record *record)
{
    struct queue *const queue = &shard->queues[record->interval];
    struct record *const next = record->queue_next;
    struct record *const previous = record->queue_previous;
    *(previous == NULL ? &queue->first : &previous->queue_next) = next;
    *(next == NULL ? &queue->last : &next->queue_previous) = previous;
}

// ---- Finding

static bool over(const struct record *record, struct now now)
{
    return record->over_ms <= now.mono_ms;
}

static struct slice record_key(const struct record *record)
{
    return slice_of(record->bytes, record->key_len);
}

static struct slice record_answer(const struct record *record)
{
    return slice_of(record->bytes + record->key_len, record->answer_len);
}

// NULL when there is none whose time is not over.
static struct record *find(const struct shard *shard, const struct transaction_key *key,
                           struct now now)
{
    struct index_search search;
    uint32_t ref = index_first(&shard->index, (uint32_t)key->hash, &search);
    for (; ref != 0; ref = index_next(&shard->index, &search)) {
        struct record *const record = fifo_piece(&shard->records, ref);
        if (record->hash == key->hash && slice_equal(record_key(record), key->text) &&
            !over(record, now)) {
            return record;
        }
    }
    return NULL;
}

static bool has_merged(const struct shard *shard, const struct transaction_key *key, struct now now)
{
    struct index_search search;
    uint32_t ref = index_first(&shard->index, (uint32_t)key->merge, &search);
    for (; ref != 0; ref = index_next(&shard->index, &search)) {
        const struct record *const record = fifo_piece(&shard->records, ref);
        if (record->merges && record->merge == key->merge && !over(record, now) &&
            !slice_equal(record_key(record), key->text)) {
            return true;
        }
    }
    return false;
}

enum transaction_found transactions_find(struct transactions *t, const struct transaction_key *key,
                                         struct now now, struct buf *answer,
                                         struct endpoint *target)
{
    struct shard *const shard = shard_of(t, key);
    enum transaction_found found = TRANSACTION_NEW;
    (void)pthread_mutex_lock(&shard->lock);
    const struct record *const record = find(shard, key, now);
    if (record != NULL) {
        found = TRANSACTION_REPEATED;
        if (!record->acknowledged) {
            buf_put(answer, record_answer(record));
            *target = record->path.target;
        }
    } else if (key->merges && has_merged(shard, key, now)) {
        found = TRANSACTION_MERGED;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return found;
}

bool transactions_has(struct transactions *t, const struct transaction_key *key, struct now now)
{
    struct shard *const shard = shard_of(t, key);
    (void)pthread_mutex_lock(&shard->lock);
    const bool found = find(shard, key, now) != NULL;
    (void)pthread_mutex_unlock(&shard->lock);
    return found;
}

bool transactions_acknowledge(struct transactions *t, const struct transaction_key *key,
                              struct now now)
{
    struct shard *const shard = shard_of(t, key);
    (void)pthread_mutex_lock(&shard->lock);
    struct record *const record = find(shard, key, now);
    if (record != NULL && record->repeats) {
        dequeue(shard, record);
        record->repeats = false;
        record->acknowledged = true;
        record->over_ms = now.mono_ms + TIMER_I_MS;
    }
    (void)pthread_mutex_unlock(&shard->lock);
    return record != NULL;
}

// ---- Forgetting

static void forget_oldest(struct shard *shard)
{
    struct record *const record = fifo_oldest(&shard->records);
    const uint32_t ref = fifo_ref(&shard->records, record);
    index_remove(&shard->index, (uint32_t)record->hash, ref);
    if (record->merges) {
        index_remove(&shard->index, (uint32_t)record->merge, ref);
    }
    if (record->repeats) {
        dequeue(shard, record);
    }
    fifo_drop(&shard->records);
}

// Up to `most` records that are over. False when all of those have gone.
static bool take_back(struct shard *shard, unsigned most, struct now now)
{
    for (unsigned i = 0; i < most; i++) {
        const struct record *const oldest = fifo_oldest(&shard->records);
        if (oldest == NULL || !over(oldest, now)) {
            return false;
        }
        forget_oldest(shard);
    }
    return true;
}

// ---- Adding

// Memory for a record, for which older ones may have to go. NULL when that cannot help.
static struct record *make_room(struct shard *shard, size_t bytes, struct now now)
{
    if (!fifo_fits(&shard->records, bytes)) {
        return NULL;
    }
    struct record *record = fifo_push(&shard->records, bytes);
    while (record == NULL && fifo_oldest(&shard->records) != NULL) {
        if (!over(fifo_oldest(&shard->records), now)) {
            count_evicted(shard);
        }
        forget_oldest(shard);
        record = fifo_push(&shard->records, bytes);
    }
    return record;
}

// Of copies of a request the newest stands for all, for it is ongoing the longest: thousands of
// them must not make thousands of rows with one tag, which each further one would walk along.
static void forget_merge(struct shard *shard, uint64_t merge)
{
    struct index_search search;
    uint32_t ref = index_first(&shard->index, (uint32_t)merge, &search);
    for (; ref != 0; ref = index_next(&shard->index, &search)) {
        struct record *const record = fifo_piece(&shard->records, ref);
        if (record->merges && record->merge == merge) {
            record->merges = false;
            index_remove(&shard->index, (uint32_t)merge, ref);
            return;
        }
    }
}

static void record_write(struct record *record, const struct transaction_key *key,
                         enum transaction_kind kind, struct slice answer,
                         const struct transaction_path *path, struct now now)
{
    struct buf bytes = buf_over(record->bytes, key->text.len + answer.len);
    record->over_ms = now.mono_ms + (kind == TRANSACTION_INVITE ? TIMER_H_MS : TIMER_J_MS);
    record->hash = key->hash;
    record->merge = key->merge;
    record->merges = key->merges;
    record->acknowledged = false;
    record->repeats = kind == TRANSACTION_INVITE;
    record->interval = 0;
    record->key_len = (uint16_t)key->text.len;
    record->answer_len = (uint32_t)answer.len;
    record->path = *path;
    buf_put(&bytes, key->text);
    buf_put(&bytes, answer);
}

static enum transaction_added insert(struct shard *shard, const struct transaction_key *key,
                                     enum transaction_kind kind, struct slice answer,
                                     const struct transaction_path *path, struct now now)
{
    const size_t bytes = offsetof(struct record, bytes) + key->text.len + answer.len;
    if (find(shard, key, now) != NULL) {
        return TRANSACTION_EXISTS;
    }
    (void)take_back(shard, TAKE_BACK, now);
    struct record *const record =
        index_reserve(&shard->index, 2) ? make_room(shard, bytes, now) : NULL;
    if (record == NULL) {
        return TRANSACTION_NO_ROOM;
    }
    const uint32_t ref = fifo_ref(&shard->records, record);
    if (key->merges) {
        forget_merge(shard, key->merge);
    }
    record_write(record, key, kind, answer, path, now);
    index_add(&shard->index, (uint32_t)key->hash, ref);
    if (key->merges) {
        index_add(&shard->index, (uint32_t)key->merge, ref);
    }
    if (record->repeats) {
        enqueue(shard, record, now);
    }
    return TRANSACTION_ADDED;
}

enum transaction_added transactions_add(struct transactions *t, const struct transaction_key *key,
                                        enum transaction_kind kind, struct slice answer,
                                        const struct transaction_path *path, struct now now)
{
    assert(key->text.len <= TRANSACTION_KEY_BYTES_MAX && answer.len <= ANSWER_BYTES_MAX);
    struct shard *const shard = shard_of(t, key);
    (void)pthread_mutex_lock(&shard->lock);
    const enum transaction_added added = insert(shard, key, kind, answer, path, now);
    publish(shard);
    (void)pthread_mutex_unlock(&shard->lock);
    return added;
}

// ---- What is due

// RFC 3261 17.2.1: the interval of timer G doubles up to T2.
static void repeat(struct shard *shard, struct record *record, struct now now, struct buf *answer,
                   struct transaction_path *path)
{
    buf_put(answer, record_answer(record));
    *path = record->path;
    dequeue(shard, record);
    if (record->interval < INTERVALS - 1) {
        record->interval++;
    }
    enqueue(shard, record, now);
}

// The first record of the queues that is due, or NULL.
static struct record *first_due(const struct shard *shard, struct now now)
{
    for (unsigned i = 0; i < INTERVALS; i++) {
        struct record *const first = shard->queues[i].first;
        if (first != NULL && first->repeat_ms <= now.mono_ms) {
            return first;
        }
    }
    return NULL;
}

// Under one hold of the lock, until an answer is to be sent again or the batch is full. *more:
// there is more to do in this shard.
static bool work_off(struct shard *shard, struct now now, struct buf *answer,
                     struct transaction_path *path, bool *more)
{
    *more = take_back(shard, DUE_BATCH, now);
    for (unsigned i = 0; i < DUE_BATCH; i++) {
        struct record *const record = first_due(shard, now);
        if (record == NULL) {
            return false;
        }
        if (!over(record, now)) {
            *more = true;
            repeat(shard, record, now, answer, path);
            return true;
        }
        dequeue(shard, record); // over, and it waits for older ones to go
        record->repeats = false;
    }
    *more = true;
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
        publish(s);
        (void)pthread_mutex_unlock(&s->lock);
        *shard += more ? 0 : 1;
        if (found) {
            return true;
        }
    }
    return false;
}
