// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/trace.h"

#include <stdarg.h>
#include <stdio.h>

static const uint64_t hash_start = UINT64_C(0xcbf29ce484222325);

void trace_start(struct trace *trace, bool verbose)
{
    *trace = (struct trace){.verbose = verbose, .hash = hash_start};
}

uint64_t trace_hash(uint64_t hash, struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        hash = (hash ^ (unsigned char)bytes.at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

void trace_line(struct trace *trace, const char *format, ...)
{
    char *const line = trace->lines[trace->line_count++ % TRACE_LINES];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(line, TRACE_LINE_BYTES, format, args);
    va_end(args);
    trace->hash = trace_hash(trace->hash, slice_of(line, strlen(line)));
    if (trace->verbose) {
        (void)printf("%s\n", line);
    }
}

void trace_bytes(struct trace *trace, struct slice bytes)
{
    trace->hash = trace_hash(trace->hash, bytes);
    if (trace->verbose) {
        (void)printf("%.*s\n", (int)bytes.len, bytes.len > 0 ? bytes.at : "");
    }
}

void trace_fail(struct trace *trace, const char *format, ...)
{
    if (trace->failed) {
        return;
    }
    trace->failed = true;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(trace->why, sizeof(trace->why), format, args);
    va_end(args);
}

void trace_print_failure(const struct trace *trace)
{
    const unsigned count = trace->line_count;
    for (unsigned i = count > TRACE_LINES ? count - TRACE_LINES : 0; i < count; i++) {
        (void)printf("  %s\n", trace->lines[i % TRACE_LINES]);
    }
    (void)printf("step %u: %s\n", trace->step, trace->why);
}
