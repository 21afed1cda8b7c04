// SPDX-License-Identifier: Apache-2.0
#include "store/keeper.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "store/queue.h"
#include "store/record.h"

enum {
    // A group: what one write brings to disk.
    GROUP_ROWS_MAX = 16384,
    GROUP_BYTES_MAX = 4 << 20,
    INDEX_SLOTS = 2 * GROUP_ROWS_MAX,
    // Answers that leave with it; of one address of record there may be more than one.
    GROUP_ENTRIES_MAX = 2 * GROUP_ROWS_MAX,

    // What a round of a rewrite writes besides the changes, in bytes: short, for they wait for it.
    REWRITE_BYTES = 256 << 10,

    // What a group has of records that had to be made anew.
    RENEWED_BYTES = 8 * RECORD_BYTES_MAX,

    // A rewrite is due when what is kept is more than so many times what is bound, and this much.
    REWRITE_RATIO = 3,
    REWRITE_SLACK_BYTES = 64 << 20,
    RECORD_BYTES_GUESS = 256,

    // The wall clock has been set when it moves by more than this against the other.
    CLOCK_STEP_MS = 5000,

    RETRY_MS_MIN = 250,
    RETRY_MS_MAX = 8000,
};

// An entry of a queue: this, the record, the ticket, the answer.
struct entry_head {
    uint32_t record_bytes;
    uint32_t ticket_bytes;
    uint32_t answer_bytes;
    uint32_t generation; // that was the newest before the change was made
};

// An offer that fits no quarter of the smallest queue could never be made.
static_assert(sizeof(struct entry_head) + RECORD_BYTES_MAX + KEEPER_TICKET_BYTES_MAX +
                      ANSWER_BYTES_MAX <=
                  KEEPER_QUEUE_BYTES_MIN / 4,
              "every offer fits an empty queue");

// An address of record in the group.
struct row {
    struct slice record;
    uint32_t slot; // of the index
};

struct group {
    size_t row_count;
    struct row rows[GROUP_ROWS_MAX];
    size_t bytes; // of the records
    size_t entry_count;
    struct slice entries[GROUP_ENTRIES_MAX]; // those that an answer waits in
    size_t entry_next;                       // the next to be told
    uint32_t index[INDEX_SLOTS];             // row number + 1, found by address of record; 0: none
};

struct producer {
    struct queue *queue;
    uint32_t generation; // the newest, when it last asked for the service; the producer's own
};

struct keeper {
    struct keeper_config config;
    struct producer *producers;
    unsigned first;              // of them, in the next round
    _Atomic uint32_t generation; // of the newest, counted from 0 by each keeper
    _Atomic(enum uas_service) service;
    _Atomic bool lost; // a queue was full, and a change has been let go

    struct engine *engine; // NULL while it is closed after a failure
    struct engine_fault fault;
    bool healing; // what is on disk is not what was promised until the next rewrite has ended
    uint64_t retry_ms;
    uint64_t retry_after_ms;

    struct group group;
    struct buf block;         // GROUP_BYTES_MAX, REWRITE_BYTES and one record's more of each
    struct buf renewed;       // records of the group that do not lie in a queue
    struct binding_list list; // scratch for those

    uint64_t wall_ahead_ms; // of the monotonic clock, when what is kept was written
    bool copy_due;          // of files that could not be read, before anything is written
    bool rewrite_due;
    bool rewriting;
    bool owes;          // something is in the table that only a rewrite will bring to disk
    bool unsynced;      // something has been appended since the last sync
    uint64_t synced_ms; // when that was
    struct location_cursor cursor;
    struct location_page page;
    size_t page_next;      // row of the page that is to be written next
    uint64_t kept_bytes;   // in all generations
    uint64_t record_bytes; // of all records since the last rewrite began, or the start
    uint64_t record_count;
};

enum { BLOCK_BYTES = GROUP_BYTES_MAX + REWRITE_BYTES + 2 * RECORD_BYTES_MAX };

// ---- Creation

static bool create_queues(struct keeper *keeper)
{
    const struct keeper_config *const config = &keeper->config;
    keeper->producers = calloc(config->producers, sizeof(keeper->producers[0]));
    bool ok = keeper->producers != NULL;
    for (unsigned i = 0; ok && i < config->producers; i++) {
        keeper->producers[i].queue = queue_create(config->queue_bytes);
        ok = keeper->producers[i].queue != NULL;
    }
    return ok;
}

