// SPDX-License-Identifier: Apache-2.0
#include "run/admin.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/keyvalq_struct.h>
#include <event2/listener.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "env/thread.h"
#include "run/dump.h"

enum {
    EVENTS_MAX = 64,         // about two a connection; then others wait in the kernel's backlog
    PAUSE_US = 50000,        // between looks whether there is room again
    HEADER_BYTES_MAX = 8192, // 400
    BODY_BYTES_MAX = 1024,   // 413; nobody has reason to send one
    IDLE_S_MAX = 5,          // without a byte read or written
    ADDRESS_BYTES_MAX = 64,
    US_PER_S = 1000000,
};

struct admin {
    struct admin_config config;
    uint16_t port;
    struct dump *dump;
    struct histogram delays; // scratch of put_delays
    struct event_base *base;
    struct evhttp *http;
    struct evconnlistener *listener; // http's
    struct event *stop;
    struct event *resume; // of accepting, pending while there are too many connections
    int stop_fd;
    pthread_t thread;
};

static enum err open_all(struct admin *admin);
static enum err bind_address(struct admin *admin);
static enum err start_thread(struct admin *admin);
static void *run(void *arg);
static void release(struct admin *admin);
static void on_stop(evutil_socket_t fd, short events, void *arg);
static struct bufferevent *on_accept(struct event_base *base, void *arg);
static void on_resume(evutil_socket_t fd, short events, void *arg);
static void on_request(struct evhttp_request *request, void *arg);
static void put_metrics(struct admin *admin, struct evbuffer *body);
static void put_delays(struct admin *admin, struct evbuffer *body);
static void put_health(struct admin *admin, struct evbuffer *body);
static void put_index(struct admin *admin, struct evbuffer *body);

static const struct page {
    const char *path;
    const char *content_type;
    void (*put)(struct admin *admin, struct evbuffer *body); // NULL: the dump answers itself
} pages[] = {
    {"/", "text/plain; charset=utf-8", put_index},
    {"/healthz", "text/plain; charset=utf-8", put_health},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", put_metrics},
    {"/bindings", "application/x-ndjson", NULL},
};

enum err admin_start(const struct admin_config *config, struct admin **out)
{
    assert(config->source.snapshot != NULL && config->source.delays != NULL);
    assert(config->source.scan != NULL);
    assert(config->address.ip.family != IP_NONE);
    *out = NULL;
    struct admin *admin = calloc(1, sizeof(*admin));
    if (admin == NULL) {
        log_write(&config->log, LOG_LEVEL_ERROR, "admin: %s", err_text(ERR_NO_MEMORY));
        return ERR_NO_MEMORY;
    }
    admin->config = *config;
    admin->stop_fd = -1;
    enum err e = open_all(admin);
    if (e == ERR_OK) {
        e = bind_address(admin);
    }
    if (e == ERR_OK) {
        e = start_thread(admin);
    }
    if (e != ERR_OK) {
        release(admin);
        return e;
    }
    *out = admin;
    return ERR_OK;
}

uint16_t admin_port(const struct admin *admin)
{
    return admin->port;
}

void admin_stop(struct admin *admin)
{
    if (admin == NULL) {
        return;
    }
    const uint64_t one = 1;
    const ssize_t written = write(admin->stop_fd, &one, sizeof(one));
    assert(written == sizeof(one)); // an eventfd takes 2^64 - 2 before it blocks
    const int joined = pthread_join(admin->thread, NULL);
    assert(joined == 0);
    release(admin);
}

// Everything that fails only for want of memory or descriptors.
static enum err open_all(struct admin *admin)
{
    const struct timeval idle = {.tv_sec = IDLE_S_MAX};
    admin->base = event_base_new();
    admin->dump = admin->base == NULL ? NULL : dump_create(&admin->config.source, admin->base);
    admin->http = admin->base == NULL ? NULL : evhttp_new(admin->base);
    admin->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (admin->http != NULL && admin->stop_fd >= 0) {
        admin->stop = event_new(admin->base, admin->stop_fd, EV_READ, on_stop, admin->base);
        admin->resume = event_new(admin->base, -1, EV_PERSIST, on_resume, admin);
    }
    if (admin->dump == NULL || admin->stop == NULL || admin->resume == NULL ||
        event_add(admin->stop, NULL) != 0) {
        log_write(&admin->config.log, LOG_LEVEL_ERROR, "admin: no memory or descriptors left");
        return ERR_NO_MEMORY;
    }
    evhttp_set_timeout_tv(admin->http, &idle);
    evhttp_set_max_headers_size(admin->http, HEADER_BYTES_MAX);
    evhttp_set_max_body_size(admin->http, BODY_BYTES_MAX);
    // All methods come to on_request: libevent would answer 501 to one that we refuse with 405.
    evhttp_set_allowed_methods(admin->http, UINT16_MAX);
    evhttp_set_bevcb(admin->http, on_accept, admin);
    evhttp_set_gencb(admin->http, on_request, admin);
    return ERR_OK;
}

