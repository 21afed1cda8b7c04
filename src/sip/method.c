// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/method.h"

static const struct slice names[] = {
#define X(name, allowed) SLICE_INIT(#name),
    METHODS(X)
#undef X
};

struct slice method_name(enum method method)
{
    assert(method < METHOD_UNKNOWN);
    return names[method];
}

// One comparison a row, of known length, is what makes it complex and fast.
// NOLINTNEXTLINE(readability-function-cognitive-complexity)
enum method method_of(struct slice name)
{
    return
#define X(text, allowed) slice_equal(name, SLICE(#text)) ? METHOD_##text:
        METHODS(X)
#undef X
            METHOD_UNKNOWN;
}

struct slice method_allow_list(void)
{
    // The table is known to the compiler, the list is not: a test compares the two.
    return SLICE("INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER");
}
