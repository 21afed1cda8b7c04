// SPDX-License-Identifier: Apache-2.0
#include "signpost/state/location.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

// uthash would end the process when memory runs out; with this it leaves the element out instead.
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "signpost/sip/fields.h"

enum {
    // One slot a second. A binding that lives longer than a lap is met once a lap and stays.
    WHEEL_SLOTS = 4096,
    // Bindings that location_expire handles under one hold of a shard's lock: some 20 us.
    EXPIRE_BATCH = 256,
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
    uint16_t capacity; // of bytes
    char bytes[];      // URI, parameters, Call-ID
};

struct aor {
    UT_hash_handle hh;
    struct record *records;
    uint16_t key_len;
    char key[];
};

struct shard {
    alignas(64) pthread_rwlock_t lock;
    struct aor *table;
    struct record *wheel[WHEEL_SLOTS];
    struct record *due;  // the slot that location_expire is working on
    uint64_t due_next_s; // second whose slot is the next to be taken up
    _Atomic uint64_t bindings;
    _Atomic uint64_t aors;
};

struct location {
    struct location_config config;
    struct shard *shards;
};

static_assert(CONTACT_BYTES_MAX + CALL_ID_BYTES_MAX < UINT16_MAX, "a record's lengths fit");
static_assert(AOR_BYTES_MAX < UINT16_MAX, "a key's length fits");

// ---- Creation

struct location *location_create(const struct location_config *config)
{
    assert(config->shards > 0 && (config->shards & (config->shards - 1)) == 0);
    assert(config->contacts_max > 0 && config->contacts_max <= CONTACTS_PER_AOR_MAX);
    struct location *location = calloc(1, sizeof(*location));
    if (location == NULL) {
        return NULL;
    }
    location->config = *config;
    location->shards = aligned_alloc(alignof(struct shard), config->shards * sizeof(struct shard));
    if (location->shards == NULL) {
        free(location);
        return NULL;
    }
    memset(location->shards, 0, config->shards * sizeof(struct shard));
    for (unsigned i = 0; i < config->shards; i++) {
        // Only a broken attribute could fail here, and there is none.
        const int rc = pthread_rwlock_init(&location->shards[i].lock, NULL);
        assert(rc == 0);
        (void)rc;
    }
    return location;
}

static void free_shard(struct shard *shard);

void location_destroy(struct location *location)
{
    if (location == NULL) {
        return;
    }
    for (unsigned i = 0; i < location->config.shards; i++) {
        free_shard(&location->shards[i]);
    }
    free(location->shards);
    free(location);
}

// ---- Counting: written under the shard's lock, read by anyone

static void count(_Atomic uint64_t *n, int64_t change)
{
    // relaxed: a number for people, ordered with nothing
    const uint64_t value = atomic_load_explicit(n, memory_order_relaxed);
    atomic_store_explicit(n, value + (uint64_t)change, memory_order_relaxed);
}

struct location_size location_size(const struct location *location)
{
    struct location_size size = {0};
    for (unsigned i = 0; i < location->config.shards; i++) {
        // relaxed: as above
        const struct shard *shard = &location->shards[i];
        size.bindings += atomic_load_explicit(&shard->bindings, memory_order_relaxed);
        size.aors += atomic_load_explicit(&shard->aors, memory_order_relaxed);
    }
    return size;
}

// ---- The table of a shard: uthash behind four functions

static struct shard *shard_of(struct location *location, uint64_t hash)
{
    return &location->shards[(hash >> 32) & (location->config.shards - 1)];
}

// NOLINTBEGIN(readability-function-size,readability-function-cognitive-complexity)
static struct aor *table_find(const struct shard *shard, struct slice key, uint64_t hash)
{
    struct aor *found = NULL;
    HASH_FIND_BYHASHVALUE(hh, shard->table, key.at, key.len, (unsigned)hash, found);
    return found;
}

static struct aor *table_add(struct shard *shard, struct slice key, uint64_t hash)
{
    struct aor *aor = malloc(offsetof(struct aor, key) + key.len);
    if (aor == NULL) {
        return NULL;
    }
    aor->records = NULL;
    aor->key_len = (uint16_t)key.len;
    memcpy(aor->key, key.at, key.len);
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, shard->table, aor->key, key.len, (unsigned)hash, aor);
    if (aor->hh.tbl == NULL) {
        free(aor);
        return NULL;
    }
    count(&shard->aors, 1);
    return aor;
}

static void table_remove(struct shard *shard, struct aor *aor)
{
    assert(aor->records == NULL);
    HASH_DEL(shard->table, aor);
    free(aor);
    count(&shard->aors, -1);
}

