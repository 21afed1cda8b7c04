// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <stdio.h>

#include "env/config.h"
#include "run/life.h"

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
    const int status = life_lead(config, &signals);
    config_destroy(config);
    return status;
}
