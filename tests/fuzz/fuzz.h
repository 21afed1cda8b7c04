// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_FUZZ_FUZZ_H
#define SIGNPOST_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

// What each fuzz_*.c defines: feeds one input, borrowed for the call, to the code under test.
// Returns 0; a finding is an assert or a sanitizer's report.
// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer's name
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#endif
