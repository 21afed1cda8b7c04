// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_CHECK_H
#define SIPFLOOD_CHECK_H

#include "sipflood/answer.h"
#include "sipflood/script.h"

// Whether a final answer that belongs to a request is the right one. A 503 that says when to come
// again is the word of an overloaded server, neither right nor wrong; one that does not is a 500 by
// another name (RFC 3261 21.5.4), and as wrong as any other status.

enum verdict {
    VERDICT_RIGHT,
    VERDICT_REFUSED,
    VERDICT_WRONG_STATUS,
    VERDICT_WRONG_CONTENT,
};

// Why it is not. `expected` borrows from the expectation or is static, `found` from the answer.
struct complaint {
    const char *what;
    struct slice expected;
    struct slice found;
};

// *why is set when the verdict is one of the wrong ones: the first thing found wrong.
enum verdict check_answer(const struct expectation *e, const struct answer *a,
                          struct complaint *why);

#endif
