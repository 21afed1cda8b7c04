// SPDX-License-Identifier: Apache-2.0
#include "run/ticker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "env/clock.h"
#include "env/thread.h"
#include "net/flow.h"

// How late a repetition may be beside its interval of half a second and more. Readers never see
// what has expired: to them it is only when memory and the gauges follow.
enum {
    TICK_MS = 25,
    // A tick's share of what has expired: 5,120 bindings, 200,000 a second. When all phones of a
    // network have come at once they also expire at once, and whoever is served meanwhile must
    // not feel it.
    EXPIRE_BATCHES = 80,
};

struct ticker {
    pthread_t thread;
    int stop; // an eventfd: readable when the thread is to end
    struct ticker_config config;
    struct outbox *outbox;
    uint64_t expired_s; // second up to which bindings have been removed, or are being
    bool expiring;      // and there is more to do of it
};

static void release(struct ticker *ticker)
{
    if (ticker->stop >= 0) {
        (void)close(ticker->stop);
    }
    outbox_destroy(ticker->outbox);
    free(ticker);
}

static void repeat_answers(struct ticker *ticker, struct now now)
{
    const struct ticker_config *const config = &ticker->config;
    struct transaction_path path;
    unsigned shard = 0;
    struct buf answer = outbox_room(ticker->outbox);
    while (transactions_next_due(config->transactions, &shard, now, &answer, &path)) {
        const struct flow flow = {.socket = &config->sockets[path.socket], .local = path.local};
        outbox_post(ticker->outbox, &flow, &path.target, answer.len);
        metrics_add(config->metrics, METRIC_ANSWERS_REPEATED, 1);
        answer = outbox_room(ticker->outbox);
    }
    outbox_flush(ticker->outbox);
}

// While the table is filled what has expired still tells which of two states is the older.
static bool loading(const struct ticker *ticker)
{
    const struct persister *const persister = ticker->config.persister;
    return persister != NULL && persister_state(persister) != PERSISTER_SERVING;
}

// The table's wheel turns once a second, and looking at it takes each shard's lock.
static void expire_bindings(struct ticker *ticker, struct now now)
{
    const uint64_t second = now.mono_ms / MS_PER_S;
    if ((second != ticker->expired_s || ticker->expiring) && !loading(ticker)) {
        size_t expired = 0;
        ticker->expiring = location_expire(ticker->config.location, now, EXPIRE_BATCHES, &expired);
        metrics_add(ticker->config.metrics, METRIC_BINDINGS_EXPIRED, expired);
        ticker->expired_s = second;
    }
}

static void *tick(void *arg)
{
    struct ticker *const ticker = arg;
    thread_give_way();
    struct pollfd stop = {.fd = ticker->stop, .events = POLLIN};
    while (poll(&stop, 1, TICK_MS) <= 0) {
        const struct now now = clock_now();
        expire_bindings(ticker, now);
        if (ticker->config.transactions != NULL) {
            repeat_answers(ticker, now);
        }
    }
    return NULL;
}

enum err ticker_create(const struct ticker_config *config, struct ticker **out)
{
    struct ticker *const ticker = calloc(1, sizeof(*ticker));
    *out = NULL;
    if (ticker == NULL) {
        return ERR_NO_MEMORY;
    }
    ticker->config = *config;
    ticker->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ticker->outbox = outbox_create(config->metrics);
    if (ticker->outbox == NULL) {
        release(ticker);
        return ERR_NO_MEMORY;
    }
    const int rc = ticker->stop < 0 ? errno : pthread_create(&ticker->thread, NULL, tick, ticker);
    if (rc != 0) {
        release(ticker);
        errno = rc;
        return ERR_SYSTEM;
    }
    *out = ticker;
    return ERR_OK;
}

void ticker_destroy(struct ticker *ticker)
{
    const uint64_t one = 1;
    if (ticker == NULL) {
        return;
    }
    const ssize_t written = write(ticker->stop, &one, sizeof(one));
    assert(written == sizeof(one));
    (void)written;
    (void)pthread_join(ticker->thread, NULL);
    release(ticker);
}
