// SPDX-License-Identifier: Apache-2.0
#include "signpost/state/location.h"

#include <stdlib.h>

#include "signpost/sip/fields.h"
#include "state/shard.h"

struct location {
    struct location_config config;
    struct shard *shards;
    unsigned expires_next; // shard that location_expire goes on with
    struct tally tally;
    struct pool_ground ground;
};

static_assert(CONTACT_BYTES_MAX + CALL_ID_BYTES_MAX < UINT16_MAX, "a record's lengths fit");
static_assert(AOR_BYTES_MAX < UINT16_MAX, "a key's length fits");

// ---- Creation

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
    location->ground.at = config->memory;
    location->ground.bytes = config->memory_bytes;
    location->shards = aligned_alloc(alignof(struct shard), config->shards * sizeof(struct shard));
    if (location->shards == NULL) {
        free(location);
        return NULL;
    }
    for (unsigned i = 0; i < config->shards; i++) {
        shard_init(&location->shards[i], &location->tally, &location->ground);
    }
    return location;
}

void location_destroy(struct location *location)
{
    if (location == NULL) {
        return;
    }
    for (unsigned i = 0; i < location->config.shards; i++) {
        shard_clear(&location->shards[i]);
    }
    free(location->shards);
    free(location);
}

struct location_size location_size(const struct location *location)
{
    return (struct location_size){
        // relaxed: numbers for people and for the limit, ordered with nothing
        .bindings = atomic_load_explicit(&location->tally.bindings, memory_order_relaxed),
        .aors = atomic_load_explicit(&location->tally.aors, memory_order_relaxed),
    };
}

static struct shard *shard_of(struct location *location, uint64_t hash)
{
    return &location->shards[(hash >> 32) & (location->config.shards - 1)];
}

// ---- Copying out

static uint32_t remaining_s(const struct record *record, struct now now)
{
    return (uint32_t)((record->expires_ms - now.mono_ms + MS_PER_S - 1) / MS_PER_S);
}

static uint16_t q_rank(uint16_t q)
{
    return q == Q_ABSENT ? Q_ONE : q;
}

// Memory of the caller into which bindings are copied; it is known to suffice.
struct room {
    char *bytes;
    size_t cap;
    size_t *used;
};

static struct slice copy(struct room room, struct slice s)
{
    assert(s.len <= room.cap - *room.used);
    char *const at = room.bytes + *room.used;
    if (s.len > 0) {
        memcpy(at, s.at, s.len);
    }
    *room.used += s.len;
    return slice_of(at, s.len);
}

static struct binding tell(const struct record *r, struct now now, unsigned age, struct room room)
{
    return (struct binding){
        .uri = copy(room, record_uri(r)),
        .params = copy(room, record_params(r)),
        .call_id = copy(room, record_call_id(r)),
        .extra = copy(room, record_extra(r)),
        .expires_ms = r->expires_ms,
        .request_id = r->request_id,
        .remaining_s = remaining_s(r, now),
        .cseq = r->cseq,
        .q = r->q,
        .age = (uint16_t)age,
    };
}

// Insertion keeps the order: best q first, the newest first among equals.
static void copy_out(const struct aor *aor, struct now now, struct binding_list *list)
{
    list->count = 0;
    list->used = 0;
    const struct room room = {list->bytes, sizeof(list->bytes), &list->used};
    for (const struct record *r = first_record(aor); r != NULL; r = r->next) {
        if (record_expired(r, now)) {
            continue;
        }
        assert(list->count < CONTACTS_PER_AOR_MAX);
        const unsigned age = (unsigned)list->count;
        size_t place = list->count++;
        while (place > 0 && q_rank(list->rows[place - 1].q) < q_rank(r->q)) {
            list->rows[place] = list->rows[place - 1];
            place--;
        }
        list->rows[place] = tell(r, now, age, room);
    }
}

