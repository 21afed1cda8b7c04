// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include "sipflood/cli.h"
#include "sipflood/flood.h"

static volatile sig_atomic_t stop;

static void on_signal(int signal_number)
{
    (void)signal_number;
    stop = 1;
}

// The first signal ends the run in order, a second one at once.
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    (void)sigaction(SIGINT, &action, NULL);
    (void)sigaction(SIGTERM, &action, NULL);
}

int main(int argc, char *argv[])
{
    struct cli cli;
    if (cli_parse(argc, argv, &cli, stderr) != ERR_OK) {
        return FLOOD_BROKEN;
    }
    if (cli.help) {
        cli_help(stdout);
        return FLOOD_OK;
    }
    if (cli.version) {
        (void)printf("sipflood %s\n", SIGNPOST_VERSION);
        return FLOOD_OK;
    }
    catch_signals();
    // Sleep until the next request is due and not, as by default, up to 50 us longer.
    (void)prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
    return (int)flood_run(&cli, &stop, stdout, stderr);
}