static bool create_buffers(struct keeper *keeper)
{
    keeper->block = buf_over(malloc(BLOCK_BYTES), BLOCK_BYTES);
    keeper->renewed = buf_over(malloc(RENEWED_BYTES), RENEWED_BYTES);
    return keeper->block.at != NULL && keeper->renewed.at != NULL;
}

enum err keeper_create(const struct keeper_config *config, struct engine *engine,
                       struct keeper **out)
{
    assert(config->producers > 0 && config->queue_bytes >= KEEPER_QUEUE_BYTES_MIN);
    struct keeper *const keeper = calloc(1, sizeof(*keeper));
    *out = NULL;
    if (keeper == NULL) {
        engine_close(engine);
        return ERR_NO_MEMORY;
    }
    keeper->config = *config;
    keeper->engine = engine;
    keeper->retry_after_ms = RETRY_MS_MIN;
    atomic_init(&keeper->service, UAS_IS_LOADING);
    if (!create_buffers(keeper) || !create_queues(keeper)) {
        keeper_destroy(keeper);
        return ERR_NO_MEMORY;
    }
    *out = keeper;
    return ERR_OK;
}

void keeper_destroy(struct keeper *keeper)
{
    if (keeper == NULL) {
        return;
    }
    for (unsigned i = 0; keeper->producers != NULL && i < keeper->config.producers; i++) {
        queue_destroy(keeper->producers[i].queue);
    }
    free(keeper->producers);
    free(keeper->block.at);
    free(keeper->renewed.at);
    engine_close(keeper->engine);
    free(keeper);
}

// ---- Workers

enum uas_service keeper_service(struct keeper *keeper, unsigned producer)
{
    struct producer *const own = &keeper->producers[producer];
    // acquire: see begin_rewrite
    own->generation = atomic_load_explicit(&keeper->generation, memory_order_acquire);
    // acquire: who is told that the table is loaded sees all of it
    const enum uas_service service = atomic_load_explicit(&keeper->service, memory_order_acquire);
    if (service == UAS_SERVES && keeper->config.answers_wait &&
        queue_reserve(own->queue, KEEPER_QUEUE_BYTES_MIN / 4) == NULL) {
        return UAS_LOOKS_UP;
    }
    return service;
}

static uint64_t wall_of(uint64_t mono_ms, struct now now)
{
    return now.wall_ms + (mono_ms - now.mono_ms);
}

static void describe(const struct binding *binding, struct now now, struct record_binding *out)
{
    *out = (struct record_binding){.uri = binding->uri,
                                   .params = binding->params,
                                   .call_id = binding->call_id,
                                   .extra = binding->extra,
                                   .expires_wall_ms = wall_of(binding->expires_ms, now),
                                   .request_id = binding->request_id,
                                   .cseq = binding->cseq,
                                   .q = binding->q};
}

// The list is in the order of q, a record in that of age.
static void describe_list(struct slice aor, const struct binding_list *list, struct now now,
                          struct record_state *state)
{
    state->aor = aor;
    state->revision = list->revision;
    state->count = list->count;
    for (size_t i = 0; i < list->count; i++) {
        assert(list->rows[i].age < list->count);
        describe(&list->rows[i], now, &state->bindings[list->rows[i].age]);
    }
}

void keeper_offer(struct keeper *keeper, unsigned producer, const struct uas_output *out,
                  struct now now, const struct keeper_answer *answer)
{
    assert(out->state != NULL && answer->ticket.len <= KEEPER_TICKET_BYTES_MAX);
    const struct producer *const own = &keeper->producers[producer];
    struct record_state state;
    describe_list(out->aor, out->state, now, &state);
    const struct entry_head head = {.record_bytes = (uint32_t)record_bytes(&state),
                                    .ticket_bytes = (uint32_t)answer->ticket.len,
                                    .answer_bytes = (uint32_t)answer->answer.len,
                                    .generation = own->generation};
    const size_t bytes = sizeof(head) + head.record_bytes + head.ticket_bytes + head.answer_bytes;
    char *const at = queue_reserve(own->queue, bytes);
    if (at == NULL) {
        assert(!keeper->config.answers_wait);
        // relaxed: the persister will come by, and looks at the table itself
        atomic_store_explicit(&keeper->lost, true, memory_order_relaxed);
        return;
    }
    struct buf b = buf_over(at, bytes);
    buf_put(&b, slice_of((const char *)&head, sizeof(head)));
    record_put(&b, &state);
    buf_put(&b, answer->ticket);
    buf_put(&b, answer->answer);
    assert(buf_ok(&b) && b.len == bytes);
    queue_publish(own->queue, bytes);
}

