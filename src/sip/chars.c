// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/chars.h"

// X(class, its characters of 0..63, those of 64..127, c): one bit for each; nothing above is in any
// class. A unit test spells the classes out and compares.
#define CLASSES(X, c)                                                                              \
    X(TOKEN, 0x03ff6ca200000000, 0x47ffffff87fffffe, c)                                            \
    X(WORD, 0xd7ffefa600000000, 0x6fffffffbffffffe, c)                                             \
    X(LABEL, 0x03ff200000000000, 0x07fffffe87fffffe, c)                                            \
    X(HOST, 0x03ff600000000000, 0x07fffffe87fffffe, c)                                             \
    X(USER, 0xabffffd200000000, 0x47fffffe87fffffe, c)                                             \
    X(PASSWORD, 0x23ff7fd200000000, 0x47fffffe87fffffe, c)                                         \
    X(URI_PARAM, 0x07ffefd200000000, 0x47fffffeaffffffe, c)                                        \
    X(URI_HEADER, 0x87ffef9200000000, 0x47fffffeaffffffe, c)                                       \
    X(URIC, 0xafffffd200000000, 0x47fffffeafffffff, c)                                             \
    X(SCHEME, 0x03ff680000000000, 0x07fffffe07fffffe, c)

// The same turned round: all classes of one character.
#define CLASS_BIT(class, low, high, c)                                                             \
    | (((c) < 64 ? UINT64_C(low) >> (c) % 64 : UINT64_C(high) >> (c) % 64) & 1) << CHARS_##class

#define CHAR(c)    (0 CLASSES(CLASS_BIT, c))
#define CHARS4(c)  CHAR(c), CHAR((c) + 1), CHAR((c) + 2), CHAR((c) + 3)
#define CHARS16(c) CHARS4(c), CHARS4((c) + 4), CHARS4((c) + 8), CHARS4((c) + 12)

const uint16_t chars_classes[256] = {
    CHARS16(0),  CHARS16(16), CHARS16(32), CHARS16(48),
    CHARS16(64), CHARS16(80), CHARS16(96), CHARS16(112),
};

size_t chars_span_from_escape(enum char_class class, struct slice s, size_t from)
{
    size_t n = from;
    while (n < s.len) {
        if (chars_has(class, s.at[n])) {
            n++;
        } else if (s.at[n] == '%' && s.len - n >= 3 && ascii_hex(s.at[n + 1]) >= 0 &&
                   ascii_hex(s.at[n + 2]) >= 0) {
            n += 3;
        } else {
            break;
        }
    }
    return n;
}
