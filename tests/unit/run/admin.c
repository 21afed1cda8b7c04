// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "run/admin.h"

static const struct endpoint loopback = {.ip = {.family = IP_V4, .bytes = {127, 0, 0, 1}}};

static void snapshot(const void *context, struct metrics *out)
{
    const uint64_t *workers = context;
    memset(out, 0, sizeof(*out));
    metrics_add(out, METRIC_WORKERS, *workers);
    metrics_add(out, METRIC_DROPPED_NO_VIA, 7);
    metrics_request(out, METHOD_REGISTER);
}

static const uint64_t workers = 3;

static void delays(const void *context, struct histogram *out)
{
    (void)context;
    histogram_reset(out);
    histogram_record(out, 40);
    histogram_record(out, 700);
    histogram_record(out, 3000000);
}

// More than the kernel takes from a server whose client does not read.
enum { PAGES = 800 };

static bool scan(const void *context, struct location_cursor *cursor, struct location_page *page)
{
    (void)context;
    if (cursor->shard == PAGES) {
        return false;
    }
    cursor->shard++;
    page->count = LOCATION_PAGE_ROWS;
    for (size_t i = 0; i < page->count; i++) {
        page->rows[i] = (struct location_row){.aor = SLICE_INIT("bob\"@x"),
                                              .binding = {.uri = SLICE_INIT("sip:b@h"),
                                                          .params = SLICE_INIT(";x=1"),
                                                          .call_id = SLICE_INIT("c"),
                                                          .cseq = (uint32_t)i,
                                                          .q = i == 0 ? 0xffff : 500,
                                                          .remaining_s = 60}};
    }
    return true;
}

static struct admin *start(void)
{
    const struct admin_config config = {.address = loopback,
                                        .source = {snapshot, delays, scan, &workers},
                                        .log = {.fd = STDERR_FILENO, .level = LOG_LEVEL_ERROR}};
    struct admin *admin = NULL;
    cr_assert_eq(admin_start(&config, &admin), ERR_OK);
    cr_assert_neq(admin_port(admin), 0);
    return admin;
}

static int open_connection(const struct admin *admin)
{
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons(admin_port(admin)),
                                   .sin_addr = {htonl(INADDR_LOOPBACK)}};
    cr_assert_eq(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
    return fd;
}

enum { ANSWER_MAX = 1 << 24 };