size_t keeper_queued_bytes(const struct keeper *keeper, unsigned producer)
{
    return queue_bytes(keeper->producers[producer].queue);
}

size_t keeper_waiting_bytes(const struct keeper *keeper)
{
    size_t sum = 0;
    for (unsigned i = 0; i < keeper->config.producers; i++) {
        sum += keeper_queued_bytes(keeper, i);
    }
    return sum;
}

// ---- When something goes wrong

static void serve(struct keeper *keeper, enum uas_service service)
{
    // release: pairs with keeper_service
    atomic_store_explicit(&keeper->service, service, memory_order_release);
}

// What is on disk is not to be relied upon until all of the table has been written once more.
static void back_off(struct keeper *keeper, struct now now)
{
    metrics_add(keeper->config.metrics, METRIC_STORE_FAILURES, 1);
    keeper->healing = true;
    keeper->rewrite_due = true;
    keeper->owes = true;
    keeper->retry_ms = now.mono_ms + keeper->retry_after_ms;
    keeper->retry_after_ms =
        keeper->retry_after_ms * 2 < RETRY_MS_MAX ? keeper->retry_after_ms * 2 : RETRY_MS_MAX;
    serve(keeper, keeper->config.answers_wait ? UAS_LOOKS_UP : UAS_SERVES);
}

static void fail(struct keeper *keeper, struct now now)
{
    engine_close(keeper->engine);
    keeper->engine = NULL;
    keeper->unsynced = false;
    keeper->rewriting = false;
    back_off(keeper, now);
}

static void reopen(struct keeper *keeper, struct now now)
{
    if (now.mono_ms < keeper->retry_ms) {
        return;
    }
    const enum err e = keeper->config.open(keeper->config.context, &keeper->engine, &keeper->fault);
    if (e != ERR_OK || keeper->engine->read_only) {
        fail(keeper, now);
    }
}

const char *keeper_trouble(const struct keeper *keeper)
{
    return keeper->healing ? keeper->fault.text : NULL;
}

void keeper_begin(struct keeper *keeper, const struct load_count *loaded,
                  const struct engine_fault *fault, struct now now)
{
    keeper->kept_bytes = loaded->bytes;
    keeper->wall_ahead_ms = now.wall_ms - now.mono_ms;
    // What cannot be read would be met at every start; and what is of a later version might then
    // count for more than what is written from now on. It goes with the rewrite.
    keeper->rewrite_due = loaded->damaged + loaded->newer > 0;
    keeper->copy_due = keeper->rewrite_due;
    // No answer is to wait for the copy.
    serve(keeper, keeper->copy_due && keeper->config.answers_wait ? UAS_LOOKS_UP : UAS_SERVES);
    if (keeper->engine->read_only) {
        keeper->fault = *fault;
        fail(keeper, now);
    }
}

// The engine stays open meanwhile: each opening leaves a file.
static void make_copy(struct keeper *keeper, struct now now)
{
    if (now.mono_ms < keeper->retry_ms) {
        return;
    }
    if (engine_keep_copy(keeper->engine, &keeper->fault) == ERR_OK) {
        keeper->copy_due = false;
    } else {
        back_off(keeper, now);
    }
}

static bool may_write(const struct keeper *keeper)
{
    return keeper->engine != NULL && !keeper->copy_due;
}

bool keeper_owes(const struct keeper *keeper)
{
    return keeper->owes || keeper->unsynced;
}

void keeper_hurry(struct keeper *keeper)
{
    keeper->retry_ms = 0;
}

// ---- Gathering a group

static uint32_t *find_slot(struct keeper *keeper, struct slice record)
{
    struct group *const group = &keeper->group;
    const struct slice aor = record_aor(record);
    // Nobody may choose the place of his address of record: the key is a secret.
    uint32_t at = (uint32_t)hash_bytes(&keeper->config.key, aor) % INDEX_SLOTS;
    while (group->index[at] != 0 &&
           !slice_equal(record_aor(group->rows[group->index[at] - 1].record), aor)) {
        at = (at + 1) % INDEX_SLOTS;
    }
    return &group->index[at];
}

