// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_STATUS_H
#define SIGNPOST_SIP_STATUS_H

#include "signpost/base/slice.h"

// X(code, name, phrase): the statuses that this server sends, with the reason phrase that stands
// when no better one explains the case (RFC 3261 21).
#define STATUSES(X)                                                                                \
    X(200, OK, "OK")                                                                               \
    X(302, MOVED_TEMPORARILY, "Moved Temporarily")                                                 \
    X(400, BAD_REQUEST, "Bad Request")                                                             \
    X(403, FORBIDDEN, "Forbidden")                                                                 \
    X(404, NOT_FOUND, "Not Found")                                                                 \
    X(405, METHOD_NOT_ALLOWED, "Method Not Allowed")                                               \
    X(414, URI_TOO_LONG, "Request-URI Too Long")                                                   \
    X(415, UNSUPPORTED_MEDIA_TYPE, "Unsupported Media Type")                                       \
    X(416, UNSUPPORTED_URI_SCHEME, "Unsupported URI Scheme")                                       \
    X(420, BAD_EXTENSION, "Bad Extension")                                                         \
    X(423, INTERVAL_TOO_BRIEF, "Interval Too Brief")                                               \
    X(480, TEMPORARILY_UNAVAILABLE, "Temporarily Unavailable")                                     \
    X(481, NO_TRANSACTION, "Call/Transaction Does Not Exist")                                      \
    X(482, LOOP_DETECTED, "Loop Detected")                                                         \
    X(500, SERVER_ERROR, "Server Internal Error")                                                  \
    X(501, NOT_IMPLEMENTED, "Not Implemented")                                                     \
    X(503, SERVICE_UNAVAILABLE, "Service Unavailable")                                             \
    X(505, VERSION_NOT_SUPPORTED, "Version Not Supported")                                         \
    X(513, MESSAGE_TOO_LARGE, "Message Too Large")

enum status {

#define X(code, name, phrase) STATUS_##name,
    STATUSES(X)
#undef X
        STATUS_COUNT
};

// The whole status line: "SIP/2.0 200 OK" and its end.
struct slice status_line(enum status s);

#endif