static enum err refused_address(const struct admin *admin, int why)
{
    char bytes[ADDRESS_BYTES_MAX];
    struct buf text = buf_over(bytes, sizeof(bytes));
    endpoint_put(&text, &admin->config.address);
    assert(buf_ok(&text));
    log_write(&admin->config.log, LOG_LEVEL_ERROR,
              "cannot serve admin HTTP on %.*s: %s; change --admin (or switch it off with "
              "--admin off)",
              (int)text.len, text.at, strerror(why));
    switch (why) {
    case EADDRINUSE: return ERR_IN_USE;
    case EADDRNOTAVAIL:
    case EACCES: return ERR_RANGE;
    default: return ERR_SYSTEM;
    }
}

static uint16_t bound_port(evutil_socket_t fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};

    socklen_t len = sizeof(address);
    const int rc = getsockname(fd, &address.any, &len);
    assert(rc == 0);
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static enum err bind_address(struct admin *admin)
{
    char host[ADDRESS_BYTES_MAX];
    struct buf text = buf_over(host, sizeof(host) - 1);
    ip_put(&text, &admin->config.address.ip);
    assert(buf_ok(&text));
    host[text.len] = '\0';
    struct evhttp_bound_socket *bound =
        evhttp_bind_socket_with_handle(admin->http, host, admin->config.address.port);
    if (bound == NULL) {
        return refused_address(admin, errno);
    }
    admin->listener = evhttp_bound_socket_get_listener(bound);
    admin->port = bound_port(evhttp_bound_socket_get_fd(bound));
    return ERR_OK;
}

static enum err start_thread(struct admin *admin)
{
    // The thread takes no signals: they are for main, and a peer that is gone must not raise
    // SIGPIPE.
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = pthread_create(&admin->thread, NULL, run, admin);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        log_write(&admin->config.log, LOG_LEVEL_ERROR, "admin: cannot start a thread: %s",
                  strerror(rc));
        return ERR_SYSTEM;
    }
    return ERR_OK;
}

static void *run(void *arg)
{
    struct admin *admin = arg;
    thread_give_way();
    (void)event_base_dispatch(admin->base);
    return NULL;
}

static void release(struct admin *admin)
{
    if (admin->http != NULL) {
        evhttp_free(admin->http); // with its listener and connections
    }
    dump_destroy(admin->dump);
    if (admin->stop != NULL) {
        event_free(admin->stop);
    }
    if (admin->resume != NULL) {
        event_free(admin->resume);
    }
    if (admin->base != NULL) {
        event_base_free(admin->base);
    }
    if (admin->stop_fd >= 0) {
        (void)close(admin->stop_fd);
    }
    free(admin);
}

static void on_stop(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    struct event_base *base = arg;
    (void)event_base_loopbreak(base);
}

static bool is_full(struct event_base *base)
{
    return event_base_get_num_events(base, EVENT_BASE_COUNT_ADDED) >= EVENTS_MAX;
}

// evhttp neither limits nor counts its connections, but it asks for a bufferevent before it takes
// one more (NULL: it makes its own). An open connection waits for bytes and for its timeout, which
// are events; so the number of these bounds that of the connections.
static struct bufferevent *on_accept(struct event_base *base, void *arg)
{
    struct admin *admin = arg;
    const struct timeval pause = {.tv_usec = PAUSE_US};
    if (is_full(base) && event_add(admin->resume, &pause) == 0) {
        (void)evconnlistener_disable(admin->listener);
    }
    return NULL;
}

static void on_resume(evutil_socket_t fd, short events, void *arg)
{
    (void)fd;
    (void)events;
    struct admin *admin = arg;
    if (!is_full(admin->base)) {
        (void)event_del(admin->resume);
        (void)evconnlistener_enable(admin->listener);
    }
}

static const struct page *page_at(const char *path)
{
    for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
        if (path != NULL && strcmp(path, pages[i].path) == 0) {
            return &pages[i];
        }
    }
    return NULL;
}

