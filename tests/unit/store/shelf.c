// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/store/shelf.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/unit/support.h"

struct shelf shelf;

static const struct hash_key key = {.bytes = "key of the store"};

static enum err open_disk(const void *context, struct engine **out, struct engine_fault *fault)
{
    (void)context;
    const enum err e = disk_open(shelf.disk, &key, out, fault);
    shelf.engine = *out;
    return e;
}

static void run_keeper(void)
{
    const struct keeper_config config = {.location = bed.location,
                                         .metrics = &shelf.metrics,
                                         .open = open_disk,
                                         .name = "shelf",
                                         .producers = SHELF_PRODUCERS,
                                         .queue_bytes = KEEPER_QUEUE_BYTES_MIN,
                                         .answers_wait = shelf.answers_wait,
                                         .sync_ms = shelf.sync_ms,
                                         .key = key};
    const struct load_into into = {
        .location = bed.location, .now = bed.now, .expires_s_max = SHELF_EXPIRES_MAX_S};
    struct engine_fault fault;
    shelf.metrics = (struct metrics){0};
    cr_assert_eq(open_disk(NULL, &shelf.engine, &fault), ERR_OK);
    cr_assert_eq(keeper_create(&config, shelf.engine, &shelf.keeper), ERR_OK);
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_IS_LOADING);
    shelf.loaded = (struct load_count){0};
    for (unsigned i = 0; i < ENGINE_STRIPES; i++) {
        cr_assert_eq(load_stripe(shelf.engine, i, &into, &shelf.loaded, &fault), ERR_OK);
    }
    location_restored(bed.location);
    struct load_count loaded = shelf.loaded;
    loaded.bytes += shelf.begin_bytes;
    keeper_begin(shelf.keeper, &loaded, &fault, bed.now);
}

void shelf_start(void)
{
    bed_start();
    bed.now.wall_ms = UINT64_C(1500000000000);
    shelf.disk = disk_create();
    cr_assert_not_null(shelf.disk);
    run_keeper();
}

void shelf_start_sync(void)
{
    shelf.answers_wait = true;
    shelf_start();
}

void shelf_start_lazy(void)
{
    shelf.sync_ms = SHELF_SYNC_MS;
    shelf_start();
}

void shelf_stop(void)
{
    keeper_destroy(shelf.keeper);
    disk_destroy(shelf.disk);
    bed_stop();
}

void shelf_advance_ms(uint64_t ms)
{
    bed.now.mono_ms += ms;
    bed.now.wall_ms += ms;
}

void shelf_change(const char *aor, const char *uri)
{
    const struct want want = {uri, 3600, 0, NULL};
    const enum err e = uri == NULL ? bed_remove_all(aor, "call", ++shelf.cseq)
                                   : bed_register(aor, "call", ++shelf.cseq, want);
    cr_assert_eq(e, ERR_OK);
}

static void move(struct slice *s, const char *from, const char *to)
{
    s->at = s->len == 0 ? NULL : to + (s->at - from);
}

struct binding_list *shelf_take(void)
{
    struct binding_list *const copy = malloc(sizeof(*copy));
    cr_assert_not_null(copy);
    *copy = bed.list;
    for (size_t i = 0; i < copy->count; i++) {
        move(&copy->rows[i].uri, bed.list.bytes, copy->bytes);
        move(&copy->rows[i].params, bed.list.bytes, copy->bytes);
        move(&copy->rows[i].call_id, bed.list.bytes, copy->bytes);
        move(&copy->rows[i].extra, bed.list.bytes, copy->bytes);
    }
    return copy;
}

void shelf_offer(unsigned producer, const char *aor, const struct binding_list *state,
                 const char *answer)
{
    const struct uas_output out = {.state = state, .aor = text_slice(aor)};
    struct keeper_answer waiting = {0};
    if (shelf.answers_wait) {
        waiting = (struct keeper_answer){SLICE_INIT("ticket"), text_slice(answer)};
    }
    keeper_offer(shelf.keeper, producer, &out, bed.now, &waiting);
}

void shelf_bind(const char *aor, const char *uri)
{
    (void)keeper_service(shelf.keeper, 0);
    shelf_change(aor, uri);
    shelf_offer(0, aor, &bed.list, uri);
}

void shelf_bind_padded(const char *aor, const char *uri)
{
    static char params[SHELF_PAD_BYTES + 1] = ";pad=";
    memset(params + 5, 'x', sizeof(params) - 6);
    const struct want want = {uri, 3600, 0, params};
    (void)keeper_service(shelf.keeper, 0);
    cr_assert_eq(bed_register(aor, "call", ++shelf.cseq, want), ERR_OK);
    shelf_offer(0, aor, &bed.list, uri);
}

void shelf_remove(const char *aor)
{
    (void)keeper_service(shelf.keeper, 0);
    shelf_change(aor, NULL);
    shelf_offer(0, aor, &bed.list, "removed");
}

enum keeper_did shelf_round(void)
{
    struct buf b = buf_over(shelf.answers, sizeof(shelf.answers) - 1);
    struct keeper_answer answer;
    shelf.did = keeper_round(shelf.keeper, bed.now);
    while (keeper_next_answer(shelf.keeper, &answer)) {
        cr_assert(slice_is(answer.ticket, "ticket"));
        buf_put(&b, answer.answer);
        buf_put_char(&b, ' ');
    }
    shelf.answers[b.len] = '\0';
    keeper_end_round(shelf.keeper);
    return shelf.did;
}

unsigned shelf_settle(void)
{
    enum { ROUNDS_MAX = 1000 };

    unsigned rounds = 1;
    while (shelf_round() != KEEPER_IDLE) {
        cr_assert_lt(++rounds, ROUNDS_MAX);
    }
    return rounds;
}

static unsigned nothing(void *context)
{
    (void)context;
    return 0;
}

static void end(unsigned (*percent)(void *context))
{
    keeper_destroy(shelf.keeper);
    shelf.keeper = NULL;
    bed_stop();
    disk_revive(shelf.disk, percent, NULL);
}

void shelf_crash(void)
{
    end(NULL);
}

void shelf_lose_power(void)
{
    end(nothing);
}

void shelf_restart(void)
{
    const struct now now = bed.now;
    bed_start();
    bed.now = now;
    run_keeper();
}

uint64_t shelf_count(enum metric id)
{
    return metric_read(&shelf.metrics.rows[id]);
}