// Of several records of one address of record the latest stays.
static void take_record(struct keeper *keeper, struct slice record)
{
    struct group *const group = &keeper->group;
    uint32_t *const slot = find_slot(keeper, record);
    if (*slot == 0) {
        group->rows[group->row_count] =
            (struct row){.record = record, .slot = (uint32_t)(slot - group->index)};
        *slot = (uint32_t)++group->row_count;
        group->bytes += record.len;
        return;
    }
    struct row *const row = &group->rows[*slot - 1];
    metrics_add(keeper->config.metrics, METRIC_STORE_COALESCED, 1);
    if (record_revision(record) > record_revision(row->record)) {
        group->bytes += record.len - row->record.len;
        row->record = record;
    }
}

static struct entry_head head_of(struct slice entry)
{
    struct entry_head head;
    assert(entry.len >= sizeof(head));
    memcpy(&head, entry.at, sizeof(head));
    return head;
}

// What the table holds of that address of record by now.
static struct slice renew(struct keeper *keeper, struct slice record, struct now now)
{
    struct buf *const renewed = &keeper->renewed;
    const size_t start = renewed->len;
    const struct slice aor = record_aor(record);
    struct record_state state;
    location_lookup(keeper->config.location, aor, now, &keeper->list);
    describe_list(aor, &keeper->list, now, &state);
    record_put(renewed, &state);
    assert(buf_ok(renewed));
    return slice_of(renewed->at + start, renewed->len - start);
}

// A change may be offered long after it was made, and a later one of the same address of record,
// a removal say, may have been written to a generation that has been dropped since. Written now the
// earlier one would be the latest there is. Hence of what was changed before the newest generation
// began the table is asked.
static struct slice record_of(struct keeper *keeper, struct slice entry, struct now now)
{
    const struct entry_head head = head_of(entry);
    const struct slice record = slice_of(entry.at + sizeof(head), head.record_bytes);
    // relaxed: this thread has written it
    const uint32_t newest = atomic_load_explicit(&keeper->generation, memory_order_relaxed);
    return head.generation == newest ? record : renew(keeper, record, now);
}

static bool group_full(const struct keeper *keeper)
{
    const struct group *const group = &keeper->group;
    return group->row_count == GROUP_ROWS_MAX || group->entry_count == GROUP_ENTRIES_MAX ||
           group->bytes >= GROUP_BYTES_MAX ||
           keeper->renewed.len > keeper->renewed.cap - RECORD_BYTES_MAX;
}

// True when there is more to be gathered.
static bool gather(struct keeper *keeper, struct now now)
{
    struct group *const group = &keeper->group;
    const unsigned producers = keeper->config.producers;
    // Each is the first in turn, so that a group that is soon full leaves nobody out for long.
    const unsigned first = keeper->first++ % producers;
    for (unsigned i = 0; i < producers; i++) {
        struct queue *const queue = keeper->producers[(first + i) % producers].queue;
        struct slice entry;
        while (!group_full(keeper) && queue_next(queue, &entry)) {
            take_record(keeper, record_of(keeper, entry, now));
            if (head_of(entry).ticket_bytes > 0) {
                group->entries[group->entry_count++] = entry;
            }
        }
    }
    return group_full(keeper);
}

static void forget_group(struct keeper *keeper)
{
    struct group *const group = &keeper->group;
    for (size_t i = 0; i < group->row_count; i++) {
        group->index[group->rows[i].slot] = 0;
    }
    group->row_count = 0;
    group->bytes = 0;
    group->entry_count = 0;
    group->entry_next = 0;
    keeper->renewed.len = 0;
}

// ---- The rewrite

static bool outgrown(const struct keeper *keeper)
{
    const uint64_t record_bytes_mean = keeper->record_count == 0
                                           ? RECORD_BYTES_GUESS
                                           : keeper->record_bytes / keeper->record_count;
    const uint64_t bound = location_size(keeper->config.location).aors * record_bytes_mean;
    return keeper->kept_bytes > REWRITE_RATIO * bound + REWRITE_SLACK_BYTES;
}

