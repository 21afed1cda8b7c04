// SPDX-License-Identifier: Apache-2.0
#include "signpost/service/uas.h"

#include <stdlib.h>

#include "service/redirect.h"
#include "service/registrar.h"
#include "service/request.h"
#include "service/transact.h"
#include "signpost/sip/stun.h"

// What a datagram has turned out to be.
enum reading {
    READ_NOTHING, // that is answered
    READ_STUN,
    READ_REQUEST, // with or without a fault
};

// A datagram between uas_read and uas_answer.
struct visit {
    struct uas_input in;
    enum reading reading;
    struct location_fetch fetch;
    struct request request;
    char aor[AOR_BYTES_MAX];
    char key_text[TRANSACTION_KEY_BYTES_MAX];
    struct message message;
};

enum { VISITS_MAX = UAS_AHEAD + 1 };

// The visits are a queue. What follows them is for the one that is being answered.
struct uas_scratch {
    unsigned oldest;
    unsigned count;
    struct visit visits[VISITS_MAX];
    struct binding_list list;
    struct contact_update updates[CONTACTS_PER_AOR_MAX];
    char params[AOR_STATE_BYTES_MAX];
};

static enum reading read_datagram(struct request *r, struct message *message);
static bool answer_stun(struct request *r, struct endpoint *target);
static bool answer_request(struct request *r, struct uas_output *out);

static bool find_way_back(struct request *r);
static const char *read_fields(struct request *r);
static void find_subject(struct request *r);
static void absorb(struct request *r);
static void refuse(struct request *r);
static void dispatch(struct request *r);
static void answer_for_server(struct request *r);
static bool finish(struct request *r);

struct uas_scratch *uas_scratch_create(void)
{
    return calloc(1, sizeof(struct uas_scratch));
}

void uas_scratch_destroy(struct uas_scratch *scratch)
{
    free(scratch);
}

bool uas_handle(const struct uas *uas, struct uas_scratch *scratch, struct metrics *metrics,
                const struct uas_input *in, struct uas_output *out)
{
    uas_read(uas, scratch, metrics, in);
    return uas_answer(scratch, in->service, out);
}

// ---- The two halves

static struct visit *visit_at(struct uas_scratch *scratch, unsigned n)
{
    return &scratch->visits[(scratch->oldest + n) % VISITS_MAX];
}

// Before each half those that wait get a step further, for by then the last has been taken.
static void fetch_on(struct uas_scratch *scratch)
{
    for (unsigned i = 0; i < scratch->count; i++) {
        location_fetch_on(&visit_at(scratch, i)->fetch);
    }
}

// Sets what is looked at before it is known, and no more: the Via and the URIs, which are most of a
// request, are written when they are read.
static void begin(struct request *r, const struct uas *uas, struct metrics *metrics,
                  struct visit *visit, struct uas_scratch *scratch)
{
    r->uas = uas;
    r->metrics = metrics;
    r->in = &visit->in;
    r->message = &visit->message;
    r->problem = NULL;
    r->uri_ok = false;
    r->has_subject = false;
    r->names_server = false;
    r->to_tag = slice_of(NULL, 0);
    r->from_tag = slice_of(NULL, 0);
    r->call_id = slice_of(NULL, 0);
    r->cseq = (struct cseq){0};
    r->rfc2543 = false;
    r->merged = false;
    r->done_before = false;
    r->tag_to = false;
    r->leaves_state = false;
    r->list = &scratch->list;
    r->updates = scratch->updates;
    r->aor = buf_over(visit->aor, sizeof(visit->aor));
    r->key_text = buf_over(visit->key_text, sizeof(visit->key_text));
    r->params = buf_over(scratch->params, sizeof(scratch->params));
}

void uas_read(const struct uas *uas, struct uas_scratch *scratch, struct metrics *metrics,
              const struct uas_input *in)
{
    assert(scratch->count < VISITS_MAX);
    fetch_on(scratch);
    struct visit *const visit = visit_at(scratch, scratch->count++);
    visit->in = *in;
    begin(&visit->request, uas, metrics, visit, scratch);
    visit->reading = read_datagram(&visit->request, &visit->message);
    visit->fetch = (struct location_fetch){0};
    if (visit->request.has_subject && buf_ok(&visit->request.aor)) {
        visit->fetch = location_fetch(uas->location, buf_slice(&visit->request.aor));
    }
}

