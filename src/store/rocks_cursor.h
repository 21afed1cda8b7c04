// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_ROCKS_CURSOR_H
#define SIGNPOST_STORE_ROCKS_CURSOR_H

#include "store/rocks_families.h"

// A cursor of the embedded engine: engine_cursor_open and its like, on families. A stripe is every
// ENGINE_STRIPES-th file, so that threads that read different stripes read different files.

ERR_CHECKED enum err rocks_cursor_open(const struct rocks_families *families, unsigned stripe,
                                       struct engine_cursor **out, struct engine_fault *fault);

ERR_CHECKED enum err rocks_cursor_next(struct engine_cursor *cursor, struct slice *block,
                                       struct engine_fault *fault);

void rocks_cursor_close(struct engine_cursor *cursor);

#endif
