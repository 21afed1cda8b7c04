// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_COMMAND_LINE_H
#define SIGNPOST_ENV_COMMAND_LINE_H

#include <stdio.h>

#include "env/option.h"
#include "signpost/base/err.h"

// The switches: what the command line has besides the options of env/options.h.
enum command {
    COMMAND_RUN,
    COMMAND_CHECK_CONFIG,
    COMMAND_PRINT_CONFIG,
    COMMAND_PRINT_EXAMPLE,
    COMMAND_VERSION,
    COMMAND_HELP,
};

enum { COMMAND_LINE_ITEMS_MAX = 256 };

// All texts are argv's. A list's items lie in `items`, hence not to be copied.
struct command_line {
    enum command command;    // of several the last one
    const char *config_path; // NULL for none
    struct option_texts texts;
    const char *items[OPTION_COUNT][COMMAND_LINE_ITEMS_MAX];
};

// Reads the command line into *out. On failure one line on `err` names the argument and the fix.
// Values are not looked at. One thread at a time: getopt_long keeps state of its own.
ERR_CHECKED enum err command_line_parse(int argc, char *const argv[], struct command_line *out,
                                        FILE *err);

// The text of --help, made from the switches' and the options' rows.
void command_line_print_help(FILE *out);

#endif
