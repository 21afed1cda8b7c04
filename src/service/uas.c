// SPDX-License-Identifier: Apache-2.0
#include "signpost/service/uas.h"

#include <stdlib.h>

#include "service/redirect.h"
#include "service/registrar.h"
#include "service/request.h"
#include "signpost/sip/stun.h"

struct uas_scratch {
    struct message message;
    struct binding_list list;
    struct contact_update updates[CONTACTS_PER_AOR_MAX];
    char aor[AOR_BYTES_MAX];
    char params[AOR_STATE_BYTES_MAX];
};

static bool handle_keepalive(struct metrics *metrics, const struct uas_input *in,
                             struct uas_output *out, bool *answer);
static bool find_way_back(struct request *r);
static bool well_formed(struct request *r);
static void dispatch(struct request *r);
static void answer_for_server(struct request *r);

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
    bool answer;
    if (handle_keepalive(metrics, in, out, &answer)) {
        return answer;
    }
    struct request r = {
        .uas = uas,
        .metrics = metrics,
        .in = in,
        .out = &out->answer,
        .message = &scratch->message,
        .list = &scratch->list,
        .updates = scratch->updates,
        .aor = buf_over(scratch->aor, sizeof(scratch->aor)),
        .params = buf_over(scratch->params, sizeof(scratch->params)),
    };
    // Faults stay in message->problem, to be told to the sender if there is a way back to it.
    if (message_parse(in->bytes, &scratch->message) != ERR_OK &&
        scratch->message.kind == MESSAGE_GARBAGE) {
        metrics_add(metrics, METRIC_DROPPED_GARBAGE, 1);
        return false;
    }
    if (!find_way_back(&r)) {
        return false;
    }
    out->target = via_response_target(&r.via, in->peer);
    if (out->target.port == 0) {
        metrics_add(metrics, METRIC_DROPPED_UNANSWERABLE, 1);
        return false;
    }
    if (well_formed(&r)) {
        dispatch(&r);
    }
    if (!buf_ok(&out->answer)) {
        out->answer = buf_over(out->answer.at, out->answer.cap);
        request_answer(&r, STATUS_SERVER_ERROR, SLICE("Answer Too Long"));
    }
    if (!buf_ok(&out->answer)) {
        // Copied header fields of nearly a datagram's length, with what any answer adds, exceed
        // one.
        metrics_add(metrics, METRIC_DROPPED_UNANSWERABLE, 1);
        return false;
    }
    metrics_response(metrics, r.status);
    return true;
}

// ---- What is no SIP message

static bool only_line_ends(struct slice bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.at[i] != '\r' && bytes.at[i] != '\n' && bytes.at[i] != '\0') {
            return false;
        }
    }
    return true;
}

// True when the datagram is a keep-alive; *answer then tells whether it wants one.
static bool handle_keepalive(struct metrics *metrics, const struct uas_input *in,
                             struct uas_output *out, bool *answer)
{
    *answer = false;
    if (in->bytes.len > 0 && (unsigned char)in->bytes.at[0] >= ' ') {
        return false;
    }
    if (only_line_ends(in->bytes)) {
        metrics_add(metrics, METRIC_KEEPALIVES, 1);
        return true;
    }
    if (!stun_looks_like(in->bytes)) {
        return false;
    }
    out->target = *in->peer;
    *answer = in->peer->port != 0 && stun_answer(in->bytes, in->peer, &out->answer) == ERR_OK;
    metrics_add(metrics, *answer ? METRIC_STUN_REQUESTS : METRIC_DROPPED_GARBAGE, 1);
    return true;
}

// ---- What is a request that can be answered

// RFC 3261 18.2.2: without a topmost Via nobody knows where an answer should go. Responses and
// ACKs are never answered (RFC 3261 8.2.6, 17.2.1).
static bool find_way_back(struct request *r)
{
    const struct message *const m = r->message;
    if (m->kind == MESSAGE_RESPONSE) {
        metrics_add(r->metrics, METRIC_DROPPED_RESPONSE, 1);
        return false;
    }
    if (m->method == METHOD_ACK) {
        metrics_request(r->metrics, m->method);
        metrics_add(r->metrics, METRIC_ACKS, 1);
        return false;
    }
    const struct message_row *const row = message_first(m, HEADER_VIA);
    if (row == NULL || m->via_lost || via_parse(row->value, &r->via) != ERR_OK) {
        metrics_add(r->metrics, METRIC_DROPPED_NO_VIA, 1);
        return false;
    }
    return true;
}

// Identity of the request: what a retransmission has in common with it, and no other request.
static uint64_t identify(const struct request *r)
{
    const struct hash_key *const key = &r->uas->config.key;
    const uint64_t parts[] = {
        hash_bytes(key, r->call_id),
        hash_bytes(key, r->from_tag),
        hash_bytes(key, r->via.text),
        hash_bytes(key, r->message->uri),
        r->cseq.number,
        (uint64_t)r->message->method,
    };
    return hash_bytes(key, slice_of((const char *)parts, sizeof(parts)));
}

