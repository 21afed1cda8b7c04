// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_PARAMS_H
#define SIGNPOST_SIP_PARAMS_H

#include "signpost/base/slice.h"

// ";name[=value]" lists, one parameter at a time. There are two grammars: those inside a URI
// (RFC 3261 25.1 uri-parameters: no white space, escapes) and those of header fields
// (generic-param: white space around ";" and "=", values may be quoted strings or hosts).

struct param {
    struct slice whole; // from its ";" to its end
    struct slice name;
    struct slice value; // empty when there is none; a quoted string with its quotes
    bool has_value;
};

// Both take the next parameter off the front of *rest, which must begin with ";" (header
// parameters: after white space). They return false at the end of the slice and when what stands
// there is no parameter; *rest is then without white space at its front, and empty in the first
// case only.
bool params_next_uri(struct slice *rest, struct param *out);
bool params_next(struct slice *rest, struct param *out);

// Length of the quoted string at the front of `s`, with its quotes, or 0 when there is none that
// ends.
size_t quoted_length(struct slice s);

#endif
