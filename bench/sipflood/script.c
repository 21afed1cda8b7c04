// SPDX-License-Identifier: Apache-2.0
#include "sipflood/script.h"

#include <endian.h>

#include "sipflood/random.h"

enum {
    // Start and rounds on top of it keep ten digits and stay below 2^31 (RFC 3261 8.1.1.5).
    CSEQ_BASE = 1000000000,
    CSEQ_ROUNDS = 100000000,
    HEX_DIGITS = 16,
};

static const uint8_t field_width[FIELD_COUNT] = {
    [FIELD_CALLER] = 7,          [FIELD_CALLEE] = 7, [FIELD_PORT] = 5,  [FIELD_CALLEE_PORT] = 5,
    [FIELD_BRANCH] = HEX_DIGITS, [FIELD_TAG] = 16,   [FIELD_CALL] = 16, [FIELD_CSEQ] = 10,
};

// --- templates ------------------------------------------------------------------------------

struct draft {
    struct script_template *t;
    struct buf text;
};

static struct draft draft_of(struct script_template *t)
{
    t->patches = 0;
    return (struct draft){.t = t, .text = buf_over(t->bytes, sizeof(t->bytes))};
}

static bool draft_done(struct draft *d)
{
    d->t->len = (uint16_t)d->text.len;
    return buf_ok(&d->text);
}

static void put(struct draft *d, const char *literal)
{
    buf_put(&d->text, slice_of(literal, strlen(literal)));
}

// Leaves room for a number.
static void put_field(struct draft *d, enum script_field field)
{
    static const char room[SCRIPT_TEXT_BYTES] = "0000000000000000";
    assert(d->t->patches < SCRIPT_PATCHES_MAX);
    d->t->patch[d->t->patches++] =
        (struct script_patch){.at = (uint16_t)d->text.len, .field = (uint16_t)field};
    buf_put(&d->text, slice_of(room, field_width[field]));
}

static void put_user(struct draft *d, enum script_field user, struct slice domain)
{
    put(d, "sip:u");
    put_field(d, user);
    put(d, "@");
    buf_put(&d->text, domain);
}

static void put_host(struct draft *d, const struct ip *ip)
{
    put(d, ip->family == IP_V6 ? "[" : "");
    ip_put(&d->text, ip);
    put(d, ip->family == IP_V6 ? "]" : "");
}

static void put_contact_uri(struct draft *d, enum script_field user, enum script_field port,
                            const struct ip *ip)
{
    put(d, "sip:u");
    put_field(d, user);
    put(d, "@");
    put_host(d, ip);
    put(d, ":");
    put_field(d, port);
    put(d, ";transport=udp;ob");
}

static struct script_span span_from(const struct draft *d, size_t from)
{
    return (struct script_span){(uint16_t)from, (uint16_t)(d->text.len - from)};
}

// What the lines of one kind of request are made from.
struct drafting {
    const struct script *script;
    const struct script_config *config;
    const struct scenario *scenario;
};

// REGISTER and OPTIONS go to the domain, an INVITE to its callee.
static void put_request_line(struct draft *d, const struct drafting *g, struct slice method,
                             struct script_spans *spans)
{
    const struct script_config *c = g->config;
    buf_put(&d->text, method);
    put(d, " ");
    const size_t uri = d->text.len;
    if (g->scenario->invite) {
        put_user(d, FIELD_CALLEE, c->domain);
    } else {
        put(d, "sip:");
        buf_put(&d->text, c->domain);
    }
    spans->uri = span_from(d, uri);
    put(d, " SIP/2.0\r\n");
}

// From the request line to CSeq, without To.
static void put_head(struct draft *d, const struct drafting *g, struct slice method,
                     struct script_spans *spans)
{
    const struct script *s = g->script;
    const struct script_config *c = g->config;
    put_request_line(d, g, method, spans);
    put(d, "Via: SIP/2.0/UDP ");
    put_host(d, &c->local_ip);
    put(d, ":");
    put_field(d, FIELD_PORT);
    put(d, ";rport;branch=");
    buf_put(&d->text, slice_of(s->branch_prefix, s->branch_prefix_len));
    put_field(d, FIELD_BRANCH);
    put(d, "\r\nMax-Forwards: 70\r\nFrom: ");
    const size_t from = d->text.len;
    put(d, "<");
    put_user(d, FIELD_CALLER, c->domain);
    put(d, ">;tag=");
    put_field(d, FIELD_TAG);
    spans->from = span_from(d, from);
    put(d, "\r\nCall-ID: ");
    const size_t call_id = d->text.len;
    put_field(d, FIELD_CALL);
    put(d, "-");
    put_field(d, FIELD_CALLER);
    put(d, "@");
    buf_put(&d->text, c->domain);
    spans->call_id = span_from(d, call_id);
    put(d, "\r\nCSeq: ");
    const size_t cseq = d->text.len;
    put_field(d, FIELD_CSEQ);
    put(d, " ");
    buf_put(&d->text, method);
    spans->cseq = span_from(d, cseq);
    put(d, "\r\n");
}

