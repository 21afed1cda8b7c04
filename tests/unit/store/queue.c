// SPDX-License-Identifier: Apache-2.0
#include "store/queue.h"

#include "tests/unit/support.h"

enum { BYTES = 1024, QUARTER = BYTES / 4 };

static struct queue *create(size_t bytes)
{
    struct queue *const queue = queue_create(bytes);
    cr_assert(queue != NULL);
    return queue;
}

static void put(struct queue *queue, const char *text)
{
    char *const at = queue_reserve(queue, strlen(text));
    cr_assert(at != NULL);
    memcpy(at, text, strlen(text));
    queue_publish(queue, strlen(text));
}

static void expect_next(struct queue *queue, const char *text)
{
    struct slice entry;
    cr_assert(queue_next(queue, &entry));
    ASSERT_TEXT(entry, text);
}

static void expect_none(struct queue *queue)
{
    struct slice entry;
    cr_assert(!queue_next(queue, &entry));
}

// Entries of so many bytes until it is full; returns how many.
static size_t fill(struct queue *queue, size_t bytes)
{
    size_t count = 0;
    for (; queue_reserve(queue, bytes) != NULL; count++) {
        queue_publish(queue, bytes);
    }
    return count;
}

Test(queue, tells_in_order_what_was_published)
{
    struct queue *const queue = create(BYTES);
    expect_none(queue);
    put(queue, "one");
    put(queue, "");
    put(queue, "three, which is longer");
    expect_next(queue, "one");
    expect_next(queue, "");
    put(queue, "four");
    expect_next(queue, "three, which is longer");
    expect_next(queue, "four");
    expect_none(queue);
    queue_destroy(queue);
    queue_destroy(NULL);
}

Test(queue, tells_nothing_that_is_only_reserved)
{
    struct queue *const queue = create(BYTES);
    cr_assert(queue_reserve(queue, 100) != NULL);
    expect_none(queue);
    put(queue, "in its place");
    expect_next(queue, "in its place");
    expect_none(queue);
    queue_destroy(queue);
}

Test(queue, takes_up_what_is_published_not_what_was_reserved)
{
    struct queue *const queue = create(BYTES);
    char *const at = queue_reserve(queue, QUARTER);
    memcpy(at, "few", 3);
    queue_publish(queue, 3);
    cr_assert_eq(queue_bytes(queue), 16);
    expect_next(queue, "few");
    queue_destroy(queue);
}

Test(queue, keeps_what_is_told_until_it_is_released)
{
    struct queue *const queue = create(BYTES);
    const size_t count = fill(queue, 24);
    cr_assert_eq(count, BYTES / 32, "it is full to the last byte");
    cr_assert_eq(queue_bytes(queue), BYTES);
    struct slice first;
    struct slice second;
    cr_assert(queue_next(queue, &first) && queue_next(queue, &second));
    cr_assert(queue_reserve(queue, 0) == NULL);
    queue_release(queue);
    cr_assert_eq(queue_bytes(queue), BYTES - 64);
    cr_assert_eq(fill(queue, 24), 2);
    queue_destroy(queue);
}

Test(queue, releases_nothing_that_is_not_told)
{
    struct queue *const queue = create(BYTES);
    (void)fill(queue, 24);
    queue_release(queue);
    cr_assert_eq(queue_bytes(queue), BYTES);
    queue_destroy(queue);
}

Test(queue, has_room_for_a_quarter_wherever_it_is_empty)
{
    for (size_t start = 0; start < BYTES; start += 8) {
        struct queue *const queue = create(BYTES);
        for (size_t i = 0; i < start / 8; i++) {
            put(queue, ""); // eight bytes each
            expect_next(queue, "");
            queue_release(queue);
        }
        char *const at = queue_reserve(queue, QUARTER);
        cr_assert(at != NULL && (uintptr_t)at % 8 == 0, "from %zu", start);
        memset(at, 'x', QUARTER);
        queue_publish(queue, QUARTER);
        struct slice entry;
        cr_assert(queue_next(queue, &entry));
        cr_assert(entry.at == at && entry.len == QUARTER, "from %zu", start);
        queue_release(queue);
        cr_assert_eq(queue_bytes(queue), 0);
        queue_destroy(queue);
    }
}

