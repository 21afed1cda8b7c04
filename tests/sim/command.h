// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_COMMAND_H
#define SIGNPOST_TESTS_SIM_COMMAND_H

#include "tests/sim/trace.h"

// The command line of a simulator: which seeds are run, how, and what is said of them. It is the
// same for all, but for the names of the two modes that a simulated server has.

enum { COMMAND_MODES = 2 };

// What is not to be as the seed says.
struct command_options {
    unsigned mode;  // of COMMAND_MODES, from 1 on; 0: as the seed says
    unsigned steps; // 0: as many as the seed says
    bool verbose;
};

struct command_outcome {
    bool passed;
    unsigned mode; // that it was run in
    const struct trace *trace;
};

struct simulator {
    const char *name;
    const char *modes[COMMAND_MODES]; // each the name of an option, too
    const char *modes_help;
    size_t world_bytes; // zero before the first seed
    struct command_outcome (*run)(void *world, uint64_t seed,
                                  const struct command_options *options);
};

// Does what the command line says and returns the exit status.
int command_main(const struct simulator *simulator, int argc, char **argv);

#endif
