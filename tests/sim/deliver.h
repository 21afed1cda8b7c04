// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_DELIVER_H
#define SIGNPOST_TESTS_SIM_DELIVER_H

#include "tests/sim/world.h"

// What happens at the server: it is given a request, or its ticker runs; and whatever comes of it
// is compared with the model.

// So much memory that every transaction must be remembered.
enum { DELIVER_ROOMY_BYTES = 64 << 20 };

void deliver_request(struct world *w, unsigned number);
void deliver_tick(struct world *w);

#endif