Test(queue, leaves_the_end_unused_when_it_is_too_short)
{
    struct queue *const queue = create(QUEUE_BYTES_MIN);
    struct slice entry;
    for (size_t i = 0; i < 6; i++) { // 48 of 64 bytes
        put(queue, "");
        cr_assert(queue_next(queue, &entry));
    }
    const char *const front = entry.at - 48;
    cr_assert(queue_reserve(queue, 16) == NULL, "16 bytes and a head, at the front of the room");
    queue_release(queue);
    char *const at = queue_reserve(queue, 16);
    cr_assert(at != NULL && at == front + 8);
    memcpy(at, "sixteen bytes...", 16);
    queue_publish(queue, 16);
    cr_assert_eq(queue_bytes(queue), 16 + 24);
    expect_next(queue, "sixteen bytes...");
    queue_release(queue);
    cr_assert_eq(queue_bytes(queue), 0);
    queue_destroy(queue);
}

// ---- Beside a model

enum { MODEL_ENTRIES = BYTES / 8, STEPS = 200000 };

// What is in the queue, oldest first: published, of which some have been told.
struct model {
    struct {
        size_t len;
        size_t taken; // bytes of the room, with what is left unused before it
        unsigned char fill;
    } entries[MODEL_ENTRIES];

    size_t count;
    size_t told;
    size_t used;
    size_t place; // where the next would begin
};

static void model_publish(struct queue *queue, struct model *model, size_t reserved, size_t len,
                          unsigned char filling)
{
    const size_t need = 8 + (reserved + 7) / 8 * 8;
    const size_t unused = need > BYTES - model->place ? BYTES - model->place : 0;
    char *const at = queue_reserve(queue, reserved);
    cr_assert_eq(at != NULL, model->used + unused + need <= BYTES);
    if (at == NULL) {
        return;
    }
    memset(at, filling, reserved);
    queue_publish(queue, len);
    const size_t taken = 8 + (len + 7) / 8 * 8;
    model->entries[model->count].len = len;
    model->entries[model->count].taken = unused + taken;
    model->entries[model->count++].fill = filling;
    model->used += unused + taken;
    model->place = (model->place + unused + taken) % BYTES;
}

static void model_next(struct queue *queue, struct model *model)
{
    struct slice entry;
    const bool any = queue_next(queue, &entry);
    cr_assert_eq(any, model->told < model->count);
    if (any) {
        cr_assert_eq(entry.len, model->entries[model->told].len);
        for (size_t i = 0; i < entry.len; i++) {
            cr_assert_eq((unsigned char)entry.at[i], model->entries[model->told].fill);
        }
        model->told++;
    }
}

static void model_release(struct queue *queue, struct model *model)
{
    queue_release(queue);
    for (size_t i = 0; i < model->told; i++) {
        model->used -= model->entries[i].taken;
    }
    model->count -= model->told;
    memmove(model->entries, model->entries + model->told, model->count * sizeof(*model->entries));
    model->told = 0;
}

Test(queue, does_what_its_model_does)
{
    struct queue *const queue = create(BYTES);
    static struct model model;
    uint64_t random = 20;
    for (size_t i = 0; i < STEPS; i++) {
        const uint64_t r = next_random(&random);
        const size_t longest = r >> 32 & 1 ? QUARTER : 40;
        const size_t reserved = (r >> 8) % (longest + 1);
        switch (r % 4) {
        case 0: model_release(queue, &model); break;
        case 1: model_next(queue, &model); break;
        default:
            model_publish(queue, &model, reserved, r >> 33 & 1 ? reserved : reserved / 2,
                          (unsigned char)(r >> 40));
        }
        cr_assert_eq(queue_bytes(queue), model.used, "step %zu", i);
    }
    queue_destroy(queue);
}
