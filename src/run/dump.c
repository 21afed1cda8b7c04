// SPDX-License-Identifier: Apache-2.0
#include "run/dump.h"

#include <event2/buffer.h>
#include <stdlib.h>

#include "signpost/base/json.h"
#include "signpost/sip/fields.h"

enum {
    // A chunk of so many pages takes a fraction of a millisecond, and whoever answers on the same
    // CPU goes first after it.
    CHUNK_PAGES = 4,
    CHUNK_PAUSE_US = 1000,
    // An escaped byte takes six, and names and numbers have their place.
    LINE_BYTES_MAX = 6 * (AOR_BYTES_MAX + CONTACT_BYTES_MAX + CALL_ID_BYTES_MAX) + 256,
};

struct dump {
    struct admin_source source;
    struct evhttp_request *request; // being answered, or NULL; libevent's
    struct event *next;             // pending while a chunk has been sent and the next has not
    struct location_cursor cursor;
    struct location_page page;
    char line[LINE_BYTES_MAX];
};

static void refuse(struct evhttp_request *request);
static void pace(struct evhttp_connection *connection, void *arg);
static void send_chunk(evutil_socket_t fd, short events, void *arg);
static void on_closed(struct evhttp_connection *connection, void *arg);

struct dump *dump_create(const struct admin_source *source, struct event_base *base)
{
    struct dump *const dump = malloc(sizeof(*dump));
    if (dump == NULL) {
        return NULL;
    }
    dump->source = *source;
    dump->request = NULL;
    dump->next = event_new(base, -1, 0, send_chunk, dump);
    if (dump->next == NULL) {
        free(dump);
        return NULL;
    }
    return dump;
}

void dump_destroy(struct dump *dump)
{
    if (dump == NULL) {
        return;
    }
    event_free(dump->next);
    free(dump);
}

void dump_start(struct dump *dump, struct evhttp_request *request)
{
    struct evkeyvalq *const headers = evhttp_request_get_output_headers(request);
    (void)evhttp_add_header(headers, "Connection", "close");
    if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
        (void)evhttp_add_header(headers, "Content-Type", "application/x-ndjson");
        evhttp_send_reply(request, HTTP_OK, "OK", NULL);
        return;
    }
    if (dump->request != NULL) {
        refuse(request);
        return;
    }
    (void)evhttp_add_header(headers, "Content-Type", "application/x-ndjson");
    dump->request = request;
    dump->cursor = (struct location_cursor){.reader = LOCATION_READER_DUMP};
    struct evhttp_connection *const connection = evhttp_request_get_connection(request);
    evhttp_connection_set_closecb(connection, on_closed, dump);
    evhttp_send_reply_start(request, HTTP_OK, "OK");
    pace(connection, dump);
}

static void refuse(struct evhttp_request *request)
{
    struct evkeyvalq *const headers = evhttp_request_get_output_headers(request);
    (void)evhttp_add_header(headers, "Content-Type", "text/plain; charset=utf-8");
    (void)evhttp_add_header(headers, "Retry-After", "5");
    struct evbuffer *const body = evbuffer_new();
    if (body != NULL) {
        (void)evbuffer_add_printf(body, "somebody else is reading them\n");
    }
    evhttp_send_reply(request, HTTP_SERVUNAVAIL, "Service Unavailable", body);
    if (body != NULL) {
        evbuffer_free(body);
    }
}

static void put_member(struct buf *b, struct slice name, struct slice text)
{
    buf_put(b, name);
    json_put_text(b, text);
}

static struct slice put_row(struct dump *dump, const struct location_row *row)
{
    const struct binding *const binding = &row->binding;
    struct buf b = buf_over(dump->line, sizeof(dump->line));
    put_member(&b, SLICE("{\"aor\":"), row->aor);
    put_member(&b, SLICE(",\"contact\":"), binding->uri);
    put_member(&b, SLICE(",\"params\":"), binding->params);
    if (binding->q != Q_ABSENT) {
        buf_put(&b, binding->q == Q_ONE ? SLICE(",\"q\":1.") : SLICE(",\"q\":0."));
        buf_put_padded(&b, binding->q % Q_ONE, 3);
    }
    buf_put(&b, SLICE(",\"expires\":"));
    buf_put_u64(&b, binding->remaining_s);
    put_member(&b, SLICE(",\"call_id\":"), binding->call_id);
    buf_put(&b, SLICE(",\"cseq\":"));
    buf_put_u64(&b, binding->cseq);
    buf_put(&b, SLICE("}\n"));
    assert(buf_ok(&b));
    return buf_slice(&b);
}

// An answer that memory does not suffice for is cut off, which the client sees by the missing end
// of its last chunk.
static void give_up(struct dump *dump)
{
    struct evhttp_connection *const connection = evhttp_request_get_connection(dump->request);
    evhttp_connection_set_closecb(connection, NULL, NULL);
    dump->request = NULL;
    evhttp_connection_free(connection);
}

// The chunk before has been sent.
static void pace(struct evhttp_connection *connection, void *arg)
{
    static const struct timeval time = {.tv_usec = CHUNK_PAUSE_US};
    struct dump *const dump = arg;
    (void)connection;
    if (event_add(dump->next, &time) != 0) {
        give_up(dump);
    }
}

static bool put_page(struct dump *dump, struct evbuffer *body)
{
    bool ok = true;
    for (size_t i = 0; ok && i < dump->page.count; i++) {
        const struct slice line = put_row(dump, &dump->page.rows[i]);
        ok = evbuffer_add(body, line.at, line.len) == 0;
    }
    return ok;
}

static void end(struct dump *dump)
{
    evhttp_connection_set_closecb(evhttp_request_get_connection(dump->request), NULL, NULL);
    evhttp_send_reply_end(dump->request);
    dump->request = NULL;
}

static void send_chunk(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    struct dump *const dump = arg;
    struct evbuffer *const body = evbuffer_new();
    bool ok = body != NULL;
    bool more = ok;
    for (unsigned i = 0; more && ok && i < CHUNK_PAGES; i++) {
        more = dump->source.scan(dump->source.context, &dump->cursor, &dump->page);
        ok = !more || put_page(dump, body);
    }
    if (!ok) {
        give_up(dump);
    } else if (more) {
        evhttp_send_reply_chunk_with_cb(dump->request, body, pace, dump);
    } else {
        evhttp_send_reply_chunk(dump->request, body);
        end(dump);
    }
    if (body != NULL) {
        evbuffer_free(body);
    }
}

// The client has gone, and libevent has let go of the request, which is only freed by ending it;
// or the server stops, and the request goes with its connection.
static void on_closed(struct evhttp_connection *connection, void *arg)
{
    (void)connection;
    struct dump *const dump = arg;
    (void)event_del(dump->next);
    if (evhttp_request_get_connection(dump->request) == NULL) {
        evhttp_send_reply_end(dump->request);
    }
    dump->request = NULL;
}
