// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/header.h"

#include <signal.h>

#include "signpost/base/buf.h"
#include "tests/unit/support.h"

// RFC 3261 7.3.3, 20: names, compact forms, and whether the field may be repeated.
static const struct {
    const char *name;
    const char *compact;
    enum header id;
    bool once;
} fields[] = {
    {"Via", "v", HEADER_VIA, false},
    {"To", "t", HEADER_TO, true},
    {"From", "f", HEADER_FROM, true},
    {"Call-ID", "i", HEADER_CALL_ID, true},
    {"CSeq", NULL, HEADER_CSEQ, true},
    {"Contact", "m", HEADER_CONTACT, false},
    {"Expires", NULL, HEADER_EXPIRES, true},
    {"Max-Forwards", NULL, HEADER_MAX_FORWARDS, true},
    {"Content-Length", "l", HEADER_CONTENT_LENGTH, true},
    {"Require", NULL, HEADER_REQUIRE, false},
    {"Content-Type", "c", HEADER_CONTENT_TYPE, true},
    {"Content-Encoding", "e", HEADER_CONTENT_ENCODING, false},
    {"Content-Language", NULL, HEADER_CONTENT_LANGUAGE, false},
    {"Content-Disposition", NULL, HEADER_CONTENT_DISPOSITION, true},
};

Test(header, names_and_compact_forms_are_known)
{
    cr_assert_eq(LENGTH_OF(fields), HEADER_OTHER);
    for (size_t i = 0; i < LENGTH_OF(fields); i++) {
        cr_expect_eq(header_of(text_slice(fields[i].name)), fields[i].id, "%s", fields[i].name);
        cr_expect(slice_is(header_name(fields[i].id), fields[i].name), "%s", fields[i].name);
        cr_expect_eq(header_once(fields[i].id), fields[i].once, "%s", fields[i].name);
        if (fields[i].compact != NULL) {
            cr_expect_eq(header_of(text_slice(fields[i].compact)), fields[i].id, "%s",
                         fields[i].compact);
        }
    }
}

Test(header, case_does_not_matter)
{
    cr_assert_eq(header_of(SLICE("CALL-ID")), HEADER_CALL_ID);
    cr_assert_eq(header_of(SLICE("call-id")), HEADER_CALL_ID);
    cr_assert_eq(header_of(SLICE("MaX-fOrWaRdS")), HEADER_MAX_FORWARDS);
    cr_assert_eq(header_of(SLICE("V")), HEADER_VIA);
    cr_assert_eq(header_of(SLICE("I")), HEADER_CALL_ID);
}

Test(header, others_are_other)
{
    static const char *const names[] = {
        "",       "Route",    "Subject", "s",   "Call_ID", "Vi", "Viaa",
        "CallID", "Contact ", " To",     "Tag", "Tontact", "x",  "Content-Lengthy"};
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        cr_expect_eq(header_of(text_slice(names[i])), HEADER_OTHER, "\"%s\"", names[i]);
    }
    cr_assert_eq(header_of(slice_of(NULL, 0)), HEADER_OTHER);
    cr_assert_not(header_once(HEADER_OTHER));
}

// Every byte as a one-letter name: CSeq has no compact form, not even NUL.
Test(header, only_compact_forms_are_one_letter_long)
{
    for (unsigned i = 0; i < 256; i++) {
        const char c = (char)i;
        enum header expected = HEADER_OTHER;
        for (size_t f = 0; f < LENGTH_OF(fields); f++) {
            if (fields[f].compact != NULL && fields[f].compact[0] == ascii_lower(c)) {
                expected = fields[f].id;
            }
        }
        cr_expect_eq(header_of(slice_of(&c, 1)), expected, "byte %#x", i);
    }
}

Test(header, other_has_no_name, .signal = SIGABRT)
{
    (void)header_name(HEADER_OTHER);
}

Test(header, full_name_and_colon_at_the_front_of_a_line)
{
    for (unsigned h = 0; h < HEADER_OTHER; h++) {
        char memory[64];
        struct buf b = buf_over(memory, sizeof(memory));
        size_t len = 0;
        buf_put(&b, header_name((enum header)h));
        cr_assert_eq(header_at(buf_slice(&b), &len), HEADER_OTHER, "no colon");
        buf_put(&b, SLICE(": x"));
        cr_assert_eq(header_at(buf_slice(&b), &len), h, "%s", header_name((enum header)h).at);
        cr_assert_eq(len, header_name((enum header)h).len);
        memory[1] ^= 1;
        cr_assert_eq(header_at(buf_slice(&b), &len), HEADER_OTHER, "another name");
    }
    size_t len = 0;
    cr_assert_eq(header_at(SLICE("cALL-iD:x"), &len), HEADER_CALL_ID);
    cr_assert_eq(header_at(SLICE("To : x"), &len), HEADER_OTHER);
    cr_assert_eq(header_at(SLICE("t: x"), &len), HEADER_OTHER);
    cr_assert_eq(header_at(SLICE(""), &len), HEADER_OTHER);
}