void location_lookup(struct location *location, struct slice aor, struct now now,
                     struct binding_list *list)
{
    const uint64_t hash = hash_bytes(&location->config.key, aor);
    struct shard *const shard = shard_of(location, hash);
    (void)pthread_rwlock_rdlock(&shard->lock);
    const struct aor *const found = shard_find(shard, aor, hash);
    copy_out(found, now, list);
    list->revision = found == NULL ? shard->revision : found->revision;
    (void)pthread_rwlock_unlock(&shard->lock);
}

// ---- Fetching ahead

struct location_fetch location_fetch(struct location *location, struct slice aor)
{
    struct location_fetch fetch = {.location = location,
                                   .hash = hash_bytes(&location->config.key, aor)};
    location_fetch_on(&fetch);
    return fetch;
}

void location_fetch_on(struct location_fetch *fetch)
{
    if (fetch->location == NULL || fetch->steps == SHARD_FETCHES) {
        return;
    }
    struct shard *const shard = shard_of(fetch->location, fetch->hash);
    // Where somebody writes, his hold is waited for by the call itself, if it must be.
    if (pthread_rwlock_tryrdlock(&shard->lock) == 0) {
        shard_fetch(shard, fetch->hash, (enum shard_fetch)fetch->steps);
        (void)pthread_rwlock_unlock(&shard->lock);
    }
    fetch->steps++;
}

// ---- Telling all of it

// All bindings of an address of record, or none of them when they do not fit the page any more.
static bool put_on_page(struct location_page *page, const struct aor *aor, struct now now)
{
    const size_t count = page->count;
    const size_t used = page->used;
    const struct room room = {page->bytes, sizeof(page->bytes), &page->used};
    const struct slice key = copy(room, slice_of(aor->key, aor->key_len));
    for (const struct record *r = first_record(aor); r != NULL; r = r->next) {
        if (page->count == LOCATION_PAGE_ROWS ||
            record_used(r) > sizeof(page->bytes) - page->used) {
            page->count = count;
            page->used = used;
            return false;
        }
        if (!record_expired(r, now)) {
            const unsigned age = (unsigned)(page->count - count);
            page->rows[page->count++] = (struct location_row){
                .aor = key, .revision = aor->revision, .binding = tell(r, now, age, room)};
        }
    }
    return true;
}

// One hold of the lock's worth of a page: so many addresses of record at most, for those whose
// bindings have all expired fill no page. True at the end of the shard.
static bool scan_shard(struct shard *shard, struct location_cursor *cursor, struct now now,
                       struct location_page *page)
{
    (void)pthread_rwlock_rdlock(&shard->lock);
    if (!cursor->inside) {
        shard_scan_begin(shard, cursor->reader);
        cursor->inside = true;
    }
    struct aor *const *const next = &shard->scans[cursor->reader];
    for (unsigned i = 0; i < LOCATION_PAGE_ROWS && *next != NULL; i++) {
        if (sizeof(page->bytes) - page->used < AOR_BYTES_MAX || !put_on_page(page, *next, now)) {
            break;
        }
        shard_scan_move(shard, cursor->reader);
    }
    const bool end = *next == NULL;
    (void)pthread_rwlock_unlock(&shard->lock);
    return end;
}

static_assert((int)CONTACTS_PER_AOR_MAX <= (int)LOCATION_PAGE_ROWS &&
                  AOR_BYTES_MAX + (int)AOR_BINDINGS_BYTES_MAX <= (int)LOCATION_PAGE_BYTES,
              "an empty page holds any address of record");

bool location_scan(struct location *location, struct location_cursor *cursor, struct now now,
                   struct location_page *page)
{
    page->count = 0;
    while (cursor->shard < location->config.shards && page->count == 0) {
        page->used = 0; // what is left there of those that have expired
        if (scan_shard(&location->shards[cursor->shard], cursor, now, page)) {
            cursor->shard++;
            cursor->inside = false;
        }
    }
    return page->count > 0;
}

