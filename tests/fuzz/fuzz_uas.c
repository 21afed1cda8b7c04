// SPDX-License-Identifier: Apache-2.0
// One or several datagrams, put apart by SEPARATOR, through the whole core: a second lies between
// any two, and every other one comes from another peer. Each is sent twice, as a retransmission.
#include <stdlib.h>

#include "signpost/service/uas.h"
#include "signpost/sip/message.h"
#include "signpost/sip/stun.h"
#include "tests/fuzz/fuzz.h"

#define SEPARATOR "\n====\n"

enum { DATAGRAMS_MAX = 64, START_MS = 1000000, CONTACTS_MAX = 8 };

struct answer {
    bool sent;
    size_t len;
    char bytes[ANSWER_BYTES_MAX];
};

struct bench {
    struct uas uas;
    struct uas_scratch *scratch;
    struct metrics *metrics;
    struct now now;
};

static struct slice next_datagram(struct slice *rest)
{
    const char *const found =
        rest->len == 0 ? NULL : memmem(rest->at, rest->len, SEPARATOR, strlen(SEPARATOR));
    const size_t len = found == NULL ? rest->len : (size_t)(found - rest->at);
    const struct slice datagram = slice_of(rest->at, len);
    *rest = slice_from(*rest, found == NULL ? len : len + strlen(SEPARATOR));
    return datagram;
}

static struct endpoint peer_of(unsigned n)
{
    static const struct slice ips[] = {SLICE_INIT("127.0.0.1"), SLICE_INIT("2001:db8::5")};
    struct endpoint peer = {.port = (uint16_t)(5070 + n % 2)};
    const bool ok = ip_parse(ips[n % 2], &peer.ip);
    assert(ok);
    (void)ok;
    return peer;
}

static void handle(const struct bench *bench, struct slice datagram, unsigned n,
                   struct answer *answer)
{
    const struct endpoint peer = peer_of(n);
    struct endpoint local = peer_of(n);
    local.port = 5060;
    const struct uas_input in = {
        .bytes = datagram, .peer = &peer, .local = &local, .now = bench->now};
    struct uas_output out = {.answer = buf_over(answer->bytes, sizeof(answer->bytes))};
    answer->sent = uas_handle(&bench->uas, bench->scratch, bench->metrics, &in, &out);
    answer->len = answer->sent ? out.answer.len : 0;
    if (answer->sent) {
        assert(buf_ok(&out.answer) && answer->len > 0 && answer->len <= ANSWER_BYTES_MAX);
        assert(out.target.port != 0 && out.target.ip.family == peer.ip.family);
    }
}

static void check_same(const struct message *request, const struct message *response,
                       enum header id)
{
    const struct message_row *asked = message_first(request, id);
    const struct message_row *told = message_first(response, id);
    while (asked != NULL) {
        assert(told != NULL && slice_equal(asked->value, told->value));
        asked = message_next(request, asked);
        told = message_next(response, told);
    }
    assert(told == NULL);
}

// To comes back with nothing but a tag behind it.
static void check_to(const struct message *request, const struct message *response)
{
    const struct slice asked = message_first(request, HEADER_TO)->value;
    const struct slice told = message_first(response, HEADER_TO)->value;
    assert(told.len >= asked.len && slice_equal(slice_of(told.at, asked.len), asked));
    const struct slice more = slice_from(told, asked.len);
    assert(more.len == 0 || slice_equal(slice_of(more.at, 5), SLICE(";tag=")));
}

// As many rows, all but the first as they were.
static void check_vias(const struct message *request, const struct message *response)
{
    const struct message_row *asked = message_first(request, HEADER_VIA);
    const struct message_row *told = message_first(response, HEADER_VIA);
    assert(asked != NULL && told != NULL);
    while ((asked = message_next(request, asked)) != NULL) {
        told = message_next(response, told);
        assert(told != NULL && slice_equal(asked->value, told->value));
    }
    assert(message_next(response, told) == NULL);
}

