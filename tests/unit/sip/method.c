// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/method.h"

#include "tests/unit/support.h"

Test(method, every_name_of_the_table_is_known)
{
#define X(name, allowed) cr_expect_eq(method_of(SLICE(#name)), METHOD_##name, #name);
    METHODS(X)
#undef X
}

// RFC 3261, 6086 (INFO), 3428, 6665, 3262, 3903, 3515, 3311.
Test(method, registered_methods_are_known)
{
    static const char *const names[] = {"INVITE", "ACK",     "CANCEL",   "BYE",      "OPTIONS",
                                        "INFO",   "MESSAGE", "NOTIFY",   "PRACK",    "PUBLISH",
                                        "REFER",  "UPDATE",  "REGISTER", "SUBSCRIBE"};
    cr_assert_eq(LENGTH_OF(names), METHOD_UNKNOWN);
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        cr_expect_neq(method_of(text_slice(names[i])), METHOD_UNKNOWN, "%s", names[i]);
    }
}

Test(method, case_matters)
{
    static const char *const names[] = {"invite", "Invite", "INVITe", "register", "INVITES",
                                        "INVIT",  "",       "ACK ",   " ACK",     "NEWMETHOD"};
    for (size_t i = 0; i < LENGTH_OF(names); i++) {
        cr_expect_eq(method_of(text_slice(names[i])), METHOD_UNKNOWN, "%s", names[i]);
    }
    cr_assert_eq(method_of(SLICE("ACK\0")), METHOD_UNKNOWN);
    cr_assert_eq(method_of(slice_of(NULL, 0)), METHOD_UNKNOWN);
}

Test(method, allow_list_agrees_with_the_table)
{
    static const struct {
        struct slice name;
        bool allowed;
    } rows[] = {

#define X(name, allowed) {SLICE_INIT(#name), allowed},
        METHODS(X)
#undef X
    };
    char memory[256];
    struct buf b = buf_over(memory, sizeof(memory));
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        if (rows[i].allowed) {
            buf_put(&b, b.len == 0 ? SLICE("") : SLICE(", "));
            buf_put(&b, rows[i].name);
        }
    }
    cr_assert(buf_ok(&b));
    const struct slice list = method_allow_list();
    cr_assert(slice_equal(list, buf_slice(&b)), "is %.*s, should be %.*s", PRINTED(list),
              PRINTED(buf_slice(&b)));
}
