// SPDX-License-Identifier: Apache-2.0
#include "run/life.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "env/descriptors.h"
#include "run/admin.h"
#include "run/server.h"

static enum err await_end(const struct server *server, const struct config *config,
                          const sigset_t *signals, bool at_terminal, const struct log *log);
static int stop(struct server *server, enum err e);

int life_lead(const struct config *config, const sigset_t *signals)
{
    const struct log log = log_to_stderr(config->log_level);
    // Asked first: one that has hung up is a terminal no more.
    const bool at_terminal = isatty(STDERR_FILENO) != 0;
    struct server *server = NULL;
    struct admin *admin = NULL;
    descriptors_raise();
    enum err e = server_start(config, &server);
    if (e == ERR_OK && config->admin.enabled) {
        const struct admin_config admin_config = {config->admin.address,
                                                  server_admin_source(server), log};
        e = admin_start(&admin_config, &admin);
    }
    if (e == ERR_OK) {
        e = await_end(server, config, signals, at_terminal, &log);
    }
    admin_stop(admin);
    return stop(server, e);
}

// One line for scripts that wait for it, whatever the log level.
static void print_ready(const struct config *config)
{
    char bytes[CONFIG_ADDRESSES_BYTES_MAX];
    struct buf text = buf_over(bytes, sizeof(bytes));
    config_put_addresses(config, &text);
    (void)fprintf(stderr, "signpostd " SIGNPOST_VERSION " ready on %.*s\n", (int)text.len, text.at);
}

// A terminal that hangs up leaves nobody who knows of the server.
static void wait_for_end(const sigset_t *signals, bool at_terminal, const struct log *log)
{
    int signal_number = 0;
    while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP && !at_terminal) {
        log_write(log, LOG_LEVEL_WARNING,
                  "SIGHUP: reload is not supported by this version, restart to apply changes");
    }
    log_write(log, LOG_LEVEL_INFO, "%s: draining", strsignal(signal_number));
}

// Until it is to end. An error has been logged.
static enum err await_end(const struct server *server, const struct config *config,
                          const sigset_t *signals, bool at_terminal, const struct log *log)
{
    switch (server_await(server)) {
    case SERVER_UNFILLED: return ERR_DAMAGED;
    case SERVER_TOLD_TO_END:
        log_write(log, LOG_LEVEL_INFO,
                  "store: told to end before all is loaded; what is kept stays as it is");
        break;
    case SERVER_SERVES:
        print_ready(config);
        wait_for_end(signals, at_terminal, log);
        break;
    }
    return ERR_OK;
}

static int exit_status(enum err e)
{
    const bool theirs = e == ERR_IN_USE || e == ERR_RANGE || e == ERR_DAMAGED;
    return e == ERR_OK ? 0 : theirs ? 2 : 1;
}

static int stop(struct server *server, enum err e)
{
    switch (server_stop(server)) {
    case SERVER_ENDED: break;
    case SERVER_LOST_SOME: return exit_status(e == ERR_OK ? ERR_IO : e);
    // What exit would do besides waits for threads that wait for the disk.
    case SERVER_STUCK: _exit(exit_status(e == ERR_OK ? ERR_IO : e));
    }
    return exit_status(e);
}
