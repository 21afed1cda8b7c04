// SPDX-License-Identifier: Apache-2.0
#include "run/ticker.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "env/clock.h"

// Readers never see an expired binding; this is how long its memory and the gauges may lag.
enum { TICK_MS = 100 };

struct ticker {
    pthread_t thread;
    int stop; // an eventfd: readable when the thread is to end
    struct location *location;
    struct metrics *metrics;
};

static void *tick(void *arg)
{
    struct ticker *const ticker = arg;
    struct pollfd stop = {.fd = ticker->stop, .events = POLLIN};
    while (poll(&stop, 1, TICK_MS) <= 0) {
        const size_t expired = location_expire(ticker->location, clock_now());
        metrics_add(ticker->metrics, METRIC_BINDINGS_EXPIRED, expired);
    }
    return NULL;
}

enum err ticker_create(struct location *location, struct metrics *metrics, struct ticker **out)
{
    struct ticker *const ticker = calloc(1, sizeof(*ticker));
    *out = NULL;
    if (ticker == NULL) {
        return ERR_NO_MEMORY;
    }
    ticker->location = location;
    ticker->metrics = metrics;
    ticker->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (ticker->stop < 0) {
        free(ticker);
        return ERR_SYSTEM;
    }
    const int rc = pthread_create(&ticker->thread, NULL, tick, ticker);
    if (rc != 0) {
        (void)close(ticker->stop);
        free(ticker);
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
    (void)close(ticker->stop);
    free(ticker);
}
