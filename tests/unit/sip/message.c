// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/message.h"

#include "tests/unit/sip/messages.h"
#include "tests/unit/support.h"

// Too large for a stack under sanitizers; Criterion runs each test in a process of its own.
static struct message m;

#define ASSERT_PROBLEM(text)                                                                       \
    cr_assert(m.problem != NULL && strcmp(m.problem, text) == 0, "is \"%s\", should be \"%s\"",    \
              m.problem == NULL ? "none" : m.problem, text)

#define VIA       "Via: SIP/2.0/UDP pc33.atlanta.com;branch=z9hG4bK776\r\n"
#define TO        "To: <sip:bob@biloxi.com>\r\n"
#define FROM      "From: <sip:alice@atlanta.com>;tag=1928301774\r\n"
#define CALL_ID   "Call-ID: a84b4c76e66710\r\n"
#define CSEQ      "CSeq: 314159 INVITE\r\n"
#define MANDATORY VIA TO FROM CALL_ID CSEQ
#define INVITE    "INVITE sip:bob@biloxi.com SIP/2.0\r\n"

// What a parsed message promises whatever the bytes were: NULL, or what is broken.
static const char *insane(struct slice bytes, enum err e)
{
    unsigned chained = 0;
    if ((e == ERR_OK) != (m.kind != MESSAGE_GARBAGE && m.problem == NULL)) {
        return "error and problem disagree";
    }
    if (m.row_count > LENGTH_OF(m.rows)) {
        return "number of rows";
    }
    for (unsigned id = 0; id < HEADER_COUNT; id++) {
        const struct message_row *row = message_first(&m, (enum header)id);
        for (; row != NULL; row = message_next(&m, row)) {
            const struct message_row *const next = message_next(&m, row);
            if (row->id != id || row >= m.rows + m.row_count || (next != NULL && next <= row)) {
                return "chain of rows";
            }
            if (!slice_within(row->value, bytes) || slice_trim(row->value).len != row->value.len) {
                return "row";
            }
            chained++;
        }
    }
    if (chained != m.row_count || !slice_within(m.body, bytes)) {
        return "rows outside the chains, or the body";
    }
    if (m.kind == MESSAGE_REQUEST &&
        ((m.method_name.len == 0 && m.problem == NULL) || !slice_within(m.method_name, bytes) ||
         !slice_within(m.uri, bytes) || !slice_within(m.version, bytes))) {
        return "request line";
    }
    return NULL;
}

static enum err parse(struct slice bytes)
{
    const enum err e = message_parse(bytes, &m);
    const char *const fault = insane(bytes, e);
    cr_assert_null(fault, "%s in \"%.*s\"", fault, PRINTED(bytes));
    return e;
}

static struct slice first_value(enum header id)
{
    const struct message_row *const row = message_first(&m, id);
    cr_assert_not_null(row);
    return row->value;
}

Test(message, request_is_taken_apart)
{
    cr_assert_eq(parse(SLICE(REGISTER_BOB)), ERR_OK);
    cr_assert_eq(m.kind, MESSAGE_REQUEST);
    cr_assert_eq(m.method, METHOD_REGISTER);
    ASSERT_TEXT(m.method_name, "REGISTER");
    ASSERT_TEXT(m.uri, "sip:registrar.biloxi.com");
    ASSERT_TEXT(m.version, "SIP/2.0");
    ASSERT_TEXT(first_value(HEADER_MAX_FORWARDS), "70");
    ASSERT_TEXT(first_value(HEADER_TO), "Bob <sip:bob@biloxi.com>");
    ASSERT_TEXT(first_value(HEADER_CONTACT), "<sip:bob@192.0.2.4>");
    cr_assert(slice_empty(m.body));
    cr_assert_null(message_first(&m, HEADER_REQUIRE));
    cr_assert_null(message_first(&m, HEADER_OTHER));
}

