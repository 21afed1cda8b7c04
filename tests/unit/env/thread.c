// SPDX-License-Identifier: Apache-2.0
#include "env/thread.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sched.h>

enum { CPUS = CPU_SETSIZE };

static void *note_cpus(void *arg)
{
    cpu_set_t *const set = arg;
    cr_assert_eq(sched_getaffinity(0, sizeof(*set), set), 0);
    return NULL;
}

static void expect_cpus(int asked, const cpu_set_t *expected)
{
    pthread_t thread;
    cpu_set_t seen;
    cr_assert_eq(thread_start(&thread, asked, note_cpus, &seen), ERR_OK);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert(CPU_EQUAL(&seen, expected), "asked for CPU %d", asked);
}

Test(thread, runs_on_the_cpu_asked_for_or_on_any)
{
    cpu_set_t any;
    unsigned count = 0;
    cr_assert_eq(sched_getaffinity(0, sizeof(any), &any), 0);
    expect_cpus(THREAD_ANY_CPU, &any);
    for (unsigned cpu = 0; cpu < CPUS; cpu++) {
        cr_assert_eq(thread_may_use(cpu), CPU_ISSET(cpu, &any) != 0, "CPU %u", cpu);
        if (thread_may_use(cpu)) {
            cpu_set_t one;
            CPU_ZERO(&one);
            CPU_SET(cpu, &one);
            expect_cpus((int)cpu, &one);
            count++;
        }
    }
    cr_assert_eq(thread_cpu_count(), count);
}

Test(thread, a_cpu_that_is_not_there_is_refused)
{
    pthread_t thread;
    cpu_set_t unused;
    errno = 0;
    cr_assert_not(thread_may_use(CPUS - 1));
    cr_assert_eq(thread_start(&thread, CPUS - 1, note_cpus, &unused), ERR_SYSTEM);
    cr_assert_eq(errno, EINVAL);
}

static void *wait_for_barrier(void *arg)
{
    (void)pthread_barrier_wait(arg);
    return NULL;
}

Test(thread, is_joined_when_it_has_ended_and_not_before)
{
    enum { SOON_MS = 20, PATIENCE_MS = 60000 };

    pthread_t thread;
    pthread_barrier_t barrier;
    cr_assert_eq(pthread_barrier_init(&barrier, NULL, 2), 0);
    cr_assert_eq(thread_start(&thread, THREAD_ANY_CPU, wait_for_barrier, &barrier), ERR_OK);
    cr_assert_not(thread_join_within(thread, 0));
    cr_assert_not(thread_join_within(thread, SOON_MS));
    (void)pthread_barrier_wait(&barrier);
    cr_assert(thread_join_within(thread, PATIENCE_MS));
    (void)pthread_barrier_destroy(&barrier);
}
