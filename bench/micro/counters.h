// SPDX-License-Identifier: Apache-2.0
#ifndef MICRO_COUNTERS_H
#define MICRO_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

// The processor's own counters (perf_event_open), of the calling thread, in user space. Virtual
// machines often have none, and /proc/sys/kernel/perf_event_paranoid may forbid them.
struct counters {
    int cycles_fd; // -1: there are none
    int instructions_fd;
};

struct counted {
    bool valid;
    uint64_t cycles;
    uint64_t instructions;
};

// Starts them.
struct counters counters_open(void);
void counters_close(struct counters *counters);

// Since counters_open; not valid when there are none, or when they had to share the processor's
// registers with others, which would make estimates of them.
struct counted counters_read(const struct counters *counters);

#endif
