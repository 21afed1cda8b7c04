// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "micro/group.h"
#include "micro/phone.h"
#include "signpost/sip/fields.h"
#include "store/queue.h"
#include "store/record.h"

enum {
    RECORDS = 256, // different ones
    TURNS = 4,     // over all of them in a batch
    OPS = RECORDS * TURNS,
    BLOCK_BYTES = RECORDS * 256, // holds all of them
    QUEUE_BYTES = 1 << 20,       // the smallest that a server has
    WAITING_BYTES = 512,         // of a 200 with one Contact, and where it is to go
    BATCH = 32,                  // entries that are told before they are released
};

// What a phone has said.
struct words {
    char aor[PHONE_BYTES_MAX];
    char uri[PHONE_BYTES_MAX];
    char call_id[PHONE_BYTES_MAX];
};

struct stage {
    struct words words[RECORDS];
    struct record_state states[RECORDS];
    struct slice records[RECORDS]; // the same, written
    struct slice block;            // one behind the other
    struct slice waiting;
    struct queue *queue;
    struct record_state state; // room for one
    char written[BLOCK_BYTES];
    char room[BLOCK_BYTES]; // for another block
    char waiting_bytes[WAITING_BYTES];
};

// One binding, with the fields that it has when a phone registers.
static void describe(uint32_t user, struct words *words, struct record_state *state)
{
    const uint64_t wall_ms = UINT64_C(1289690940000);
    state->aor = phone_aor(user, words->aor);
    state->revision = user + 1;
    state->count = 1;
    state->bindings[0] = (struct record_binding){.uri = phone_contact_uri(user, words->uri),
                                                 .call_id = phone_call_id(user, words->call_id),
                                                 .expires_wall_ms = wall_ms + user,
                                                 .request_id = UINT64_MAX - user,
                                                 .cseq = 1000000000 + user,
                                                 .q = Q_ABSENT};
}

static bool fill(struct stage *s)
{
    struct buf b = buf_over(s->written, sizeof(s->written));
    for (uint32_t i = 0; i < RECORDS; i++) {
        const size_t start = b.len;
        describe(i, &s->words[i], &s->states[i]);
        record_put(&b, &s->states[i]);
        s->records[i] = slice_from(buf_slice(&b), start);
    }
    s->block = buf_slice(&b);
    s->waiting = slice_of(s->waiting_bytes, sizeof(s->waiting_bytes));
    return buf_ok(&b);
}

static void destroy(void *stage)
{
    struct stage *const s = stage;
    queue_destroy(s->queue);
    free(s);
}

static void *create(uint32_t users)
{
    (void)users;
    struct stage *const s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->queue = queue_create(QUEUE_BYTES);
    if (s->queue == NULL || !fill(s)) {
        destroy(s);
        return NULL;
    }
    return s;
}

static size_t put(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    size_t right = 0;
    for (size_t turn = 0; turn < TURNS; turn++) {
        struct buf b = buf_over(s->room, sizeof(s->room));
        for (size_t i = 0; i < RECORDS; i++) {
            record_put(&b, &s->states[i]);
        }
        right += b.len == s->block.len ? RECORDS : 0;
    }
    return right;
}

static bool is_the_block(void *stage, const struct micro_row *row)
{
    (void)row;
    const struct stage *const s = stage;
    return memcmp(s->room, s->block.at, s->block.len) == 0;
}

static size_t next(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    size_t right = 0;
    for (size_t turn = 0; turn < TURNS; turn++) {
        struct slice rest = s->block;
        for (size_t i = 0; i < RECORDS; i++) {
            right += record_next(&rest, &s->state) == ERR_OK && s->state.revision == i + 1;
        }
    }
    return right;
}

static bool publish(struct queue *queue, struct slice record, struct slice waiting)
{
    char *const at = queue_reserve(queue, record.len + waiting.len);
    if (at == NULL) {
        return false;
    }
    (void)buf_write(buf_write(at, record), waiting);
    queue_publish(queue, record.len + waiting.len);
    return true;
}

// In one thread: what an entry costs when the two sides take no cache line from each other.
static size_t pass(void *stage, const struct micro_row *row)
{
    const struct stage *const s = stage;
    const size_t step = *(const size_t *)row->arg;
    size_t right = 0;
    for (size_t done = 0; done < OPS; done += step) {
        struct slice entry;
        for (size_t i = done; i < done + step; i++) {
            if (!publish(s->queue, s->records[i % RECORDS], s->waiting)) {
                return 0;
            }
        }
        for (size_t i = done; i < done + step; i++) {
            right += queue_next(s->queue, &entry) &&
                     entry.len == s->records[i % RECORDS].len + s->waiting.len;
        }
        queue_release(s->queue);
    }
    return right;
}

static bool row_at(size_t i, struct micro_row *row)
{
    static const size_t one = 1;
    static const size_t many = BATCH;
    static const struct micro_row rows[] = {
        {.name = "record/put", .ops = OPS, .batch = put, .after = is_the_block},
        {.name = "record/next", .ops = OPS, .batch = next},
        {.name = "queue/one-thread/1", .ops = OPS, .arg = &one, .batch = pass},
        {.name = "queue/one-thread/32", .ops = OPS, .arg = &many, .batch = pass},
    };
    if (i >= sizeof(rows) / sizeof(rows[0])) {
        return false;
    }
    *row = rows[i];
    return true;
}

const struct micro_group keep_group = {.create = create, .destroy = destroy, .row_at = row_at};
