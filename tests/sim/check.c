// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/check.h"

#include <stdio.h>
#include <time.h>

enum { VALUE_BYTES = 512, S = 1000 };

typedef void put_fn(struct buf *b, const struct intent *in);

static void check_header(struct trace *trace, const struct text *text, const char *name,
                         const char *expected)
{
    const struct slice *const value = text_find(text, name, 0);
    if (value == NULL || !text_equals(*value, expected) || text_find(text, name, 1) != NULL) {
        trace_fail(trace, "%s is not \"%s\", once", name, expected);
    }
}

static void check_copied(struct trace *trace, const struct answer *answer, const char *name,
                         put_fn *put)
{
    char expected[VALUE_BYTES];
    struct buf b = buf_over(expected, sizeof(expected));
    put(&b, answer->in);
    buf_put_char(&b, '\0');
    check_header(trace, &answer->text, name, expected);
}

// ---- Any answer: RFC 3261 8.2.6

static bool has_param(struct slice value, const char *name, const char *expected)
{
    char param[VALUE_BYTES];
    const int len = snprintf(param, sizeof(param), ";%s=%s;", name, expected);
    // The same with the end of the value in the place of the last ";".
    const struct slice inside = slice_of(param, (size_t)len);
    const struct slice last = slice_of(param, (size_t)len - 1);
    return text_contains(value, inside) ||
           (value.len >= last.len &&
            memcmp(value.at + value.len - last.len, last.at, last.len) == 0);
}

static void check_top_via(struct trace *trace, const struct answer *answer)
{
    char sent_by[VALUE_BYTES];
    char text[VALUE_BYTES];
    const struct slice *const via = text_find(&answer->text, "Via", 0);
    const struct endpoint peer = intent_peer(answer->in);
    struct buf b = buf_over(sent_by, sizeof(sent_by));
    buf_put(&b, SLICE("SIP/2.0/UDP "));
    intent_put_sent_by(&b, answer->in);
    buf_put_char(&b, ';');
    if (via == NULL || via->len < b.len || memcmp(via->at, sent_by, b.len) != 0) {
        trace_fail(trace, "Via is not the request's");
        return;
    }
    (void)snprintf(text, sizeof(text), "z9hG4bK%u", answer->in->branch);
    bool ok = has_param(*via, "branch", text);
    if (answer->in->natted || answer->in->rport) {
        b = buf_over(text, sizeof(text));
        ip_put(&b, &peer.ip);
        buf_put_char(&b, '\0');
        ok = ok && has_param(*via, "received", text);
    }
    if (answer->in->rport) {
        (void)snprintf(text, sizeof(text), "%u", peer.port);
        ok = ok && has_param(*via, "rport", text);
    }
    if (!ok) {
        trace_fail(trace, "Via lacks branch, received or rport: %.*s", (int)via->len, via->at);
    }
}

static void check_vias(struct trace *trace, const struct answer *answer)
{
    char expected[VALUE_BYTES];
    struct buf b = buf_over(expected, sizeof(expected));
    intent_put_second_via(&b, answer->in);
    buf_put_char(&b, '\0');
    check_top_via(trace, answer);
    const struct slice *const second = text_find(&answer->text, "Via", 1);
    if (answer->in->proxied ? second == NULL || !text_equals(*second, expected) : second != NULL) {
        trace_fail(trace, "the second Via is not the request's");
    }
}

// To as in the request, and a tag if it had none.
static void check_to(struct trace *trace, struct answer *answer)
{
    char expected[VALUE_BYTES];
    struct buf b = buf_over(expected, sizeof(expected));
    intent_put_to(&b, answer->in);
    if (answer->in->in_dialog) {
        buf_put_char(&b, '\0');
        check_header(trace, &answer->text, "To", expected);
        return;
    }
    buf_put(&b, SLICE(";tag="));
    const struct slice *const to = text_find(&answer->text, "To", 0);
    if (to == NULL || to->len <= b.len || memcmp(to->at, expected, b.len) != 0) {
        trace_fail(trace, "To is not the request's with a tag");
        return;
    }
    answer->to_tag = slice_of(to->at + b.len, to->len - b.len);
}

static void check_target(struct trace *trace, const struct answer *answer)
{
    const struct endpoint expected = intent_answer_target(answer->in);
    if (!ip_equal(&expected.ip, &answer->target.ip) || expected.port != answer->target.port) {
        char text[VALUE_BYTES];
        struct buf b = buf_over(text, sizeof(text) - 1);
        endpoint_put(&b, &answer->target);
        buf_put(&b, SLICE(" and not to "));
        endpoint_put(&b, &expected);
        trace_fail(trace, "the answer goes to %.*s", (int)b.len, text);
    }
}