Test(message, response_is_recognized)
{
    cr_assert_eq(parse(SLICE("SIP/2.0 200 OK\r\n" MANDATORY "\r\n")), ERR_OK);
    cr_assert_eq(m.kind, MESSAGE_RESPONSE);
    ASSERT_TEXT(first_value(HEADER_CALL_ID), "a84b4c76e66710");
    cr_assert_eq(parse(SLICE("sip/2.0 100 \r\n" MANDATORY "\r\n")), ERR_OK);
    cr_assert_eq(m.kind, MESSAGE_RESPONSE);
}

Test(message, tortuous_white_space_is_legal)
{
    cr_assert_eq(parse(SLICE(WSINV_HEADER WSINV_BODY)), ERR_OK);
    ASSERT_TEXT(m.uri, "sip:vivekg@chair-dnrc.example.com;unknownparam");
    ASSERT_TEXT(first_value(HEADER_TO),
                "sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n");
    ASSERT_TEXT(first_value(HEADER_FROM), "\"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>"
                                          "\r\n  ;\r\n  tag = 98asjd8");
    ASSERT_TEXT(first_value(HEADER_MAX_FORWARDS), "0068");
    ASSERT_TEXT(first_value(HEADER_CSEQ), "0009\r\n  INVITE");
    ASSERT_TEXT(m.body, WSINV_BODY);
    const struct message_row *const via = message_first(&m, HEADER_VIA);
    ASSERT_TEXT(via->value, "SIP  /   2.0\r\n /UDP\r\n    192.0.2.2;branch=390skdjuw");
    cr_assert_null(message_next(&m, message_next(&m, via)), "the other is in compact form");
    cr_assert_null(message_first(&m, HEADER_OTHER), "what nobody reads is not kept");
}

Test(message, compact_forms_in_any_case_mean_the_same)
{
    cr_assert_eq(parse(SLICE("INVITE sip:bob@biloxi.com SIP/2.0\r\n"
                             "v: SIP/2.0/UDP pc33.atlanta.com\r\nT: <sip:bob@biloxi.com>\r\n"
                             "f: <sip:alice@atlanta.com>;tag=1\r\nI: 1\r\nCSEQ: 1 INVITE\r\n"
                             "m: <sip:alice@pc33.atlanta.com>\r\nL: 2\r\n\r\nhi")),
                 ERR_OK);
    ASSERT_TEXT(first_value(HEADER_CALL_ID), "1");
    ASSERT_TEXT(first_value(HEADER_CONTACT), "<sip:alice@pc33.atlanta.com>");
    ASSERT_TEXT(m.body, "hi");
}

Test(message, rows_of_one_name_keep_their_order)
{
    cr_assert_eq(parse(SLICE(INVITE "Require: a\r\n" MANDATORY "Via: second\r\nx: 1\r\nv: third\r\n"
                                    "Require: b\r\n\r\n")),
                 ERR_OK);
    const struct message_row *row = message_first(&m, HEADER_VIA);
    row = message_next(&m, row);
    ASSERT_TEXT(row->value, "second");
    row = message_next(&m, row);
    ASSERT_TEXT(row->value, "third");
    cr_assert_null(message_next(&m, row));
    ASSERT_TEXT(message_next(&m, message_first(&m, HEADER_REQUIRE))->value, "b");
}

static const struct {
    const char *line;
    bool request; // though a faulty one
} start_lines[] = {
    {"INVITE  sip:bob@biloxi.com SIP/2.0", true}, // RFC 4475 3.1.2.9
    {"INVITE sip:bob@biloxi.com  SIP/2.0", true},
    {"OPTIONS sip:remote-target@example.com SIP/2.0  ", true}, // RFC 4475 3.1.2.10
    {"INVITE sip:bob@biloxi.com SIP/2.0\t", true},
    {"INVITE sip:bob@biloxi.com\tSIP/2.0", true}, // one SP, says RFC 3261 7.1
    {"INVITE \tsip:bob@biloxi.com SIP/2.0", true},
    {"INVITE sip:user@example.com; lr SIP/2.0", true}, // RFC 4475 3.1.2.8
    {"INVITE sip:user@example.com;\tlr SIP/2.0", true},
    {"INVITE sip:bob@biloxi.com\r SIP/2.0", true},
    {"INVITE sip:bob@biloxi.com SIP/2.0\r", true},
    {"INVITE  SIP/2.0", true},
    {"INVITE SIP/2.0", true},
    {"INVITE\tsip:bob@biloxi.com SIP/2.0", true},
    {" INVITE sip:bob@biloxi.com SIP/2.0", true},
    {"IN<VITE sip:bob@biloxi.com SIP/2.0", true},
    {"ACK\x01 sip:bob@biloxi.com SIP/2.0", true},
    {"\xc3\xa9 sip:bob@biloxi.com SIP/2.0", true},
    {" SIP/2.0", true},
    {"INVITE sip:bob@biloxi.com", false},
    {"INVITE sip:bob@biloxi.com ", false},
    {"INVITE sip:bob@biloxi.com HTTP/1.1", false},
    {"INVITE sip:bob@biloxi.com SIP", false},
    {"INVITE", false},
    {"INVITE ", false},
    {"GET / HTTP/1.1", false},
    {"SIP/", false},
    {"\x16\x03\x01\x02", false},
    {"hello", false},
};