// An OPTIONS asks the server itself.
static void put_to(struct draft *d, const struct drafting *g, struct script_spans *spans)
{
    const struct script_config *c = g->config;
    const bool to_user = g->scenario->contact != CONTACT_IGNORED;
    put(d, "To: ");
    const size_t to = d->text.len;
    put(d, "<");
    if (to_user) {
        put_user(d, FIELD_CALLEE, c->domain);
    } else {
        put(d, "sip:");
        buf_put(&d->text, c->domain);
    }
    put(d, ">");
    spans->to = span_from(d, to);
    put(d, "\r\n");
}

static void put_sdp(struct draft *d, const struct ip *ip)
{
    const char *family = ip->family == IP_V6 ? "IP6 " : "IP4 ";
    put(d, "v=0\r\no=- 3900000000 3900000000 IN ");
    put(d, family);
    ip_put(&d->text, ip);
    put(d, "\r\ns=-\r\nc=IN ");
    put(d, family);
    ip_put(&d->text, ip);
    put(d, "\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\n"
           "a=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"
           "a=sendrecv\r\n");
}

static void put_body(struct draft *d, const struct drafting *g)
{
    struct script_template room;
    struct draft body = draft_of(&room);
    if (g->scenario->invite) {
        put_sdp(&body, &g->config->local_ip);
        put(d, "Content-Type: application/sdp\r\n");
    }
    put(d, "Content-Length: ");
    buf_put_u64(&d->text, body.text.len);
    put(d, "\r\n\r\n");
    buf_put(&d->text, buf_slice(&body.text));
}

static bool draft_request(const struct drafting *g, struct script_lines *lines)
{
    struct draft d = draft_of(&lines->request);
    put_head(&d, g, g->scenario->method, &lines->spans);
    put_to(&d, g, &lines->spans);
    put(&d, "Contact: <");
    put_contact_uri(&d, FIELD_CALLER, FIELD_PORT, &g->config->local_ip);
    put(&d, ">\r\n");
    if (slice_equal(g->scenario->method, SLICE("REGISTER"))) {
        put(&d, "Expires: ");
        buf_put_u64(&d.text, g->scenario->binds ? g->config->expires_s : 0);
        put(&d, "\r\n");
    }
    lines->fields_at = (uint16_t)d.text.len;
    put(&d, "User-Agent: sipflood/" SIGNPOST_VERSION "\r\n"
            "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n");
    put_body(&d, g);
    return draft_done(&d);
}

static bool draft_ack(struct script *s, const struct script_config *c)
{
    const struct drafting g = {s, c, scenario_of(SCENARIO_INVITE)};
    struct script_spans unused; // nobody answers an ACK
    struct draft d = draft_of(&s->ack);
    put_head(&d, &g, SLICE("ACK"), &unused);
    return draft_done(&d);
}

static bool draft_contact(struct script *s, const struct script_config *c)
{
    struct draft d = draft_of(&s->contact);
    put_contact_uri(&d, FIELD_CALLEE, FIELD_CALLEE_PORT, &c->local_ip);
    return draft_done(&d);
}

