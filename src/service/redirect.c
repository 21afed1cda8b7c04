// SPDX-License-Identifier: Apache-2.0
#include "signpost/service/redirect.h"

static bool usable(const struct request *r, const struct binding *binding);
static void answer_moved(struct request *r);

void redirect_request(struct request *r, const struct uri *callee)
{
    if (!request_domain_served(r, callee)) {
        request_answer(r, STATUS_NOT_FOUND, SLICE("Domain Not Served Here"));
        return;
    }
    uri_put_aor(&r->aor, callee);
    if (!buf_ok(&r->aor)) {
        request_answer(r, STATUS_URI_TOO_LONG, SLICE(""));
        return;
    }
    location_lookup(r->uas->location, buf_slice(&r->aor), r->in->now, r->list);
    if (r->list->count == 0) {
        request_answer(r, STATUS_NOT_FOUND, SLICE(""));
        return;
    }
    answer_moved(r);
}

// RFC 3261 8.3: never the Request-URI itself, which would send the caller in a circle; and
// RFC 3261 26.2.2: what is asked for by sips: is not answered with less.
static bool usable(const struct request *r, const struct binding *binding)
{
    struct uri uri;
    if (uri_parse(binding->uri, &uri) != ERR_OK || uri_equal(&uri, &r->uri)) {
        return false;
    }
    return r->uri.scheme != URI_SIPS || uri.scheme != URI_SIP;
}

// Contacts that would not fit are left out: the list is in order, so the best ones stand.
static void answer_moved(struct request *r)
{
    enum { TAIL_BYTES = 64 }; // for the last header field and the end of the line
    struct buf *const out = r->out;
    size_t written = 0;
    const struct buf start = *out;
    request_answer_begin(r, STATUS_MOVED_TEMPORARILY, SLICE(""));
    for (size_t i = 0; i < r->list->count; i++) {
        const struct binding *const binding = &r->list->rows[i];
        if (!usable(r, binding)) {
            continue;
        }
        if (out->cap - out->len < binding->uri.len + TAIL_BYTES + TAIL_BYTES) {
            metrics_add(r->metrics, METRIC_REDIRECT_CUT, r->list->count - i);
            break;
        }
        buf_put(out, SLICE("Contact: "));
        request_put_binding(out, binding);
        buf_put(out, SLICE("\r\n"));
        written++;
    }
    if (written == 0) {
        *out = start;
        request_answer(r, STATUS_TEMPORARILY_UNAVAILABLE, SLICE(""));
        return;
    }
    request_answer_end(r);
}