Test(message, faulty_start_line_is_a_faulty_request_or_garbage)
{
    for (size_t i = 0; i < LENGTH_OF(start_lines); i++) {
        char memory[512];
        struct buf b = buf_over(memory, sizeof(memory));
        buf_put(&b, text_slice(start_lines[i].line));
        buf_put(&b, SLICE("\r\n" MANDATORY "\r\n"));
        cr_expect_eq(parse(buf_slice(&b)), ERR_SYNTAX, "%s", start_lines[i].line);
        cr_expect_eq(m.kind, start_lines[i].request ? MESSAGE_REQUEST : MESSAGE_GARBAGE, "%s",
                     start_lines[i].line);
        if (start_lines[i].request && m.problem != NULL) {
            cr_expect_str_eq(m.problem, "Malformed Request-Line", "%s", start_lines[i].line);
            cr_expect(message_first(&m, HEADER_VIA) != NULL, "a 400 can be sent");
            cr_expect_neq(m.method, METHOD_ACK, "a 400 is sent");
        }
    }
}

Test(message, other_version_and_unknown_method_are_no_faults_of_form)
{
    cr_assert_eq(parse(SLICE("NEWMETHOD sip:a@b SIP/7.0\r\n" MANDATORY "\r\n")), ERR_OK);
    cr_assert_eq(m.method, METHOD_UNKNOWN);
    ASSERT_TEXT(m.method_name, "NEWMETHOD");
    ASSERT_TEXT(m.version, "SIP/7.0");
    // RFC 4475 3.1.1.2
    cr_assert_eq(
        parse(SLICE("!interesting-Method0123456789_*+`.%indeed'~ sip:a@b sip/2.0\r\n" MANDATORY
                    "\r\n")),
        ERR_OK);
    ASSERT_TEXT(m.version, "sip/2.0");
}

Test(message, empty_lines_before_the_start_line_are_ignored)
{
    cr_assert_eq(parse(SLICE("\r\n\r\n\n" REGISTER_BOB)), ERR_OK);
    cr_assert_eq(m.method, METHOD_REGISTER);
}

Test(message, keep_alives_are_garbage)
{
    cr_assert_eq(parse(SLICE("\r\n\r\n")), ERR_SYNTAX);
    cr_assert_eq(m.kind, MESSAGE_GARBAGE);
    cr_assert_eq(parse(SLICE("jaK")), ERR_SYNTAX);
    cr_assert_eq(m.kind, MESSAGE_GARBAGE);
    cr_assert_eq(parse(SLICE("\0\0\0\0")), ERR_SYNTAX);
    cr_assert_eq(parse(slice_of(NULL, 0)), ERR_SYNTAX);
    cr_assert_eq(m.kind, MESSAGE_GARBAGE);
}

