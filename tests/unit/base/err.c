// SPDX-License-Identifier: Apache-2.0
#include "signpost/base/err.h"

#include <signal.h>

#include "tests/unit/support.h"

static const enum err every[] = {

#define X(name, text) ERR_##name,
    ERR_MAP(X)
#undef X
};

Test(err, success_is_zero_and_every_error_negative)
{
    cr_assert_eq(ERR_OK, 0);
    for (size_t i = 0; i < LENGTH_OF(every); i++) {
        cr_assert_lt((int)every[i], 0);
    }
}

Test(err, texts_are_those_of_the_map)
{
    cr_assert_str_eq(err_text(ERR_OK), "success");
#define X(name, text) cr_assert_str_eq(err_text(ERR_##name), text);
    ERR_MAP(X)
#undef X
    cr_assert_str_eq(err_text(ERR_SYNTAX), "does not follow the grammar");
    cr_assert_str_eq(err_text(ERR_SYSTEM), "the system refused");
}

Test(err, texts_are_short_distinct_lower_case_phrases)
{
    for (size_t i = 0; i < LENGTH_OF(every); i++) {
        const char *const text = err_text(every[i]);
        cr_expect(text[0] >= 'a' && text[0] <= 'z', "%s", text);
        cr_expect(strlen(text) <= 40, "%s", text);
        cr_expect_neq(text[strlen(text) - 1], '.', "%s", text);
        for (size_t j = 0; j < i; j++) {
            cr_expect_str_neq(text, err_text(every[j]));
        }
    }
}

Test(err, positive_number_is_a_broken_contract, .signal = SIGABRT)
{
    (void)err_text((enum err)1);
}

Test(err, number_below_the_last_is_a_broken_contract, .signal = SIGABRT)
{
    (void)err_text((enum err)(-1 - ERR_COUNT));
}
