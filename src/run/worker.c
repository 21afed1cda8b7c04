// SPDX-License-Identifier: Apache-2.0
#include "run/worker.h"

#include <errno.h>
#include <stdlib.h>

#include "env/clock.h"

enum { BATCH = 32 }; // datagrams handled between two looks at the clock

struct worker {
    pthread_t thread;
    const struct uas *uas;
    struct ring *ring;
    struct metrics *metrics;
    struct uas_scratch *scratch;
    struct outbox *outbox;
};

static void *work(void *arg);

static void release(struct worker *worker)
{
    outbox_destroy(worker->outbox);
    uas_scratch_destroy(worker->scratch);
    free(worker);
}

enum err worker_create(const struct uas *uas, struct ring *ring, struct metrics *metrics, int cpu,
                       struct worker **out)
{
    struct worker *const worker = calloc(1, sizeof(*worker));
    *out = NULL;
    if (worker == NULL) {
        return ERR_NO_MEMORY;
    }
    worker->uas = uas;
    worker->ring = ring;
    worker->metrics = metrics;
    worker->scratch = uas_scratch_create();
    worker->outbox = outbox_create(metrics);
    if (worker->scratch == NULL || worker->outbox == NULL) {
        release(worker);
        return ERR_NO_MEMORY;
    }
    const enum err e = thread_start(&worker->thread, cpu, work, worker);
    if (e != ERR_OK) {
        release(worker);
        return e;
    }
    *out = worker;
    return ERR_OK;
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL) {
        return;
    }
    (void)pthread_join(worker->thread, NULL);
    release(worker);
}

// The life of a datagram from here on: claimed, handled by the core, answered, its slot released.
static void handle(struct worker *worker, const struct packet *packet, struct now now)
{
    const struct uas_input in = {.bytes = slice_of(packet->bytes, packet->len),
                                 .peer = &packet->peer,
                                 .local = &packet->flow.local,
                                 .socket = packet->flow.socket->number,
                                 .now = now};
    struct uas_output out = {.answer = outbox_room(worker->outbox)};
    if (uas_handle(worker->uas, worker->scratch, worker->metrics, &in, &out)) {
        outbox_post(worker->outbox, &packet->flow, &out.target, out.answer.len);
    }
}

static void *work(void *arg)
{
    struct worker *const worker = arg;
    for (;;) {
        const struct ring_span span = ring_claim(worker->ring, BATCH);
        if (span.count == 0) {
            return NULL;
        }
        const struct now now = clock_now();
        for (unsigned i = 0; i < span.count; i++) {
            handle(worker, ring_packet(worker->ring, span, i), now);
        }
        outbox_flush(worker->outbox);
        ring_release(worker->ring, span);
    }
}
