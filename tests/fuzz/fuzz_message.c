// SPDX-License-Identifier: Apache-2.0
// One datagram through message_parse: what it says about the rows is true, and a message made of
// the rows that it kept has the same rows.
#include "signpost/base/buf.h"
#include "signpost/sip/chars.h"
#include "signpost/sip/message.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

// What a response echoes: inside the input, trimmed, and no line end but where it is folded.
static void check_value(struct slice value, struct slice input)
{
    assert(within(value, input) && same(slice_trim(value), value));
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] == '\r') {
            assert(i + 1 < value.len && value.at[i + 1] == '\n');
        } else if (value.at[i] == '\n') {
            assert(i + 1 < value.len && (value.at[i + 1] == ' ' || value.at[i + 1] == '\t'));
        }
    }
}

// Each row is in the chain of its kind, which goes forward and begins at its first one.
static void check_rows(const struct message *m, struct slice input)
{
    size_t reached = 0;
    assert(m->row_count <= HEADER_ROWS_MAX + HEADER_COUNT);
    for (unsigned id = 0; id < HEADER_COUNT; id++) {
        const struct message_row *before = NULL;
        const struct message_row *row = message_first(m, (enum header)id);
        for (; row != NULL; row = message_next(m, row)) {
            assert(row < m->rows + m->row_count && (before == NULL || before < row));
            assert(row->id == (enum header)id && row->id != HEADER_OTHER);
            check_value(row->value, input);
            before = row;
            reached++;
        }
    }
    assert(reached == m->row_count);
}

static void check_problem(const struct message *m)
{
    const struct slice problem =
        m->problem == NULL ? slice_of(NULL, 0) : slice_of(m->problem, strlen(m->problem));
    for (size_t i = 0; i < problem.len; i++) {
        assert(problem.at[i] >= ' ' && problem.at[i] < 0x7f);
    }
}

static void check_request(const struct message *m, enum err e, struct slice input)
{
    assert(within(m->method_name, input) && within(m->uri, input) && within(m->version, input));
    assert(chars_all(CHARS_TOKEN, m->method_name));
    assert(slice_equal_nocase(slice_of(m->version.at, 4), SLICE("SIP/")));
    if (e == ERR_OK) {
        assert(m->method_name.len > 0 && m->method == method_of(m->method_name));
        assert(m->uri.len > 0 && slice_find(m->uri, ' ') == m->uri.len);
    } else {
        assert(m->method == METHOD_UNKNOWN || m->method == method_of(m->method_name));
    }
}

// Each mandatory header, and none twice that may stand only once (RFC 3261 8.1.1).
static void check_faultless(const struct message *m)
{
    static const enum header mandatory[] = {HEADER_VIA, HEADER_TO, HEADER_FROM, HEADER_CALL_ID,
                                            HEADER_CSEQ};

    assert(!m->via_lost);
    for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++) {
        assert(message_first(m, mandatory[i]) != NULL);
    }
    for (unsigned i = 0; i < m->row_count; i++) {
        assert(!header_once(m->rows[i].id) || m->rows[i].next == MESSAGE_NO_ROW);
    }
    const struct message_row *const length = message_first(m, HEADER_CONTENT_LENGTH);
    uint64_t bytes;
    assert(length == NULL ||
           (slice_to_u64(length->value, MESSAGE_BYTES_MAX, &bytes) && bytes == m->body.len));
}

static void check_result(const struct message *m, enum err e, struct slice input)
{
    assert((e == ERR_OK) == (m->problem == NULL && m->kind != MESSAGE_GARBAGE));
    assert(m->kind != MESSAGE_GARBAGE || m->row_count == 0);
    assert(within(m->body, input));
    check_problem(m);
    if (m->kind == MESSAGE_REQUEST) {
        check_request(m, e, input);
    }
    if (e == ERR_OK) {
        check_faultless(m);
    }
}

// Whatever stood in the struct before, the same comes out.
static void check_again(const struct message *m, enum err e, struct slice input)
{
    static struct message again;
    memset(&again, 0xa5, sizeof(again));
    const enum err other = message_parse(input, &again);
    assert(other == e && again.kind == m->kind && again.method == m->method);
    assert(again.problem == m->problem && again.via_lost == m->via_lost);
    assert(same(again.body, m->body) && again.row_count == m->row_count);
    assert(memcmp(again.first, m->first, sizeof(m->first)) == 0);
    for (unsigned i = 0; i < m->row_count; i++) {
        assert(again.rows[i].id == m->rows[i].id && again.rows[i].next == m->rows[i].next);
        assert(same(again.rows[i].value, m->rows[i].value));
    }
    if (m->kind == MESSAGE_REQUEST) {
        assert(same(again.method_name, m->method_name) && same(again.uri, m->uri));
        assert(same(again.version, m->version));
    }
}

// Of what is no request line the parts do not make one.
static bool has_request_line(const struct message *m)
{
    return m->kind == MESSAGE_REQUEST &&
           (m->problem == NULL || strcmp(m->problem, "Malformed Request-Line") != 0);
}

static void put_message(struct buf *b, const struct message *m)
{
    if (has_request_line(m)) {
        buf_put(b, m->method_name);
        buf_put_char(b, ' ');
        buf_put(b, m->uri);
        buf_put_char(b, ' ');
        buf_put(b, m->version);
    } else {
        buf_put(b, SLICE("SIP/2.0 200 OK"));
    }
    buf_put(b, SLICE("\r\n"));
    for (unsigned i = 0; i < m->row_count; i++) {
        buf_put(b, header_name(m->rows[i].id));
        buf_put(b, SLICE(": "));
        buf_put(b, m->rows[i].value);
        buf_put(b, SLICE("\r\n"));
    }
    buf_put(b, SLICE("\r\n"));
    buf_put(b, m->body);
}

static void check_rebuilt(const struct message *m, enum err e)
{
    static struct message again;
    static char bytes[MESSAGE_BYTES_MAX + (HEADER_ROWS_MAX + HEADER_COUNT) * 32];
    struct buf b = buf_over(bytes, sizeof(bytes));
    put_message(&b, m);
    assert(buf_ok(&b));
    const enum err other = message_parse(buf_slice(&b), &again);
    assert(again.row_count == m->row_count);
    assert(memcmp(again.first, m->first, sizeof(m->first)) == 0);
    for (unsigned i = 0; i < m->row_count; i++) {
        assert(again.rows[i].id == m->rows[i].id && again.rows[i].next == m->rows[i].next);
        assert(slice_equal(again.rows[i].value, m->rows[i].value));
    }
    if (e == ERR_OK) {
        assert(other == ERR_OK && again.kind == m->kind && slice_equal(again.body, m->body));
    }
    if (has_request_line(m)) {
        assert(again.kind == MESSAGE_REQUEST && again.method == m->method);
        assert(slice_equal(again.method_name, m->method_name));
        assert(slice_equal(again.uri, m->uri) && slice_equal(again.version, m->version));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct message m;
    const struct slice input = guarded(0, data, size);
    const enum err e = message_parse(input, &m);
    check_result(&m, e, input);
    check_rows(&m, input);
    check_again(&m, e, input);
    if (m.kind != MESSAGE_GARBAGE) {
        check_rebuilt(&m, e);
    }
    return 0;
}