bool script_init(struct script *s, const struct script_config *c)
{
    assert(c->share.ports > 0 && c->local_port >= SCRIPT_LOCAL_PORT_MIN);
    assert(c->local_port + c->share.ports - 1 <= UINT16_MAX);
    assert(c->cseq_start < CSEQ_BASE);
    *s = (struct script){
        .share = c->share,
        .run = c->run,
        .cseq_start = c->cseq_start,
        .expires_s = c->expires_s,
        .cseqs_each = c->challenges ? 2 : 1,
        .local_port = c->local_port,
    };
    // The magic cookie of RFC 3261 8.1.1.7, and half of the run's number.
    struct buf prefix = buf_over(s->branch_prefix, sizeof(s->branch_prefix));
    char run_hex[HEX_DIGITS];
    struct buf run = buf_over(run_hex, sizeof(run_hex));
    buf_put_hex64(&run, c->run);
    buf_put(&prefix, SLICE("z9hG4bK"));
    buf_put(&prefix, slice_of(run_hex + HEX_DIGITS / 2, HEX_DIGITS / 2));
    s->branch_prefix_len = (uint16_t)prefix.len;
    bool ok = draft_ack(s, c) && draft_contact(s, c);
    for (unsigned kind = 0; kind < SCENARIO_KINDS; kind++) {
        const struct drafting g = {s, c, scenario_of((enum scenario_kind)kind)};
        ok = ok && draft_request(&g, &s->lines[kind]);
    }
    return ok;
}

// --- one request ----------------------------------------------------------------------------

// Eight decimal digits, all at once: halves of four, two and one digit, each in its own lane.
static uint64_t decimal_of_8(uint32_t value)
{
    assert(value < 100000000);
    uint64_t x = value / 10000 | (uint64_t)(value % 10000) << 32;
    const uint64_t hundreds = x * 10486 >> 20 & UINT64_C(0x0000007f0000007f);
    x = hundreds | (x - hundreds * 100) << 16;
    const uint64_t tens = x * 103 >> 10 & UINT64_C(0x000f000f000f000f);
    x = tens | (x - tens * 10) << 8;
    return htole64(x + UINT64_C(0x3030303030303030));
}

static void set_decimal(struct script_part *part, enum script_field field, uint32_t value)
{
    enum { TEN_TO_8 = 100000000 };

    const size_t width = field_width[field];
    const uint64_t low = decimal_of_8(value % TEN_TO_8);
    if (width <= sizeof(low)) {
        memcpy(part->text[field], (const char *)&low + sizeof(low) - width, width);
        return;
    }
    const size_t more = width - sizeof(low);
    const uint64_t high = decimal_of_8(value / TEN_TO_8);
    memcpy(part->text[field], (const char *)&high + sizeof(high) - more, more);
    memcpy(part->text[field] + more, &low, sizeof(low));
}

// Sixteen digits without a loop over them: eight nibbles at a time, each in its own byte. This
// runs six times per request, and digit by digit it was a tenth of the generator's own time.
static uint64_t hex_of_32(uint32_t value)
{
    uint64_t x = value;
    x = (x << 16 | x) & UINT64_C(0x0000ffff0000ffff);
    x = (x << 8 | x) & UINT64_C(0x00ff00ff00ff00ff);
    x = (x << 4 | x) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    // 1 in each byte that holds a nibble of 10 or more: letters begin 39 after '9' + 1.
    const uint64_t letters = (x + UINT64_C(0x0606060606060606)) >> 4 & UINT64_C(0x0101010101010101);
    return htobe64(x + UINT64_C(0x3030303030303030) + letters * ('a' - '9' - 1));
}

static void set_hex(struct script_part *part, enum script_field field, uint64_t value)
{
    const uint64_t digits[2] = {hex_of_32((uint32_t)(value >> 32)), hex_of_32((uint32_t)value)};
    static_assert(sizeof(digits) == SCRIPT_TEXT_BYTES, "a byte for each digit");
    memcpy(part->text[field], digits, sizeof(digits));
}

unsigned script_socket(const struct script *s, uint32_t user)
{
    return share_index(&s->share, share_port_of(&s->share, user));
}

static uint32_t port_of(const struct script *s, uint32_t user)
{
    return (uint32_t)s->local_port + share_port_of(&s->share, user);
}