bool uas_answer(struct uas_scratch *scratch, enum uas_service service, struct uas_output *out)
{
    assert(scratch->count > 0);
    struct visit *const visit = visit_at(scratch, 0);
    scratch->oldest = (scratch->oldest + 1) % VISITS_MAX;
    scratch->count--;
    fetch_on(scratch);
    visit->in.service = service;
    visit->request.out = &out->answer;
    switch (visit->reading) {
    case READ_NOTHING: break;
    case READ_STUN: return answer_stun(&visit->request, &out->target);
    case READ_REQUEST: return answer_request(&visit->request, out);
    }
    return false;
}

static bool only_line_ends(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.at[i] != '\r' && bytes.at[i] != '\n' && bytes.at[i] != '\0') {
            return false;
        }
    }
    return true;
}

// All that a datagram tells by itself, without a look at what is remembered.
static enum reading read_datagram(struct request *r, struct message *message)
{
    const struct slice bytes = r->in->bytes;
    const bool text = bytes.len > 0 && (unsigned char)bytes.at[0] >= ' ';
    if (!text && only_line_ends(bytes)) {
        metrics_add(r->metrics, METRIC_KEEPALIVES, 1);
        return READ_NOTHING;
    }
    if (!text && stun_looks_like(bytes)) {
        return READ_STUN;
    }
    // Faults stay in message->problem, to be told to the sender if there is a way back to it.
    if (message_parse(bytes, message) != ERR_OK && message->kind == MESSAGE_GARBAGE) {
        metrics_add(r->metrics, METRIC_DROPPED_GARBAGE, 1);
        return READ_NOTHING;
    }
    if (!find_way_back(r)) {
        return READ_NOTHING;
    }
    r->problem = read_fields(r);
    transact_identify(r);
    if (r->problem == NULL && r->message->method != METHOD_ACK) {
        find_subject(r);
    }
    return READ_REQUEST;
}

static bool answer_stun(struct request *r, struct endpoint *target)
{
    *target = *r->in->peer;
    const bool answered =
        r->in->peer->port != 0 && stun_answer(r->in->bytes, r->in->peer, r->out) == ERR_OK;
    metrics_add(r->metrics, answered ? METRIC_STUN_REQUESTS : METRIC_DROPPED_GARBAGE, 1);
    return answered;
}

static bool answer_request(struct request *r, struct uas_output *out)
{
    out->target = r->target;
    if (r->message->method == METHOD_ACK) {
        absorb(r);
        return false;
    }
    if (r->problem != NULL) {
        refuse(r);
        return finish(r);
    }
    if (transact_repeat(r, &out->target)) {
        return !slice_empty(buf_slice(r->out));
    }
    dispatch(r);
    if (r->leaves_state) {
        out->state = r->list;
        out->aor = buf_slice(&r->aor);
    }
    if (!finish(r)) {
        return false;
    }
    transact_remember(r, &out->target);
    return !slice_empty(buf_slice(r->out));
}

// ---- What is a request that can be answered

// RFC 3261 18.2.2: without a topmost Via nobody knows where an answer should go. Responses are
// never answered.
static bool find_way_back(struct request *r)
{
    const struct message *const m = r->message;
    if (m->kind == MESSAGE_RESPONSE) {
        metrics_add(r->metrics, METRIC_DROPPED_RESPONSE, 1);
        return false;
    }
    const struct message_row *const row = message_first(m, HEADER_VIA);
    if (row == NULL || m->via_lost ||
        (via_parse(row->value, &r->via) != ERR_OK && !r->via.faulty)) {
        metrics_add(r->metrics, METRIC_DROPPED_NO_VIA, 1);
        return false;
    }
    r->target = via_response_target(&r->via, r->in->peer);
    if (r->target.port == 0) {
        metrics_add(r->metrics, METRIC_DROPPED_UNANSWERABLE, 1);
        return false;
    }
    return true;
}