static bool rewrite_to_begin(const struct keeper *keeper)
{
    return may_write(keeper) && !keeper->rewriting && (keeper->rewrite_due || outgrown(keeper));
}

// Before what goes into the new generation is gathered.
static enum err begin_rewrite(struct keeper *keeper)
{
    const enum err e = engine_begin(keeper->engine, &keeper->fault);
    if (e == ERR_OK) {
        // release: whatever revision a worker draws that has seen this, and whatever later one, is
        // gathered from now on
        atomic_fetch_add_explicit(&keeper->generation, 1, memory_order_release);
        keeper->rewrite_due = false;
        keeper->rewriting = true;
        keeper->cursor = (struct location_cursor){.reader = LOCATION_READER_STORE};
        keeper->page.count = 0;
        keeper->page_next = 0;
        keeper->kept_bytes = 0;
        keeper->record_bytes = 0;
        keeper->record_count = 0;
    }
    return e;
}

// The rows of one address of record, which stand side by side.
static void put_address(struct keeper *keeper, struct now now)
{
    const struct location_page *const page = &keeper->page;
    const struct location_row *const first = &page->rows[keeper->page_next];
    struct record_state state = {.aor = first->aor, .revision = first->revision};
    while (keeper->page_next < page->count &&
           page->rows[keeper->page_next].aor.at == first->aor.at) {
        describe(&page->rows[keeper->page_next++].binding, now, &state.bindings[state.count++]);
    }
    record_put(&keeper->block, &state);
    keeper->record_count++;
}

// The next part of the table. False at its end.
static bool put_rewritten(struct keeper *keeper, struct now now)
{
    const size_t end = keeper->block.len + REWRITE_BYTES;
    while (keeper->block.len < end) {
        if (keeper->page_next == keeper->page.count) {
            keeper->page_next = 0;
            if (!location_scan(keeper->config.location, &keeper->cursor, now, &keeper->page)) {
                return false;
            }
        }
        put_address(keeper, now);
    }
    return true;
}

static enum err end_rewrite(struct keeper *keeper)
{
    const enum err e = engine_drop_older(keeper->engine, &keeper->fault);
    if (e == ERR_OK) {
        keeper->rewriting = false;
        keeper->owes = keeper->rewrite_due; // for what was let go meanwhile
        metrics_add(keeper->config.metrics, METRIC_STORE_REWRITES, 1);
    }
    return e;
}

// All that was promised is on disk.
static void healed(struct keeper *keeper)
{
    keeper->healing = false;
    keeper->retry_after_ms = RETRY_MS_MIN;
}

// ---- A round

static void put_group(struct keeper *keeper)
{
    const struct group *const group = &keeper->group;
    for (size_t i = 0; i < group->row_count; i++) {
        buf_put(&keeper->block, group->rows[i].record);
    }
    keeper->record_count += group->row_count;
}

static enum err append(struct keeper *keeper)
{
    struct metrics *const metrics = keeper->config.metrics;
    const struct slice block = buf_slice(&keeper->block);
    assert(buf_ok(&keeper->block));
    const enum err e = engine_append(keeper->engine, block, &keeper->fault);
    if (e == ERR_OK) {
        keeper->unsynced = true;
        keeper->kept_bytes += block.len;
        keeper->record_bytes += block.len;
        metrics_add(metrics, METRIC_STORE_CHANGES, keeper->group.row_count);
        metrics_add(metrics, METRIC_STORE_BYTES, block.len);
    }
    return e;
}

static enum err sync_all(struct keeper *keeper, struct now now)
{
    const enum err e = engine_sync(keeper->engine, &keeper->fault);
    if (e == ERR_OK) {
        keeper->unsynced = false;
        keeper->synced_ms = now.mono_ms;
        metrics_add(keeper->config.metrics, METRIC_STORE_COMMITS, 1);
    }
    return e;
}

// Also as soon as there is nothing else to do.
static bool sync_due(const struct keeper *keeper, struct now now)
{
    return now.mono_ms - keeper->synced_ms >= keeper->config.sync_ms ||
           (keeper->group.row_count == 0 && !keeper->rewriting);
}