static void check_status(struct trace *trace, const struct verdict *verdict,
                         const struct answer *answer)
{
    char expected[VALUE_BYTES] = "no answer";
    size_t used = 0;
    for (unsigned i = 0; i < verdict->count; i++) {
        used += (size_t)snprintf(expected + used, sizeof(expected) - used, "%s%u",
                                 i > 0 ? " or " : "", verdict->statuses[i]);
    }
    if (answer->bytes.len == 0) {
        if (verdict->count > 0) {
            trace_fail(trace, "no answer instead of %s", expected);
        }
    } else if (!verdict_allows(verdict, answer->text.status)) {
        trace_fail(trace, "answer %u instead of %s", answer->text.status, expected);
    }
}

void check_head(struct trace *trace, const struct verdict *verdict, struct answer *answer)
{
    const enum flaw flaw = answer->in->flaw;
    answer->to_tag = slice_of(NULL, 0);
    if (answer->bytes.len > 0 && !text_read(answer->bytes, &answer->text)) {
        trace_fail(trace, "not a response");
        return;
    }
    check_status(trace, verdict, answer);
    if (answer->bytes.len == 0 || trace->failed) {
        return;
    }
    check_vias(trace, answer);
    check_target(trace, answer);
    if (flaw != FLAW_NO_TO) {
        check_to(trace, answer);
    }
    if (flaw != FLAW_NO_FROM) {
        check_copied(trace, answer, "From", intent_put_from);
    }
    if (flaw != FLAW_NO_CALL_ID) {
        check_copied(trace, answer, "Call-ID", intent_put_call_id);
    }
    if (flaw != FLAW_NO_CSEQ) {
        check_copied(trace, answer, "CSeq", intent_put_cseq);
    }
    check_header(trace, &answer->text, "Content-Length", "0");
}

// ---- Contacts

static bool is_spelled(struct slice text, const struct uri_spec *uri)
{
    char expected[VALUE_BYTES];
    struct buf b = buf_over(expected, sizeof(expected));
    uri_spec_put(&b, uri);
    return slice_equal(text, buf_slice(&b));
}

static int read_q(struct slice q)
{
    int value = 0;
    int scale = 1000;
    for (size_t i = 0; i < q.len; i++) {
        if (q.at[i] != '.') {
            value += (q.at[i] - '0') * scale;
            scale /= 10;
        }
    }
    return q.len == 0 ? Q_NONE : value;
}

bool check_find_expires(const struct answer *answer, const struct uri_spec *uri, uint64_t *seconds)
{
    const struct slice *value;
    for (unsigned n = 0; (value = text_find(&answer->text, "Contact", n)) != NULL; n++) {
        struct text_contact contact;
        if (text_read_contact(*value, &contact) && is_spelled(contact.uri, uri)) {
            return slice_to_u64(contact.expires, UINT32_MAX, seconds);
        }
    }
    return false;
}

// The place of this Contact among the rows, or `count`.
static unsigned find_row(const struct model_row *const *rows, unsigned count,
                         const struct text_contact *contact, uint64_t mono_ms)
{
    uint64_t seconds;
    for (unsigned i = 0; i < count; i++) {
        if (rows[i] != NULL && is_spelled(contact->uri, &rows[i]->uri) &&
            slice_to_u64(contact->expires, UINT32_MAX, &seconds) &&
            seconds == model_remaining_s(rows[i], mono_ms) && read_q(contact->q) == rows[i]->q) {
            return i;
        }
    }
    return count;
}

// Takes the Contacts of the answer off `rows`, each in turn and by falling q, and returns how many
// there were.
static unsigned take_contacts(struct trace *trace, const struct answer *answer,
                              const struct model_row **rows, unsigned count)
{
    int rank = 1000;
    unsigned n = 0;
    const struct slice *value;
    for (; (value = text_find(&answer->text, "Contact", n)) != NULL; n++) {
        struct text_contact contact;
        const bool read = text_read_contact(*value, &contact);
        const unsigned at = read ? find_row(rows, count, &contact, answer->now.mono_ms) : count;
        if (at == count) {
            trace_fail(trace, "no such Contact in the model: %.*s", (int)value->len, value->at);
            return n;
        }
        if (model_rank(rows[at]) > rank) {
            trace_fail(trace, "Contacts not by q: %.*s", (int)value->len, value->at);
        }
        if (answer->text.status == 200 &&
            text_equals(contact.others, ";x-phone=\"one;two\"") != rows[at]->instance) {
            trace_fail(trace, "not the phone's parameters: %.*s", (int)value->len, value->at);
        }
        rank = model_rank(rows[at]);
        rows[at] = NULL;
    }
    return n;
}

