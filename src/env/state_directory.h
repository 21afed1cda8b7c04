// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_STATE_DIRECTORY_H
#define SIGNPOST_ENV_STATE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>

// Where what outlives the process is kept: `given`, or when that is empty what systemd provides
// (STATE_DIRECTORY), /var/lib/signpost for root, and for others signpost in XDG_STATE_HOME or
// ~/.local/state, where it makes what leads to it. Writes a C string; false when there is no such
// place, or its name is too long. Reads the environment: to be called at the start.
bool state_directory(const char *given, char *out, size_t bytes);

#endif