Test(message, each_mandatory_header_is_missed)
{
    static const struct {
        struct slice bytes;
        const char *problem;
    } rows[] = {
        {SLICE_INIT(INVITE TO FROM CALL_ID CSEQ "\r\n"), "Missing Via Header Field"},
        {SLICE_INIT(INVITE VIA FROM CALL_ID CSEQ "\r\n"), "Missing To Header Field"},
        {SLICE_INIT(INVITE VIA TO CALL_ID CSEQ "\r\n"), "Missing From Header Field"},
        {SLICE_INIT(INVITE VIA TO FROM CALL_ID "\r\n"), "Missing CSeq Header Field"},
        {SLICE_INIT(INVITE VIA TO FROM CSEQ "\r\n"), "Missing Call-ID Header Field"},
        {SLICE_INIT(INVITE "\r\n"), "Missing Via Header Field"},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        cr_assert_eq(parse(rows[i].bytes), ERR_SYNTAX);
        cr_assert_eq(m.kind, MESSAGE_REQUEST);
        ASSERT_PROBLEM(rows[i].problem);
    }
    cr_assert_eq(parse(SLICE(INVITE MANDATORY "\r\n")), ERR_OK, "Max-Forwards may lack");
}

// RFC 4475 3.3.9
Test(message, what_may_stand_once_is_a_fault_twice)
{
    static const struct {
        const char *text;
        const char *problem;
    } rows[] = {
        {TO, "Repeated To Header Field"},
        {FROM, "Repeated From Header Field"},
        {CALL_ID, "Repeated Call-ID Header Field"},
        {CSEQ, "Repeated CSeq Header Field"},
        {"t: <sip:other@biloxi.com>\r\n", "Repeated To Header Field"},
        {"Expires: 1\r\nExpires: 1\r\n", "Repeated Expires Header Field"},
        {"Max-Forwards: 70\r\nMAX-FORWARDS: 70\r\n", "Repeated Max-Forwards Header Field"},
        {"Content-Length: 0\r\nl: 0\r\n", "Repeated Content-Length Header Field"},
        {"c: a/b\r\nContent-Type: a/b\r\n", "Repeated Content-Type Header Field"},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char memory[512];
        struct buf b = buf_over(memory, sizeof(memory));
        buf_put(&b, SLICE(INVITE MANDATORY));
        buf_put(&b, text_slice(rows[i].text));
        buf_put(&b, SLICE("\r\n"));
        cr_assert_eq(parse(buf_slice(&b)), ERR_SYNTAX, "%s", rows[i].text);
        ASSERT_PROBLEM(rows[i].problem);
    }
}

static const struct {
    const char *rows;
    const char *problem; // NULL: none
} header_rows[] = {
    {"Subject: a\r\n b\r\n\tc\r\n", NULL},
    {"Subject: a\r\n \r\n", NULL},
    {"Subject:\r\n", NULL},
    {"Subject \t : a\r\n", NULL},
    {"Subject:a\n", NULL}, // a lone LF ends a line too
    {"X-%.!*_+`'~: a\r\n", NULL},
    {"Subject: \xc3\xa9\xff\x01\r\n", NULL}, // values are not looked into
    {"Subject\r\n", "Malformed Header Field"},
    {": a\r\n", "Malformed Header Field"},
    {"Sub ject: a\r\n", "Malformed Header Field"},
    {"Sub(ject): a\r\n", "Malformed Header Field"},
    {"Subj\xc3\xa9t: a\r\n", "Malformed Header Field"},
    // HCOLON = *( SP / HTAB ) ":" SWS: only what is behind the colon may be folded
    {"Subject\r\n : a\r\n", "Malformed Header Field"},
    {"Subject\n\t: a\r\n", "Malformed Header Field"},
    {"Subject: a\rb\r\n", "Carriage Return Inside a Line"},
    {"Subject: a\r\r\n", "Carriage Return Inside a Line"},
    {"Subject: a\r\n b\rVia: evil\r\n", "Carriage Return Inside a Line"},
    {"Subject\r: a\r\n", "Carriage Return Inside a Line"},
    {"\r\r\n", "Carriage Return Inside a Line"},
};

