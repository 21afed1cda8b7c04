// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/service/harness.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "signpost/sip/fields.h"
#include "signpost/sip/message.h"

enum { TEXT_MAX = 2 * MESSAGE_BYTES_MAX, VALUES = 16 };

struct harness harness;

static struct cidr register_from[2];
static struct slice domain;

static struct slice slice(const char *text)
{
    return slice_of(text, strlen(text));
}

void harness_start(void)
{
    const struct location_config table = {.shards = 4, .contacts_max = 10, .bindings_max = 1000000};
    cr_assert(cidr_parse(SLICE("192.0.2.0/24"), &register_from[0]));
    cr_assert(cidr_parse(SLICE("2001:db8::/32"), &register_from[1]));
    harness = (struct harness){.uas.config = {.admission = {register_from, 2},
                                              .expires_default_s = 3600,
                                              .expires_min_s = 60,
                                              .expires_max_s = 7200,
                                              .register_contacts_max = CONTACTS_PER_AOR_MAX,
                                              .redirect_bytes_max = ANSWER_BYTES_MAX,
                                              .key = {.bytes = "a fixed test key"}},
                               .uas.location = location_create(&table),
                               .scratch = uas_scratch_create(),
                               // Sat, 13 Nov 2010 23:29:00 GMT, the example of RFC 3261 20.17
                               .now = {.mono_ms = 5000000, .wall_ms = UINT64_C(1289690940000)}};
    cr_assert(ip_parse(SLICE("192.0.2.1"), &harness.local.ip));
    harness.local.port = 5060;
    harness_peer("192.0.2.4", 5070);
    cr_assert(harness.uas.location != NULL && harness.scratch != NULL);
}

void harness_stop(void)
{
    location_destroy(harness.uas.location);
    transactions_destroy(harness.uas.transactions);
    uas_scratch_destroy(harness.scratch);
}

void harness_stateful(size_t budget_bytes)
{
    const struct transactions_config config = {.shards = 4, .budget_bytes = budget_bytes};
    harness.uas.transactions = transactions_create(&config);
    cr_assert_not_null(harness.uas.transactions);
}

void harness_serve(const char *name)
{
    domain = slice(name);
    harness.uas.config.domains = &domain;
    harness.uas.config.domain_count = 1;
}

void harness_advance_ms(uint64_t ms)
{
    harness.now.mono_ms += ms;
    harness.now.wall_ms += ms;
}

void harness_peer(const char *ip, uint16_t port)
{
    cr_assert(ip_parse(slice(ip), &harness.peer.ip), "%s", ip);
    harness.peer.port = port;
}

// The datagram lies in memory of just its size, so that a sanitizer sees what is read past it.
void harness_bytes(const void *bytes, size_t len)
{
    char *const copy = malloc(len > 0 ? len : 1);
    cr_assert_not_null(copy);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    const struct uas_input in = {.bytes = slice_of(copy, len),
                                 .peer = &harness.peer,
                                 .local = &harness.local,
                                 .waited_ms = harness.waited_ms,
                                 .service = harness.service,
                                 .now = harness.now};
    struct uas_output out = {.answer = buf_over(harness.answer, ANSWER_BYTES_MAX)};
    harness.answered = uas_handle(&harness.uas, harness.scratch, &harness.metrics, &in, &out);
    harness.answer_len = harness.answered ? out.answer.len : 0;
    harness.answer[harness.answer_len] = '\0';
    harness.target = out.target;
    harness.state = out.state;
    harness.aor = out.aor;
    free(copy);
}

// Every "\n" becomes CRLF.
static size_t expand(const char *text, char *out, size_t cap)
{
    struct buf b = buf_over(out, cap);
    for (; *text != '\0'; text++) {
        buf_put(&b, *text == '\n' ? SLICE("\r\n") : slice_of(text, 1));
    }
    cr_assert(buf_ok(&b));
    return b.len;
}

void harness_text(const char *text)
{
    static char bytes[TEXT_MAX];
    harness_bytes(bytes, expand(text, bytes, sizeof(bytes)));
}

static const char *or_else(const char *given, const char *usual)
{
    return given != NULL ? given : usual;
}

void harness_send(struct sip sip)
{
    static char text[TEXT_MAX];
    char via[80];
    const char *const method = or_else(sip.method, "REGISTER");
    const bool registers = strcmp(method, "REGISTER") == 0;
    harness.cseq = sip.cseq != 0 ? sip.cseq : harness.cseq + 1;
    (void)snprintf(via, sizeof(via), "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK%u", harness.cseq);
    const int len = snprintf(
        text, sizeof(text),
        "%s %s SIP/2.0\nVia: %s\nMax-Forwards: 70\nTo: %s\nFrom: %s\n"
        "Call-ID: %s\nCSeq: %u %s\n%sContent-Length: 0\n\n",
        method, or_else(sip.uri, registers ? "sip:example.com" : "sip:bob@example.com"),
        or_else(sip.via, via), or_else(sip.to, "<sip:bob@example.com>"),
        or_else(sip.from, "<sip:alice@example.com>;tag=al1ce"),
        or_else(sip.call_id, "call-1@192.0.2.4"), harness.cseq, method, or_else(sip.extra, ""));
    cr_assert(len > 0 && (size_t)len < sizeof(text));
    harness_text(text);
}