static void reply(struct evhttp_request *request, int status, const char *reason,
                  const char *content_type, struct evbuffer *body)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    char length[sizeof("18446744073709551615")];
    (void)snprintf(length, sizeof(length), "%zu", evbuffer_get_length(body));
    (void)evhttp_add_header(headers, "Content-Type", content_type);
    (void)evhttp_add_header(headers, "Content-Length", length);
    // One request a connection: a scraper that keeps its connection would keep it from others.
    (void)evhttp_add_header(headers, "Connection", "close");
    if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
        (void)evbuffer_drain(body, evbuffer_get_length(body));
    }
    evhttp_send_reply(request, status, reason, body);
}

static void on_request(struct evhttp_request *request, void *arg)
{
    struct admin *admin = arg;
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const struct page *page = page_at(uri == NULL ? NULL : evhttp_uri_get_path(uri));
    const enum evhttp_cmd_type method = evhttp_request_get_command(request);
    struct evbuffer *body = evbuffer_new();
    if (body == NULL) {
        evhttp_send_error(request, HTTP_INTERNAL, NULL);
        return;
    }
    if (page == NULL) {
        (void)evbuffer_add_printf(body, "not found, see /\n");
        reply(request, HTTP_NOTFOUND, "Not Found", pages[0].content_type, body);
    } else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        (void)evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
        (void)evbuffer_add_printf(body, "only GET and HEAD\n");
        reply(request, HTTP_BADMETHOD, "Method Not Allowed", pages[0].content_type, body);
    } else if (page->put == NULL) {
        dump_start(admin->dump, request);
    } else {
        page->put(admin, body);
        reply(request, HTTP_OK, "OK", page->content_type, body);
    }
    evbuffer_free(body);
}

// Prometheus text format 0.0.4: HELP and TYPE once before all rows of a name, which stand side by
// side (state/metrics.h). A body that memory does not suffice for is cut, and its scrape fails.
static void put_metrics(struct admin *admin, struct evbuffer *body)
{
    struct metrics metrics;
    memset(&metrics, 0, sizeof(metrics));
    admin->config.source.snapshot(admin->config.source.context, &metrics);
    const char *name = "";
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = metrics_row((enum metric)i);
        if (strcmp(name, row->name) != 0) {
            name = row->name;
            (void)evbuffer_add_printf(body, "# HELP %s %s\n# TYPE %s %s\n", name, row->help, name,
                                      row->kind == METRIC_COUNTER ? "counter" : "gauge");
        }
        const bool labelled = row->labels[0] != '\0';
        (void)evbuffer_add_printf(body, "%s%s%s%s %" PRIu64 "\n", name, labelled ? "{" : "",
                                  row->labels, labelled ? "}" : "", metric_read(&metrics.rows[i]));
    }
    put_delays(admin, body);
}

// A histogram as Prometheus has it: cumulative, in seconds.
static void put_delays(struct admin *admin, struct evbuffer *body)
{
    static const uint64_t bounds_us[] = {50,    100,   250,   500,    1000,   2500,   5000,
                                         10000, 25000, 50000, 100000, 250000, 500000, 1000000};
    static const char name[] = "signpost_answer_delay_seconds";
    struct histogram *const delays = &admin->delays;
    admin->config.source.delays(admin->config.source.context, delays);
    // Of the rows, like the buckets, and not the total, which workers count up a moment later.
    const uint64_t count = histogram_count_to(delays, UINT64_MAX);
    (void)evbuffer_add_printf(
        body,
        "# HELP %s From a datagram's arrival to its answer's leaving, or its being dropped.\n"
        "# TYPE %s histogram\n",
        name, name);
    for (size_t i = 0; i < sizeof(bounds_us) / sizeof(bounds_us[0]); i++) {
        (void)evbuffer_add_printf(body, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name,
                                  (double)bounds_us[i] / US_PER_S,
                                  histogram_count_to(delays, bounds_us[i]));
    }
    (void)evbuffer_add_printf(
        body, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n", name,
        count, name, (double)delays->sum / US_PER_S, name, count);
}

static void put_health(struct admin *admin, struct evbuffer *body)
{
    (void)admin;
    (void)evbuffer_add_printf(body, "ok\n");
}

static void put_index(struct admin *admin, struct evbuffer *body)
{
    (void)admin;
    (void)evbuffer_add_printf(body, "signpostd " SIGNPOST_VERSION "\n\n"
                                    "/metrics   counters and gauges, Prometheus text format\n"
                                    "/healthz   ok as long as the server runs\n"
                                    "/bindings  all of them, one JSON object a line\n");
}
