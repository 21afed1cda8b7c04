// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_LEDGER_H
#define SIPFLOOD_LEDGER_H

#include "sipflood/tally.h"

// Where the threads bring what they have counted, about once a second each, and one reader fetches
// it. Any thread may call anything here.

struct ledger;

// For that many threads; keeps up to `samples_max` wrong answers between two visits of the reader.
// NULL when memory is short. The caller destroys it.
struct ledger *ledger_create(unsigned threads, unsigned samples_max);
void ledger_destroy(struct ledger *l);

// Adds what `t` counts, and starts it over.
void ledger_post(struct ledger *l, struct tally *t);

// This thread posts no more.
void ledger_leave(struct ledger *l);

// Waits until all threads have left, but not beyond `until_ns` on the stopwatch's clock. True when
// they have; then the next ones may come.
bool ledger_wait(struct ledger *l, uint64_t until_ns);

// Adds to `into` what was posted since the last time.
void ledger_fetch(struct ledger *l, struct tally *into);

#endif
