// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/message.h"

#include "signpost/base/scan.h"
#include "signpost/sip/chars.h"
#include "signpost/sip/fields.h"

// The header fields met so far.
struct seen {
    uint32_t once;               // bit 1 << id: there is a row
    uint32_t again;              // there are more
    uint16_t last[HEADER_COUNT]; // row number of the last one, if there is any
};

static_assert(HEADER_COUNT <= 32, "one bit a header field");

static enum err parse_start_line(struct slice line, bool bare_cr, struct message *m);
static enum err parse_odd_start_line(struct slice line, size_t method_len, struct message *m);
static void parse_header(struct slice *rest, struct message *m, struct seen *seen);
static void check_header(struct message *m, const struct seen *seen);
static void check_values(struct message *m);
static void measure_body(struct slice rest, struct message *m);

// The first fault is the one reported.
static void fault(struct message *m, const char *problem)
{
    if (m->problem == NULL) {
        m->problem = problem;
    }
}

// Where a line ends, and where what follows it begins: before and behind its CRLF, or a lone LF,
// which will do as well.
struct line_end {
    size_t at; // length of the whole text when no line end comes
    size_t next;
};

// For find_line_end, when the first CR or LF, at `n`, is no CRLF.
static struct line_end find_odd_line_end(struct slice s, size_t n, bool *bare_cr)
{
    while (n < s.len && s.at[n] == '\r' && (n + 1 == s.len || s.at[n + 1] != '\n')) {
        *bare_cr = true;
        n += 1 + scan_either(slice_from(s, n + 1), '\r', '\n');
    }
    const bool crlf = n < s.len && s.at[n] == '\r';
    return (struct line_end){.at = n, .next = n + (crlf ? 2 : 1)};
}

// *bare_cr is set when a CR stands before the line's end that belongs to no line end.
static inline struct line_end find_line_end(struct slice s, bool *bare_cr)
{
    const size_t n = scan_either(s, '\r', '\n');
    if (s.len - n < 2 || memcmp(s.at + n, "\r\n", 2) != 0) {
        return find_odd_line_end(s, n, bare_cr);
    }
    return (struct line_end){.at = n, .next = n + 2};
}

enum err message_parse(struct slice bytes, struct message *m)
{
    struct seen seen;
    bool bare_cr = false;
    m->kind = MESSAGE_GARBAGE;
    m->method = METHOD_UNKNOWN;
    m->problem = NULL;
    m->via_lost = false;
    m->row_count = 0;
    m->body = slice_of(NULL, 0);
    static_assert(MESSAGE_NO_ROW == 0xffff, "two bytes of 0xff");
    memset(m->first, 0xff, sizeof(m->first));

    // RFC 3261 7.5: empty lines before the start line are ignored.
    while (bytes.len > 0 && (bytes.at[0] == '\r' || bytes.at[0] == '\n')) {
        bytes = slice_from(bytes, 1);
    }
    const struct line_end end = find_line_end(bytes, &bare_cr);
    if (end.at == bytes.len || parse_start_line(slice_of(bytes.at, end.at), bare_cr, m) != ERR_OK) {
        return ERR_SYNTAX;
    }
    bytes = slice_from(bytes, end.next);
    parse_header(&bytes, m, &seen);
    check_header(m, &seen);
    check_values(m);
    measure_body(bytes, m);
    return m->problem == NULL ? ERR_OK : ERR_SYNTAX;
}

static bool begins_with_sip(struct slice s)
{
    return s.len > 4 && slice_equal_nocase(slice_of(s.at, 4), SLICE("SIP/"));
}

// RFC 3261 7.1: Method SP Request-URI SP SIP-Version, to the letter.
static enum err parse_start_line(struct slice line, bool bare_cr, struct message *m)
{
    static const struct slice version = SLICE_INIT("SIP/2.0");

    const size_t method_len = chars_span(CHARS_TOKEN, line);
    const struct slice rest = slice_from(line, method_len + 1);
    const size_t uri_len = scan_either(rest, ' ', '\t');
    if (bare_cr || method_len == 0 || uri_len == 0 || line.at[method_len] != ' ' ||
        rest.len != uri_len + 1 + version.len || rest.at[uri_len] != ' ' ||
        memcmp(rest.at + uri_len + 1, version.at, version.len) != 0) {
        return parse_odd_start_line(line, method_len, m);
    }
    m->kind = MESSAGE_REQUEST;
    m->method_name = slice_of(line.at, method_len);
    m->method = method_of(m->method_name);
    m->uri = slice_of(rest.at, uri_len);
    m->version = slice_of(rest.at + uri_len + 1, version.len);
    return ERR_OK;
}

