// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "env/log.h"
#include "signpost/base/slice.h"

// A log into a pipe, and what has come out of it.
struct piped {
    int fds[2];
    struct log log;
    char text[2 * LOG_LINE_BYTES_MAX];
};

static struct piped piped_log(enum log_level level, bool journal)
{
    struct piped p = {0};
    cr_assert_eq(pipe2(p.fds, O_NONBLOCK), 0);
    p.log = (struct log){.fd = p.fds[1], .level = level, .journal = journal};
    return p;
}

static const char *read_text(struct piped *p)
{
    const ssize_t len = read(p->fds[0], p->text, sizeof(p->text) - 1);
    p->text[len > 0 ? len : 0] = '\0';
    return p->text;
}

static void end(struct piped *p)
{
    (void)close(p->fds[0]);
    (void)close(p->fds[1]);
}

Test(log, line_has_time_level_and_message)
{
    struct piped p = piped_log(LOG_LEVEL_INFO, false);
    log_write(&p.log, LOG_LEVEL_WARNING, "%d of %s", 3, "them");
    // "d" stands for a digit
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ warning: 3 of them\n";
    const char *line = read_text(&p);
    cr_assert_eq(strlen(line), strlen(form), "%s", line);
    const size_t time_len = strlen("dddd-dd-ddTdd:dd:dd.dddZ");
    for (size_t i = 0; i < time_len; i++) {
        cr_expect(form[i] == 'd' ? ascii_digit(line[i]) : line[i] == form[i], "%s", line);
    }
    cr_expect_str_eq(line + time_len, form + time_len);
    end(&p);
}

Test(log, less_grave_lines_are_left_out)
{
    struct piped p = piped_log(LOG_LEVEL_WARNING, false);
    log_write(&p.log, LOG_LEVEL_INFO, "no");
    log_write(&p.log, LOG_LEVEL_DEBUG, "no");
    cr_expect_str_empty(read_text(&p));
    log_write(&p.log, LOG_LEVEL_ERROR, "yes");
    cr_expect_not_null(strstr(read_text(&p), "error: yes\n"));
    end(&p);
}

Test(log, journal_gets_a_priority_and_no_time)
{
    struct piped p = piped_log(LOG_LEVEL_DEBUG, true);
    log_write(&p.log, LOG_LEVEL_ERROR, "a");
    log_write(&p.log, LOG_LEVEL_WARNING, "b");
    log_write(&p.log, LOG_LEVEL_INFO, "c");
    log_write(&p.log, LOG_LEVEL_DEBUG, "d");
    cr_expect_str_eq(read_text(&p), "<3>a\n<4>b\n<6>c\n<7>d\n");
    end(&p);
}

Test(log, message_cannot_forge_a_line)
{
    struct piped p = piped_log(LOG_LEVEL_INFO, true);
    log_write(&p.log, LOG_LEVEL_INFO, "%s", "a\r<0>b\n\x1b[2J\x7f");
    cr_expect_str_eq(read_text(&p), "<6>a?<0>b??[2J?\n");
    end(&p);
}

Test(log, long_message_is_cut_and_still_ends_its_line)
{
    struct piped p = piped_log(LOG_LEVEL_INFO, true);
    char message[2 * LOG_LINE_BYTES_MAX];
    memset(message, 'x', sizeof(message) - 1);
    message[sizeof(message) - 1] = '\0';
    log_write(&p.log, LOG_LEVEL_INFO, "%s", message);
    const char *line = read_text(&p);
    cr_expect_eq(strlen(line), LOG_LINE_BYTES_MAX);
    cr_expect_eq(strchr(line, '\n'), line + LOG_LINE_BYTES_MAX - 1);
    end(&p);
}

Test(log, stalled_reader_costs_the_line_not_the_thread, .timeout = 10)
{
    struct piped p = piped_log(LOG_LEVEL_INFO, false);
    while (write(p.fds[1], p.text, sizeof(p.text)) > 0) {
    }
    cr_assert_eq(fcntl(p.fds[1], F_SETFL, 0), 0); // blocking, as standard error is
    log_write(&p.log, LOG_LEVEL_ERROR, "lost");
    end(&p);
}

Test(log, journal_is_known_by_device_and_inode)
{
    struct stat st;
    char stream[64];
    cr_assert_eq(fstat(STDERR_FILENO, &st), 0);
    (void)snprintf(stream, sizeof(stream), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    cr_assert_eq(setenv("JOURNAL_STREAM", stream, 1), 0);
    cr_expect(log_to_stderr(LOG_LEVEL_INFO).journal);
    cr_assert_eq(setenv("JOURNAL_STREAM", "1:2", 1), 0);
    cr_expect_not(log_to_stderr(LOG_LEVEL_INFO).journal);
    cr_assert_eq(unsetenv("JOURNAL_STREAM"), 0);
    cr_expect_not(log_to_stderr(LOG_LEVEL_INFO).journal);
}
