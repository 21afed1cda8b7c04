// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_METHOD_H
#define SIGNPOST_SIP_METHOD_H

#include "signpost/base/slice.h"

// X(name, allowed): the methods of RFC 3261 and its extensions. A redirect server and registrar
// answers the allowed ones for itself; the others it recognizes, and refuses with 405.
#define METHODS(X)                                                                                 \
    X(INVITE, true)                                                                                \
    X(ACK, true)                                                                                   \
    X(CANCEL, true)                                                                                \
    X(BYE, true)                                                                                   \
    X(OPTIONS, true)                                                                               \
    X(REGISTER, true)                                                                              \
    X(INFO, false)                                                                                 \
    X(MESSAGE, false)                                                                              \
    X(NOTIFY, false)                                                                               \
    X(PRACK, false)                                                                                \
    X(PUBLISH, false)                                                                              \
    X(REFER, false)                                                                                \
    X(SUBSCRIBE, false)                                                                            \
    X(UPDATE, false)

enum method {

#define X(name, allowed) METHOD_##name,
    METHODS(X)
#undef X
        METHOD_UNKNOWN, // a token, but none of the above
    METHOD_COUNT,
};

// Methods are case-sensitive (RFC 3261 7.1).
enum method method_of(struct slice name);

// "INVITE"; the method must not be METHOD_UNKNOWN.
struct slice method_name(enum method method);

// The allowed methods as the value of an Allow header field: "INVITE, ACK, ...".
struct slice method_allow_list(void);

#endif
