// SPDX-License-Identifier: Apache-2.0
#include "sipflood/answer.h"

// Takes a header field with its folded continuation lines off the text, without the final CRLF.
// False when there is no CRLF any more.
static bool next_line(struct slice *text, struct slice *line)
{
    size_t from = 0;
    for (;;) {
        const size_t lf = from + slice_find(slice_from(*text, from), '\n');
        if (lf >= text->len || lf == 0 || text->at[lf - 1] != '\r') {
            return false;
        }
        const bool folded =
            lf > 1 && lf + 1 < text->len && (text->at[lf + 1] == ' ' || text->at[lf + 1] == '\t');
        if (!folded) {
            *line = slice_of(text->at, lf - 1);
            *text = slice_from(*text, lf + 1);
            return true;
        }
        from = lf + 1;
    }
}

// "SIP/2.0 200 OK", or "METHOD uri SIP/2.0" which leaves the status at none.
static bool parse_start_line(struct slice line, unsigned *status)
{
    static const struct slice version = SLICE_INIT("SIP/2.0");
    uint64_t code;
    *status = ANSWER_STATUS_NONE;
    if (line.len < version.len + 2) {
        return false;
    }
    if (!slice_equal(slice_of(line.at, version.len), version)) {
        const struct slice tail = slice_from(line, line.len - version.len);
        return slice_equal(tail, version) && line.at[line.len - version.len - 1] == ' ';
    }
    const struct slice rest = slice_from(line, version.len);
    if (rest.len < 5 || rest.at[0] != ' ' || rest.at[4] != ' ' ||
        !slice_to_u64(slice_of(rest.at + 1, 3), 699, &code) || code < 100) {
        return false;
    }
    *status = (unsigned)code;
    return true;
}

static bool name_is(struct slice name, struct slice full, char compact)
{
    return slice_equal_nocase(name, full) || (name.len == 1 && ascii_lower(name.at[0]) == compact);
}

static bool set_once(struct slice *field, struct slice value)
{
    if (!slice_empty(*field) || slice_empty(value)) {
        return false;
    }
    *field = value;
    return true;
}

static bool add_contact(struct answer *out, struct slice value)
{
    if (out->contact_fields == ANSWER_CONTACT_FIELDS_MAX) {
        return false;
    }
    out->contacts[out->contact_fields++] = value;
    return true;
}

static bool add_challenge(struct answer *out, struct slice value)
{
    if (out->challenge_fields == ANSWER_CHALLENGES_MAX) {
        return false;
    }
    out->challenges[out->challenge_fields++] = value;
    return true;
}

struct reading {
    struct answer *answer;
    uint64_t content_bytes; // UINT64_MAX until a Content-Length is seen
};

static bool take_field(struct reading *r, struct slice name, struct slice value)
{
    // The first letter decides which names to compare at all.
    switch (ascii_lower(name.at[0])) {
    case 'v':
        if (name_is(name, SLICE("Via"), 'v') && slice_empty(r->answer->via)) {
            r->answer->via = value;
        }
        return true;
    case 'f': return !name_is(name, SLICE("From"), 'f') || set_once(&r->answer->from, value);
    case 't': return !name_is(name, SLICE("To"), 't') || set_once(&r->answer->to, value);
    case 'i': return !name_is(name, SLICE("Call-ID"), 'i') || set_once(&r->answer->call_id, value);
    case 'w':
        return !slice_equal_nocase(name, SLICE("WWW-Authenticate")) ||
               add_challenge(r->answer, value);
    case 'p':
        return !slice_equal_nocase(name, SLICE("Proxy-Authenticate")) ||
               add_challenge(r->answer, value);
    case 'r':
        if (slice_equal_nocase(name, SLICE("Retry-After"))) {
            r->answer->retry_after = value;
        }
        return true;
    case 'm': return !name_is(name, SLICE("Contact"), 'm') || add_contact(r->answer, value);
    case 'l':
        return !name_is(name, SLICE("Content-Length"), 'l') ||
               slice_to_u64(value, UINT32_MAX, &r->content_bytes);
    case 'c':
        if (slice_equal_nocase(name, SLICE("CSeq"))) {
            return set_once(&r->answer->cseq, value);
        }
        if (slice_equal_nocase(name, SLICE("Call-ID"))) {
            return set_once(&r->answer->call_id, value);
        }
        if (slice_equal_nocase(name, SLICE("Contact"))) {
            return add_contact(r->answer, value);
        }
        return !slice_equal_nocase(name, SLICE("Content-Length")) ||
               slice_to_u64(value, UINT32_MAX, &r->content_bytes);
    default: return true;
    }
}

