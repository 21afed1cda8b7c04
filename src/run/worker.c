// SPDX-License-Identifier: Apache-2.0
#include "run/worker.h"

#include <errno.h>
#include <stdlib.h>

#include "env/clock.h"

enum {
    BATCH = 64, // datagrams handled between two looks at the clock
    US_PER_MS = 1000,
    CACHE_LINE = 64,
    FETCHED_BYTES = 512, // of a datagram: its header, mostly
};

struct worker {
    struct worker_config config;
    pthread_t thread;
    struct uas_scratch *scratch;
    struct outbox *outbox;
    struct histogram delays;
    bool offered; // something of this batch to the persister
};

static void *work(void *arg);
static unsigned sort_out(struct worker *worker, struct ring_span span, struct now now,
                         const struct packet *packets[BATCH]);
static void fetch(const struct packet *packet);
static void read_packet(struct worker *worker, const struct packet *packet, struct now now);
static void answer_packet(struct worker *worker, const struct packet *packet, struct now now);

static void release(struct worker *worker)
{
    outbox_destroy(worker->outbox);
    uas_scratch_destroy(worker->scratch);
    free(worker);
}

enum err worker_create(const struct worker_config *config, struct worker **out)
{
    struct worker *const worker = calloc(1, sizeof(*worker));
    *out = NULL;
    if (worker == NULL) {
        return ERR_NO_MEMORY;
    }
    worker->config = *config;
    worker->scratch = uas_scratch_create();
    worker->outbox = outbox_create(config->metrics);
    histogram_reset(&worker->delays);
    if (worker->scratch == NULL || worker->outbox == NULL) {
        release(worker);
        return ERR_NO_MEMORY;
    }
    const enum err e = thread_start(&worker->thread, config->cpu, work, worker);
    if (e != ERR_OK) {
        release(worker);
        return e;
    }
    *out = worker;
    return ERR_OK;
}

const struct histogram *worker_delays(const struct worker *worker)
{
    return &worker->delays;
}

void worker_destroy(struct worker *worker)
{
    if (worker == NULL) {
        return;
    }
    (void)pthread_join(worker->thread, NULL);
    release(worker);
}

// The kernel's clock may have been set back meanwhile.
static uint64_t waited_us(const struct packet *packet, uint64_t wall_us)
{
    return wall_us > packet->arrived_us ? wall_us - packet->arrived_us : 0;
}

static uint64_t waited_ms(const struct packet *packet, struct now now)
{
    return waited_us(packet, now.wall_ms * US_PER_MS) / US_PER_MS;
}

// The life of a datagram from here on: claimed, fetched from memory, read by the core, and, while
// others behind it are read, answered; then its slot is released.
static void handle(struct worker *worker, struct ring_span span, struct now now)
{
    const struct packet *packets[BATCH];
    const unsigned count = sort_out(worker, span, now, packets);
    for (unsigned i = 0; i < count + UAS_AHEAD; i++) {
        if (i + 1 < count) {
            fetch(packets[i + 1]);
        }
        if (i < count) {
            read_packet(worker, packets[i], now);
        }
        if (i >= UAS_AHEAD) {
            answer_packet(worker, packets[i - UAS_AHEAD], now);
        }
    }
}

// Those of the span that are to be handled. Whoever sent an older one has sent it again by now, and
// an answer would serve nobody.
static unsigned sort_out(struct worker *worker, struct ring_span span, struct now now,
                         const struct packet *packets[BATCH])
{
    unsigned count = 0;
    for (unsigned i = 0; i < span.count; i++) {
        const struct packet *const packet = ring_packet(worker->config.ring, span, i);
        if (waited_ms(packet, now) > worker->config.drop_after_ms) {
            metrics_add(worker->config.metrics, METRIC_DROPPED_OLD, 1);
        } else {
            packets[count++] = packet;
        }
    }
    return count;
}

// The kernel has written the datagram on another CPU, or among many others, and it lies on a page
// of its own: it takes a while to come.
static void fetch(const struct packet *packet)
{
    for (uint32_t at = 0; at < packet->len && at < FETCHED_BYTES; at += CACHE_LINE) {
        __builtin_prefetch(packet->bytes + at);
    }
}

static void read_packet(struct worker *worker, const struct packet *packet, struct now now)
{
    const struct worker_config *const config = &worker->config;
    const struct uas_input in = {.bytes = slice_of(packet->bytes, packet->len),
                                 .peer = &packet->peer,
                                 .local = &packet->flow.local,
                                 .socket = packet->flow.socket->number,
                                 .waited_ms = (uint32_t)waited_ms(packet, now),
                                 .now = now};
    uas_read(config->uas, worker->scratch, config->metrics, &in);
}

static enum uas_service service(const struct worker_config *config)
{
    return config->persister == NULL ? UAS_SERVES
                                     : persister_service(config->persister, config->number);
}

// True when the answer is left to the persister.
static bool leave(struct worker *worker, const struct packet *packet, const struct uas_output *out,
                  bool answered, struct now now)
{
    const struct worker_config *const config = &worker->config;
    if (config->persister == NULL || out->state == NULL) {
        return false;
    }
    worker->offered = true;
    return persister_offer(config->persister, config->number, &packet->flow, out, answered, now);
}

static void answer_packet(struct worker *worker, const struct packet *packet, struct now now)
{
    struct uas_output out = {.answer = outbox_room(worker->outbox)};
    const struct worker_config *const config = &worker->config;
    const bool answered = uas_answer(worker->scratch, service(config), &out);
    if (!leave(worker, packet, &out, answered, now) && answered) {
        outbox_post(worker->outbox, &packet->flow, &out.target, out.answer.len);
    }
}

static void record_delays(struct worker *worker, struct ring_span span)
{
    const uint64_t wall_us = clock_wall_us();
    for (unsigned i = 0; i < span.count; i++) {
        const struct packet *const packet = ring_packet(worker->config.ring, span, i);
        histogram_record(&worker->delays, waited_us(packet, wall_us));
    }
}

static void *work(void *arg)
{
    struct worker *const worker = arg;
    const struct worker_config *const config = &worker->config;
    struct ring *const ring = config->ring;
    for (;;) {
        const struct ring_span span = ring_claim(ring, BATCH);
        if (span.count == 0) {
            return NULL;
        }
        const struct now now = clock_now();
        handle(worker, span, now);
        outbox_flush(worker->outbox);
        if (worker->offered) {
            persister_wake(config->persister, config->number);
            worker->offered = false;
        }
        record_delays(worker, span);
        ring_release(ring, span);
    }
}
