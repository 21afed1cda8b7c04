// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_CLI_H
#define SIPFLOOD_CLI_H

#include <stdio.h>

#include "signpost/base/err.h"
#include "sipflood/mix.h"

// The command line: every option is declared once, with its bounds, default and help.

// The rates from, from + step and so on.
struct ramp {
    uint64_t from;
    uint64_t step;
    unsigned steps; // 0: no ramp
};

struct cli {
    const char *scenario; // borrowed from argv, like all texts
    struct mix mix;       // what it is made of
    const char *weights;  // of `mixed`
    bool population;      // refreshes at each user's own times, and calls at rate_per_s
    const char *target;
    const char *domain;
    const char *password; // or NULL
    uint64_t users;
    uint64_t count; // 0: no bound
    double duration_s;
    uint64_t rate_per_s; // 0: closed loop
    uint64_t window;     // 0: open loop
    uint64_t threads;
    uint64_t ports;
    uint64_t local_port;
    uint64_t expires_s;
    double interval_s; // of a population
    double jitter_percent;
    uint64_t calls_per_s;
    struct ramp ramp;
    const char *ramp_text;
    double step_s; // of a ramp or a search
    double p99_max_ms;
    double timeout_s;
    double loss_max_percent;
    uint64_t shown;
    const char *csv; // path, or NULL
    bool find_max;
    bool retransmit;
    bool no_ack;
    bool echo;
    bool busy;
    bool scatter;
    bool gso;
    bool gro;
    bool json;
    bool help;
    bool version;
};

// Reads the arguments and fills in the defaults. On ERR_SYNTAX one line saying what is wrong and
// how to do it right went to `why`. With `help` or `version` set nothing else is checked.
enum err cli_parse(int argc, char *const argv[], struct cli *out, FILE *why) ERR_CHECKED;

void cli_help(FILE *out);

#endif
