// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/deliver.h"

#include <inttypes.h>

#include "tests/sim/check.h"

enum { AOR_BYTES = 64 };

// ---- What is bound

static void compare_row(struct world *w, const struct binding *told, const struct model_row *row)
{
    char uri[AOR_BYTES * 2];
    struct buf b = buf_over(uri, sizeof(uri));
    uri_spec_put(&b, &row->uri);
    const int q = told->q == UINT16_MAX ? Q_NONE : told->q;
    if (!slice_equal(told->uri, buf_slice(&b)) || q != row->q ||
        told->remaining_s != model_remaining_s(row, w->now.mono_ms)) {
        trace_fail(&w->trace, "bound: %.*s q %d for %u s, instead of %.*s q %d for %u s",
                   (int)told->uri.len, told->uri.at, q, told->remaining_s, (int)b.len, uri, row->q,
                   model_remaining_s(row, w->now.mono_ms));
    }
}

// The row that a binding must be, among those of its q.
static unsigned find_same(const struct binding *told, const struct model_row *const *rows,
                          unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        char uri[AOR_BYTES * 2];
        struct buf b = buf_over(uri, sizeof(uri));
        if (rows[i] == NULL) {
            continue;
        }
        uri_spec_put(&b, &rows[i]->uri);
        if (slice_equal(told->uri, buf_slice(&b))) {
            return i;
        }
    }
    return count;
}

static void compare_aor(struct world *w, uint8_t user, uint8_t domain)
{
    char aor[AOR_BYTES];
    const struct model_row *rows[MODEL_ROWS_MAX];
    struct buf b = buf_over(aor, sizeof(aor));
    const struct binding_list *const list = &w->server.list;
    uri_spec_put_aor(&b, user, domain);
    server_lookup(&w->server, buf_slice(&b), w->now);
    const unsigned count = model_lookup(&w->model, user, domain, w->now.mono_ms, rows);
    if (list->count != count) {
        trace_fail(&w->trace, "%.*s has %zu bindings instead of %u", (int)b.len, aor, list->count,
                   count);
        return;
    }
    for (unsigned i = 0; i < count; i++) {
        const unsigned at = find_same(&list->rows[i], rows, count);
        if (at == count) {
            trace_fail(&w->trace, "%.*s should not be bound to %.*s", (int)b.len, aor,
                       (int)list->rows[i].uri.len, list->rows[i].uri.at);
            return;
        }
        compare_row(w, &list->rows[i], rows[at]);
        rows[at] = NULL;
    }
}

static void compare_state(struct world *w)
{
    unsigned live = 0;
    for (unsigned i = 0; i < w->phones.count; i++) {
        compare_aor(w, w->phones.phones[i].user, w->phones.phones[i].domain);
    }
    for (unsigned i = 0; i < w->model.bindings.count; i++) {
        live += w->model.bindings.rows[i].expires_ms > w->now.mono_ms ? 1 : 0;
    }
    const uint64_t held = location_size(w->server.uas.location).bindings;
    if (held < live || held > w->model.bindings.count) {
        trace_fail(&w->trace, "%" PRIu64 " bindings held instead of %u, or at most %u", held, live,
                   w->model.bindings.count);
    }
}

// ---- Tags

// RFC 3261 8.2.6.2, 19.3: retransmissions get the same tag, and other requests another one. A
// CANCEL shares its INVITE's (9.2).
static void check_tag(struct world *w, struct request *r, struct slice tag)
{
    if (tag.len == 0) {
        return;
    }
    if (tag.len >= sizeof(r->to_tag)) {
        trace_fail(&w->trace, "a To tag of %zu bytes", tag.len);
        return;
    }
    if (r->to_tag_len != 0) {
        if (!slice_equal(slice_of(r->to_tag, r->to_tag_len), tag)) {
            trace_fail(&w->trace, "another To tag than the first time");
        }
        return;
    }
    memcpy(r->to_tag, tag.at, tag.len);
    r->to_tag_len = tag.len;
    for (unsigned i = 1; i < w->request_count; i++) {
        const struct request *const other = &w->requests[i];
        if (other->intent.branch != r->intent.branch &&
            slice_equal(slice_of(other->to_tag, other->to_tag_len), tag)) {
            trace_fail(&w->trace, "the To tag of #%u", i);
        }
    }
}

// ---- A request

