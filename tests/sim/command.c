// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/command.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

struct command {
    const struct simulator *simulator;
    const char *program;
    uint64_t from;
    uint64_t to;
    bool twice; // each seed, whose traces must be the same
    bool one;   // seed, and its trace's hash is printed
    struct command_options options;
};

static bool read_command(int argc, char **argv, struct command *command);
static bool run_seed(void *world, uint64_t seed, const struct command *command);

static int usage(const struct simulator *simulator)
{
    char modes[64];
    (void)snprintf(modes, sizeof(modes), "--%s, --%s", simulator->modes[0], simulator->modes[1]);
    (void)fprintf(stderr,
                  "%s --seed N [OPTION...]        one simulation\n"
                  "%s --seeds FROM..TO [OPTION...] many, up to the first that fails\n"
                  "  --verbose               print all requests, answers and events\n"
                  "  --steps N               that many, instead of what the seed says\n"
                  "  %-23s %s, likewise\n"
                  "  --twice                 each seed two times, which must go the same way\n",
                  simulator->name, simulator->name, modes, simulator->modes_help);
    return EXIT_USAGE;
}

int command_main(const struct simulator *simulator, int argc, char **argv)
{
    struct command command = {.simulator = simulator, .program = argv[0], .from = 1, .to = 0};
    if (!read_command(argc, argv, &command)) {
        return usage(simulator);
    }
    void *const world = calloc(1, simulator->world_bytes);
    bool ok = world != NULL;
    uint64_t seed = command.from;
    for (; ok && seed <= command.to; seed++) {
        ok = run_seed(world, seed, &command);
    }
    if (ok && !command.one) {
        (void)printf("%" PRIu64 " seeds passed\n", seed - command.from);
    }
    free(world);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}

// ---- What is asked for

static bool read_number(const char *text, char **end, uint64_t *out)
{
    *out = strtoull(text, end, 10);
    return *end != text;
}

static bool read_seeds(const char *text, struct command *command)
{
    char *end;
    return read_number(text, &end, &command->from) && end[0] == '.' && end[1] == '.' &&
           read_number(end + 2, &end, &command->to) && *end == '\0';
}

static bool read_option(const char *name, const char *value, struct command *c)
{
    char *end = NULL;
    uint64_t number = 0;
    if (value != NULL && strcmp(name, "--seeds") == 0) {
        return read_seeds(value, c);
    }
    if (value == NULL || !read_number(value, &end, &number) || *end != '\0') {
        return false;
    }
    if (strcmp(name, "--seed") == 0) {
        c->from = c->to = number;
        c->one = true;
    } else if (strcmp(name, "--steps") == 0) {
        c->options.steps = (unsigned)number;
    } else {
        return false;
    }
    return true;
}

static bool read_mode(const char *name, struct command *c)
{
    for (unsigned i = 0; i < COMMAND_MODES; i++) {
        if (strncmp(name, "--", 2) == 0 && strcmp(name + 2, c->simulator->modes[i]) == 0) {
            c->options.mode = i + 1;
            return true;
        }
    }
    return false;
}

static bool read_flag(const char *name, struct command *c)
{
    if (strcmp(name, "--verbose") == 0) {
        c->options.verbose = true;
    } else if (strcmp(name, "--twice") == 0) {
        c->twice = true;
    } else {
        return read_mode(name, c);
    }
    return true;
}

static bool read_command(int argc, char **argv, struct command *command)
{
    for (int i = 1; i < argc; i++) {
        if (read_flag(argv[i], command)) {
            continue;
        }
        if (!read_option(argv[i], argv[i + 1], command)) {
            return false;
        }
        i++;
    }
    return command->from <= command->to;
}

// ---- A seed

static const char *mode_name(const struct command *command, unsigned mode)
{
    assert(mode >= 1 && mode <= COMMAND_MODES);
    return command->simulator->modes[mode - 1];
}

static void print_failure(const struct command_outcome *outcome, uint64_t seed,
                          const struct command *command)
{
    const struct command_options *const options = &command->options;
    (void)printf("seed %" PRIu64 " has failed (%s)\n", seed, mode_name(command, outcome->mode));
    trace_print_failure(outcome->trace);
    (void)printf("replay: %s --seed %" PRIu64, command->program, seed);
    if (options->mode != 0) {
        (void)printf(" --%s", mode_name(command, options->mode));
    }
    if (options->steps != 0) {
        (void)printf(" --steps %u", options->steps);
    }
    (void)printf(" --verbose\n");
}

static bool run_seed(void *world, uint64_t seed, const struct command *command)
{
    const struct simulator *const simulator = command->simulator;
    const struct command_outcome first = simulator->run(world, seed, &command->options);
    const uint64_t hash = first.trace->hash;
    if (!first.passed) {
        print_failure(&first, seed, command);
        return false;
    }
    if (command->one) {
        (void)printf("seed %" PRIu64 ": %u steps, trace %016" PRIx64 "\n", seed, first.trace->step,
                     hash);
    }
    if (!command->twice) {
        return true;
    }
    const struct command_outcome second = simulator->run(world, seed, &command->options);
    if (!second.passed || second.trace->hash != hash) {
        (void)printf("seed %" PRIu64 " has gone two ways: %016" PRIx64 " and %016" PRIx64 "\n",
                     seed, hash, second.trace->hash);
        return false;
    }
    return true;
}