// ---- Registering

// `match` is the binding that the update concerns, or NULL.
static size_t record_bytes(const struct record *match, const struct registration *r,
                           const struct contact_update *update)
{
    const size_t extra = match == NULL ? 0 : match->extra_len;
    return extra + update->uri.text.len + update->params.len + r->call_id.len;
}

// What is extra has its place before the rest, and has been written.
static void record_write(struct record *record, const struct registration *r,
                         const struct contact_update *update, struct now now)
{
    assert(record_bytes(record, r, update) <= record->capacity);
    struct buf b =
        buf_over(record->bytes + record->extra_len, (size_t)record->capacity - record->extra_len);
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

// One REGISTER on its way into the table. What is to become of each update is found out, and all
// memory for it allocated, before anything is changed.
struct change {
    const struct location *location;
    struct shard *shard;
    struct aor *aor; // NULL while it has no binding
    const struct registration *r;
    struct now now;
    struct registration_effect *effect;
    struct record *match[CONTACTS_PER_AOR_MAX];  // the binding that the update concerns, or NULL
    struct record *fresh[CONTACTS_PER_AOR_MAX];  // memory for it, where the old does not do
    bool repeated[CONTACTS_PER_AOR_MAX];         // the very same request has been here before
    struct record *oldest[CONTACTS_PER_AOR_MAX]; // bindings that make room
    size_t oldest_count;
};

static void drop_expired(struct change *change)
{
    struct record **link = change->aor == NULL ? NULL : &change->aor->records;
    while (link != NULL && *link != NULL) {
        if (record_expired(*link, change->now)) {
            shard_remove(change->shard, link);
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

// What an address of record holds.
struct load {
    size_t bindings;
    size_t bytes; // of URIs and parameters
};

static bool fits(const struct location *location, const struct load *load)
{
    return load->bindings <= location->config.contacts_max && load->bytes <= AOR_STATE_BYTES_MAX;
}

// A store may bring back more bindings than are allowed by now. They can be refreshed.
static bool grows(const struct load *before, const struct load *after)
{
    return after->bindings > before->bindings || after->bytes > before->bytes;
}

static struct load current_load(const struct change *change)
{
    struct load load = {0};
    for (const struct record *x = first_record(change->aor); x != NULL; x = x->next) {
        load.bindings++;
        load.bytes += (size_t)x->uri_len + x->params_len;
    }
    return load;
}

static struct load load_afterwards(const struct change *change, struct load load)
{
    for (size_t i = 0; i < change->r->update_count; i++) {
        const struct record *const match = change->match[i];
        const struct contact_update *const update = &change->r->updates[i];
        if (match != NULL) {
            load.bindings--;
            load.bytes -= (size_t)match->uri_len + match->params_len;
        }
        if (update->expires_s > 0) {
            load.bindings++;
            load.bytes += update->uri.text.len + update->params.len;
        }
    }
    return load;
}

// Chooses the oldest of the bindings that the request does not speak of, until the rest fits: they
// are the last of the list.
static void choose_oldest(struct change *change, struct load *load)
{
    struct record *others[CONTACTS_PER_AOR_MAX];
    size_t count = 0;
    for (struct record *x = first_record(change->aor); x != NULL; x = x->next) {
        if (!matched_before(change, change->r->update_count, x)) {
            assert(count < CONTACTS_PER_AOR_MAX);
            others[count++] = x;
        }
    }
    while (count > 0 && !fits(change->location, load)) {
        struct record *const oldest = others[--count];
        load->bindings--;
        load->bytes -= (size_t)oldest->uri_len + oldest->params_len;
        change->oldest[change->oldest_count++] = oldest;
    }
}

// Whether what will be fits the limits. All bindings together may pass theirs by as many as other
// threads are adding at this moment.
static enum err plan_limits(struct change *change)
{
    const struct location *const location = change->location;
    const struct load before = current_load(change);
    struct load after = load_afterwards(change, before);
    if (location->config.replace_oldest) {
        choose_oldest(change, &after);
    }
    if (!fits(location, &after) && grows(&before, &after)) {
        return ERR_TOO_MANY;
    }
    const uint64_t held = location_size(location).bindings;
    const bool full = after.bindings > before.bindings &&
                      held + after.bindings - before.bindings > location->config.bindings_max;
    return full ? ERR_FULL : ERR_OK;
}

static enum err release_memory(struct change *change, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        record_destroy(change->shard, change->fresh[i]);
    }
    return ERR_NO_MEMORY;
}

static void record_take_extra(struct record *record, const struct record *from)
{
    record->extra_len = from == NULL ? 0 : from->extra_len;
    if (record->extra_len > 0) {
        memcpy(record->bytes, from->bytes, record->extra_len);
    }
}

// Allocates all that the commit will need, so that the commit cannot fail.
static enum err plan_memory(struct change *change, uint64_t hash)
{
    const struct registration *const r = change->r;
    bool binds = false;
    for (size_t i = 0; i < r->update_count; i++) {
        const struct record *const match = change->match[i];
        const size_t bytes = record_bytes(match, r, &r->updates[i]);
        const bool keeps = r->updates[i].expires_s > 0;
        const bool in_place =
            change->repeated[i] || !keeps || (match != NULL && bytes <= match->capacity);
        binds = binds || keeps;
        if (in_place) {
            continue;
        }
        change->fresh[i] = record_create(change->shard, bytes);
        if (change->fresh[i] == NULL) {
            return release_memory(change, i);
        }
        record_take_extra(change->fresh[i], match);
    }
    if (change->aor == NULL && binds) {
        change->aor = shard_add(change->shard, r->aor, hash);
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
            shard_remove(change->shard, shard_link(change->aor, match));
            effect->removed++;
        }
    } else if (match == NULL) {
        record_write(fresh, change->r, update, change->now);
        shard_insert(change->shard, change->aor, fresh);
        effect->added++;
    } else if (fresh != NULL) {
        record_write(fresh, change->r, update, change->now);
        shard_replace(change->shard, match, fresh);
        effect->refreshed++;
    } else {
        record_write(match, change->r, update, change->now);
        shard_refreshed(change->shard, match);
        effect->refreshed++;
    }
}

static void commit(struct change *change)
{
    while (change->r->remove_all && first_record(change->aor) != NULL) {
        shard_remove(change->shard, &change->aor->records);
        change->effect->removed++;
    }
    for (size_t i = 0; i < change->oldest_count; i++) {
        shard_remove(change->shard, shard_link(change->aor, change->oldest[i]));
        change->effect->replaced++;
    }
    for (size_t i = 0; i < change->r->update_count; i++) {
        commit_update(change, i);
    }
}

static enum err apply(struct change *change, uint64_t hash)
{
    change->aor = shard_find(change->shard, change->r->aor, hash);
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
        shard_drop(change->shard, change->aor);
        change->aor = NULL;
    }
    return e;
}

static uint64_t draw_revision(struct change *change)
{
    const uint64_t revision = ++change->shard->revision;
    if (change->aor != NULL) {
        change->aor->revision = revision;
    }
    return revision;
}

enum err location_register(struct location *location, const struct registration *r, struct now now,
                           struct binding_list *list, struct registration_effect *effect)
{
    assert(r->aor.len <= AOR_BYTES_MAX && r->call_id.len <= CALL_ID_BYTES_MAX);
    assert(r->update_count <= CONTACTS_PER_AOR_MAX && !(r->remove_all && r->update_count > 0));
    const uint64_t hash = hash_bytes(&location->config.key, r->aor);
    struct change change = {.location = location,
                            .shard = shard_of(location, hash),
                            .r = r,
                            .now = now,
                            .effect = effect};
    *effect = (struct registration_effect){0};
    (void)pthread_rwlock_wrlock(&change.shard->lock);
    const enum err e = apply(&change, hash);
    copy_out(e == ERR_OK ? change.aor : NULL, now, list);
    list->revision = e == ERR_OK ? draw_revision(&change) : 0;
    (void)pthread_rwlock_unlock(&change.shard->lock);
    return e;
}

// ---- Filling it again

static struct record *restore_record(struct shard *shard, const struct binding *binding)
{
    const struct slice parts[] = {binding->extra, binding->uri, binding->params, binding->call_id};
    size_t bytes = 0;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        bytes += parts[i].len;
    }
    struct record *const record = record_create(shard, bytes);
    if (record == NULL) {
        return NULL;
    }
    struct buf b = buf_over(record->bytes, record->capacity);
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        buf_put(&b, parts[i]);
    }
    record->uri_len = (uint16_t)binding->uri.len;
    record->params_len = (uint16_t)binding->params.len;
    record->call_id_len = (uint16_t)binding->call_id.len;
    record->extra_len = (uint16_t)binding->extra.len;
    record->q = binding->q;
    record->cseq = binding->cseq;
    record->request_id = binding->request_id;
    record->expires_ms = binding->expires_ms;
    return record;
}

