// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/json.h"

#include "tests/unit/support.h"

static const struct {
    struct slice text;
    const char *json;
} rows[] = {
    {SLICE_INIT(""), "\"\""},
    {SLICE_INIT("sip:bob@h"), "\"sip:bob@h\""},
    {SLICE_INIT("say \"a\\b\""), "\"say \\\"a\\\\b\\\"\""},
    {SLICE_INIT("a\0b\r\n\x1f\x7f"), "\"a\\u0000b\\u000d\\u000a\\u001f\\u007f\""},
    {SLICE_INIT("j\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\x9e"),
     "\"j\xc3\xbcrgen \xe2\x82\xac \xf0\x9f\x93\x9e\""},
    // cut, stray, too long, a surrogate, beyond the last
    {SLICE_INIT("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {SLICE_INIT("\x80x\xff"), "\"\xef\xbf\xbdx\xef\xbf\xbd\""},
    {SLICE_INIT("\xc0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {SLICE_INIT("\xe0\x9f\xbf"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {SLICE_INIT("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {SLICE_INIT("\xf4\x90\x80\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
};

Test(json, text_is_escaped_and_always_utf8)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char bytes[64];
        struct buf b = buf_over(bytes, sizeof(bytes));
        json_put_text(&b, rows[i].text);
        cr_expect(slice_is(buf_slice(&b), rows[i].json), "%zu: %.*s", i, PRINTED(buf_slice(&b)));
    }
}

Test(json, reads_nothing_beyond_the_text)
{
    const struct guard guard = guard_create(64);
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        for (size_t len = 0; len <= rows[i].text.len; len++) {
            char bytes[128];
            struct buf b = buf_over(bytes, sizeof(bytes));
            json_put_text(&b, guard_copy(guard, slice_of(rows[i].text.at, len)));
            cr_assert(buf_ok(&b));
        }
    }
}

Test(json, text_is_what_comes_back_as_it_was)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        const bool replaced = strstr(rows[i].json, "\xef\xbf\xbd") != NULL;
        cr_expect_eq(json_is_text(rows[i].text), !replaced, "%zu", i);
    }
    cr_expect(json_is_text(SLICE("\xef\xbf\xbd")));
}
