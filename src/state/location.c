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
    struct location *location; // that it is a shard of
    struct aor *table;
    struct record *wheel[WHEEL_SLOTS];
    struct record *due;  // the slot that location_expire is working on
    uint64_t due_next_s; // second whose slot is the next to be taken up
};

struct location {
    struct location_config config;
    struct shard *shards;
    // Counted when bindings and addresses of record come and go, not when they are refreshed.
    alignas(64) _Atomic uint64_t bindings;
    _Atomic uint64_t aors;
};

static_assert(CONTACT_BYTES_MAX + CALL_ID_BYTES_MAX < UINT16_MAX, "a record's lengths fit");
static_assert(AOR_BYTES_MAX < UINT16_MAX, "a key's length fits");

// ---- Creation

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

struct location *location_create(const struct location_config *config)
{
    assert(config->shards > 0 && (config->shards & (config->shards - 1)) == 0);
    assert(config->contacts_max > 0 && config->contacts_max <= CONTACTS_PER_AOR_MAX);
    struct location *location = aligned_alloc(alignof(struct location), sizeof(*location));
    if (location == NULL) {
        return NULL;
    }
    memset(location, 0, sizeof(*location));
    location->config = *config;
    location->shards = aligned_alloc(alignof(struct shard), config->shards * sizeof(struct shard));
    if (location->shards == NULL) {
        free(location);
        return NULL;
    }
    memset(location->shards, 0, config->shards * sizeof(struct shard));
    for (unsigned i = 0; i < config->shards; i++) {
        location->shards[i].location = location;
        init_lock(&location->shards[i].lock);
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

// ---- Counting

static void count(_Atomic uint64_t *n, int64_t change)
{
    // relaxed: a number for people and for the limit, ordered with nothing
    atomic_fetch_add_explicit(n, (uint64_t)change, memory_order_relaxed);
}

struct location_size location_size(const struct location *location)
{
    return (struct location_size){
        // relaxed: as above
        .bindings = atomic_load_explicit(&location->bindings, memory_order_relaxed),
        .aors = atomic_load_explicit(&location->aors, memory_order_relaxed),
    };
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
    count(&shard->location->aors, 1);
    return aor;
}

static void table_remove(struct shard *shard, struct aor *aor)
{
    assert(aor->records == NULL);
    HASH_DEL(shard->table, aor);
    free(aor);
    count(&shard->location->aors, -1);
}

static void free_shard(struct shard *shard)
{
    struct aor *aor = shard->table;
    HASH_CLEAR(hh, shard->table);
    while (aor != NULL) {
        struct aor *const next = aor->hh.next;
        while (aor->records != NULL) {
            struct record *const record = aor->records;
            aor->records = record->next;
            free(record);
        }
        free(aor);
        aor = next;
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

static struct record *first_record(const struct aor *aor)
{
    return aor == NULL ? NULL : aor->records;
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
    count(&shard->location->bindings, 1);
}

// `link` is what points to the record in its address of record's list.
static void record_remove(struct shard *shard, struct record **link)
{
    struct record *const record = *link;
    *link = record->next;
    wheel_unlink(record);
    free(record);
    count(&shard->location->bindings, -1);
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
    for (const struct record *r = first_record(aor); r != NULL; r = r->next) {
        if (expired(r, now)) {
            continue;
        }
        assert(list->count < CONTACTS_PER_AOR_MAX);
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

// One REGISTER on its way into the table. What is to become of each update is found out, and all
// memory for it allocated, before anything is changed.
struct change {
    struct shard *shard;
    struct aor *aor; // NULL while it has no binding
    const struct registration *r;
    struct now now;
    struct registration_effect *effect;
    struct record *match[CONTACTS_PER_AOR_MAX]; // the binding that the update concerns, or NULL
    struct record *fresh[CONTACTS_PER_AOR_MAX]; // memory for it, where the old does not do
    bool repeated[CONTACTS_PER_AOR_MAX];        // the very same request has been here before
};

static void drop_expired(struct change *change)
{
    struct record **link = change->aor == NULL ? NULL : &change->aor->records;
    while (link != NULL && *link != NULL) {
        if (expired(*link, change->now)) {
            record_remove(change->shard, link);
            change->effect->expired++;
        } else {
            link = &(*link)->next;
        }
    }
}

static bool matched_before(const struct change *change, size_t n, const struct record *record)
{
    for (size_t i = 0; i < n; i++) {
        if (change->match[i] == record) {
            return true;
        }
    }
    return false;
}

static bool same_uri(const struct record *record, const struct uri *uri, bool bytewise)
{
    struct uri own;
    if (bytewise) {
        return slice_equal(record_uri(record), uri->text);
    }
    return uri_parse(record_uri(record), &own) == ERR_OK && uri_equal(&own, uri);
}

// The binding that the n-th update concerns. 19.1.4 is not transitive: "sip:a;x=1" and "sip:a;x=2"
// both equal "sip:a" and not each other. Hence a binding whose very bytes are named goes before one
// that compares equal, and a binding goes to one update only, as if they came one after another.
static struct record *find_record(const struct change *change, size_t n)
{
    const struct uri *const uri = &change->r->updates[n].uri;
    for (unsigned pass = 0; pass < 2; pass++) {
        for (struct record *x = first_record(change->aor); x != NULL; x = x->next) {
            if (same_uri(x, uri, pass == 0) && !matched_before(change, n, x)) {
                return x;
            }
        }
    }
    return NULL;
}

// RFC 3261 10.3 steps 6 and 7: within one Call-ID only a higher CSeq may change a binding.
static bool in_order(const struct record *record, const struct registration *r)
{
    return !slice_equal(record_call_id(record), r->call_id) || r->cseq > record->cseq;
}

// The very same request has made this binding before. Its identity does not cover the Contacts,
// which a hostile client may change, so they are compared.
static bool is_repetition(const struct record *record, const struct registration *r,
                          const struct contact_update *update)
{
    return record->request_id == r->request_id && update->expires_s > 0 &&
           slice_equal(record_uri(record), update->uri.text) &&
           slice_equal(record_params(record), update->params);
}

static enum err plan_order(struct change *change)
{
    const struct registration *const r = change->r;
    if (r->remove_all) {
        for (const struct record *x = first_record(change->aor); x != NULL; x = x->next) {
            if (!in_order(x, r)) {
                return ERR_STALE;
            }
        }
    }
    for (size_t i = 0; i < r->update_count; i++) {
        struct record *const match = find_record(change, i);
        change->match[i] = match;
        change->fresh[i] = NULL;
        change->repeated[i] = match != NULL && is_repetition(match, r, &r->updates[i]);
        if (match != NULL && !change->repeated[i] && !in_order(match, r)) {
            return ERR_STALE;
        }
    }
    return ERR_OK;
}

// Bindings and bytes as they would be afterwards. All bindings together may pass their limit by as
// many as other threads are adding at this moment.
static enum err plan_limits(const struct change *change)
{
    const struct registration *const r = change->r;
    const struct location *const location = change->shard->location;
    size_t before = 0;
    size_t bytes = 0;
    for (const struct record *x = first_record(change->aor); x != NULL; x = x->next) {
        before++;
        bytes += (size_t)x->uri_len + x->params_len;
    }
    size_t after = before;
    for (size_t i = 0; i < r->update_count; i++) {
        const struct record *const match = change->match[i];
        if (match != NULL) {
            after--;
            bytes -= (size_t)match->uri_len + match->params_len;
        }
        if (r->updates[i].expires_s > 0) {
            after++;
            bytes += r->updates[i].uri.text.len + r->updates[i].params.len;
        }
    }
    if (after > location->config.contacts_max || bytes > AOR_STATE_BYTES_MAX) {
        return ERR_TOO_MANY;
    }
    const uint64_t held = location_size(location).bindings;
    return after > before && held + after - before > location->config.bindings_max ? ERR_FULL
                                                                                   : ERR_OK;
}

static enum err release_memory(struct change *change, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(change->fresh[i]);
    }
    return ERR_NO_MEMORY;
}

// Allocates all that the commit will need, so that the commit cannot fail.
static enum err plan_memory(struct change *change, uint64_t hash)
{
    const struct registration *const r = change->r;
    bool binds = false;
    for (size_t i = 0; i < r->update_count; i++) {
        const struct record *const match = change->match[i];
        const size_t bytes = record_bytes(r, &r->updates[i]);
        const bool keeps = r->updates[i].expires_s > 0;
        const bool in_place =
            change->repeated[i] || !keeps || (match != NULL && bytes <= match->capacity);
        binds = binds || keeps;
        if (in_place) {
            continue;
        }
        change->fresh[i] = record_create(bytes);
        if (change->fresh[i] == NULL) {
            return release_memory(change, i);
        }
    }
    if (change->aor == NULL && binds) {
        change->aor = table_add(change->shard, r->aor, hash);
        if (change->aor == NULL) {
            return release_memory(change, r->update_count);
        }
    }
    return ERR_OK;
}

static void commit_update(struct change *change, size_t i)
{
    struct registration_effect *const effect = change->effect;
    const struct contact_update *const update = &change->r->updates[i];
    struct record *const match = change->match[i];
    struct record *const fresh = change->fresh[i];
    if (change->repeated[i]) {
        effect->repeated++;
    } else if (update->expires_s == 0) {
        if (match != NULL) {
            record_remove(change->shard, link_of(change->aor, match));
            effect->removed++;
        }
    } else if (match == NULL) {
        record_write(fresh, change->r, update, change->now);
        record_insert(change->shard, change->aor, fresh);
        effect->added++;
    } else if (fresh != NULL) {
        record_write(fresh, change->r, update, change->now);
        record_replace(change->shard, match, fresh);
        effect->refreshed++;
    } else {
        record_write(match, change->r, update, change->now);
        wheel_adjust(change->shard, match);
        effect->refreshed++;
    }
}

static void commit(struct change *change)
{
    while (change->r->remove_all && first_record(change->aor) != NULL) {
        record_remove(change->shard, &change->aor->records);
        change->effect->removed++;
    }
    for (size_t i = 0; i < change->r->update_count; i++) {
        commit_update(change, i);
    }
}

static enum err apply(struct change *change, uint64_t hash)
{
    change->aor = table_find(change->shard, change->r->aor, hash);
    drop_expired(change);
    enum err e = plan_order(change);
    if (e == ERR_OK) {
        e = plan_limits(change);
    }
    if (e == ERR_OK) {
        e = plan_memory(change, hash);
    }
    if (e == ERR_OK) {
        commit(change);
    }
    if (change->aor != NULL && change->aor->records == NULL) {
        table_remove(change->shard, change->aor);
        change->aor = NULL;
    }
    return e;
}

enum err location_register(struct location *location, const struct registration *r, struct now now,
                           struct binding_list *list, struct registration_effect *effect)
{
    assert(r->aor.len <= AOR_BYTES_MAX && r->call_id.len <= CALL_ID_BYTES_MAX);
    assert(r->update_count <= CONTACTS_PER_AOR_MAX && !(r->remove_all && r->update_count > 0));
    const uint64_t hash = hash_bytes(&location->config.key, r->aor);
    struct change change = {
        .shard = shard_of(location, hash), .r = r, .now = now, .effect = effect};
    *effect = (struct registration_effect){0};
    (void)pthread_rwlock_wrlock(&change.shard->lock);
    const enum err e = apply(&change, hash);
    copy_out(e == ERR_OK ? change.aor : NULL, now, list);
    (void)pthread_rwlock_unlock(&change.shard->lock);
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
        // An address of record goes with its last binding, so no later one can name it; which the
        // analyzer cannot know. NOLINTNEXTLINE(clang-analyzer-unix.Malloc)
        record_remove(shard, link_of(aor, record));
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