static enum err restore(struct shard *shard, const struct location_state *state, uint64_t hash,
                        struct now now)
{
    struct aor *aor = shard_find(shard, state->aor, hash);
    if (aor != NULL && aor->revision >= state->revision) {
        return ERR_OK;
    }
    if (aor == NULL) {
        aor = shard_add(shard, state->aor, hash);
        if (aor == NULL) {
            return ERR_NO_MEMORY;
        }
    }
    while (aor->records != NULL) {
        shard_remove(shard, &aor->records);
    }
    for (size_t i = state->count; i > 0; i--) {
        if (state->bindings[i - 1].expires_ms <= now.mono_ms) {
            continue;
        }
        struct record *const record = restore_record(shard, &state->bindings[i - 1]);
        if (record == NULL) {
            return ERR_NO_MEMORY;
        }
        shard_insert(shard, aor, record);
    }
    // An address of record without bindings stays, so that older states of it are known as such.
    aor->revision = state->revision;
    if (shard->revision < state->revision) {
        shard->revision = state->revision;
    }
    return ERR_OK;
}

enum err location_restore(struct location *location, const struct location_state *state,
                          struct now now)
{
    assert(state->aor.len <= AOR_BYTES_MAX && state->count <= CONTACTS_PER_AOR_MAX);
    const uint64_t hash = hash_bytes(&location->config.key, state->aor);
    struct shard *const shard = shard_of(location, hash);
    (void)pthread_rwlock_wrlock(&shard->lock);
    const enum err e = restore(shard, state, hash, now);
    (void)pthread_rwlock_unlock(&shard->lock);
    return e;
}

void location_restored(struct location *location)
{
    for (unsigned i = 0; i < location->config.shards; i++) {
        struct shard *const shard = &location->shards[i];
        (void)pthread_rwlock_wrlock(&shard->lock);
        shard_drop_empty(shard);
        (void)pthread_rwlock_unlock(&shard->lock);
    }
}

// ---- Expiry

bool location_expire(struct location *location, struct now now, unsigned batches, size_t *removed)
{
    unsigned done = 0;
    while (done < location->config.shards && batches > 0) {
        struct shard *const shard = &location->shards[location->expires_next];
        bool more;
        (void)pthread_rwlock_wrlock(&shard->lock);
        *removed += shard_expire(shard, now, EXPIRE_BATCH, &more);
        (void)pthread_rwlock_unlock(&shard->lock);
        if (more) {
            batches--;
        } else {
            location->expires_next = (location->expires_next + 1) % location->config.shards;
            done++;
        }
    }
    return done < location->config.shards;
}
