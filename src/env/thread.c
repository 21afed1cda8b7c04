// SPDX-License-Identifier: Apache-2.0
#include "env/thread.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <time.h>

enum err thread_start(pthread_t *thread, int cpu, void *(*run)(void *), void *arg)
{
    pthread_attr_t attributes;
    int rc = pthread_attr_init(&attributes);
    if (rc == 0 && cpu != THREAD_ANY_CPU) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET((unsigned)cpu, &set);
        rc = pthread_attr_setaffinity_np(&attributes, sizeof(set), &set);
    }
    if (rc == 0) {
        rc = pthread_create(thread, &attributes, run, arg);
    }
    (void)pthread_attr_destroy(&attributes);
    errno = rc;
    return rc == 0 ? ERR_OK : ERR_SYSTEM;
}

bool thread_join_within(pthread_t thread, uint32_t ms)
{
    enum { PAUSE_MS = 5, NS_PER_MS = 1000000 };

    const struct timespec pause = {.tv_nsec = (long)PAUSE_MS * NS_PER_MS};
    for (uint32_t waited_ms = 0; pthread_tryjoin_np(thread, NULL) != 0; waited_ms += PAUSE_MS) {
        if (waited_ms >= ms) {
            return false;
        }
        (void)nanosleep(&pause, NULL);
    }
    return true;
}

void thread_give_way(void)
{
    enum { NICE = 10 };

    // Of this thread alone, on Linux; it may always be raised, and if not, nothing is lost.
    (void)setpriority(PRIO_PROCESS, 0, NICE);
}

unsigned thread_cpu_count(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 ? (unsigned)CPU_COUNT(&set) : 1;
}

bool thread_may_use(unsigned cpu)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_ISSET(cpu, &set);
}
