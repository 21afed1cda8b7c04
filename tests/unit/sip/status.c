// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/status.h"

#include <signal.h>
#include <stdio.h>

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

Test(status, lines_are_those_of_the_rfc)
{
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char line[64];
        (void)snprintf(line, sizeof(line), "SIP/2.0 %u %s\r\n", rows[i].code, rows[i].phrase);
        ASSERT_TEXT(status_line(rows[i].status), line);
    }
}

static uint64_t code_of(enum status s)
{
    uint64_t code = 0;
    cr_expect(slice_to_u64(slice_of(status_line(s).at + 8, 3), 999, &code));
    return code;
}

Test(status, every_row_is_a_final_response_of_one_line)
{
    for (unsigned s = 0; s < STATUS_COUNT; s++) {
        const struct slice line = status_line((enum status)s);
        const uint64_t code = code_of((enum status)s);
        cr_expect(code >= 200 && code <= 699, "%lu", code);
        cr_expect(s == 0 || code > code_of((enum status)(s - 1)), "%lu twice or unsorted", code);
        cr_expect(line.len > sizeof("SIP/2.0 200 \r\n") - 1, "%lu", code);
        cr_expect(slice_find(line, '\r') == line.len - 2 && slice_find(line, '\n') == line.len - 1,
                  "%lu", code);
    }
}

Test(status, line_beyond_the_table_is_a_broken_contract, .signal = SIGABRT)
{
    (void)status_line(STATUS_COUNT);
}