Test(message, header_field_is_a_token_a_colon_and_anything)
{
    for (size_t i = 0; i < LENGTH_OF(header_rows); i++) {
        char memory[512];
        struct buf b = buf_over(memory, sizeof(memory));
        buf_put(&b, SLICE(INVITE));
        buf_put(&b, text_slice(header_rows[i].rows));
        buf_put(&b, SLICE(MANDATORY "\r\nbody"));
        const char *const problem = header_rows[i].problem;
        cr_expect_eq(parse(buf_slice(&b)), problem == NULL ? ERR_OK : ERR_SYNTAX, "%s",
                     header_rows[i].rows);
        cr_expect_eq(m.problem == NULL, problem == NULL, "%s", header_rows[i].rows);
        if (problem != NULL && m.problem != NULL) {
            cr_expect_str_eq(m.problem, problem, "%s", header_rows[i].rows);
        }
        cr_expect(slice_is(m.body, "body"), "the rest is read: %s", header_rows[i].rows);
        cr_expect(message_first(&m, HEADER_CSEQ) != NULL, "%s", header_rows[i].rows);
    }
}

Test(message, folded_line_first_continues_nothing)
{
    cr_assert_eq(parse(SLICE(INVITE " folded: x\r\n" MANDATORY "\r\n")), ERR_SYNTAX);
    ASSERT_PROBLEM("Malformed Header Field");
}

Test(message, header_without_its_empty_line_is_cut_short)
{
    cr_assert_eq(parse(SLICE(INVITE MANDATORY)), ERR_SYNTAX);
    ASSERT_PROBLEM("Missing Empty Line After Header");
    cr_assert_eq(parse(SLICE(INVITE MANDATORY "Subject: a")), ERR_SYNTAX);
    ASSERT_PROBLEM("Missing Empty Line After Header");
    cr_assert_eq(parse(SLICE(INVITE MANDATORY "Subject: a\r\n b")), ERR_SYNTAX);
    ASSERT_PROBLEM("Missing Empty Line After Header");
}

Test(message, line_feeds_alone_end_lines)
{
    cr_assert_eq(parse(SLICE("BYE sip:bob@biloxi.com SIP/2.0\nVia: SIP/2.0/UDP a\nTo: <sip:b@c>\n"
                             "From: <sip:a@c>;tag=1\nCall-ID: 1\nCSeq: 1 BYE\n\nbody")),
                 ERR_OK);
    ASSERT_TEXT(first_value(HEADER_CSEQ), "1 BYE");
    ASSERT_TEXT(m.body, "body");
}

// What a request must not have wrong, though nobody here asks for it.
static const struct {
    const char *row;
    const char *problem;
} values[] = {
    {"Max-Forwards: 0\r\n", NULL},
    {"Max-Forwards: 0068\r\n", NULL}, // RFC 4475 3.1.1.1
    {"Max-Forwards: 300\r\n", NULL},  // RFC 4475 3.1.2.4: as if it were absent
    {"Max-Forwards: 36893488147419103232\r\n", NULL},
    {"Max-Forwards: -1\r\n", "Malformed Max-Forwards"},
    {"Max-Forwards: 300x\r\n", "Malformed Max-Forwards"},
    {"Max-Forwards: 70, 70\r\n", "Malformed Max-Forwards"},
    {"Max-Forwards:\r\n", "Malformed Max-Forwards"},
    // RFC 3261 8.2.2: a server ignores what it does not need
    {"Date: Fri, 01 Jan 2010 16:00:00 EST\r\n", NULL}, // RFC 4475 3.1.2.12
    {"Content-Type: ;\r\n", NULL},
    {"Content-Disposition: ;\r\n", NULL},
};

Test(message, values_that_nobody_asks_for_are_checked)
{
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        char memory[512];
        struct buf b = buf_over(memory, sizeof(memory));
        buf_put(&b, SLICE(INVITE MANDATORY));
        buf_put(&b, text_slice(values[i].row));
        buf_put(&b, SLICE("\r\n"));
        const enum err e = parse(buf_slice(&b));
        cr_assert_eq(e, values[i].problem == NULL ? ERR_OK : ERR_SYNTAX, "%s", values[i].row);
        if (values[i].problem != NULL) {
            ASSERT_PROBLEM(values[i].problem);
        }
    }
}

