// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_LOG_H
#define SIGNPOST_ENV_LOG_H

#include <stdbool.h>

// From the gravest to the most talkative; a log writes its level and the graver ones.
enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_COUNT,
};

// "error", "warning", "info", "debug"; static.
const char *log_level_text(enum log_level level);

enum { LOG_LINE_BYTES_MAX = 1024 };

// Where lines go and which. A plain value without resources: copy it freely, nothing to close.
struct log {
    int fd;
    enum log_level level;
    bool journal; // sd-daemon(3) prefix "<6>" instead of time and level
};

// A log on standard error. When that is the journal's own socket (JOURNAL_STREAM names it), the
// lines carry a priority prefix and no time, for the journal stamps them.
struct log log_to_stderr(enum log_level level);

// Writes one line "2026-01-31T12:00:00.123Z warning: MESSAGE" in a single write(2). The message
// carries no line end; control characters in it become '?', so bytes of a peer cannot forge a line,
// and a line longer than LOG_LINE_BYTES_MAX is cut. Any thread, except workers and receivers, who
// count instead of log: a reader of standard error that stalls costs the caller 100 ms, then the
// line is lost.
void log_write(const struct log *log, enum log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
