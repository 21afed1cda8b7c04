// SPDX-License-Identifier: Apache-2.0
// The seeded simulator of the store: see world.h.
#include "tests/sim_store/world.h"

static struct command_outcome run(void *memory, uint64_t seed,
                                  const struct command_options *options)
{
    struct world *const world = memory;
    const bool passed = world_run(world, seed, options);
    return (struct command_outcome){.passed = passed,
                                    .mode = world->config.answers_wait ? WORLD_SYNC : WORLD_ASYNC,
                                    .trace = &world->trace};
}

int main(int argc, char **argv)
{
    static const struct simulator simulator = {
        .name = "sim_store",
        .modes = {[WORLD_ASYNC - 1] = "async", [WORLD_SYNC - 1] = "sync"},
        .modes_help = "answers leave at once, or when they are on disk",
        .world_bytes = sizeof(struct world),
        .run = run,
    };
    return command_main(&simulator, argc, argv);
}
