// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_UNIT_BENCH_FIXTURE_H
#define SIGNPOST_TESTS_UNIT_BENCH_FIXTURE_H

#include "sipflood/script.h"

// A script of 100 users on two ports from 20000 on, at 127.0.0.1.
struct script fixture_script(const char *scenario);

#endif
