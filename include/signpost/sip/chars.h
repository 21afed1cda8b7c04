// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_CHARS_H
#define SIGNPOST_SIP_CHARS_H

#include "signpost/base/slice.h"

// The character classes of RFC 3261 25.1 that this server needs.
enum char_class {
    CHARS_TOKEN,      // token
    CHARS_WORD,       // word: what a Call-ID is made of
    CHARS_LABEL,      // domainlabel, and "_" besides, which networks without DNS do use
    CHARS_HOST,       // the same and the dot: hostname
    CHARS_USER,       // user, escapes apart
    CHARS_PASSWORD,   // password, escapes apart
    CHARS_URI_PARAM,  // paramchar, escapes apart
    CHARS_URI_HEADER, // hname and hvalue, escapes apart
    CHARS_URIC,       // any URI's characters after its scheme, escapes apart
    CHARS_SCHEME,     // scheme, of which the first must be a letter
    CHARS_COUNT,
};

static_assert(CHARS_COUNT <= 16, "one bit a class");

// The classes of each byte, bit 1 << class: to ask is one load and one test, and every byte of a
// request is asked about.
extern const uint16_t chars_classes[256];

static inline bool chars_has(enum char_class class, char c)
{
    return (chars_classes[(unsigned char)c] >> class & 1) != 0;
}

// Length of the longest prefix of bytes of the class. Four bytes a round, for half of what a round
// of one byte takes is to count.
static inline size_t chars_span(enum char_class class, struct slice s)
{
    size_t n = 0;
    for (; s.len - n >= 4; n += 4) {
        if (!chars_has(class, s.at[n])) {
            return n;
        }
        if (!chars_has(class, s.at[n + 1])) {
            return n + 1;
        }
        if (!chars_has(class, s.at[n + 2])) {
            return n + 2;
        }
        if (!chars_has(class, s.at[n + 3])) {
            return n + 3;
        }
    }
    while (n < s.len && chars_has(class, s.at[n])) {
        n++;
    }
    return n;
}

// For chars_span_escaped, from the first "%" on.
size_t chars_span_from_escape(enum char_class class, struct slice s, size_t from);

// Length of the longest prefix of bytes of the class and "%" HEX HEX escapes. "%" itself must not
// be of the class.
static inline size_t chars_span_escaped(enum char_class class, struct slice s)
{
    const size_t n = chars_span(class, s);
    return n < s.len && s.at[n] == '%' ? chars_span_from_escape(class, s, n) : n;
}

// Every byte is of the class; an empty slice passes.
static inline bool chars_all(enum char_class class, struct slice s)
{
    return chars_span(class, s) == s.len;
}

// Every byte is of the class or belongs to a "%" HEX HEX escape; an empty slice passes.
static inline bool chars_all_escaped(enum char_class class, struct slice s)
{
    return chars_span_escaped(class, s) == s.len;
}

// SP, HTAB, and the CR LF of a folded line, which the message parser leaves in place.
static inline bool chars_lws(char c)
{
    return ascii_space(c);
}

// The slice without white space at its front.
static inline struct slice chars_skip_lws(struct slice s)
{
    while (s.len > 0 && chars_lws(s.at[0])) {
        s.at++;
        s.len--;
    }
    return s;
}

#endif