struct script_part script_part_of(const struct script *s, uint64_t n, const struct step *step)
{
    struct script_part part;
    const struct scenario *scenario = scenario_of(step->kind);
    // A REGISTER's Call-ID is its user's for ever (RFC 3261 10.2), any other's is its own.
    const bool registers = !scenario->invite && scenario->contact != CONTACT_IGNORED;
    const uint64_t call = registers ? step->caller : s->run ^ random_mix(step->call);
    part.kind = step->kind;
    set_decimal(&part, FIELD_CALLER, step->caller);
    set_decimal(&part, FIELD_CALLEE, step->callee);
    set_decimal(&part, FIELD_PORT, port_of(s, step->caller));
    set_decimal(&part, FIELD_CALLEE_PORT, port_of(s, step->callee));
    const uint64_t cseq = (uint64_t)step->turn * s->cseqs_each + (step->credentials ? 1 : 0);
    set_decimal(&part, FIELD_CSEQ, CSEQ_BASE + s->cseq_start + (uint32_t)(cseq % CSEQ_ROUNDS));
    set_hex(&part, FIELD_BRANCH, n);
    set_hex(&part, FIELD_TAG, random_mix(s->run + step->call));
    set_hex(&part, FIELD_CALL, random_mix(call));
    return part;
}

static size_t fill(const struct script_template *t, const struct script_part *part, char *out)
{
    memcpy(out, t->bytes, t->len);
    for (unsigned i = 0; i < t->patches; i++) {
        const struct script_patch *patch = &t->patch[i];
        memcpy(out + patch->at, part->text[patch->field], field_width[patch->field]);
    }
    return t->len;
}

static struct slice spanned(const char *bytes, struct script_span span)
{
    return slice_of(bytes + span.at, span.len);
}

size_t script_request(const struct script *s, const struct script_part *part, char *out)
{
    return fill(&s->lines[part->kind].request, part, out);
}

size_t script_request_with(const struct script *s, const struct script_part *part,
                           struct slice field, char *out)
{
    const size_t len = script_request(s, part, out);
    const size_t at = s->lines[part->kind].fields_at;
    if (field.len > SCRIPT_MESSAGE_BYTES_MAX - len) {
        return 0;
    }
    memmove(out + at + field.len, out + at, len - at);
    memcpy(out + at, field.at, field.len);
    return len + field.len;
}

struct slice script_uri(const struct script *s, const struct script_part *part,
                        struct script_scratch *scratch)
{
    fill(&s->lines[part->kind].request, part, scratch->request);
    return spanned(scratch->request, s->lines[part->kind].spans.uri);
}

struct slice script_user(const struct script_part *part, char room[SCRIPT_TEXT_BYTES])
{
    room[0] = 'u';
    memcpy(room + 1, part->text[FIELD_CALLER], field_width[FIELD_CALLER]);
    return slice_of(room, field_width[FIELD_CALLER] + 1U);
}

size_t script_ack(const struct script *s, const struct script_part *part, struct slice to,
                  char *out)
{
    const size_t len = fill(&s->ack, part, out);
    struct buf rest = buf_over(out + len, SCRIPT_MESSAGE_BYTES_MAX - len);
    buf_put(&rest, SLICE("To: "));
    buf_put(&rest, to);
    buf_put(&rest, SLICE("\r\nContent-Length: 0\r\n\r\n"));
    return buf_ok(&rest) ? len + rest.len : 0;
}

struct expectation script_expect(const struct script *s, const struct script_part *part,
                                 struct script_scratch *scratch)
{
    const struct script_lines *lines = &s->lines[part->kind];
    fill(&lines->request, part, scratch->request);
    const size_t contact_len = fill(&s->contact, part, scratch->contact);
    return (struct expectation){
        .scenario = scenario_of(part->kind),
        .expires_s = s->expires_s,
        .from = spanned(scratch->request, lines->spans.from),
        .to = spanned(scratch->request, lines->spans.to),
        .call_id = spanned(scratch->request, lines->spans.call_id),
        .cseq = spanned(scratch->request, lines->spans.cseq),
        .contact = slice_of(scratch->contact, contact_len),
    };
}

bool script_number_of(const struct script *s, struct slice via, uint64_t *n)
{
    const struct slice prefix = slice_of(s->branch_prefix, s->branch_prefix_len);
    const char *at = slice_empty(via) ? NULL : memmem(via.at, via.len, prefix.at, prefix.len);
    if (at == NULL || (size_t)(slice_end(via) - at) < prefix.len + HEX_DIGITS) {
        return false;
    }
    *n = 0;
    for (size_t i = 0; i < HEX_DIGITS; i++) {
        const int digit = ascii_hex(at[prefix.len + i]);
        if (digit < 0) {
            return false;
        }
        *n = *n << 4 | (uint64_t)digit;
    }
    return true;
}
