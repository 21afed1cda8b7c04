// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/status.h"

unsigned status_code(enum status s)
{
    static const unsigned short codes[] = {
#define X(code, name, phrase) code,
        STATUSES(X)
#undef X
    };
    assert(s < STATUS_COUNT);
    return codes[s];
}

struct slice status_phrase(enum status s)
{
    static const struct slice phrases[] = {
#define X(code, name, phrase) SLICE_INIT(phrase),
        STATUSES(X)
#undef X
    };
    assert(s < STATUS_COUNT);
    return phrases[s];
}