static void report(struct world *w, const struct request *r, bool answered)
{
    const struct intent *const in = &r->intent;
    const struct slice answer = w->server.answer;
    trace_line(&w->trace,
               "%" PRIu64 " [%" PRIu64 "] #%u %s user %u@%u call %u cseq %u branch %u flaw %u%s%s"
               " contacts %u -> %.*s",
               w->time_ms, w->now.mono_ms, in->id, intent_method(in), in->to.user, in->to.host,
               in->call, in->cseq, in->branch, in->flaw, in->star ? " *" : "",
               in->in_dialog ? " in dialog" : "", in->contact_count,
               answered && answer.len > 11 ? 3 : 4,
               answered && answer.len > 11 ? answer.at + 8 : "none");
    trace_bytes(&w->trace, answer);
}

// 8.2.2.2: what has come by another way, too. A redirect is no harm when it is told twice, so that
// holds for REGISTER and for what the server itself is asked by a method that it has: 8.2.1 is
// looked at first.
static void judge_merged(struct world *w, const struct intent *in)
{
    const struct tx *const merged = tx_find_merged(&w->transactions, in, w->now.mono_ms);
    const bool own_method = in->kind == INTENT_OPTIONS || in->kind == INTENT_BYE;
    const bool for_server =
        in->kind == INTENT_REGISTER || (in->target.user == SPEC_NO_USER && own_method);
    if (merged == NULL || !for_server || in->flaw != FLAW_NONE) {
        return;
    }
    if (merged->certain && merged->status != 482) {
        w->verdict.count = 0;
    }
    verdict_allow(&w->verdict, 482);
}

static void judge(struct world *w, const struct intent *in)
{
    model_judge(&w->model, in, w->now.mono_ms, &w->verdict);
    if (!w->config.stateful || w->verdict.count == 0) {
        return;
    }
    judge_merged(w, in);
    if (in->kind == INTENT_CANCEL) {
        const struct tx *const invite = tx_find_invite(&w->transactions, in, w->now.mono_ms);
        if (invite != NULL && invite->certain) {
            w->verdict.count = 0;
        }
        if (invite != NULL) {
            verdict_allow(&w->verdict, 200);
        }
    }
}

static void remember(struct world *w, const struct request *r, const struct answer *answer)
{
    if (!w->config.stateful || answer->bytes.len == 0) {
        return;
    }
    const struct tx *const invite = tx_find_invite(&w->transactions, &r->intent, w->now.mono_ms);
    if (r->intent.kind == INTENT_CANCEL && answer->text.status == 200 && invite != NULL &&
        !r->intent.in_dialog &&
        !slice_equal(answer->to_tag, slice_of(invite->to_tag, strlen(invite->to_tag)))) {
        trace_fail(&w->trace, "the CANCEL's To tag is not the INVITE's");
    }
    struct tx *const tx = tx_add(&w->transactions, &r->intent, answer->bytes, w->now.mono_ms);
    tx->status = answer->text.status;
    // A malformed request's need not be remembered.
    tx->certain = r->intent.flaw == FLAW_NONE && w->config.transaction_bytes == DELIVER_ROOMY_BYTES;
    memcpy(tx->to_tag, r->to_tag, r->to_tag_len);
}

// The model takes over what the server says it has granted, within what it may grant.
static void learn_grants(struct world *w, const struct answer *answer)
{
    for (unsigned i = 0; i < w->model.bindings.count; i++) {
        struct model_row *const row = &w->model.bindings.rows[i];
        uint64_t seconds = 0;
        if (row->granted_now && !check_find_expires(answer, &row->uri, &seconds)) {
            trace_fail(&w->trace, "a Contact that was registered is not told");
        } else if (row->granted_now && !model_grant(&w->model, row, seconds, w->now.mono_ms)) {
            trace_fail(&w->trace, "%" PRIu64 " s granted instead of %u", seconds, row->granted_s);
        }
    }
}

static void answer_anew(struct world *w, struct request *r, bool answered)
{
    struct answer answer = {
        .in = &r->intent,
        .bytes = answered ? w->server.answer : slice_of(NULL, 0),
        .target = w->server.target,
        .now = w->now,
    };
    if (answered && answer.bytes.len == 0) {
        trace_fail(&w->trace, "an answer of no bytes");
        return;
    }
    judge(w, &r->intent);
    check_head(&w->trace, &w->verdict, &answer);
    if (w->trace.failed) {
        return;
    }
    if (r->intent.kind == INTENT_REGISTER && answered && answer.text.status == 200) {
        w->model.bindings = w->verdict.after;
        learn_grants(w, &answer);
    }
    check_body(&w->trace, &w->model, &answer);
    check_tag(w, r, answer.to_tag);
    remember(w, r, &answer);
}

