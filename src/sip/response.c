// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/response.h"

static void put_status_line(struct buf *b, const struct response_head *head)
{
    const struct slice line = status_line(head->status);
    if (slice_empty(head->phrase)) {
        buf_put(b, line);
        return;
    }
    buf_put(b, slice_of(line.at, sizeof("SIP/2.0 200 ") - 1));
    buf_put(b, head->phrase);
    buf_put(b, SLICE("\r\n"));
}

// All Via rows in their order, the topmost via-parm saying where the request came from.
static void put_vias(struct buf *b, const struct response_head *head)
{
    const struct message_row *row = message_first(head->request, HEADER_VIA);
    assert(row != NULL);
    const char *const behind = slice_end(head->via->text);
    buf_put(b, SLICE("Via: "));
    via_put_response(b, head->via, head->peer);
    buf_put(b, slice_between(behind, slice_end(row->value)));
    buf_put(b, SLICE("\r\n"));
    while ((row = message_next(head->request, row)) != NULL) {
        response_header(b, SLICE("Via"), row->value);
    }
}

static void put_to(struct buf *b, const struct response_head *head, struct slice value)
{
    if (head->to_tag == NULL) {
        response_header(b, SLICE("To"), value);
        return;
    }
    buf_put(b, SLICE("To: "));
    buf_put(b, value);
    buf_put(b, SLICE(";tag="));
    buf_put_hex64(b, *head->to_tag);
    buf_put(b, SLICE("\r\n"));
}

void response_begin(struct buf *b, const struct response_head *head)
{
    const struct message *const m = head->request;
    put_status_line(b, head);
    put_vias(b, head);
    if (message_has(m, HEADER_FROM)) {
        response_header(b, SLICE("From"), message_value(m, HEADER_FROM));
    }
    if (message_has(m, HEADER_TO)) {
        put_to(b, head, message_value(m, HEADER_TO));
    }
    if (message_has(m, HEADER_CALL_ID)) {
        response_header(b, SLICE("Call-ID"), message_value(m, HEADER_CALL_ID));
    }
    if (message_has(m, HEADER_CSEQ)) {
        response_header(b, SLICE("CSeq"), message_value(m, HEADER_CSEQ));
    }
    if (!slice_empty(head->server)) {
        response_header(b, SLICE("Server"), head->server);
    }
}
