// SPDX-License-Identifier: Apache-2.0
#include "env/thread.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

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

// It asks again and again. pthread_clockjoin_np would wait instead, but gcc 12's thread sanitizer
// does not know it and takes what the thread has written for a race; pthread_timedjoin_np, which it
// knows, waits by the wall clock, which may be set meanwhile.
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
    thread_yield_readily(true);
}

void thread_yield_readily(bool readily)
{
    enum { SLICE_NS = 50000000 };

    // Linux's struct sched_attr in its first version; Debian's header for it is at odds with
    // sched.h.
    struct {
        uint32_t size;
        uint32_t policy;
        uint64_t flags;
        int32_t nice;
        uint32_t priority;
        uint64_t runtime_ns; // a slice, from Linux 6.12 on; 0: as usual
        uint64_t deadline_ns;
        uint64_t period_ns;
    } attributes = {.size = sizeof(attributes),
                    .policy = SCHED_OTHER,
                    .nice = getpriority(PRIO_PROCESS, 0),
                    .runtime_ns = readily ? SLICE_NS : 0};

    // What an operator has chosen (chrt, CPUSchedulingPolicy=) stays.
    if (sched_getscheduler(0) != SCHED_OTHER) {
        return;
    }
    // Whoever wakes does not interrupt a thread at the beginning of its slice, unless his own is
    // the shorter one. Earlier kernels are not so strict, and take no notice. If it is refused,
    // nothing is lost.
    (void)syscall(SYS_sched_setattr, 0, &attributes, 0U);
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
