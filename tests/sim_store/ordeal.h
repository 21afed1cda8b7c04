// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_STORE_ORDEAL_H
#define SIGNPOST_TESTS_SIM_STORE_ORDEAL_H

#include "tests/sim_store/world.h"

// What is done to a server, and what must be there afterwards.

// Something goes wrong with the disk, now or soon.
void ordeal_fault(struct world *world);

// The process is killed, or the power goes off; later it starts again. The keeper is told that it
// has found so many bytes more than there are.
void ordeal_crash(struct world *world, uint64_t more_bytes);

// The table holds what it is known to hold.
void ordeal_check(struct world *world, unsigned aor);

#endif
