// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_PARAMS_H
#define SIGNPOST_SIP_PARAMS_H

#include "signpost/base/limits.h"
#include "signpost/sip/chars.h"

// ";name[=value]" lists, one parameter at a time. There are two grammars: those inside a URI
// (RFC 3261 25.1 uri-parameters: no white space, escapes) and those of header fields
// (generic-param: white space around ";" and "=", values may be quoted strings or hosts).

struct param {
    struct slice whole; // from its ";" to its end
    struct slice name;
    struct slice value; // empty when there is none; a quoted string with its quotes
    bool has_value;
    bool value_is_token; // of a header field's: there is a value, and it is a token
};

// A name may stand only once in a list (RFC 3261 7.3.1, 19.1.1); the callers see to that.
//
// Both take the next parameter off the front of *rest, which must begin with ";" (header
// parameters: after white space). They return false at the end of the slice and when what stands
// there is no parameter; *rest is then without white space at its front, and empty in the first
// case only. By leniency "rport=" may lack its number in a header field, for whatever stands there
// is replaced (RFC 3581 4), and so may "expires=", for in a Contact a malformed value counts as
// an hour (RFC 3261 20.10); elsewhere the callers refuse it.
bool params_next_uri(struct slice *rest, struct param *out);

// params_next, once there is a ";".
bool params_take(struct slice *rest, struct param *out);

static inline bool params_next(struct slice *rest, struct param *out)
{
    *rest = chars_skip_lws(*rest);
    return rest->len > 0 && rest->at[0] == ';' && params_take(rest, out);
}

// The names of one header field's parameters so far; .count is 0 to begin with.
struct param_names {
    size_t count;
    struct slice at[HEADER_PARAMS_MAX];
};

// params_name_is_new, once there is another one.
bool params_name_is_other(struct param_names *names, struct slice name);

// Takes the name down. False when it has been there before, without regard to case, or when it
// would be one more than HEADER_PARAMS_MAX.
static inline bool params_name_is_new(struct param_names *names, struct slice name)
{
    if (names->count > 0) {
        return params_name_is_other(names, name);
    }
    names->at[names->count++] = name;
    return true;
}

// Length of the quoted string at the front of `s`, with its quotes, or 0 when there is none that
// ends.
size_t quoted_length(struct slice s);

#endif
