// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/message.h"

#include "signpost/sip/chars.h"
#include "signpost/sip/fields.h"

static enum err parse_start_line(struct slice line, struct message *m);
static void parse_header(struct slice *rest, struct message *m);
static void check_header(struct message *m);
static void check_values(struct message *m);
static void measure_body(struct slice rest, struct message *m);

// The first fault is the one reported.
static void fault(struct message *m, const char *problem)
{
    if (m->problem == NULL) {
        m->problem = problem;
    }
}

// Cuts the next line off `rest`, without its CRLF (a lone LF will do as well). False when no line
// end follows.
static bool next_line(struct slice *rest, struct slice *line)
{
    const size_t lf = slice_find(*rest, '\n');
    if (lf == rest->len) {
        return false;
    }
    const bool cr = lf > 0 && rest->at[lf - 1] == '\r';
    *line = slice_of(rest->at, cr ? lf - 1 : lf);
    *rest = slice_from(*rest, lf + 1);
    return true;
}

enum err message_parse(struct slice bytes, struct message *m)
{
    struct slice line;
    m->kind = MESSAGE_GARBAGE;
    m->method = METHOD_UNKNOWN;
    m->problem = NULL;
    m->via_lost = false;
    m->row_count = 0;
    m->body = slice_of(NULL, 0);
    for (unsigned i = 0; i < HEADER_COUNT; i++) {
        m->first[i] = MESSAGE_NO_ROW;
    }

    // RFC 3261 7.5: empty lines before the start line are ignored.
    while (bytes.len > 0 && (bytes.at[0] == '\r' || bytes.at[0] == '\n')) {
        bytes = slice_from(bytes, 1);
    }
    if (!next_line(&bytes, &line) || parse_start_line(line, m) != ERR_OK) {
        return ERR_SYNTAX;
    }
    parse_header(&bytes, m);
    check_header(m);
    check_values(m);
    measure_body(bytes, m);
    return m->problem == NULL ? ERR_OK : ERR_SYNTAX;
}

static bool begins_with_sip(struct slice s)
{
    return s.len > 4 && slice_equal_nocase(slice_of(s.at, 4), SLICE("SIP/"));
}

// RFC 3261 7.1: Method SP Request-URI SP SIP-Version. A line that ends in a SIP version is taken
// for a request's, even if the method is no token or there is more white space than allowed, so
// that its sender learns what is wrong.
static enum err parse_start_line(struct slice line, struct message *m)
{
    const size_t method_len = chars_span(CHARS_TOKEN, line);
    if (begins_with_sip(line)) {
        m->kind = MESSAGE_RESPONSE;
        return ERR_OK;
    }
    const struct slice rest = slice_trim(slice_from(line, method_len));
    size_t space = rest.len;
    while (space > 0 && rest.at[space - 1] != ' ' && rest.at[space - 1] != '\t') {
        space--;
    }
    const struct slice version = slice_from(rest, space);
    if (!begins_with_sip(version)) {
        return ERR_SYNTAX;
    }
    m->kind = MESSAGE_REQUEST;
    m->method_name = slice_of(line.at, method_len);
    // What stands at the front of something longer is no method.
    m->method = line.at[method_len] == ' ' ? method_of(m->method_name) : METHOD_UNKNOWN;
    m->version = version;
    m->uri = slice_trim(slice_of(rest.at, space));
    if (method_len == 0 || line.at[method_len] != ' ' || slice_empty(m->uri) ||
        method_len + 1 + m->uri.len + 1 + version.len != line.len || *slice_end(m->uri) != ' ' ||
        slice_find(m->uri, ' ') < m->uri.len || slice_find(m->uri, '\t') < m->uri.len) {
        fault(m, "Malformed Request-Line");
    }
    return ERR_OK;
}

// Extends `line` over the folded lines that follow it (RFC 3261 7.3.1).
static void unfold(struct slice *rest, struct slice *line)
{
    struct slice more;
    while (rest->len > 0 && (rest->at[0] == ' ' || rest->at[0] == '\t') && next_line(rest, &more)) {
        *line = slice_between(line->at, slice_end(more));
    }
}

static bool bare_cr(struct slice line)
{
    size_t cr = slice_find(line, '\r');
    while (cr < line.len) {
        if (cr + 1 == line.len || line.at[cr + 1] != '\n') {
            return true;
        }
        line = slice_from(line, cr + 1);
        cr = slice_find(line, '\r');
    }
    return false;
}

