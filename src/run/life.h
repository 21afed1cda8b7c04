// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_RUN_LIFE_H
#define SIGNPOST_RUN_LIFE_H

#include <signal.h>

#include "env/config.h"

// From start to end: starts the server and the admin page, says when it serves, waits for one of
// the signals, which the caller has blocked, and stops all. Returns the exit status: 0; 2 for what
// the operator can put right on the command line or in the file; 1 for everything else, that the
// last changes could not be kept among it. Does not return when a disk does not answer that is
// waited for by threads which an ordinary exit would wait for.
int life_lead(const struct config *config, const sigset_t *signals);

#endif