static const struct {
    const char *rows;
    const char *body;    // as taken
    const char *problem; // NULL: none
} bodies[] = {
    {"", "0123456789", NULL}, // to the end of the datagram
    {"Content-Length: 10\r\n", "0123456789", NULL},
    {"Content-Length: 4\r\n", "0123", NULL}, // RFC 3261 18.3: the rest is discarded
    {"l:0\r\n", "", NULL},
    {"Content-Length: 0000000000000000000004\r\n", "0123", NULL},
    {"Content-Length:\r\n 4\r\n", "0123", NULL},
    {"Content-Length: 11\r\n", "0123456789", "Content-Length Exceeds Message"},
    {"Content-Length: 9999\r\n", "0123456789", "Content-Length Exceeds Message"},
    {"Content-Length: 65535\r\n", "0123456789", "Content-Length Exceeds Message"},
    {"Content-Length: 65536\r\n", "0123456789", "Content-Length Exceeds Message"},
    {"Content-Length: 18446744073709551620\r\n", "0123456789", "Content-Length Exceeds Message"},
    {"Content-Length: 18446744073709551620x\r\n", "0123456789", "Malformed Content-Length"},
    {"Content-Length: -999\r\n", "0123456789", "Malformed Content-Length"}, // RFC 4475 3.1.2.3
    {"Content-Length: +4\r\n", "0123456789", "Malformed Content-Length"},
    {"Content-Length: 4 4\r\n", "0123456789", "Malformed Content-Length"},
    {"Content-Length: 4,4\r\n", "0123456789", "Malformed Content-Length"},
    {"Content-Length: 0x4\r\n", "0123456789", "Malformed Content-Length"},
    {"Content-Length: four\r\n", "0123456789", "Malformed Content-Length"},
    {"Content-Length:\r\n", "0123456789", "Malformed Content-Length"},
};

Test(message, body_is_what_content_length_says)
{
    for (size_t i = 0; i < LENGTH_OF(bodies); i++) {
        char memory[512];
        struct buf b = buf_over(memory, sizeof(memory));
        buf_put(&b, SLICE(INVITE MANDATORY));
        buf_put(&b, text_slice(bodies[i].rows));
        buf_put(&b, SLICE("\r\n0123456789"));
        const enum err e = parse(buf_slice(&b));
        cr_assert_eq(e, bodies[i].problem == NULL ? ERR_OK : ERR_SYNTAX, "%s", bodies[i].rows);
        ASSERT_TEXT(m.body, bodies[i].body);
        if (bodies[i].problem != NULL) {
            ASSERT_PROBLEM(bodies[i].problem);
        }
    }
}

Test(message, first_fault_is_the_one_reported)
{
    cr_assert_eq(parse(SLICE("INVITE  sip:a@b SIP/2.0\r\nbad\r\nContent-Length: x\r\n\r\n")),
                 ERR_SYNTAX);
    ASSERT_PROBLEM("Malformed Request-Line");
    cr_assert_eq(parse(SLICE(INVITE "bad\r\nContent-Length: x\r\n\r\n")), ERR_SYNTAX);
    ASSERT_PROBLEM("Malformed Header Field");
    cr_assert_eq(parse(SLICE(REGISTER_BOB)), ERR_OK);
    cr_assert_null(m.problem, "nothing is left of the message before");
}

// As many rows of that name, and then the mandatory ones.
static enum err parse_rows(const char *name, unsigned count)
{
    static char memory[32768];
    struct buf b = buf_over(memory, sizeof(memory));
    buf_put(&b, SLICE(INVITE));
    for (unsigned i = 0; i < count; i++) {
        buf_put(&b, text_slice(name));
        buf_put(&b, SLICE(": "));
        buf_put_u64(&b, i);
        buf_put(&b, SLICE("\r\n"));
    }
    buf_put(&b, SLICE(MANDATORY "\r\n"));
    cr_assert(buf_ok(&b));
    return parse(buf_slice(&b));
}