// What is wrong with a header line, or NULL.
static const char *line_problem(struct slice line, struct slice name, size_t colon)
{
    // What is echoed must not look like a line end to a laxer parser.
    if (bare_cr(line)) {
        return "Carriage Return Inside a Line";
    }
    // HCOLON allows white space before the colon, but no folding there (RFC 3261 25.1).
    const struct slice gap = slice_between(slice_end(name), line.at + colon);
    if (colon == line.len || slice_empty(name) || !slice_empty(slice_trim(gap)) ||
        slice_find(gap, '\n') < gap.len) {
        return "Malformed Header Field";
    }
    return NULL;
}

// False when there is no room for the row. A first one of its kind always finds some, so that an
// answer can carry what it must.
static bool add_row(struct message *m, uint16_t last[static HEADER_COUNT], enum header id,
                    struct slice value)
{
    const bool first = m->first[id] == MESSAGE_NO_ROW;
    if (m->row_count >= HEADER_ROWS_MAX && !first) {
        return false;
    }
    const uint16_t n = m->row_count++;
    m->rows[n] = (struct message_row){.value = value, .id = id, .next = MESSAGE_NO_ROW};
    if (first) {
        m->first[id] = n;
    } else {
        m->rows[last[id]].next = n;
    }
    last[id] = n;
    return true;
}

static void parse_row(struct message *m, uint16_t last[static HEADER_COUNT], struct slice line)
{
    const size_t colon = slice_find(line, ':');
    const struct slice name = slice_of(line.at, chars_span(CHARS_TOKEN, line));
    const enum header id = header_of(name);
    const char *problem = line_problem(line, name, colon);
    if (problem == NULL && id != HEADER_OTHER &&
        !add_row(m, last, id, slice_trim(slice_from(line, colon + 1)))) {
        problem = "Too Many Header Fields";
    }
    if (problem != NULL) {
        fault(m, problem);
        m->via_lost = m->via_lost || id == HEADER_VIA;
    }
}

// Header rows up to and including the empty line. Afterwards `rest` is what follows it.
static void parse_header(struct slice *rest, struct message *m)
{
    uint16_t last[HEADER_COUNT];
    struct slice line;
    while (next_line(rest, &line)) {
        if (slice_empty(line)) {
            return;
        }
        unfold(rest, &line);
        parse_row(m, last, line);
    }
    fault(m, "Missing Empty Line After Header");
}

static void check_header(struct message *m)
{
    static const struct {
        enum header id;
        const char *problem;
    } mandatory[] = {
        {HEADER_VIA, "Missing Via Header Field"},
        {HEADER_TO, "Missing To Header Field"},
        {HEADER_FROM, "Missing From Header Field"},
        {HEADER_CSEQ, "Missing CSeq Header Field"},
        {HEADER_CALL_ID, "Missing Call-ID Header Field"},
    };

    static const char *const repeated[] = {
#define X(id, name, compact, once) "Repeated " name " Header Field",
        HEADERS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(mandatory) / sizeof(mandatory[0]); i++) {
        if (m->first[mandatory[i].id] == MESSAGE_NO_ROW) {
            fault(m, mandatory[i].problem);
        }
    }
    for (unsigned i = 0; i < HEADER_OTHER; i++) {
        const struct message_row *row = message_first(m, (enum header)i);
        if (row != NULL && row->next != MESSAGE_NO_ROW && header_once(row->id)) {
            fault(m, repeated[i]);
        }
    }
}

// The header fields that nobody asks for later, but that a request must not have wrong.
static void check_values(struct message *m)
{
    const struct message_row *const hops = message_first(m, HEADER_MAX_FORWARDS);
    if (hops != NULL && !max_forwards_well_formed(hops->value)) {
        fault(m, "Malformed Max-Forwards");
    }
}

// RFC 3261 18.3: over UDP bytes beyond Content-Length are discarded, and fewer are an error.
// Without the header field the body ends with the datagram.
static void measure_body(struct slice rest, struct message *m)
{
    const struct message_row *row = message_first(m, HEADER_CONTENT_LENGTH);
    uint64_t length = 0;
    m->body = rest;
    if (row == NULL) {
        return;
    }
    // The maximum is what remains of a number above it, and longer than any message.
    if (!slice_to_u64(row->value, MESSAGE_BYTES_MAX, &length) && length != MESSAGE_BYTES_MAX) {
        fault(m, "Malformed Content-Length");
    } else if (length > rest.len) {
        fault(m, "Content-Length Exceeds Message");
    } else {
        m->body.len = (size_t)length;
    }
}

const struct message_row *message_first(const struct message *m, enum header id)
{
    return m->first[id] == MESSAGE_NO_ROW ? NULL : &m->rows[m->first[id]];
}

const struct message_row *message_next(const struct message *m, const struct message_row *row)
{
    return row->next == MESSAGE_NO_ROW ? NULL : &m->rows[row->next];
}