bool answer_parse(struct slice datagram, struct answer *out)
{
    struct slice text = datagram;
    struct slice line;
    struct reading r = {.answer = out, .content_bytes = UINT64_MAX};
    out->via = out->from = out->to = out->call_id = out->cseq = slice_of(NULL, 0);
    out->retry_after = slice_of(NULL, 0);
    out->contact_fields = 0;
    out->challenge_fields = 0;
    if (!next_line(&text, &out->start_line) || !parse_start_line(out->start_line, &out->status)) {
        return false;
    }
    for (;;) {
        if (!next_line(&text, &line)) {
            return false;
        }
        if (slice_empty(line)) {
            break;
        }
        const size_t colon = slice_find(line, ':');
        const struct slice name = slice_trim(slice_of(line.at, colon));
        if (colon == line.len || slice_empty(name) ||
            !take_field(&r, name, slice_trim(slice_from(line, colon + 1)))) {
            return false;
        }
    }
    const bool complete = r.content_bytes == UINT64_MAX || r.content_bytes <= text.len;
    return complete && !slice_empty(out->via) && !slice_empty(out->from) && !slice_empty(out->to) &&
           !slice_empty(out->call_id) && !slice_empty(out->cseq);
}

// Offset of the first `stop` outside of quotes and angle brackets; s.len when there is none.
static size_t find_outside(struct slice s, char stop)
{
    bool quoted = false;
    bool bracketed = false;
    if (slice_find(s, stop) == s.len) {
        return s.len;
    }
    for (size_t i = 0; i < s.len; i++) {
        const char c = s.at[i];
        if (quoted) {
            // A backslash hides the next character (quoted-pair).
            i += c == '\\' ? 1 : 0;
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '<' || c == '>') {
            bracketed = c == '<';
        } else if (c == stop && !bracketed) {
            return i;
        }
    }
    return s.len;
}

bool answer_contact_next(struct slice *rest, struct contact *out)
{
    const size_t comma = find_outside(*rest, ',');
    const struct slice one = slice_trim(slice_of(rest->at, comma));
    if (slice_empty(one)) {
        return false;
    }
    const size_t semicolon = find_outside(one, ';');
    const struct slice address = slice_trim(slice_of(one.at, semicolon));
    out->params = slice_from(one, semicolon);
    out->uri = address;
    if (address.len > 0 && address.at[address.len - 1] == '>') {
        // The last one: a display name may contain "<", a URI may not.
        const char *open = memrchr(address.at, '<', address.len);
        if (open == NULL) {
            return false;
        }
        out->uri = slice_between(open + 1, slice_end(address) - 1);
    }
    if (slice_empty(out->uri)) {
        return false;
    }
    *rest = slice_from(*rest, comma + 1);
    return true;
}

struct slice answer_param(struct slice params, struct slice name)
{
    while (!slice_empty(params)) {
        params = slice_from(params, 1);
        const size_t end = find_outside(params, ';');
        const struct slice one = slice_of(params.at, end);
        const size_t equals = slice_find(one, '=');
        if (slice_equal_nocase(slice_trim(slice_of(one.at, equals)), name)) {
            return slice_trim(slice_from(one, equals + 1));
        }
        params = slice_from(params, end);
    }
    return slice_of(NULL, 0);
}
