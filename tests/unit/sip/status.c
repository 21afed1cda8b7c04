// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/status.h"

#include <signal.h>

#include "tests/unit/support.h"

// RFC 3261 21 and 7.2.
static const struct {
    enum status status;
    unsigned code;
    const char *phrase;
} rows[] = {
    {STATUS_OK, 200, "OK"},
    {STATUS_MOVED_TEMPORARILY, 302, "Moved Temporarily"},
    {STATUS_BAD_REQUEST, 400, "Bad Request"},
    {STATUS_FORBIDDEN, 403, "Forbidden"},
    {STATUS_NOT_FOUND, 404, "Not Found"},
    {STATUS_METHOD_NOT_ALLOWED, 405, "Method Not Allowed"},
    {STATUS_URI_TOO_LONG, 414, "Request-URI Too Long"},
    {STATUS_UNSUPPORTED_URI_SCHEME, 416, "Unsupported URI Scheme"},
    {STATUS_BAD_EXTENSION, 420, "Bad Extension"},
    {STATUS_INTERVAL_TOO_BRIEF, 423, "Interval Too Brief"},
    {STATUS_TEMPORARILY_UNAVAILABLE, 480, "Temporarily Unavailable"},
    {STATUS_NO_TRANSACTION, 481, "Call/Transaction Does Not Exist"},
    {STATUS_SERVER_ERROR, 500, "Server Internal Error"},
    {STATUS_NOT_IMPLEMENTED, 501, "Not Implemented"},
    {STATUS_VERSION_NOT_SUPPORTED, 505, "Version Not Supported"},
};

Test(status, codes_and_phrases_are_those_of_the_rfc)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        cr_expect_eq(status_code(rows[i].status), rows[i].code);
        cr_expect(slice_is(status_phrase(rows[i].status), rows[i].phrase), "%u", rows[i].code);
    }
}

Test(status, every_row_is_a_final_response_with_one_line_of_phrase)
{
    for (unsigned s = 0; s < STATUS_COUNT; s++) {
        const struct slice phrase = status_phrase((enum status)s);
        const unsigned code = status_code((enum status)s);
        cr_expect(code >= 200 && code <= 699, "%u", code);
        cr_expect(s == 0 || code > status_code((enum status)(s - 1)), "%u twice or unsorted", code);
        cr_expect(phrase.len > 0, "%u", code);
        cr_expect(slice_find(phrase, '\r') == phrase.len && slice_find(phrase, '\n') == phrase.len,
                  "%u", code);
    }
}

Test(status, code_beyond_the_table_is_a_broken_contract, .signal = SIGABRT)
{
    (void)status_code(STATUS_COUNT);
}

Test(status, phrase_beyond_the_table_is_a_broken_contract, .signal = SIGABRT)
{
    (void)status_phrase(STATUS_COUNT);
}