static void free_shard(struct shard *shard)
{
    struct aor *aor;
    struct aor *next;
    HASH_ITER (hh, shard->table, aor, next) {
        struct record *record = aor->records;
        while (record != NULL) {
            struct record *const rest = record->next;
            free(record);
            record = rest;
        }
        HASH_DEL(shard->table, aor);
        free(aor);
    }
    (void)pthread_rwlock_destroy(&shard->lock);
}

// NOLINTEND(readability-function-size,readability-function-cognitive-complexity)

// ---- The wheel: which binding expires in which second

static bool expired(const struct record *record, struct now now)
{
    return record->expires_ms <= now.mono_ms;
}

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
static void wheel_adjust(struct shard *shard, struct record *record)
{
    if (expiry_second(record) < record->wheel_s) {
        wheel_unlink(record);
        wheel_link(shard, record);
    }
}

// ---- Records

static struct slice record_uri(const struct record *record)
{
    return slice_of(record->bytes, record->uri_len);
}

static struct slice record_params(const struct record *record)
{
    return slice_of(record->bytes + record->uri_len, record->params_len);
}

static struct slice record_call_id(const struct record *record)
{
    return slice_of(record->bytes + record->uri_len + record->params_len, record->call_id_len);
}

static size_t record_bytes(const struct registration *r, const struct contact_update *update)
{
    return update->uri.text.len + update->params.len + r->call_id.len;
}

static void record_write(struct record *record, const struct registration *r,
                         const struct contact_update *update, struct now now)
{
    assert(record_bytes(r, update) <= record->capacity);
    struct buf b = buf_over(record->bytes, record->capacity);
    buf_put(&b, update->uri.text);
    buf_put(&b, update->params);
    buf_put(&b, r->call_id);
    record->uri_len = (uint16_t)update->uri.text.len;
    record->params_len = (uint16_t)update->params.len;
    record->call_id_len = (uint16_t)r->call_id.len;
    record->q = update->q;
    record->cseq = r->cseq;
    record->request_id = r->request_id;
    record->expires_ms = now.mono_ms + (uint64_t)update->expires_s * MS_PER_S;
}

static struct record *record_create(size_t bytes)
{
    struct record *record = malloc(offsetof(struct record, bytes) + bytes);
    if (record != NULL) {
        record->capacity = (uint16_t)bytes;
    }
    return record;
}

static struct record **link_of(struct aor *aor, const struct record *record)
{
    struct record **link = &aor->records;
    while (*link != record) {
        link = &(*link)->next;
    }
    return link;
}

static void record_insert(struct shard *shard, struct aor *aor, struct record *record)
{
    record->aor = aor;
    record->next = aor->records;
    aor->records = record;
    wheel_link(shard, record);
    count(&shard->bindings, 1);
}

static void record_remove(struct shard *shard, struct record *record)
{
    struct record **const link = link_of(record->aor, record);
    *link = record->next;
    wheel_unlink(record);
    free(record);
    count(&shard->bindings, -1);
}

// Puts a larger record in the place of another.
static void record_replace(struct shard *shard, struct record *old, struct record *new)
{
    struct record **const link = link_of(old->aor, old);
    new->aor = old->aor;
    new->next = old->next;
    *link = new;
    wheel_unlink(old);
    wheel_link(shard, new);
    free(old);
}

// ---- Copying out

static uint16_t q_rank(uint16_t q)
{
    return q == Q_ABSENT ? Q_ONE : q;
}

static struct slice copy(struct binding_list *list, struct slice s)
{
    assert(s.len <= sizeof(list->bytes) - list->used);
    char *const at = list->bytes + list->used;
    if (s.len > 0) {
        memcpy(at, s.at, s.len);
    }
    list->used += s.len;
    return slice_of(at, s.len);
}

// Insertion keeps the order: best q first, the newest first among equals.
static void copy_out(const struct aor *aor, struct now now, struct binding_list *list)
{
    list->count = 0;
    list->used = 0;
    for (const struct record *r = aor == NULL ? NULL : aor->records; r != NULL; r = r->next) {
        if (expired(r, now)) {
            continue;
        }
        size_t place = list->count++;
        while (place > 0 && q_rank(list->rows[place - 1].q) < q_rank(r->q)) {
            list->rows[place] = list->rows[place - 1];
            place--;
        }
        list->rows[place] = (struct binding){
            .uri = copy(list, record_uri(r)),
            .params = copy(list, record_params(r)),
            .q = r->q,
            .remaining_s = (uint32_t)((r->expires_ms - now.mono_ms + MS_PER_S - 1) / MS_PER_S),
        };
    }
}

