// SPDX-License-Identifier: Apache-2.0
#include "sipflood/ledger.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "sipflood/pace.h"

struct ledger {
    pthread_mutex_t lock;
    pthread_cond_t left_all;
    unsigned threads;
    unsigned left;
    struct tally posted;
};

struct ledger *ledger_create(unsigned threads, unsigned samples_max)
{
    pthread_condattr_t monotonic;
    struct ledger *l = calloc(1, sizeof(*l));
    if (l == NULL) {
        return NULL;
    }
    l->threads = threads;
    tally_init(&l->posted, samples_max);
    int rc = pthread_mutex_init(&l->lock, NULL);
    assert(rc == 0);
    rc = pthread_condattr_init(&monotonic);
    assert(rc == 0);
    rc = pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    assert(rc == 0);
    rc = pthread_cond_init(&l->left_all, &monotonic);
    assert(rc == 0);
    (void)pthread_condattr_destroy(&monotonic);
    return l;
}

void ledger_destroy(struct ledger *l)
{
    if (l == NULL) {
        return;
    }
    (void)pthread_cond_destroy(&l->left_all);
    (void)pthread_mutex_destroy(&l->lock);
    free(l);
}

static void lock(struct ledger *l)
{
    const int rc = pthread_mutex_lock(&l->lock);
    assert(rc == 0);
}

static void unlock(struct ledger *l)
{
    const int rc = pthread_mutex_unlock(&l->lock);
    assert(rc == 0);
}

void ledger_post(struct ledger *l, struct tally *t)
{
    lock(l);
    tally_add(&l->posted, t);
    unlock(l);
    tally_clear(t);
}

void ledger_leave(struct ledger *l)
{
    lock(l);
    l->left++;
    assert(l->left <= l->threads);
    if (l->left == l->threads) {
        (void)pthread_cond_signal(&l->left_all);
    }
    unlock(l);
}

bool ledger_wait(struct ledger *l, uint64_t until_ns)
{
    const struct timespec until = {
        .tv_sec = (time_t)(until_ns / NS_PER_S),
        .tv_nsec = (long)(until_ns % NS_PER_S),
    };
    int rc = 0;
    lock(l);
    while (l->left < l->threads && rc == 0) {
        rc = pthread_cond_timedwait(&l->left_all, &l->lock, &until);
        assert(rc == 0 || rc == ETIMEDOUT);
    }
    const bool all = l->left == l->threads;
    l->left = all ? 0 : l->left;
    unlock(l);
    return all;
}

void ledger_fetch(struct ledger *l, struct tally *into)
{
    lock(l);
    tally_add(into, &l->posted);
    tally_clear(&l->posted);
    unlock(l);
}
