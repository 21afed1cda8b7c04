// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/chars.h"

// One bit for each ASCII character, 0..63 and 64..127; nothing above is in any class. A unit test
// spells the classes out and compares.
static const uint64_t classes[CHARS_COUNT][2] = {
    [CHARS_TOKEN] = {0x03ff6ca200000000, 0x47ffffff87fffffe},
    [CHARS_WORD] = {0xd7ffefa600000000, 0x6fffffffbffffffe},
    [CHARS_HOST] = {0x03ff600000000000, 0x07fffffe87fffffe},
    [CHARS_USER] = {0xabffffd200000000, 0x47fffffe87fffffe},
    [CHARS_PASSWORD] = {0x23ff7fd200000000, 0x47fffffe87fffffe},
    [CHARS_URI_PARAM] = {0x07ffefd200000000, 0x47fffffeaffffffe},
    [CHARS_URI_HEADER] = {0x87ffef9200000000, 0x47fffffeaffffffe},
    [CHARS_URIC] = {0xafffffd200000000, 0x47fffffeafffffff},
    [CHARS_SCHEME] = {0x03ff680000000000, 0x07fffffe07fffffe},
};

bool chars_has(enum char_class class, char c)
{
    const unsigned char u = (unsigned char)c;
    return u < 128 && (classes[class][u / 64] >> (u % 64) & 1) != 0;
}

size_t chars_span(enum char_class class, struct slice s)
{
    size_t n = 0;
    while (n < s.len && chars_has(class, s.at[n])) {
        n++;
    }
    return n;
}

bool chars_all(enum char_class class, struct slice s)
{
    return chars_span(class, s) == s.len;
}

bool chars_all_escaped(enum char_class class, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (chars_has(class, s.at[i])) {
            continue;
        }
        if (s.at[i] != '%' || s.len - i < 3 || ascii_hex(s.at[i + 1]) < 0 ||
            ascii_hex(s.at[i + 2]) < 0) {
            return false;
        }
        i += 2;
    }
    return true;
}

struct slice chars_skip_lws(struct slice s)
{
    while (s.len > 0 && chars_lws(s.at[0])) {
        s.at++;
        s.len--;
    }
    return s;
}
