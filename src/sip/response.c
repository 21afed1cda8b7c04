// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/response.h"

static void put_status_line(struct buf *b, const struct response_head *head)
{
    buf_put(b, SLICE("SIP/2.0 "));
    buf_put_u64(b, status_code(head->status));
    buf_put_char(b, ' ');
    buf_put(b, slice_empty(head->phrase) ? status_phrase(head->status) : head->phrase);
    buf_put(b, SLICE("\r\n"));
}

// All Via rows in their order, the topmost via-parm saying where the request came from.
static void put_vias(struct buf *b, const struct response_head *head)
{
    const struct message *const m = head->request;
    const struct slice topmost = message_value(m, HEADER_VIA);
    buf_put(b, SLICE("Via: "));
    via_put_response(b, head->via, head->peer);
    buf_put(b, slice_between(slice_end(head->via->text), slice_end(topmost)));
    buf_put(b, SLICE("\r\n"));
    for (const struct message_row *row = message_first(m, HEADER_VIA); row != NULL;
         row = message_next(m, row)) {
        if (row->value.at != topmost.at) {
            response_header(b, SLICE("Via"), row->value);
        }
    }
}

static void put_copied(struct buf *b, const struct message *request, enum header id)
{
    const struct message_row *row = message_first(request, id);
    if (row != NULL) {
        response_header(b, header_name(id), row->value);
    }
}

static void put_to(struct buf *b, const struct response_head *head)
{
    const struct message_row *row = message_first(head->request, HEADER_TO);
    if (row == NULL) {
        return;
    }
    buf_put(b, SLICE("To: "));
    buf_put(b, row->value);
    if (head->to_tag != NULL) {
        buf_put(b, SLICE(";tag="));
        buf_put_hex64(b, *head->to_tag);
    }
    buf_put(b, SLICE("\r\n"));
}

void response_begin(struct buf *b, const struct response_head *head)
{
    put_status_line(b, head);
    put_vias(b, head);
    put_copied(b, head->request, HEADER_FROM);
    put_to(b, head);
    put_copied(b, head->request, HEADER_CALL_ID);
    put_copied(b, head->request, HEADER_CSEQ);
    if (!slice_empty(head->server)) {
        response_header(b, SLICE("Server"), head->server);
    }
}

void response_header(struct buf *b, struct slice name, struct slice value)
{
    buf_put(b, name);
    buf_put(b, SLICE(": "));
    buf_put(b, value);
    buf_put(b, SLICE("\r\n"));
}

void response_end(struct buf *b)
{
    buf_put(b, SLICE("Content-Length: 0\r\n\r\n"));
}