// 10.3 step 8: all current bindings.
static void check_bindings(struct trace *trace, const struct model *model,
                           const struct answer *answer)
{
    const struct model_row *rows[MODEL_ROWS_MAX];
    const struct intent *const in = answer->in;
    const unsigned count = model_lookup(model, in->to.user, in->to.host, answer->now.mono_ms, rows);
    const unsigned told = take_contacts(trace, answer, rows, count);
    if (told != count) {
        trace_fail(trace, "%u Contacts instead of %u", told, count);
    }
}

// 8.3: all that are usable, by q; but more than one only as far as there is room.
static void check_moved(struct trace *trace, const struct model *model, const struct answer *answer)
{
    enum { ROW_BYTES_MAX = 128 };

    const struct model_row *rows[MODEL_ROWS_MAX];
    const struct uri_spec *const asked = &answer->in->target;
    const uint32_t room = model->config.redirect_bytes_max;
    unsigned count = 0;
    int left_out = -1;
    const unsigned all = model_lookup(model, asked->user, asked->host, answer->now.mono_ms, rows);
    for (unsigned i = 0; i < all; i++) {
        if (model_usable(rows[i], asked)) {
            rows[count++] = rows[i];
        }
    }
    const unsigned told = take_contacts(trace, answer, rows, count);
    for (unsigned i = count; i-- > 0;) {
        left_out = rows[i] != NULL ? model_rank(rows[i]) : left_out;
    }
    if (told > 1 && answer->bytes.len > room) {
        trace_fail(trace, "%u Contacts make it %zu bytes", told, answer->bytes.len);
    }
    if (told < count && (told == 0 || answer->bytes.len + ROW_BYTES_MAX < room)) {
        trace_fail(trace, "%u Contacts instead of %u", told, count);
    }
    const struct slice *const worst =
        told > 0 ? text_find(&answer->text, "Contact", told - 1) : NULL;
    struct text_contact contact;
    if (worst != NULL && text_read_contact(*worst, &contact)) {
        const int q = read_q(contact.q);
        if (left_out > (q == Q_NONE ? 1000 : q)) {
            trace_fail(trace, "a better Contact is left out");
        }
    }
}

// ---- Other header fields

static void check_date(struct trace *trace, const struct answer *answer)
{
    char expected[64];
    struct tm tm;
    const time_t seconds = (time_t)(answer->now.wall_ms / S);
    (void)gmtime_r(&seconds, &tm);
    (void)strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm);
    check_header(trace, &answer->text, "Date", expected);
}

static void check_min_expires(struct trace *trace, const struct model *model,
                              const struct answer *answer)
{
    char expected[32];
    (void)snprintf(expected, sizeof(expected), "%u", model->config.expires_min_s);
    check_header(trace, &answer->text, "Min-Expires", expected);
}

static void check_allow(struct trace *trace, const struct answer *answer)
{
    static const char *const methods[] = {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER"};
    const struct slice *const allow = text_find(&answer->text, "Allow", 0);
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        const struct slice method = slice_of(methods[i], strlen(methods[i]));
        if (allow == NULL || !text_contains(*allow, method)) {
            trace_fail(trace, "Allow lacks %s", methods[i]);
        }
    }
}

void check_body(struct trace *trace, const struct model *model, const struct answer *answer)
{
    const unsigned status = answer->bytes.len > 0 ? answer->text.status : 0;
    const bool registers = answer->in->kind == INTENT_REGISTER;
    if (status == 200 && registers) {
        check_bindings(trace, model, answer);
        check_date(trace, answer);
    } else if (status == 302) {
        check_moved(trace, model, answer);
    } else if (text_find(&answer->text, "Contact", 0) != NULL && status != 0) {
        trace_fail(trace, "Contacts in a %u", status);
    }
    if (status == 423) {
        check_min_expires(trace, model, answer);
    } else if (status == 420) {
        check_header(trace, &answer->text, "Unsupported", "teleport");
    } else if (status == 405 || (status == 200 && answer->in->kind == INTENT_OPTIONS)) {
        check_allow(trace, answer);
    }
}
