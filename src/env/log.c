// SPDX-License-Identifier: Apache-2.0
#include "env/log.h"

#include <assert.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "env/clock.h"

enum { STALLED_READER_MS = 100, JOURNAL_STREAM_BYTES = 64 };

// A pipe that polls as writable takes PIPE_BUF (4096) bytes without blocking, and whole.
static_assert(LOG_LINE_BYTES_MAX <= 4096, "one line is one write");

// The level's name, and its syslog priority for the journal.
static const struct {
    const char *text;
    char priority;
} levels[LOG_LEVEL_COUNT] = {
    [LOG_LEVEL_ERROR] = {"error", '3'},
    [LOG_LEVEL_WARNING] = {"warning", '4'},
    [LOG_LEVEL_INFO] = {"info", '6'},
    [LOG_LEVEL_DEBUG] = {"debug", '7'},
};

static bool is_journal(int fd);
static void put_prefix(const struct log *log, enum log_level level, struct buf *line);
static void put_message(struct buf *line, const char *message);

const char *log_level_text(enum log_level level)
{
    assert(level < LOG_LEVEL_COUNT);
    return levels[level].text;
}

struct log log_to_stderr(enum log_level level)
{
    assert(level < LOG_LEVEL_COUNT);
    return (struct log){.fd = STDERR_FILENO, .level = level, .journal = is_journal(STDERR_FILENO)};
}

void log_write(const struct log *log, enum log_level level, const char *format, ...)
{
    assert(level < LOG_LEVEL_COUNT);
    if (level > log->level) {
        return;
    }
    char message[LOG_LINE_BYTES_MAX];
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    assert(len >= 0);

    char bytes[LOG_LINE_BYTES_MAX];
    struct buf line = buf_over(bytes, sizeof(bytes) - 1); // the line end always has its place
    put_prefix(log, level, &line);
    put_message(&line, message);
    bytes[line.len++] = '\n';

    struct pollfd writable = {.fd = log->fd, .events = POLLOUT};
    if (poll(&writable, 1, STALLED_READER_MS) == 1) {
        // A log that cannot be written has nowhere to say so.
        const ssize_t ignored = write(log->fd, bytes, line.len);
        (void)ignored;
    }
}

// JOURNAL_STREAM is inherited by children whose standard error is redirected elsewhere, hence the
// comparison of device and inode, as systemd.exec(5) asks for.
static bool is_journal(int fd)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    if (stream == NULL || fstat(fd, &st) != 0) {
        return false;
    }
    char bytes[JOURNAL_STREAM_BYTES];
    struct buf own = buf_over(bytes, sizeof(bytes));
    buf_put_u64(&own, st.st_dev);
    buf_put_char(&own, ':');
    buf_put_u64(&own, st.st_ino);
    return buf_ok(&own) && slice_equal(buf_slice(&own), slice_of(stream, strlen(stream)));
}

static void put_prefix(const struct log *log, enum log_level level, struct buf *line)
{
    if (log->journal) {
        const char prefix[] = {'<', levels[level].priority, '>'};
        buf_put(line, slice_of(prefix, sizeof(prefix)));
        return;
    }
    const uint64_t wall_ms = clock_now().wall_ms;
    const time_t seconds = (time_t)(wall_ms / MS_PER_S);
    struct tm utc;
    char second[sizeof("2026-01-31T12:00:00")];
    if (gmtime_r(&seconds, &utc) != NULL &&
        strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &utc) > 0) {
        buf_put(line, slice_of(second, strlen(second)));
        buf_put_char(line, '.');
        buf_put_padded(line, wall_ms % MS_PER_S, 3);
        buf_put(line, SLICE("Z "));
    }
    const char *text = levels[level].text;
    buf_put(line, slice_of(text, strlen(text)));
    buf_put(line, SLICE(": "));
}

static void put_message(struct buf *line, const char *message)
{
    // Byte by byte: what exceeds the line is cut instead of dropped whole.
    for (const char *at = message; *at != '\0'; at++) {
        const unsigned char c = (unsigned char)*at;
        buf_put_char(line, c < ' ' || c == 0x7f ? '?' : *at);
    }
}
