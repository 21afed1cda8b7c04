// SPDX-License-Identifier: Apache-2.0
#include "env/thread.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>

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
