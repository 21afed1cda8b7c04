// SPDX-License-Identifier: Apache-2.0
// The keeper between workers that register and remove what they like, also the same addresses of
// record, and a disk that fails now and then: in the end a table that is filled from the disk is
// the table that the workers have left. What never ends is ended by the alarm.
#include "store/keeper.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "store/load.h"
#include "tests/disk/disk.h"
#include "tests/sim/rng.h"

enum {
    ALARM_S = 200,
    WORKERS = 3,
    CHANGES = 20000, // of each
    AORS = 64,
    TEXT_BYTES = 64,
    EXPIRES_S = 3600,
    FAULT_EVERY = 16, // rounds
};

static const struct hash_key key = {.bytes = "a fixed test key"};

struct stage {
    struct location *location;
    struct keeper *keeper;
    struct disk *disk;
    bool answers_wait;
    bool disk_fails;
    _Atomic unsigned working;
    unsigned long answers;
    struct now now; // the keeper's own
};

struct worker {
    struct stage *stage;
    unsigned number;
    pthread_t thread;
    struct rng rng;
    struct binding_list list;
    unsigned long waiting; // answers
};

static const struct now start = {.mono_ms = 1000000, .wall_ms = UINT64_C(1500000000000)};

static void check(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static struct slice print(char *at, const char *before, unsigned number, const char *after)
{
    const int len = snprintf(at, TEXT_BYTES, "%s%u%s", before, number, after);
    return slice_of(at, (size_t)len);
}

// ---- Workers

static void change(struct worker *worker, uint32_t cseq)
{
    struct stage *const stage = worker->stage;
    char texts[3][TEXT_BYTES];
    struct contact_update update = {.params = slice_of(NULL, 0), .expires_s = EXPIRES_S};
    struct registration r = {
        .aor = print(texts[0], "u", rng_below(&worker->rng, AORS), "@x"),
        .call_id = print(texts[1], "call", worker->number, ""),
        .cseq = cseq,
        .request_id = (uint64_t)worker->number << 32 | cseq,
        .remove_all = rng_chance(&worker->rng, 40),
        .updates = &update,
    };
    struct registration_effect effect;
    struct keeper_answer answer = {0};
    if (keeper_service(stage->keeper, worker->number) != UAS_SERVES) {
        (void)sched_yield();
        return;
    }
    check(uri_parse(print(texts[2], "sip:", worker->number, "@h"), &update.uri) == ERR_OK, "a URI");
    r.update_count = r.remove_all ? 0 : 1;
    check(location_register(stage->location, &r, start, &worker->list, &effect) == ERR_OK,
          "a change");
    const struct uas_output out = {.state = &worker->list, .aor = r.aor};
    if (stage->answers_wait) {
        answer = (struct keeper_answer){SLICE("ticket"), SLICE("answer")};
        worker->waiting++;
    }
    if (rng_chance(&worker->rng, 5)) {
        (void)sched_yield(); // between the table and the queue
    }
    keeper_offer(stage->keeper, worker->number, &out, start, &answer);
}

static void *work(void *arg)
{
    struct worker *const worker = arg;
    for (uint32_t cseq = 1; cseq <= CHANGES; cseq++) {
        change(worker, cseq);
    }
    // release: who sees that all have ended sees what they have done
    atomic_fetch_sub_explicit(&worker->stage->working, 1, memory_order_release);
    return NULL;
}

// ---- The keeper

static enum err open_disk(const void *context, struct engine **out, struct engine_fault *fault)
{
    const struct stage *const stage = context;
    return disk_open(stage->disk, &key, out, fault);
}

static enum keeper_did take_turn(struct stage *stage)
{
    struct keeper_answer answer;
    stage->now.mono_ms += 10;
    stage->now.wall_ms += 10;
    const enum keeper_did did = keeper_round(stage->keeper, stage->now);
    while (keeper_next_answer(stage->keeper, &answer)) {
        check(slice_equal(answer.answer, SLICE("answer")), "an answer's bytes");
        stage->answers++;
    }
    keeper_end_round(stage->keeper);
    return did;
}

static void keep(struct stage *stage)
{
    struct rng rng = {.state = 1};
    for (unsigned round = 0; atomic_load_explicit(&stage->working, memory_order_acquire) > 0;
         round++) {
        if (stage->disk_fails && round % FAULT_EVERY == 0) {
            disk_order(stage->disk, (enum disk_call)rng_below(&rng, DISK_COPY),
                       (enum disk_outcome)(1 + rng_below(&rng, 3)), rng_below(&rng, 4), 1);
        }
        if (take_turn(stage) == KEEPER_IDLE) {
            (void)sched_yield();
        }
    }
    for (unsigned call = 0; call < DISK_CALLS; call++) {
        disk_order(stage->disk, (enum disk_call)call, DISK_DOES, 0, 0);
    }
    while (take_turn(stage) != KEEPER_IDLE || keeper_owes(stage->keeper)) {
    }
}

// ---- Afterwards

static struct location *create_table(void)
{
    const struct location_config config = {
        .shards = 4, .contacts_max = WORKERS, .bindings_max = 1000000, .key = key};
    struct location *const location = location_create(&config);
    check(location != NULL, "memory");
    return location;
}

static struct location *load(struct disk *disk, struct now now)
{
    struct location *const location = create_table();
    const struct load_into into = {.location = location, .now = now, .expires_s_max = EXPIRES_S};
    struct load_count count = {0};
    struct engine_fault fault;
    struct engine *engine;
    check(disk_open(disk, &key, &engine, &fault) == ERR_OK, "opening");
    for (unsigned stripe = 0; stripe < ENGINE_STRIPES; stripe++) {
        check(load_stripe(engine, stripe, &into, &count, &fault) == ERR_OK, "loading");
    }
    engine_close(engine);
    location_restored(location);
    return location;
}

static void compare(struct location *table, struct location *kept, struct now now)
{
    static struct binding_list lists[2];
    char text[TEXT_BYTES];
    for (unsigned aor = 0; aor < AORS; aor++) {
        location_lookup(table, print(text, "u", aor, "@x"), now, &lists[0]);
        location_lookup(kept, print(text, "u", aor, "@x"), now, &lists[1]);
        check(lists[0].count == lists[1].count, "as many bindings");
        for (size_t i = 0; i < lists[0].count; i++) {
            check(lists[0].rows[i].request_id == lists[1].rows[i].request_id, "the same bindings");
        }
    }
}

static void run(bool answers_wait, bool disk_fails)
{
    static struct metrics metrics;
    static struct worker workers[WORKERS];
    struct stage stage = {.location = create_table(),
                          .disk = disk_create(),
                          .answers_wait = answers_wait,
                          .disk_fails = disk_fails,
                          .working = WORKERS,
                          .now = start};
    const struct keeper_config config = {.location = stage.location,
                                         .metrics = &metrics,
                                         .open = open_disk,
                                         .context = &stage,
                                         .producers = WORKERS,
                                         .queue_bytes = KEEPER_QUEUE_BYTES_MIN,
                                         .answers_wait = answers_wait,
                                         .key = key};
    struct engine_fault fault;
    struct engine *engine = NULL;
    unsigned long waiting = 0;
    check(stage.disk != NULL && disk_open(stage.disk, &key, &engine, &fault) == ERR_OK, "a disk");
    check(keeper_create(&config, engine, &stage.keeper) == ERR_OK, "a keeper");
    keeper_begin(stage.keeper, &(struct load_count){0}, &fault, start);
    for (unsigned i = 0; i < WORKERS; i++) {
        workers[i] = (struct worker){.stage = &stage, .number = i, .rng = {.state = i + 1}};
        check(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "a thread");
    }
    keep(&stage);
    for (unsigned i = 0; i < WORKERS; i++) {
        (void)pthread_join(workers[i].thread, NULL);
        waiting += workers[i].waiting;
    }
    const uint64_t let_go = metric_read(&metrics.rows[METRIC_STORE_ANSWERS_LET_GO]);
    check(!answers_wait || (stage.answers > 0 && stage.answers <= waiting), "answers left");
    check(stage.answers + (answers_wait ? let_go : 0) >= waiting, "no answer was forgotten");
    keeper_destroy(stage.keeper);
    struct location *const kept = load(stage.disk, stage.now);
    compare(stage.location, kept, stage.now);
    location_destroy(kept);
    location_destroy(stage.location);
    disk_destroy(stage.disk);
}

int main(void)
{
    (void)alarm(ALARM_S);
    run(false, false); // what is on disk are the changes alone
    run(true, false);
    run(false, true); // and what rewrites have made of them
    run(true, true);
    return EXIT_SUCCESS;
}