// Writes the group and the next part of a rewrite. *more: the rewrite goes on.
static enum err write_down(struct keeper *keeper, struct now now, bool *more)
{
    enum err e = ERR_OK;
    keeper->block.len = 0;
    put_group(keeper);
    *more = keeper->rewriting && put_rewritten(keeper, now);
    const bool rewritten = keeper->rewriting && !*more;
    if (keeper->block.len > 0) {
        e = append(keeper);
    }
    if (e == ERR_OK && keeper->unsynced && (rewritten || sync_due(keeper, now))) {
        e = sync_all(keeper, now);
    }
    // Afterwards, so that nothing is promised that went nowhere; and also when nothing was written,
    // so that the table is soon kept again.
    if (e == ERR_OK && !engine_in_place(keeper->engine)) {
        e = engine_fail(&keeper->fault, ERR_IO, "%s: has been deleted or replaced",
                        keeper->config.name);
    }
    if (e == ERR_OK && rewritten) {
        e = end_rewrite(keeper);
    }
    if (e == ERR_OK && rewritten) {
        healed(keeper);
    }
    return e;
}

// The table remembers them, and the rewrite to come.
static void let_go(struct keeper *keeper)
{
    struct metrics *const metrics = keeper->config.metrics;
    metrics_add(metrics, METRIC_STORE_LET_GO, keeper->group.row_count);
    metrics_add(metrics, METRIC_STORE_ANSWERS_LET_GO, keeper->group.entry_count);
    keeper->group.entry_count = 0;
}

// Expiries are kept as moments of the wall clock. When that is set they are all wrong by as much,
// and after a restart bindings would go too early or stay too long.
static void mind_clock(struct keeper *keeper, struct now now)
{
    const uint64_t ahead_ms = now.wall_ms - now.mono_ms;
    // unsigned: a step back is one of nearly 2^64
    const uint64_t step_ms = ahead_ms - keeper->wall_ahead_ms + CLOCK_STEP_MS;
    if (step_ms > UINT64_C(2) * CLOCK_STEP_MS) {
        keeper->wall_ahead_ms = ahead_ms;
        keeper->rewrite_due = true;
        keeper->owes = true;
    }
}

enum keeper_did keeper_round(struct keeper *keeper, struct now now)
{
    bool more_of_rewrite = false;
    mind_clock(keeper, now);
    if (keeper->engine == NULL) {
        reopen(keeper, now);
    }
    if (keeper->engine != NULL && keeper->copy_due) {
        make_copy(keeper, now);
    }
    // relaxed: what was let go is in the table, under its locks
    if (atomic_exchange_explicit(&keeper->lost, false, memory_order_relaxed)) {
        metrics_add(keeper->config.metrics, METRIC_STORE_OVERFLOWS, 1);
        keeper->rewrite_due = true;
        keeper->owes = true;
    }
    if (rewrite_to_begin(keeper) && begin_rewrite(keeper) != ERR_OK) {
        fail(keeper, now);
    }
    const bool more = gather(keeper, now);
    if (!may_write(keeper)) {
        let_go(keeper);
    } else if (write_down(keeper, now, &more_of_rewrite) != ERR_OK) {
        fail(keeper, now);
        let_go(keeper);
    } else {
        // A rewrite that is to heal need not have ended: whatever is promised from now on goes to
        // the disk by itself.
        serve(keeper, UAS_SERVES);
    }
    return more                                              ? KEEPER_BUSY
           : !may_write(keeper)                              ? KEEPER_FAILS
           : more_of_rewrite || keeper->rewrite_due          ? KEEPER_REWRITES
           : keeper->group.row_count > 0 || keeper->unsynced ? KEEPER_WORKED
                                                             : KEEPER_IDLE;
}

bool keeper_next_answer(struct keeper *keeper, struct keeper_answer *answer)
{
    struct group *const group = &keeper->group;
    if (group->entry_next == group->entry_count) {
        return false;
    }
    const struct slice entry = group->entries[group->entry_next++];
    const struct entry_head head = head_of(entry);
    const char *const ticket = entry.at + sizeof(head) + head.record_bytes;
    answer->ticket = slice_of(ticket, head.ticket_bytes);
    answer->answer = slice_of(ticket + head.ticket_bytes, head.answer_bytes);
    return true;
}

void keeper_end_round(struct keeper *keeper)
{
    forget_group(keeper);
    for (unsigned i = 0; i < keeper->config.producers; i++) {
        queue_release(keeper->producers[i].queue);
    }
}

void keeper_end(struct keeper *keeper)
{
    engine_close(keeper->engine);
    keeper->engine = NULL;
}