// What is not so. A line that ends in a SIP version is taken for a request's, even if the method is
// no token or there is more white space than allowed, so that its sender learns what is wrong.
static enum err parse_odd_start_line(struct slice line, size_t method_len, struct message *m)
{
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

static inline bool blank_at(struct slice s, size_t n)
{
    return n < s.len && (unsigned char)s.at[n] <= ' ' && (s.at[n] == ' ' || s.at[n] == '\t');
}

// The line is folded (RFC 3261 7.3.1): the end of the last of its lines.
static struct line_end find_folded_end(struct slice s, struct line_end end, bool *bare_cr)
{
    while (blank_at(s, end.next)) {
        bool bare = false;
        const struct line_end more = find_line_end(slice_from(s, end.next), &bare);
        if (end.next + more.at == s.len) {
            break;
        }
        *bare_cr = *bare_cr || bare;
        end = (struct line_end){.at = end.next + more.at, .next = end.next + more.next};
    }
    return end;
}

// False when there is no room for the row. A first one of its kind always finds some, so that an
// answer can carry what it must.
static bool add_row(struct message *m, struct seen *seen, enum header id, struct slice value)
{
    const uint32_t bit = UINT32_C(1) << id;
    const bool first = (seen->once & bit) == 0;
    if (m->row_count >= HEADER_ROWS_MAX && !first) {
        return false;
    }
    const uint16_t n = m->row_count++;
    m->rows[n] = (struct message_row){.value = value, .id = id, .next = MESSAGE_NO_ROW};
    if (first) {
        m->first[id] = n;
        seen->once |= bit;
    } else {
        m->rows[seen->last[id]].next = n;
        seen->again |= bit;
    }
    seen->last[id] = n;
    return true;
}

static void parse_row(struct message *m, struct seen *seen, struct slice line, bool bare_cr)
{
    size_t colon = 0;
    enum header id = header_at(line, &colon);
    bool named = true;
    if (id == HEADER_OTHER) {
        // HCOLON allows white space before the colon, but no folding there (RFC 3261 25.1).
        const size_t name_len = chars_span(CHARS_TOKEN, line);
        colon = name_len;
        while (colon < line.len && (line.at[colon] == ' ' || line.at[colon] == '\t')) {
            colon++;
        }
        named = name_len > 0 && colon < line.len && line.at[colon] == ':';
        id = header_of(slice_of(line.at, name_len));
    }
    const char *problem = NULL;
    if (bare_cr) {
        // What is echoed must not look like a line end to a laxer parser.
        problem = "Carriage Return Inside a Line";
    } else if (!named) {
        problem = "Malformed Header Field";
    } else if (id != HEADER_OTHER &&
               !add_row(m, seen, id, slice_trim(slice_from(line, colon + 1)))) {
        problem = "Too Many Header Fields";
    }
    if (problem != NULL) {
        fault(m, problem);
        m->via_lost = m->via_lost || id == HEADER_VIA;
    }
}

// Header rows up to and including the empty line. Afterwards `rest` is what follows it.
static void parse_header(struct slice *rest, struct message *m, struct seen *seen)
{
    struct slice s = *rest;
    seen->once = 0;
    seen->again = 0;
    for (;;) {
        bool bare_cr = false;
        struct line_end end = find_line_end(s, &bare_cr);
        if (end.at == s.len) {
            fault(m, "Missing Empty Line After Header");
            break;
        }
        if (end.at > 0 && blank_at(s, end.next)) {
            end = find_folded_end(s, end, &bare_cr);
        }
        const struct slice line = slice_of(s.at, end.at);
        s = slice_of(s.at + end.next, s.len - end.next);
        if (slice_empty(line)) {
            break;
        }
        parse_row(m, seen, line, bare_cr);
    }
    *rest = s;
}

static void tell_header_fault(struct message *m)
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

// RFC 3261 8.1.1, 7.3.1: what must be there, and what only once.
static void check_header(struct message *m, const struct seen *seen)
{
    static const uint32_t mandatory = UINT32_C(1) << HEADER_VIA | UINT32_C(1) << HEADER_TO |
                                      UINT32_C(1) << HEADER_FROM | UINT32_C(1) << HEADER_CSEQ |
                                      UINT32_C(1) << HEADER_CALL_ID;
    static const uint32_t single = 0
#define X(id, name, compact, once) | (uint32_t)(once) << HEADER_##id
        HEADERS(X)
#undef X
        ;

    if ((seen->once & mandatory) != mandatory || (seen->again & single) != 0) {
        tell_header_fault(m);
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
