// SPDX-License-Identifier: Apache-2.0
// The seeded simulator: see world.h.
#include "tests/sim/world.h"

static struct command_outcome run(void *memory, uint64_t seed,
                                  const struct command_options *options)
{
    struct world *const world = memory;
    const bool passed = world_run(world, seed, options);
    return (struct command_outcome){.passed = passed,
                                    .mode =
                                        world->config.stateful ? WORLD_STATEFUL : WORLD_STATELESS,
                                    .trace = &world->trace};
}

int main(int argc, char **argv)
{
    static const struct simulator simulator = {
        .name = "sim",
        .modes = {[WORLD_STATELESS - 1] = "stateless", [WORLD_STATEFUL - 1] = "stateful"},
        .modes_help = "with or without server transactions",
        .world_bytes = sizeof(struct world),
        .run = run,
    };
    return command_main(&simulator, argc, argv);
}
