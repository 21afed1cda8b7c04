// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/err.h"

#include <assert.h>

const char *err_text(enum err e)
{
    static const char *const texts[] = {
#define X(name, text) text,
        ERR_MAP(X)
#undef X
    };
    assert(e <= 0 && e >= -ERR_COUNT);
    return e == ERR_OK ? "success" : texts[-1 - e];
}
