// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/source.h"

#include "tests/unit/support.h"

Test(source, lines_are_numbered_and_lose_their_ends)
{
    static struct source source;
    char bytes[8];
    static const char *const lines[] = {"a", "", "bc", "d"};
    source_over(&source, SLICE("a\n\r\nbc\r\nd"));
    for (size_t i = 0; i < LENGTH_OF(lines); i++) {
        struct buf line = buf_over(bytes, sizeof(bytes));
        cr_expect_eq(source.line, i + 1);
        cr_assert_eq(source_line(&source, &line), ERR_OK);
        ASSERT_TEXT(buf_slice(&line), lines[i]);
    }
    struct buf line = buf_over(bytes, sizeof(bytes));
    cr_expect_eq(source_line(&source, &line), ERR_NOT_FOUND);
}

Test(source, line_that_does_not_fit_is_passed_over)
{
    static struct source source;
    char bytes[4];
    source_over(&source, SLICE("12345\n6\n"));
    struct buf line = buf_over(bytes, sizeof(bytes));
    cr_expect_eq(source_line(&source, &line), ERR_TOO_LONG);
    line = buf_over(bytes, sizeof(bytes));
    cr_expect_eq(source_line(&source, &line), ERR_OK);
    ASSERT_TEXT(buf_slice(&line), "6");
}

Test(source, pipe_is_read_to_its_end)
{
    enum { BYTES = SOURCE_BYTES / 16 * 3 + 5 };

    static struct source source;
    static char bytes[BYTES];
    int ends[2];
    memset(bytes, 'x', sizeof(bytes));
    cr_assert_eq(pipe(ends), 0);
    cr_assert_eq(write(ends[1], bytes, sizeof(bytes)), BYTES);
    cr_assert_eq(close(ends[1]), 0);
    source_from(&source, ends[0]);
    cr_expect_gt(source_ahead(&source).len, 0);
    size_t count = 0;
    while (source_take(&source) != SOURCE_END) {
        count++;
    }
    cr_expect_eq(count, sizeof(bytes));
    cr_expect(!source.failed);
    cr_assert_eq(close(ends[0]), 0);
}

Test(source, file_that_cannot_be_read_is_told)
{
    static struct source source;
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    source_from(&source, ends[1]); // the one for writing
    cr_expect_eq(source_take(&source), SOURCE_END);
    cr_expect(source.failed);
}
