// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_CRC32C_H
#define SIGNPOST_STORE_CRC32C_H

#include "signpost/base/slice.h"

// CRC-32C of the bytes (Castagnoli's polynomial, as in RFC 3720 12.1), by the processor's own
// instruction where it has one.
uint32_t crc32c_bytes(struct slice bytes);

// The same without the instruction: a byte at a time.
uint32_t crc32c_by_table(struct slice bytes);

#endif
