// SPDX-License-Identifier: Apache-2.0
#include "sipflood/ledger.h"

#include <criterion/criterion.h>
#include <pthread.h>

#include "sipflood/pace.h"
#include "sipflood/stopwatch.h"

enum { THREADS = 3, POSTS = 100 };

static struct tally all;

static void *post_often(void *argument)
{
    struct ledger *l = argument;
    struct tally *t = malloc(sizeof(*t));
    const struct complaint why = {.what = "wrong"};
    cr_assert(t != NULL);
    tally_init(t, 2);
    for (unsigned i = 0; i < POSTS; i++) {
        t->counts.sent = 2;
        t->counts.right = 1;
        t->last_ns = i;
        t->oldest_ns = i;
        t->refused[1] = 1;
        tally_keep(t, &why, SLICE("x"));
        histogram_record(&t->latency_ns[i % 2], 5);
        ledger_post(l, t);
    }
    free(t);
    ledger_leave(l);
    return NULL;
}

Test(ledger, adds_up_what_threads_post_whenever_it_is_fetched)
{
    struct ledger *l = ledger_create(THREADS, 4);
    pthread_t threads[THREADS];
    cr_assert(l != NULL);
    tally_init(&all, 3);
    for (unsigned i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_create(&threads[i], NULL, post_often, l), 0);
    }
    while (!ledger_wait(l, stopwatch_now_ns() + NS_PER_MS)) {
        ledger_fetch(l, &all);
    }
    ledger_fetch(l, &all);
    for (unsigned i = 0; i < THREADS; i++) {
        cr_assert_eq(pthread_join(threads[i], NULL), 0);
    }
    cr_assert_eq(all.counts.sent, 2 * THREADS * POSTS);
    cr_assert_eq(all.counts.right, THREADS * POSTS);
    cr_assert_eq(all.latency_ns[1].total, THREADS * POSTS / 2);
    cr_assert_eq(all.last_ns, POSTS - 1);
    cr_assert_eq(all.oldest_ns, POSTS - 1);
    cr_assert_eq(all.refused[1], THREADS * POSTS);
    cr_assert_eq(all.samples, 3);
    ledger_destroy(l);
}

Test(ledger, can_be_used_again_when_all_have_left)
{
    struct ledger *l = ledger_create(1, 0);
    cr_assert(l != NULL);
    cr_assert_not(ledger_wait(l, 0));
    ledger_leave(l);
    cr_assert(ledger_wait(l, 0));
    cr_assert_not(ledger_wait(l, 0));
    ledger_destroy(l);
}