// True when this is a retransmission, and has been treated as one (RFC 3261 17.2.1, 17.2.2).
static bool answered_again(struct world *w, const struct request *r, bool answered)
{
    struct tx *const tx =
        w->config.stateful ? tx_find(&w->transactions, &r->intent, w->now.mono_ms) : NULL;
    if (r->intent.kind == INTENT_ACK) {
        if (tx != NULL && r->intent.flaw == FLAW_NONE) {
            tx_acknowledge(tx, w->now.mono_ms);
        }
        return false;
    }
    // Where the server need not remember, its counter says whether it has: by the answer alone that
    // cannot be seen when a second execution happens to give the same.
    if (tx == NULL || (!tx->certain && !w->server.repeated)) {
        return false;
    }
    const struct endpoint expected = intent_answer_target(&r->intent);
    const bool again = tx->acknowledged ? !answered
                                        : answered && tx_same_answer(tx, w->server.answer) &&
                                              ip_equal(&expected.ip, &w->server.target.ip) &&
                                              expected.port == w->server.target.port;
    if (!again) {
        trace_fail(&w->trace, "not the answer %u given before%s: %.*s", tx->status,
                   tx->acknowledged ? " and acknowledged" : "",
                   answered ? (int)w->server.answer.len : 4,
                   answered ? w->server.answer.at : "none");
    }
    return true;
}

void deliver_request(struct world *w, unsigned number)
{
    enum { REQUEST_BYTES_MAX = 4096 };

    char bytes[REQUEST_BYTES_MAX];
    struct request *const r = &w->requests[number];
    struct buf b = buf_over(bytes, sizeof(bytes));
    const struct endpoint peer = intent_peer(&r->intent);
    intent_put(&b, &r->intent);
    assert(buf_ok(&b));
    if (w->trace.verbose) {
        trace_bytes(&w->trace, buf_slice(&b));
    }
    const bool answered = server_handle(&w->server, buf_slice(&b), &peer, w->now);
    report(w, r, answered);
    if (!answered_again(w, r, answered) && !w->trace.failed) {
        answer_anew(w, r, answered);
    }
    compare_state(w);
    if (answered && !w->trace.failed) {
        network_send(&w->network, w->time_ms, EVENT_TO_CLIENT, number);
        if (w->config.stateful && r->intent.kind == INTENT_INVITE && w->tick_ms_max <= 1000 &&
            w->next_tick_ms > w->time_ms + 500) {
            w->next_tick_ms = w->time_ms + 500; // or timer G would be late
        }
    }
}

// ---- The ticker

static void repeat_answers(struct world *w)
{
    // The server looks at its timers in steps.
    enum { LATE_MS = 100 };

    while (server_repeat(&w->server, w->now)) {
        struct tx *const tx = tx_find_due(&w->transactions, w->server.answer, w->now.mono_ms);
        if (tx == NULL) {
            trace_fail(&w->trace, "repeats an answer that is not due: %.*s",
                       (int)w->server.answer.len, w->server.answer.at);
            return;
        }
        const struct endpoint expected = intent_answer_target(&w->requests[tx->request].intent);
        if (!ip_equal(&expected.ip, &w->server.target.ip) ||
            expected.port != w->server.target.port) {
            trace_fail(&w->trace, "repeats an answer to somebody else");
        }
        tx_repeated(tx, w->now.mono_ms);
        trace_line(&w->trace, "%" PRIu64 " [%" PRIu64 "] the answer to #%u again", w->time_ms,
                   w->now.mono_ms, tx->request);
        network_send(&w->network, w->time_ms, EVENT_TO_CLIENT, tx->request);
    }
    const struct tx *const overdue = tx_overdue(&w->transactions, w->now.mono_ms, LATE_MS);
    if (overdue != NULL) {
        trace_fail(&w->trace, "the answer to #%u is not repeated", overdue->request);
    }
}

void deliver_tick(struct world *w)
{
    server_expire(&w->server, w->now);
    model_sweep(&w->model, w->now.mono_ms);
    if (w->config.stateful) {
        repeat_answers(w);
    }
    compare_state(w);
}
