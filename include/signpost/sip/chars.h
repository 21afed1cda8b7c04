// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_CHARS_H
#define SIGNPOST_SIP_CHARS_H

#include "signpost/base/slice.h"

// The character classes of RFC 3261 25.1 that this server needs.
enum char_class {
    CHARS_TOKEN,      // token
    CHARS_WORD,       // word: what a Call-ID is made of
    CHARS_HOST,       // hostname, and "_" besides, which networks without DNS do use
    CHARS_USER,       // user, escapes apart
    CHARS_PASSWORD,   // password, escapes apart
    CHARS_URI_PARAM,  // paramchar, escapes apart
    CHARS_URI_HEADER, // hname and hvalue, escapes apart
    CHARS_URIC,       // any URI's characters after its scheme, escapes apart
    CHARS_SCHEME,     // scheme, of which the first must be a letter
    CHARS_COUNT,
};

bool chars_has(enum char_class class, char c);

// Every byte is of the class; an empty slice passes.
bool chars_all(enum char_class class, struct slice s);

// Every byte is of the class or belongs to a "%" HEX HEX escape; an empty slice passes.
bool chars_all_escaped(enum char_class class, struct slice s);

// Length of the longest prefix of bytes of the class.
size_t chars_span(enum char_class class, struct slice s);

// SP, HTAB, and the CR LF of a folded line, which the message parser leaves in place.
static inline bool chars_lws(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// The slice without white space at its front.
struct slice chars_skip_lws(struct slice s);

#endif