// The header fields that every request must have (RFC 3261 8.1.1), in detail. Returns what is
// wrong with them, or NULL.
static const char *read_fields(struct request *r)
{
    struct addr addr;
    const struct message_row *const to = message_first(r->message, HEADER_TO);
    const bool to_ok = to != NULL && addr_parse_uri(to->value, &addr, &r->to_tag, &r->to) == ERR_OK;
    r->tag_to = to_ok && slice_empty(r->to_tag);
    if (r->message->problem != NULL) {
        return r->message->problem;
    }
    if (r->via.faulty) {
        return "Malformed Via";
    }
    if (!to_ok) {
        return "Malformed To";
    }
    if (addr_parse(message_value(r->message, HEADER_FROM), &r->to, &addr, &r->from_tag) != ERR_OK) {
        return "Malformed From";
    }
    r->call_id = message_value(r->message, HEADER_CALL_ID);
    if (!call_id_well_formed(r->call_id)) {
        return "Malformed Call-ID";
    }
    if (cseq_parse(message_value(r->message, HEADER_CSEQ), &r->cseq) != ERR_OK) {
        return "Malformed CSeq";
    }
    if (!slice_equal(r->cseq.method, r->message->method_name)) {
        return "CSeq Method Does Not Match";
    }
    return NULL;
}

// Whom the request is about, if that may be somebody in the location table: who registers, the
// callee that the Request-URI names, or the one in To, whom a caller means who names only the
// server.
static void find_subject(struct request *r)
{
    const enum method method = r->message->method;
    r->uri_ok = uri_parse_like(r->message->uri, &r->to, &r->uri) == ERR_OK;
    r->names_server = r->uri_ok && request_names_server(r);
    const bool in_to = r->names_server || method == METHOD_REGISTER;
    const struct uri *const subject = in_to ? &r->to : &r->uri;
    const bool own = r->names_server && method != METHOD_REGISTER && method != METHOD_INVITE;
    r->has_subject = r->uri_ok && !own && subject->scheme != URI_OTHER;
    if (r->has_subject) {
        uri_put_aor(&r->aor, subject);
    }
}

// An ACK is never answered (RFC 3261 8.2.6, 17.2.1).
static void absorb(struct request *r)
{
    metrics_request(r->metrics, METHOD_ACK);
    metrics_add(r->metrics, METRIC_ACKS, 1);
    if (r->problem == NULL) {
        transact_acknowledge(r);
    }
}

static bool our_version(const struct request *r)
{
    return slice_equal_nocase(r->message->version, SLICE("SIP/2.0"));
}

// What is malformed may be so because it is of another version (RFC 3261 21.5.6).
static void refuse(struct request *r)
{
    if (our_version(r)) {
        request_answer(r, STATUS_BAD_REQUEST, slice_of(r->problem, strlen(r->problem)));
    } else {
        request_answer(r, STATUS_VERSION_NOT_SUPPORTED, SLICE(""));
    }
}

// ---- Who answers it

// The checks of RFC 3261 8.2 that hold for every request. False when one has failed and the request
// has been answered.
static bool acceptable(struct request *r)
{
    if (!our_version(r)) {
        request_answer(r, STATUS_VERSION_NOT_SUPPORTED, SLICE(""));
        return false;
    }
    if (!r->uri_ok) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Malformed Request-URI"));
        return false;
    }
    if (!slice_empty(r->uri.headers)) {
        // RFC 3261 19.1.1, table 1
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Header Fields in Request-URI"));
        return false;
    }
    if (r->uri.scheme == URI_OTHER) {
        request_answer(r, STATUS_UNSUPPORTED_URI_SCHEME, SLICE(""));
        return false;
    }
    return true;
}

// RFC 3261 21.5.4.
static void refuse_for_now(struct request *r, enum metric counter, struct slice phrase)
{
    const uint32_t retry_after_s = r->uas->config.retry_after_s;
    metrics_add(r->metrics, counter, 1);
    request_answer_begin(r, STATUS_SERVICE_UNAVAILABLE, phrase);
    buf_put(r->out, SLICE("Retry-After: "));
    // Those who were refused together are not to come again together.
    buf_put_u64(r->out, retry_after_s + r->id % (retry_after_s + 1));
    buf_put(r->out, SLICE("\r\n"));
    request_answer_end(r);
}

// What ends something that is under way is served.
static bool refuse_when_busy(struct request *r)
{
    const uint32_t busy_after_ms = r->uas->config.busy_after_ms;
    const enum method method = r->message->method;
    if (busy_after_ms == 0 || r->in->waited_ms <= busy_after_ms || method == METHOD_CANCEL ||
        method == METHOD_BYE) {
        return false;
    }
    refuse_for_now(r, METRIC_BUSY, SLICE("Busy"));
    return true;
}

