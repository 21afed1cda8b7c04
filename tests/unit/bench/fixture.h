// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_BENCH_FIXTURE_H
#define SIGNPOST_TESTS_UNIT_BENCH_FIXTURE_H

#include "sipflood/plan.h"

// A script of 100 users on two ports from 20000 on, at 127.0.0.1, and what request n of a run of
// one kind says.
struct script fixture_script(void);
struct step fixture_step(enum scenario_kind kind, uint64_t n);
struct script_part fixture_part(const struct script *s, enum scenario_kind kind, uint64_t n);

#endif
