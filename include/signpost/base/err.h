// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_BASE_ERR_H
#define SIGNPOST_BASE_ERR_H

// Every way an operation can fail, except a broken contract, which is an assert. SIP statuses are
// another enum (sip/status.h): an error says what went wrong here, a status what to tell a peer.
// X(name, text): the enumerator is ERR_<name>.
#define ERR_MAP(X)                                                                                 \
    X(SYNTAX, "does not follow the grammar")                                                       \
    X(TOO_LONG, "longer than the limit")                                                           \
    X(TOO_MANY, "more than the limit")                                                             \
    X(FULL, "no room left")                                                                        \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(NOT_FOUND, "not found")                                                                      \
    X(STALE, "older than what is known")                                                           \
    X(RANGE, "out of range")                                                                       \
    X(IN_USE, "address already in use")                                                            \
    X(IO, "input/output error")                                                                    \
    X(DAMAGED, "damaged")                                                                          \
    X(NEWER, "written by a later release")                                                         \
    X(SYSTEM, "the system refused")

enum err_index {

#define X(name, text) ERR_INDEX_##name,
    ERR_MAP(X)
#undef X
        ERR_COUNT
};

// 0 is success, every error negative.
enum err {
    ERR_OK = 0,

#define X(name, text) ERR_##name = -1 - ERR_INDEX_##name,
    ERR_MAP(X)
#undef X
};

#define ERR_CHECKED __attribute__((warn_unused_result))

// A short lower-case phrase, static; "success" for ERR_OK.
const char *err_text(enum err e);

#endif