static void check_answer(struct slice datagram, const struct answer *answer)
{
    static struct message request;
    static struct message response;
    const struct slice bytes = slice_of(answer->bytes, answer->len);
    if (stun_looks_like(datagram)) {
        assert(stun_looks_like(bytes));
        return;
    }
    const enum err asked = message_parse(datagram, &request);
    const enum err told = message_parse(bytes, &response);
    assert(request.kind == MESSAGE_REQUEST && request.method != METHOD_ACK);
    assert(response.kind == MESSAGE_RESPONSE);
    assert(slice_equal(slice_of(bytes.at, 8), SLICE("SIP/2.0 ")));
    assert(bytes.at[8] >= '2' && bytes.at[8] <= '5');
    assert(slice_empty(response.body) && message_first(&response, HEADER_CONTENT_LENGTH) != NULL);
    if (asked == ERR_OK) {
        // with many Contacts an answer may have more rows than this parser takes
        assert(told == ERR_OK || told == ERR_TOO_MANY);
        check_same(&request, &response, HEADER_FROM);
        check_same(&request, &response, HEADER_CALL_ID);
        check_same(&request, &response, HEADER_CSEQ);
        check_to(&request, &response);
        check_vias(&request, &response);
    } else {
        assert(bytes.at[8] == '4' || bytes.at[8] == '5');
    }
}

// Handled again at the same moment it is answered again, and nothing but a REGISTER that has
// changed something could be answered otherwise.
static void check_retransmission(struct slice datagram, const struct answer *first,
                                 const struct answer *second)
{
    static struct message request;
    const enum err e = message_parse(datagram, &request);
    (void)e;
    assert(first->sent == second->sent);
    if (!stun_looks_like(datagram) && request.method != METHOD_REGISTER) {
        assert(first->len == second->len);
        assert(memcmp(first->bytes, second->bytes, first->len) == 0);
    }
}

static void run(struct bench *bench, struct slice input)
{
    static struct answer first;
    static struct answer second;
    for (unsigned n = 0; n < DATAGRAMS_MAX && !slice_empty(input); n++) {
        const struct slice datagram = next_datagram(&input);
        // memory of just its size, so that a sanitizer sees what is read past it
        char *const copy = malloc(datagram.len + 1);
        assert(copy != NULL);
        char *const bytes = copy + 1;
        if (datagram.len > 0) {
            memcpy(bytes, datagram.at, datagram.len);
        }
        const struct slice one =
            slice_of(bytes, datagram.len < MESSAGE_BYTES_MAX ? datagram.len : MESSAGE_BYTES_MAX);
        handle(bench, one, n, &first);
        handle(bench, one, n, &second);
        if (first.sent) {
            check_answer(one, &first);
        }
        check_retransmission(one, &first, &second);
        free(copy);
        const struct location_size size = location_size(bench->uas.location);
        assert(size.aors <= size.bindings && size.bindings <= size.aors * CONTACTS_MAX);
        bench->now.mono_ms += MS_PER_S;
        bench->now.wall_ms += MS_PER_S;
        if (n % 3 == 0) {
            (void)location_expire(bench->uas.location, bench->now);
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct location_config table = {
        .shards = 1, .contacts_max = CONTACTS_MAX, .bindings_max = 1000000};
    static const struct cidr anybody[] = {{.ip = {.family = IP_V4}}, {.ip = {.family = IP_V6}}};
    static const struct slice domains[] = {SLICE_INIT("example.com"), SLICE_INIT("h")};
    static struct metrics metrics;
    struct bench bench = {
        .uas.config = {.domains = domains,
                       // the first bit says whether any domain is served
                       .domain_count = size > 0 && (data[0] & 1) != 0 ? 2 : 0,
                       .admission = {anybody, 2},
                       .expires_default_s = 3600,
                       .expires_min_s = 2,
                       .expires_max_s = 7200,
                       .register_contacts_max = CONTACTS_PER_AOR_MAX,
                       .redirect_bytes_max = ANSWER_BYTES_MAX,
                       .server = SLICE("fuzzed")},
        .uas.location = location_create(&table),
        .scratch = uas_scratch_create(),
        .metrics = &metrics,
        .now = {.mono_ms = START_MS, .wall_ms = START_MS},
    };
    assert(bench.uas.location != NULL && bench.scratch != NULL);
    run(&bench, slice_of((const char *)data, size));
    // all that is left goes, and memory with it
    bench.now.mono_ms += UINT64_C(8000) * MS_PER_S;
    (void)location_expire(bench.uas.location, bench.now);
    assert(location_size(bench.uas.location).bindings == 0);
    location_destroy(bench.uas.location);
    uas_scratch_destroy(bench.scratch);
    return 0;
}