void location_lookup(struct location *location, struct slice aor, struct now now,
                     struct binding_list *list)
{
    const uint64_t hash = hash_bytes(&location->config.key, aor);
    struct shard *const shard = shard_of(location, hash);
    (void)pthread_rwlock_rdlock(&shard->lock);
    copy_out(table_find(shard, aor, hash), now, list);
    (void)pthread_rwlock_unlock(&shard->lock);
}

// ---- Registering

// What is to become of each update; made before anything is changed.
struct plan {
    struct record *match[CONTACTS_PER_AOR_MAX]; // the binding that the update concerns, or NULL
    struct record *fresh[CONTACTS_PER_AOR_MAX]; // memory for it, where the old does not do
    bool repeated[CONTACTS_PER_AOR_MAX];
};

static unsigned drop_expired(struct shard *shard, struct aor *aor, struct now now)
{
    unsigned dropped = 0;
    struct record *record = aor->records;
    while (record != NULL) {
        struct record *const next = record->next;
        if (expired(record, now)) {
            record_remove(shard, record);
            dropped++;
        }
        record = next;
    }
    return dropped;
}

static struct record *find_record(const struct aor *aor, const struct contact_update *update)
{
    struct record *record = aor == NULL ? NULL : aor->records;
    for (; record != NULL; record = record->next) {
        struct uri uri;
        if (slice_equal(record_uri(record), update->uri.text)) {
            return record;
        }
        if (uri_parse(record_uri(record), &uri) == ERR_OK && uri_equal(&uri, &update->uri)) {
            return record;
        }
    }
    return NULL;
}

// RFC 3261 10.3 steps 6 and 7: within one Call-ID only a higher CSeq may change a binding.
static bool in_order(const struct record *record, const struct registration *r)
{
    return !slice_equal(record_call_id(record), r->call_id) || r->cseq > record->cseq;
}

static enum err plan_order(const struct aor *aor, const struct registration *r, struct plan *plan)
{
    if (r->remove_all) {
        for (const struct record *x = aor == NULL ? NULL : aor->records; x != NULL; x = x->next) {
            if (!in_order(x, r)) {
                return ERR_STALE;
            }
        }
    }
    for (size_t i = 0; i < r->update_count; i++) {
        struct record *const match = find_record(aor, &r->updates[i]);
        plan->match[i] = match;
        plan->fresh[i] = NULL;
        plan->repeated[i] = match != NULL && match->request_id == r->request_id;
        if (match != NULL && !plan->repeated[i] && !in_order(match, r)) {
            return ERR_STALE;
        }
    }
    return ERR_OK;
}

// Bindings and bytes as they would be afterwards.
static enum err plan_limits(const struct location *location, const struct aor *aor,
                            const struct registration *r, const struct plan *plan)
{
    size_t bindings = 0;
    size_t bytes = 0;
    for (const struct record *x = aor == NULL ? NULL : aor->records; x != NULL; x = x->next) {
        bindings++;
        bytes += (size_t)x->uri_len + x->params_len;
    }
    for (size_t i = 0; i < r->update_count; i++) {
        const struct record *const match = plan->match[i];
        if (match != NULL) {
            bindings--;
            bytes -= (size_t)match->uri_len + match->params_len;
        }
        if (r->updates[i].expires_s > 0) {
            bindings++;
            bytes += r->updates[i].uri.text.len + r->updates[i].params.len;
        }
    }
    const bool fits = bindings <= location->config.contacts_max && bytes <= AOR_STATE_BYTES_MAX;
    return fits ? ERR_OK : ERR_TOO_MANY;
}

static void plan_release(struct plan *plan, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(plan->fresh[i]);
    }
}

// Allocates all that the commit will need, so that the commit cannot fail.
static enum err plan_memory(const struct registration *r, struct plan *plan)
{
    for (size_t i = 0; i < r->update_count; i++) {
        const struct record *const match = plan->match[i];
        const size_t bytes = record_bytes(r, &r->updates[i]);
        const bool in_place = plan->repeated[i] || r->updates[i].expires_s == 0 ||
                              (match != NULL && bytes <= match->capacity);
        if (in_place) {
            continue;
        }
        plan->fresh[i] = record_create(bytes);
        if (plan->fresh[i] == NULL) {
            plan_release(plan, i);
            return ERR_NO_MEMORY;
        }
    }
    return ERR_OK;
}

static bool adds_binding(const struct registration *r)
{
    for (size_t i = 0; i < r->update_count; i++) {
        if (r->updates[i].expires_s > 0) {
            return true;
        }
    }
    return false;
}

