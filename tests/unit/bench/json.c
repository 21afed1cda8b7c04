// SPDX-License-Identifier: Apache-2.0
#include "sipflood/json.h"

#include <criterion/criterion.h>

Test(json, members_commas_nesting_and_escapes)
{
    char text[512] = {0};
    FILE *out = fmemopen(text, sizeof(text) - 1, "w");
    cr_assert(out != NULL);
    struct json j = json_on(out);
    json_open(&j, NULL, '{');
    json_u64(&j, "n", UINT64_MAX);
    json_open(&j, "empty", '[');
    json_close(&j, ']');
    json_open(&j, "list", '[');
    json_bool(&j, NULL, true);
    json_null(&j, NULL);
    json_close(&j, ']');
    json_text(&j, "s", SLICE("a\"b\\c\r\n\0\xff"));
    json_real(&j, "r", 0.5);
    json_close(&j, '}');
    (void)fclose(out);
    cr_assert_str_eq(text, "{\"n\":18446744073709551615,\"empty\":[],\"list\":[true,null],"
                           "\"s\":\"a\\\"b\\\\c\\u000d\\u000a\\u0000\\u00ff\",\"r\":0.5}");
}