// The whole answer, until the server closes; the caller frees it.
static char *exchange(const struct admin *admin, const char *request)
{
    const int fd = open_connection(admin);
    cr_assert_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    char *answer = calloc(1, ANSWER_MAX);
    size_t len = 0;
    ssize_t n = 1;
    while (n > 0 && len + 1 < ANSWER_MAX) {
        n = recv(fd, answer + len, ANSWER_MAX - 1 - len, 0);
        len += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    return answer;
}

static void expect_in(const char *text, const char *part)
{
    cr_expect_not_null(strstr(text, part), "'%s' not in: %s", part, text);
}

static bool begins(const char *text, const char *start_text)
{
    return strncmp(text, start_text, strlen(start_text)) == 0;
}

TestSuite(admin, .timeout = 30);

Test(admin, health_is_ok)
{
    struct admin *admin = start();
    char *answer = exchange(admin, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect(begins(answer, "HTTP/1.1 200 OK\r\n"), "%s", answer);
    expect_in(answer, "\r\n\r\nok\n");
    free(answer);
    admin_stop(admin);
}

Test(admin, metrics_are_prometheus_text)
{
    struct admin *admin = start();
    char *answer = exchange(admin, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect(begins(answer, "HTTP/1.1 200 OK\r\n"), "%s", answer);
    expect_in(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
    expect_in(answer, "\n# TYPE signpost_workers gauge\nsignpost_workers 3\n");
    expect_in(answer, "\nsignpost_dropped_total{reason=\"no_via\"} 7\n");
    expect_in(answer, "\nsignpost_requests_total{method=\"REGISTER\"} 1\n");
    free(answer);
    admin_stop(admin);
}

Test(admin, each_metric_has_one_help_one_type_and_all_its_rows_together)
{
    struct admin *admin = start();
    char *answer = exchange(admin, "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_row *row = metrics_row((enum metric)i);
        char help[128];
        char type[128];
        (void)snprintf(help, sizeof(help), "# HELP %s ", row->name);
        (void)snprintf(type, sizeof(type), "# TYPE %s ", row->name);
        const char *first_help = strstr(answer, help);
        const char *first_type = strstr(answer, type);
        cr_assert_not_null(first_help, "%s", help);
        cr_assert_not_null(first_type, "%s", type);
        cr_expect_null(strstr(first_help + 1, help), "twice: %s", help);
        cr_expect_null(strstr(first_type + 1, type), "twice: %s", type);
    }
    free(answer);
    admin_stop(admin);
}

Test(admin, head_has_the_length_and_no_body)
{
    struct admin *admin = start();
    char *answer = exchange(admin, "HEAD /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect(begins(answer, "HTTP/1.1 200 OK\r\n"), "%s", answer);
    expect_in(answer, "\r\nContent-Length: 3\r\n");
    const char *body = strstr(answer, "\r\n\r\n");
    cr_assert_not_null(body);
    cr_expect_str_empty(body + 4);
    free(answer);
    admin_stop(admin);
}

Test(admin, index_names_the_pages)
{
    struct admin *admin = start();
    char *answer = exchange(admin, "GET / HTTP/1.0\r\n\r\n");
    expect_in(answer, " 200 OK\r\n");
    expect_in(answer, "/metrics");
    expect_in(answer, "/healthz");
    free(answer);
    admin_stop(admin);
}

Test(admin, what_it_does_not_have_is_refused)
{
    static const char long_header[] = "GET / HTTP/1.1\r\nX: ";
    struct admin *admin = start();
    char *answer = exchange(admin, "GET /metricsx HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect(begins(answer, "HTTP/1.1 404 "), "%s", answer);
    free(answer);
    answer = exchange(admin, "DELETE /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
    cr_expect(begins(answer, "HTTP/1.1 405 "), "%s", answer);
    expect_in(answer, "\r\nAllow: GET, HEAD\r\n");
    free(answer);
    answer = exchange(admin, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n");
    cr_expect(begins(answer, "HTTP/1.1 413 "), "%s", answer);
    free(answer);
    char value[12000] = {0};
    char request[sizeof(value) + sizeof(long_header) + 4];
    memset(value, 'x', sizeof(value) - 1);
    (void)snprintf(request, sizeof(request), "%s%s\r\n\r\n", long_header, value);
    answer = exchange(admin, request);
    cr_expect_null(strstr(answer, " 200 "), "%s", answer);
    free(answer);
    admin_stop(admin);
}

Test(admin, garbage_does_not_end_it)
{
    static const char *const garbage[] = {"\r\n\r\n", "GET\r\n\r\n", "\x16\x03\x01 tls?\r\n\r\n",
                                          "GET * HTTP/1.1\r\n\r\n", "GET //[ HTTP/9.9\r\n\r\n"};
    struct admin *admin = start();
    for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        free(exchange(admin, garbage[i]));
    }
    char *answer = exchange(admin, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_in(answer, " 200 OK\r\n");
    free(answer);
    admin_stop(admin);
}

Test(admin, idle_connections_keep_nobody_out_for_long)
{
    enum { IDLE = 100 };
    struct admin *admin = start();
    int idle[IDLE];
    for (size_t i = 0; i < IDLE; i++) {
        idle[i] = open_connection(admin);
    }
    const int last = open_connection(admin);
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    cr_assert_eq(send(last, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    struct pollfd answered = {.fd = last, .events = POLLIN};
    cr_expect_eq(poll(&answered, 1, 200), 0, "more connections were served than the limit");
    for (size_t i = 0; i < IDLE; i++) {
        (void)close(idle[i]);
    }
    cr_expect_eq(poll(&answered, 1, 10000), 1);
    (void)close(last);
    admin_stop(admin);
}

Test(admin, stop_ends_open_connections)
{
    struct admin *admin = start();
    const int fd = open_connection(admin);
    char *answer = exchange(admin, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    free(answer); // by now the first connection has been accepted, too
    admin_stop(admin);
    char byte;
    cr_expect_eq(recv(fd, &byte, 1, 0), 0);
    (void)close(fd);
    admin_stop(NULL);
}

Test(admin, address_in_use_is_refused_with_one_line_that_names_it)
{
    struct admin *first = start();
    int fds[2];
    cr_assert_eq(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
    struct admin_config config = {.address = loopback,
                                  .source = {snapshot, delays, scan, &workers},
                                  .log = {.fd = fds[1], .level = LOG_LEVEL_ERROR, .journal = true}};
    config.address.port = admin_port(first);
    struct admin *second = first;
    cr_expect_eq(admin_start(&config, &second), ERR_IN_USE);
    cr_expect_null(second);
    char line[1024] = {0};
    cr_assert(read(fds[0], line, sizeof(line) - 1) > 0);
    char address[64];
    (void)snprintf(address, sizeof(address), "127.0.0.1:%u: Address already in use",
                   (unsigned)config.address.port);
    expect_in(line, address);
    expect_in(line, "--admin");
    cr_expect_eq(strchr(line, '\n'), line + strlen(line) - 1);
    (void)close(fds[0]);
    (void)close(fds[1]);
    admin_stop(first);
}

Test(admin, address_of_another_host_is_refused)
{
    const struct admin_config config = {
        .address = {.ip = {.family = IP_V4, .bytes = {192, 0, 2, 1}}, .port = 8060},
        .source = {snapshot, delays, scan, &workers},
        .log = {.fd = -1, .level = LOG_LEVEL_ERROR}};
    struct admin *admin = NULL;
    cr_expect_eq(admin_start(&config, &admin), ERR_RANGE);
    cr_expect_null(admin);
}

Test(admin, delays_are_a_histogram)
{
    struct admin *admin = start();
    char *const answer = exchange(admin, "GET /metrics HTTP/1.0\r\n\r\n");
    expect_in(answer, "\n# TYPE signpost_answer_delay_seconds histogram\n"
                      "signpost_answer_delay_seconds_bucket{le=\"5e-05\"} 1\n");
    expect_in(answer, "\nsignpost_answer_delay_seconds_bucket{le=\"0.0005\"} 1\n"
                      "signpost_answer_delay_seconds_bucket{le=\"0.001\"} 2\n");
    expect_in(answer, "\nsignpost_answer_delay_seconds_bucket{le=\"1\"} 2\n"
                      "signpost_answer_delay_seconds_bucket{le=\"+Inf\"} 3\n"
                      "signpost_answer_delay_seconds_sum 3.000740\n"
                      "signpost_answer_delay_seconds_count 3\n");
    free(answer);
    admin_stop(admin);
}

// ---- /bindings

static size_t objects_in(const char *text)
{
    size_t n = 0;
    for (; *text != '\0'; text++) {
        n += text[0] == '}' && text[1] == '\n' ? 1 : 0;
    }
    return n;
}

Test(admin, bindings_are_one_object_a_line)
{
    struct admin *admin = start();
    char *const answer = exchange(admin, "GET /bindings HTTP/1.0\r\n\r\n");
    expect_in(answer, " 200 OK\r\n");
    expect_in(answer, "\r\nContent-Type: application/x-ndjson\r\n");
    expect_in(answer, "{\"aor\":\"bob\\\"@x\",\"contact\":\"sip:b@h\",\"params\":\";x=1\","
                      "\"expires\":60,\"call_id\":\"c\",\"cseq\":0}\n");
    expect_in(answer, ",\"q\":0.500,\"expires\":60,\"call_id\":\"c\",\"cseq\":63}\n");
    cr_assert_eq(objects_in(answer), PAGES * LOCATION_PAGE_ROWS);
    free(answer);
    admin_stop(admin);
}

// One who does not read, and one who goes away: the next is served when the first has gone.
Test(admin, bindings_are_for_one_client_at_a_time)
{
    struct admin *admin = start();
    for (unsigned i = 0; i < 3; i++) {
        const int fd = open_connection(admin);
        const int little = 4096;
        char c;
        (void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &little, sizeof(little));
        static const char request[] = "GET /bindings HTTP/1.1\r\nHost: a\r\n\r\n";
        cr_assert_eq(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL),
                     (ssize_t)sizeof(request) - 1);
        cr_assert_eq(recv(fd, &c, 1, 0), 1);
        char *answer = exchange(admin, "HEAD /bindings HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_in(answer, " 200 OK\r\n");
        free(answer);
        answer = exchange(admin, "GET /bindings HTTP/1.1\r\nHost: a\r\n\r\n");
        expect_in(answer, " 503 Service Unavailable\r\n");
        free(answer);
        (void)close(fd);
        // until the server has seen that it has gone
        do {
            answer = exchange(admin, "GET /bindings HTTP/1.0\r\n\r\n");
        } while (strstr(answer, " 503 ") != NULL && (free(answer), true));
        expect_in(answer, " 200 OK\r\n");
        free(answer);
    }
    char *answer = exchange(admin, "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n");
    expect_in(answer, " 200 OK\r\n");
    free(answer);
    admin_stop(admin);
}