void harness_register(const char *rows)
{
    harness_send((struct sip){.method = "REGISTER", .extra = rows});
}

// ---- The answer

unsigned answer_status(void)
{
    const char version[] = "SIP/2.0 ";
    if (!harness.answered) {
        return 0;
    }
    cr_assert_eq(strncmp(harness.answer, version, sizeof(version) - 1), 0);
    return (unsigned)strtoul(harness.answer + sizeof(version) - 1, NULL, 10);
}

// A copy that ends in NUL; good for the next VALUES calls.
static const char *keep(struct slice s)
{
    static char kept[VALUES][ANSWER_BYTES_MAX + 1];
    static unsigned next;
    char *const at = kept[next++ % VALUES];
    cr_assert_lt(s.len, sizeof(kept[0]));
    if (s.len > 0) {
        memcpy(at, s.at, s.len);
    }
    at[s.len] = '\0';
    return at;
}

const char *answer_line(void)
{
    const struct slice all = slice_of(harness.answer, harness.answer_len);
    return harness.answered ? keep(slice_of(all.at + 8, slice_find(all, '\r') - 8)) : "";
}

const char *answer_row(const char *name, size_t n)
{
    struct slice rest = slice_of(harness.answer, harness.answered ? harness.answer_len : 0);
    while (rest.len > 0) {
        rest = slice_from(rest, slice_find(rest, '\n') + 1); // the line before
        size_t end = slice_find(rest, '\n');
        while (end + 1 < rest.len && (rest.at[end + 1] == ' ' || rest.at[end + 1] == '\t')) {
            end += 1 + slice_find(slice_from(rest, end + 1), '\n'); // folded
        }
        const struct slice row = slice_of(rest.at, end);
        const size_t colon = slice_find(row, ':');
        if (slice_equal_nocase(slice_of(row.at, colon), slice(name)) && n-- == 0) {
            return keep(slice_trim(slice_from(row, colon + 1)));
        }
    }
    return "-";
}

const char *answer_header(const char *name)
{
    return answer_row(name, 0);
}

const char *answer_contacts(void)
{
    static char all[ANSWER_BYTES_MAX];
    struct buf b = buf_over(all, sizeof(all));
    const char *one;
    for (size_t n = 0; strcmp(one = answer_row("Contact", n), "-") != 0; n++) {
        buf_put(&b, n > 0 ? SLICE(" | ") : SLICE(""));
        buf_put(&b, slice(one));
    }
    buf_put_char(&b, '\0');
    cr_assert(buf_ok(&b));
    return all;
}

const char *answer_target(void)
{
    static char text[80];
    struct buf b = buf_over(text, sizeof(text));
    endpoint_put(&b, &harness.target);
    buf_put_char(&b, '\0');
    return text;
}

const char *answer_to_tag(void)
{
    struct addr addr;
    struct slice tag;
    const struct slice to = slice(answer_header("To"));
    return addr_parse(to, NULL, &addr, &tag) == ERR_OK ? keep(tag) : "";
}

// Replaces the To tag, if it looks as this server's do.
static void mask_tag(char *text)
{
    char *const to = strstr(text, "\r\nTo: ");
    char *const end = to == NULL ? NULL : strstr(to + 2, "\r\n");
    const char mask[] = "{tag}";
    if (end == NULL || end - to < 22 || strncmp(end - 21, ";tag=", 5) != 0) {
        return;
    }
    for (const char *c = end - 16; c < end; c++) {
        if (isxdigit((unsigned char)*c) == 0) {
            return;
        }
    }
    memcpy(end - 16, mask, sizeof(mask) - 1);
    memmove(end - 16 + sizeof(mask) - 1, end, strlen(end) + 1);
}

void expect_answer(const char *text)
{
    static char expected[TEXT_MAX];
    static char actual[ANSWER_BYTES_MAX + 1];
    expected[expand(text, expected, sizeof(expected) - 1)] = '\0';
    memcpy(actual, harness.answer, harness.answer_len + 1);
    if (strstr(text, "{tag}") != NULL) {
        mask_tag(actual);
    }
    cr_assert_str_eq(actual, expected);
}

uint64_t count_of(enum metric id)
{
    return metric_read(&harness.metrics.rows[id]);
}
