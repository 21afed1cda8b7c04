// SPDX-License-Identifier: Apache-2.0
// The seeded simulator of the store: see usage() below, and world.h.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/sim_store/world.h"

enum { EXIT_USAGE = 2 };

struct command {
    uint64_t from;
    uint64_t to;
    bool twice; // each seed, whose traces must be the same
    bool one;   // seed, and its trace's hash is printed
    struct world_options options;
};

static int usage(void)
{
    (void)fprintf(
        stderr,
        "sim_store --seed N [OPTION...]        one simulation\n"
        "sim_store --seeds FROM..TO [OPTION...] many, up to the first that fails\n"
        "  --verbose               print all requests, answers and events\n"
        "  --steps N               that many, instead of what the seed says\n"
        "  --async, --sync           answers leave at once, or when they are on disk, likewise\n"
        "  --twice                 each seed two times, which must go the same way\n");
    return EXIT_USAGE;
}

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

static bool read_flag(const char *name, struct command *c)
{
    if (strcmp(name, "--verbose") == 0) {
        c->options.verbose = true;
    } else if (strcmp(name, "--async") == 0) {
        c->options.mode = WORLD_ASYNC;
    } else if (strcmp(name, "--sync") == 0) {
        c->options.mode = WORLD_SYNC;
    } else if (strcmp(name, "--twice") == 0) {
        c->twice = true;
    } else {
        return false;
    }
    return true;
}

static bool read_command(int argc, char **argv, struct command *command)
{
    *command = (struct command){.from = 1, .to = 0};
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

static void print_failure(const struct world *world, uint64_t seed, const char *program,
                          const struct command *command)
{
    static const char *const modes[] = {"", " --async", " --sync"};
    char steps[32] = "";
    if (command->options.steps != 0) {
        (void)snprintf(steps, sizeof(steps), " --steps %u", command->options.steps);
    }
    (void)printf("seed %" PRIu64 " has failed (%s)\n", seed,
                 world->config.answers_wait ? "sync" : "async");
    trace_print_failure(&world->trace);
    (void)printf("replay: %s --seed %" PRIu64 "%s%s --verbose\n", program, seed,
                 modes[command->options.mode], steps);
}

static bool run_seed(struct world *world, uint64_t seed, const char *program,
                     const struct command *command)
{
    if (!world_run(world, seed, &command->options)) {
        print_failure(world, seed, program, command);
        return false;
    }
    const uint64_t hash = world->trace.hash;
    if (command->one) {
        (void)printf("seed %" PRIu64 ": %u steps, trace %016" PRIx64 "\n", seed, world->trace.step,
                     hash);
    }
    if (command->twice &&
        (!world_run(world, seed, &command->options) || world->trace.hash != hash)) {
        (void)printf("seed %" PRIu64 " has gone two ways: %016" PRIx64 " and %016" PRIx64 "\n",
                     seed, hash, world->trace.hash);
        return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    struct command command;
    if (!read_command(argc, argv, &command)) {
        return usage();
    }
    struct world *const world = calloc(1, sizeof(*world));
    bool ok = world != NULL;
    uint64_t seed = command.from;
    for (; ok && seed <= command.to; seed++) {
        ok = run_seed(world, seed, argv[0], &command);
    }
    if (ok && !command.one) {
        (void)printf("%" PRIu64 " seeds passed\n", seed - command.from);
    }
    free(world);
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