Test(message, rows_beyond_the_limit_are_a_fault_that_can_be_answered)
{
    cr_assert_eq(parse_rows("Contact", HEADER_ROWS_MAX - 5), ERR_OK);
    cr_assert_eq(m.row_count, HEADER_ROWS_MAX);
    cr_assert_eq(parse_rows("Contact", HEADER_ROWS_MAX + 1), ERR_SYNTAX);
    cr_assert_eq(m.kind, MESSAGE_REQUEST);
    ASSERT_PROBLEM("Too Many Header Fields");
    ASSERT_TEXT(first_value(HEADER_CSEQ), "314159 INVITE"); // what an answer needs has its place
    cr_assert_not(m.via_lost);
    cr_assert_eq(parse_rows("Contact", 1000), ERR_SYNTAX);
}

Test(message, rows_that_nobody_reads_may_be_any_number)
{
    cr_assert_eq(parse_rows("X", 1000), ERR_OK);
    cr_assert_eq(m.row_count, 5);
}

Test(message, lost_via_is_told)
{
    cr_assert_eq(parse_rows("Via", UINT8_MAX), ERR_OK); // as many hops as there may be
    cr_assert_not(m.via_lost);
    cr_assert_eq(parse_rows("Via", HEADER_ROWS_MAX + 1), ERR_SYNTAX);
    cr_assert(m.via_lost);
    cr_assert_eq(parse(SLICE(INVITE "Via: SIP/2.0/UDP a\r;x\r\n" MANDATORY "\r\n")), ERR_SYNTAX);
    cr_assert(m.via_lost);
    cr_assert_eq(parse(SLICE(INVITE "v SIP/2.0/UDP a\r\n" MANDATORY "\r\n")), ERR_SYNTAX);
    cr_assert(m.via_lost);
    cr_assert_eq(parse(SLICE(INVITE MANDATORY "bad\r\n\r\n")), ERR_SYNTAX);
    cr_assert_not(m.via_lost);
}

Test(message, cut_at_any_byte_is_never_whole_and_never_read_beyond)
{
    const struct slice whole = SLICE(WSINV_HEADER WSINV_BODY);
    const struct guard guard = guard_create(whole.len);
    for (size_t len = 0; len < whole.len; len++) {
        const enum err e = parse(guard_copy(guard, slice_of(whole.at, len)));
        if (e != ERR_SYNTAX) {
            cr_assert_fail("%zu bytes of %zu pass", len, whole.len);
        }
        if (m.kind == MESSAGE_REQUEST) {
            cr_assert(slice_is(m.method_name, "INVITE"));
        }
    }
    cr_assert_eq(parse(guard_copy(guard, whole)), ERR_OK);
}

Test(message, longest_datagram_is_read)
{
    static char memory[MESSAGE_BYTES_MAX];
    const struct slice head = SLICE(INVITE MANDATORY "\r\n");
    memset(memory, 'x', sizeof(memory));
    memcpy(memory, head.at, head.len);
    cr_assert_eq(parse(slice_of(memory, sizeof(memory))), ERR_OK);
    cr_assert_eq(m.body.len, sizeof(memory) - head.len);
    memset(memory, '\n', sizeof(memory));
    cr_assert_eq(parse(slice_of(memory, sizeof(memory))), ERR_SYNTAX);
}

Test(message, any_bytes_give_a_sane_result)
{
    const struct slice whole = SLICE(WSINV_HEADER WSINV_BODY);
    const struct guard guard = guard_create(whole.len);
    static const char special[] = "\r\n \t:,;/\"<>\0\xff";
    uint64_t random = 1;
    for (unsigned round = 0; round < 20000; round++) {
        const struct slice bytes = guard_copy(guard, whole);
        char *const at = guard.end - whole.len;
        const bool noise = round % 4 == 0;
        for (unsigned i = 0; i < (noise ? whole.len : 1 + round % 7); i++) {
            const uint64_t r = next_random(&random);
            const size_t where = noise ? i : (size_t)(r >> 32) % whole.len;
            at[where] = (r & 1) != 0 ? special[r / 2 % (sizeof(special) - 1)] : (char)(r >> 8);
        }
        const enum err e = message_parse(bytes, &m);
        const char *const fault = insane(bytes, e);
        if (fault != NULL) {
            cr_assert_fail("round %u: %s", round, fault);
        }
    }
}
