// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include "signpostctl/store.h"

int main(int argc, char *argv[])
{
    // A reader of the output that goes away is an error of writing, and told.
    (void)signal(SIGPIPE, SIG_IGN);
    return command_main(&store_commands, 1, argc, argv);
}