// The table cannot be asked, or not be changed, at present.
static bool refuse_unserved(struct request *r)
{
    if (r->in->service == UAS_IS_LOADING) {
        refuse_for_now(r, METRIC_REFUSED_LOADING, SLICE("Loading Bindings"));
        return true;
    }
    if (r->in->service == UAS_LOOKS_UP && r->message->method == METHOD_REGISTER) {
        refuse_for_now(r, METRIC_REFUSED_UNKEPT, SLICE("Bindings Cannot Be Kept"));
        return true;
    }
    return false;
}

static void dispatch(struct request *r)
{
    metrics_request(r->metrics, r->message->method);
    if (refuse_when_busy(r)) {
        return;
    }
    if (r->message->method == METHOD_CANCEL && our_version(r)) {
        // What it means has had its final answer already, which a CANCEL cannot take back. It has
        // that request's Request-URI, whatever was thought of it then (RFC 3261 9.1).
        request_answer(r, transact_cancels(r) ? STATUS_OK : STATUS_NO_TRANSACTION, SLICE(""));
        return;
    }
    if (!acceptable(r)) {
        return;
    }
    const bool own = r->names_server && r->message->method != METHOD_INVITE;
    if (r->merged && (own || r->message->method == METHOD_REGISTER)) {
        // RFC 3261 8.2.2.2
        request_answer(r, STATUS_LOOP_DETECTED, SLICE("Merged Request"));
    } else if (r->message->method == METHOD_REGISTER) {
        if (!refuse_unserved(r)) {
            registrar_register(r);
        }
    } else if (!slice_empty(r->to_tag)) {
        // Dialogs are between the phones.
        request_answer(r, STATUS_NO_TRANSACTION, SLICE(""));
    } else if (own) {
        answer_for_server(r);
    } else if (refuse_unserved(r)) {
        return;
    } else {
        // A caller who names only the server means the callee in To.
        redirect_request(r, r->names_server ? &r->to : &r->uri);
    }
}

static void answer_capabilities(struct request *r, enum status status)
{
    request_answer_begin(r, status, SLICE(""));
    response_header(r->out, SLICE("Allow"), method_allow_list());
    if (status == STATUS_OK) {
        // RFC 3261 11.2. There is no extension that this server supports.
        request_put_accept(r);
        response_header(r->out, SLICE("Supported"), SLICE(""));
    }
    request_answer_end(r);
}

// A request to the server itself (RFC 3261 8.2.1).
static void answer_for_server(struct request *r)
{
    switch (r->message->method) {
    case METHOD_OPTIONS:
        if (!request_refuse_extensions(r) && !request_refuse_content(r)) {
            answer_capabilities(r, STATUS_OK);
        }
        break;
    case METHOD_BYE:
        if (!request_refuse_extensions(r)) {
            request_answer(r, STATUS_NO_TRANSACTION, SLICE(""));
        }
        break;
    case METHOD_INFO:
    case METHOD_MESSAGE:
    case METHOD_NOTIFY:
    case METHOD_PRACK:
    case METHOD_PUBLISH:
    case METHOD_REFER:
    case METHOD_SUBSCRIBE:
    case METHOD_UPDATE: answer_capabilities(r, STATUS_METHOD_NOT_ALLOWED); break;
    case METHOD_UNKNOWN: answer_capabilities(r, STATUS_NOT_IMPLEMENTED); break;
    // Handled by dispatch.
    case METHOD_INVITE:
    case METHOD_ACK:
    case METHOD_CANCEL:
    case METHOD_REGISTER:
    case METHOD_COUNT: assert(false);
    }
}

// Counts the answer. False when there is none that fits a datagram.
static bool finish(struct request *r)
{
    if (!buf_ok(r->out)) {
        *r->out = buf_over(r->out->at, r->out->cap);
        request_answer(r, STATUS_SERVER_ERROR, SLICE("Answer Too Long"));
    }
    if (!buf_ok(r->out)) {
        // Copied header fields of nearly a datagram's length, with what any answer adds, exceed
        // one.
        metrics_add(r->metrics, METRIC_DROPPED_UNANSWERABLE, 1);
        return false;
    }
    metrics_response(r->metrics, r->status);
    return true;
}
