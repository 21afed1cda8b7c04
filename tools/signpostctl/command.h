// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_COMMAND_H
#define SIGNPOSTCTL_COMMAND_H

#include <stddef.h>
#include <stdio.h>

#include "signpost/base/err.h"

// The frame of signpostctl: its commands are rows of tables, from which both follow, what is done
// and what --help says.

enum {
    COMMAND_OPERANDS_MAX = 4,
    COMMAND_OPTIONS_MAX = 8,
};

// The exit statuses.
enum {
    STATUS_OK = 0,
    STATUS_PARTLY = 1, // something is damaged, was left out, or was not there
    STATUS_BROKEN = 2, // it could not be done, or not to its end
};

#define COMMAND_EXIT_STATUSES                                                                      \
    "exit status: 0 done; 1 done in part, and told what is missing; 2 failed, maybe halfway\n"

struct command_option {
    const char *name;  // "--output" without its dashes; NULL: no option
    char letter;       // "-o", or '\0'
    const char *value; // how the help names it; NULL: the option has none
    const char *help;
};

// What has been given. An option's value stands where the option stands in its table; that of an
// option without one is its name.
struct invocation {
    const char *operands[COMMAND_OPERANDS_MAX];
    size_t operand_count;
    const char *values[COMMAND_OPTIONS_MAX];
};

struct command {
    const char *group; // "store"
    const char *name;  // "export"
    const char *operands;
    size_t operands_min;
    size_t operands_max;
    const char *summary;
    const char *text; // what --help says besides
    struct command_option options[COMMAND_OPTIONS_MAX];
    int (*run)(const struct invocation *invocation);
};

struct command_group {
    const char *name;
    const char *summary;
    const char *text; // what "GROUP --help" says besides
    const struct command *commands;
    size_t count;
};

// Does what the command line says and returns the exit status.
int command_main(const struct command_group *groups, size_t count, int argc, char *const argv[]);

// "signpostctl: ..." on standard error, one line.
void command_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
