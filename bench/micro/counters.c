// SPDX-License-Identifier: Apache-2.0
#include "micro/counters.h"

#include <linux/perf_event.h>
#include <sys/syscall.h>
#include <unistd.h>

// Both are read by one call, so that they are of the same moment.
struct group_read {
    uint64_t events;
    uint64_t enabled_ns;
    uint64_t running_ns;
    uint64_t values[2];
};

static int open_counter(uint64_t event, int leader)
{
    struct perf_event_attr attr = {
        .type = PERF_TYPE_HARDWARE,
        .size = sizeof(attr),
        .config = event,
        .read_format =
            PERF_FORMAT_GROUP | PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING,
    };
    attr.exclude_kernel = 1;
    attr.exclude_hv = 1;
    return (int)syscall(SYS_perf_event_open, &attr, 0, -1, leader, PERF_FLAG_FD_CLOEXEC);
}

struct counters counters_open(void)
{
    struct counters counters = {.cycles_fd = open_counter(PERF_COUNT_HW_CPU_CYCLES, -1),
                                .instructions_fd = -1};
    if (counters.cycles_fd >= 0) {
        counters.instructions_fd = open_counter(PERF_COUNT_HW_INSTRUCTIONS, counters.cycles_fd);
    }
    if (counters.instructions_fd < 0) {
        counters_close(&counters);
    }
    return counters;
}

void counters_close(struct counters *counters)
{
    if (counters->instructions_fd >= 0) {
        (void)close(counters->instructions_fd);
    }
    if (counters->cycles_fd >= 0) {
        (void)close(counters->cycles_fd);
    }
    *counters = (struct counters){.cycles_fd = -1, .instructions_fd = -1};
}

struct counted counters_read(const struct counters *counters)
{
    struct group_read group;
    if (counters->cycles_fd < 0 ||
        read(counters->cycles_fd, &group, sizeof(group)) != (ssize_t)sizeof(group) ||
        group.enabled_ns != group.running_ns) {
        return (struct counted){.valid = false};
    }
    return (struct counted){
        .valid = true, .cycles = group.values[0], .instructions = group.values[1]};
}