// The value of a header field that is surely there: message_parse has seen to it.
static struct slice value_of(const struct request *r, enum header id)
{
    return message_first(r->message, id)->value;
}

// The header fields that every request must have (RFC 3261 8.1.1), in detail. Returns what is
// wrong with them, or NULL.
static const char *read_fields(struct request *r)
{
    struct addr from;
    const struct message_row *const to = message_first(r->message, HEADER_TO);
    const bool to_ok = to != NULL && addr_parse(to->value, &r->to, &r->to_tag) == ERR_OK;
    r->tag_to = to_ok && slice_empty(r->to_tag);
    if (r->message->problem != NULL) {
        return r->message->problem;
    }
    if (!to_ok) {
        return "Malformed To";
    }
    if (addr_parse(value_of(r, HEADER_FROM), &from, &r->from_tag) != ERR_OK) {
        return "Malformed From";
    }
    r->call_id = value_of(r, HEADER_CALL_ID);
    if (!call_id_well_formed(r->call_id)) {
        return "Malformed Call-ID";
    }
    if (cseq_parse(value_of(r, HEADER_CSEQ), &r->cseq) != ERR_OK) {
        return "Malformed CSeq";
    }
    if (!slice_equal(r->cseq.method, r->message->method_name)) {
        return "CSeq Method Does Not Match";
    }
    return NULL;
}

// The checks that come before anything is done (RFC 3261 8.2, 21.5.6). False when one has failed
// and the request has been answered.
static bool well_formed(struct request *r)
{
    const char *const problem = read_fields(r);
    r->id = identify(r);
    if (!slice_equal_nocase(r->message->version, SLICE("SIP/2.0"))) {
        request_answer(r, STATUS_VERSION_NOT_SUPPORTED, SLICE(""));
        return false;
    }
    if (problem != NULL) {
        request_answer(r, STATUS_BAD_REQUEST, slice_of(problem, strlen(problem)));
        return false;
    }
    metrics_request(r->metrics, r->message->method);
    if (uri_parse(r->message->uri, &r->uri) != ERR_OK) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Malformed Request-URI"));
        return false;
    }
    if (r->uri.scheme == URI_OTHER) {
        request_answer(r, STATUS_UNSUPPORTED_URI_SCHEME, SLICE(""));
        return false;
    }
    return true;
}

// ---- Who answers it

static void dispatch(struct request *r)
{
    if (r->message->method == METHOD_REGISTER) {
        registrar_register(r);
    } else if (r->message->method == METHOD_CANCEL || !slice_empty(r->to_tag)) {
        // Every answer has been final at once, so there is nothing to cancel; and dialogs are
        // between the phones.
        request_answer(r, STATUS_NO_TRANSACTION, SLICE(""));
    } else if (request_names_server(r)) {
        answer_for_server(r);
    } else {
        redirect_request(r, &r->uri);
    }
}

static void answer_capabilities(struct request *r, enum status status)
{
    request_answer_begin(r, status, SLICE(""));
    response_header(r->out, SLICE("Allow"), method_allow_list());
    if (status == STATUS_OK) {
        // RFC 3261 11.2. There is no extension that this server supports.
        response_header(r->out, SLICE("Accept"), SLICE("application/sdp"));
        response_header(r->out, SLICE("Accept-Encoding"), SLICE("identity"));
        response_header(r->out, SLICE("Accept-Language"), SLICE("en"));
        response_header(r->out, SLICE("Supported"), SLICE(""));
    }
    request_answer_end(r);
}

// A caller who names only the server means the callee in To.
static void redirect_by_to(struct request *r)
{
    struct uri to;
    if (uri_parse(r->to.uri, &to) != ERR_OK) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Malformed To URI"));
        return;
    }
    redirect_request(r, &to);
}

// A request to the server itself (RFC 3261 8.2.1).
static void answer_for_server(struct request *r)
{
    switch (r->message->method) {
    case METHOD_INVITE: redirect_by_to(r); break;
    case METHOD_OPTIONS:
        if (!request_refuse_extensions(r)) {
            answer_capabilities(r, STATUS_OK);
        }
        break;
    case METHOD_BYE: request_answer(r, STATUS_NO_TRANSACTION, SLICE("")); break;
    case METHOD_INFO:
    case METHOD_MESSAGE:
    case METHOD_NOTIFY:
    case METHOD_PRACK:
    case METHOD_PUBLISH:
    case METHOD_REFER:
    case METHOD_SUBSCRIBE:
    case METHOD_UPDATE: answer_capabilities(r, STATUS_METHOD_NOT_ALLOWED); break;
    case METHOD_UNKNOWN: answer_capabilities(r, STATUS_NOT_IMPLEMENTED); break;
    // Handled before the Request-URI is looked at.
    case METHOD_ACK:
    case METHOD_CANCEL:
    case METHOD_REGISTER:
    case METHOD_COUNT: assert(false);
    }
}