static void commit_update(struct shard *shard, struct aor *aor, const struct registration *r,
                          const struct plan *plan, size_t i, struct now now,
                          struct registration_effect *effect);

static void commit(struct shard *shard, struct aor *aor, const struct registration *r,
                   const struct plan *plan, struct now now, struct registration_effect *effect)
{
    while (r->remove_all && aor->records != NULL) {
        record_remove(shard, aor->records);
        effect->removed++;
    }
    for (size_t i = 0; i < r->update_count; i++) {
        commit_update(shard, aor, r, plan, i, now, effect);
    }
}

static void commit_update(struct shard *shard, struct aor *aor, const struct registration *r,
                          const struct plan *plan, size_t i, struct now now,
                          struct registration_effect *effect)
{
    const struct contact_update *const update = &r->updates[i];
    struct record *const match = plan->match[i];
    struct record *const fresh = plan->fresh[i];
    if (plan->repeated[i]) {
        effect->repeated++;
    } else if (update->expires_s == 0) {
        if (match != NULL) {
            record_remove(shard, match);
            effect->removed++;
        }
    } else if (match == NULL) {
        record_write(fresh, r, update, now);
        record_insert(shard, aor, fresh);
        effect->added++;
    } else if (fresh != NULL) {
        record_write(fresh, r, update, now);
        record_replace(shard, match, fresh);
        effect->refreshed++;
    } else {
        record_write(match, r, update, now);
        wheel_adjust(shard, match);
        effect->refreshed++;
    }
}

static enum err register_locked(struct location *location, struct shard *shard, uint64_t hash,
                                const struct registration *r, struct now now,
                                struct binding_list *list, struct registration_effect *effect)
{
    struct plan plan;
    struct aor *aor = table_find(shard, r->aor, hash);
    if (aor != NULL) {
        effect->expired = drop_expired(shard, aor, now);
    }
    enum err e = plan_order(aor, r, &plan);
    if (e == ERR_OK) {
        e = plan_limits(location, aor, r, &plan);
    }
    if (e == ERR_OK) {
        e = plan_memory(r, &plan);
    }
    if (e == ERR_OK && aor == NULL && adds_binding(r)) {
        aor = table_add(shard, r->aor, hash);
        if (aor == NULL) {
            plan_release(&plan, r->update_count);
            e = ERR_NO_MEMORY;
        }
    }
    if (e == ERR_OK && aor != NULL) {
        commit(shard, aor, r, &plan, now, effect);
        copy_out(aor, now, list);
    }
    if (aor != NULL && aor->records == NULL) {
        table_remove(shard, aor);
    }
    return e;
}

enum err location_register(struct location *location, const struct registration *r, struct now now,
                           struct binding_list *list, struct registration_effect *effect)
{
    assert(r->aor.len <= AOR_BYTES_MAX && r->call_id.len <= CALL_ID_BYTES_MAX);
    assert(r->update_count <= CONTACTS_PER_AOR_MAX && !(r->remove_all && r->update_count > 0));
    const uint64_t hash = hash_bytes(&location->config.key, r->aor);
    struct shard *const shard = shard_of(location, hash);
    *effect = (struct registration_effect){0};
    list->count = 0;
    list->used = 0;
    (void)pthread_rwlock_wrlock(&shard->lock);
    const enum err e = register_locked(location, shard, hash, r, now, list, effect);
    (void)pthread_rwlock_unlock(&shard->lock);
    return e;
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

static size_t expire_batch(struct shard *shard, struct now now, bool *more)
{
    size_t removed = 0;
    *more = true;
    for (unsigned i = 0; i < EXPIRE_BATCH; i++) {
        if (!take_up_slot(shard, now.mono_ms / MS_PER_S)) {
            *more = false;
            break;
        }
        struct record *const record = shard->due;
        if (!expired(record, now)) {
            wheel_unlink(record);
            wheel_link(shard, record);
            continue;
        }
        struct aor *const aor = record->aor;
        record_remove(shard, record);
        removed++;
        if (aor->records == NULL) {
            table_remove(shard, aor);
        }
    }
    return removed;
}

size_t location_expire(struct location *location, struct now now)
{
    size_t removed = 0;
    for (unsigned i = 0; i < location->config.shards; i++) {
        struct shard *const shard = &location->shards[i];
        bool more = true;
        while (more) {
            (void)pthread_rwlock_wrlock(&shard->lock);
            removed += expire_batch(shard, now, &more);
            (void)pthread_rwlock_unlock(&shard->lock);
        }
    }
    return removed;
}
