// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/json.h"

static bool continues(struct slice s, size_t at)
{
    return at < s.len && ((unsigned char)s.at[at] & 0xc0) == 0x80;
}

// Length of the character at the front, 0 when there is none: RFC 3629 4, so no surrogates, nothing
// above U+10FFFF, and nothing longer than need be.
static size_t character_length(struct slice s)
{
    const unsigned char first = (unsigned char)s.at[0];
    const unsigned char second = s.len > 1 ? (unsigned char)s.at[1] : 0;
    if (first < 0x80) {
        return 1;
    }
    if (first >= 0xc2 && first <= 0xdf) {
        return continues(s, 1) ? 2 : 0;
    }
    if ((first & 0xf0) == 0xe0) {
        const bool valid = (first != 0xe0 || second >= 0xa0) && (first != 0xed || second < 0xa0);
        return valid && continues(s, 1) && continues(s, 2) ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool valid = (first != 0xf0 || second >= 0x90) && (first != 0xf4 || second < 0x90);
        return valid && continues(s, 1) && continues(s, 2) && continues(s, 3) ? 4 : 0;
    }
    return 0;
}

static void put_control(struct buf *b, char c)
{
    static const char hex[] = "0123456789abcdef";
    buf_put(b, SLICE("\\u00"));
    buf_put_char(b, hex[(unsigned char)c >> 4]);
    buf_put_char(b, hex[(unsigned char)c & 0xf]);
}

void json_put_text(struct buf *b, struct slice text)
{
    buf_put_char(b, '"');
    while (!slice_empty(text)) {
        const size_t len = character_length(text);
        const char c = text.at[0];
        if (len == 0) {
            buf_put(b, SLICE("\xef\xbf\xbd"));
        } else if ((unsigned char)c < ' ' || c == '\x7f') {
            put_control(b, c);
        } else {
            if (c == '"' || c == '\\') {
                buf_put_char(b, '\\');
            }
            buf_put(b, slice_of(text.at, len));
        }
        text = slice_from(text, len == 0 ? 1 : len);
    }
    buf_put_char(b, '"');
}

bool json_is_text(struct slice text)
{
    while (!slice_empty(text)) {
        const size_t len = character_length(text);
        if (len == 0) {
            return false;
        }
        text = slice_from(text, len);
    }
    return true;
}
