// SPDX-License-Identifier: Apache-2.0
#include "service/redirect.h"

static size_t keep_usable(struct request *r, const struct uri *callee);
static void answer_moved(struct request *r, size_t count);

void redirect_request(struct request *r, const struct uri *callee)
{
    if (!request_domain_served(r, callee)) {
        request_answer(r, STATUS_NOT_FOUND, SLICE("Domain Not Served Here"));
        return;
    }
    assert(r->has_subject);
    if (!buf_ok(&r->aor)) {
        request_answer(r, STATUS_URI_TOO_LONG, SLICE(""));
        return;
    }
    location_lookup(r->uas->location, buf_slice(&r->aor), r->in->now, r->list);
    if (r->list->count == 0) {
        request_answer(r, STATUS_NOT_FOUND, SLICE(""));
        return;
    }
    const size_t count = keep_usable(r, callee);
    if (count == 0) {
        request_answer(r, STATUS_TEMPORARILY_UNAVAILABLE, SLICE(""));
        return;
    }
    answer_moved(r, count);
}

// RFC 3261 8.3: never the Request-URI itself, which would send the caller in a circle, nor whom he
// has named in To instead; and
// RFC 3261 26.2.2: what is asked for by sips: is not answered with less.
static bool usable(const struct request *r, const struct uri *callee, const struct binding *binding)
{
    struct uri uri;
    if (uri_parse(binding->uri, &uri) != ERR_OK || uri_equal(&uri, &r->uri) ||
        uri_equal(&uri, callee)) {
        return false;
    }
    const bool secure = r->uri.scheme == URI_SIPS || callee->scheme == URI_SIPS;
    return !secure || uri.scheme != URI_SIP;
}

// Moves the usable bindings of the list to its front, in their order, and returns how many.
static size_t keep_usable(struct request *r, const struct uri *callee)
{
    size_t count = 0;
    for (size_t i = 0; i < r->list->count; i++) {
        if (usable(r, callee, &r->list->rows[i])) {
            r->list->rows[count++] = r->list->rows[i];
        }
    }
    return count;
}

// A long answer to a short question is what makes a server a weapon, and what does not fit a packet
// is lost more easily. So only the best Contact is told whatever its length, and others as far as
// there is room: the list is in order.
static void answer_moved(struct request *r, size_t count)
{
    static const struct slice field = SLICE_INIT("Contact: ");
    const size_t end_bytes = sizeof("Content-Length: 0\r\n\r\n") - 1;
    struct buf *const out = r->out;
    request_answer_begin(r, STATUS_MOVED_TEMPORARILY, SLICE(""));
    for (size_t i = 0; i < count; i++) {
        const struct buf before = *out;
        buf_put(out, field);
        request_put_binding(out, &r->list->rows[i]);
        buf_put(out, SLICE("\r\n"));
        if (i > 0 && (!buf_ok(out) || out->len + end_bytes > r->uas->config.redirect_bytes_max)) {
            *out = before;
            metrics_add(r->metrics, METRIC_REDIRECT_CUT, count - i);
            break;
        }
    }
    request_answer_end(r);
}
