// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/status.h"

struct slice status_line(enum status s)
{
    static const struct slice lines[] = {
#define X(code, name, phrase) SLICE_INIT("SIP/2.0 " #code " " phrase "\r\n"),
        STATUSES(X)
#undef X
    };
    assert(s < STATUS_COUNT);
    return lines[s];
}
