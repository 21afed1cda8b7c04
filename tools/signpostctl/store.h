// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_STORE_H
#define SIGNPOSTCTL_STORE_H

#include "signpostctl/command.h"

// The commands about a store: export, import, check.
extern const struct command_group store_commands;

#endif
