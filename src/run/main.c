// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "env/config.h"
#include "run/server.h"

// 2 is for what the operator can put right on the command line or in the file.
static int exit_status(enum err e)
{
    return e == ERR_OK ? 0 : e == ERR_IN_USE || e == ERR_RANGE ? 2 : 1;
}

// One line for scripts that wait for it, whatever the log level.
static void print_ready(const struct config *config)
{
    char bytes[CONFIG_ADDRESSES_BYTES_MAX];
    struct buf text = buf_over(bytes, sizeof(bytes));
    config_put_addresses(config, &text);
    (void)fprintf(stderr, "signpostd " SIGNPOST_VERSION " ready on %.*s\n", (int)text.len, text.at);
}

static void wait_for_end(const sigset_t *signals, const struct log *log)
{
    int signal_number = 0;
    // A terminal that hangs up leaves nobody who knows of the server; and is one no more then.
    const bool at_terminal = isatty(STDERR_FILENO) != 0;
    while (sigwait(signals, &signal_number) == 0 && signal_number == SIGHUP && !at_terminal) {
        log_write(log, LOG_LEVEL_WARNING,
                  "SIGHUP: reload is not supported by this version, restart to apply changes");
    }
    log_write(log, LOG_LEVEL_INFO, "%s: draining", strsignal(signal_number));
}

static enum err serve(const struct config *config, const sigset_t *signals)
{
    const struct log log = log_to_stderr(config->log_level);
    struct server *server = NULL;
    struct admin *admin = NULL;
    enum err e = server_start(config, &server);
    if (e == ERR_OK && config->admin.enabled) {
        const struct admin_config admin_config = {config->admin.address,
                                                  server_admin_source(server), log};
        e = admin_start(&admin_config, &admin);
    }
    if (e == ERR_OK) {
        print_ready(config);
        wait_for_end(signals, &log);
    }
    admin_stop(admin);
    server_stop(server);
    return e;
}

int main(int argc, char **argv)
{
    const struct config_streams streams = {.out = stdout, .err = stderr};
    struct config *config = NULL;
    const enum config_action action = config_load(argc, argv, &streams, &config);
    if (action != CONFIG_RUN) {
        return action == CONFIG_DONE ? 0 : 2;
    }
    sigset_t signals;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGHUP);
    (void)pthread_sigmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    const int status = exit_status(serve(config, &signals));
    config_destroy(config);
    return status;
}
