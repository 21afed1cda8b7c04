// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_FLOOD_H
#define SIPFLOOD_FLOOD_H

#include <signal.h>
#include <stdio.h>

#include "sipflood/cli.h"

// A run from the command line's parameters to the report.

enum flood_exit {
    FLOOD_OK = 0,     // no answer wrong, no more lost or refused than allowed
    FLOOD_FAILED = 1, // wrong answers, or too many lost or refused
    FLOOD_BROKEN = 2, // did not run: usage or system error
};

// Runs, shows a live line on `err` if that is a terminal, reports to `out`. Once *stop is not 0,
// nothing more is sent and the report follows. Problems go to `err` as one line.
enum flood_exit flood_run(const struct cli *cli, const volatile sig_atomic_t *stop, FILE *out,
                          FILE *err);

#endif
