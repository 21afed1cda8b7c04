// SPDX-License-Identifier: Apache-2.0
// One or several datagrams, put apart by SEPARATOR, through the whole core, stateless and with
// transactions: a second lies between any two, and every other one comes from another peer. Each is
// sent twice, as a retransmission.
#include "signpost/service/uas.h"
#include <limits.h>

#include "signpost/sip/message.h"
#include "signpost/sip/stun.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

#define SEPARATOR "\n====\n"

enum {
    DATAGRAMS_MAX = 64,
    START_MS = 1000000,
    CONTACTS_MAX = 8,
    LOCAL_PORT = 5060,
    BUDGET_BYTES = 200000, // of transactions
};

struct answer {
    bool sent;
    struct endpoint target;
    size_t len;
    char bytes[ANSWER_BYTES_MAX];
};

struct bench {
    struct uas uas;
    struct uas_scratch *scratch;
    struct metrics *metrics;
    struct now now;
    uint64_t first_hash; // of the answer to the first datagram
    unsigned invite_count;
    unsigned repetitions;
    uint64_t invites[DATAGRAMS_MAX]; // hashes of the answers to them
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
    struct endpoint peer = {.port = (uint16_t)(5070 + n % 100)};
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
    local.port = LOCAL_PORT;
    const struct uas_input in = {
        .bytes = datagram, .peer = &peer, .local = &local, .socket = n % 2, .now = bench->now};
    struct uas_output out = {.answer = buf_over(answer->bytes, sizeof(answer->bytes))};
    answer->sent = uas_handle(&bench->uas, bench->scratch, bench->metrics, &in, &out);
    answer->len = answer->sent ? out.answer.len : 0;
    answer->target = out.target;
    if (answer->sent) {
        assert(buf_ok(&out.answer) && answer->len > 0 && answer->len <= ANSWER_BYTES_MAX);
        assert(out.target.port != 0);
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
        assert(told == ERR_OK || strcmp(response.problem, "Too Many Header Fields") == 0);
        check_same(&request, &response, HEADER_FROM);
        check_same(&request, &response, HEADER_CALL_ID);
        check_same(&request, &response, HEADER_CSEQ);
        check_to(&request, &response);
        check_vias(&request, &response);
    } else {
        assert(bytes.at[8] == '4' || bytes.at[8] == '5');
    }
}

// ---- Retransmissions

static uint64_t hash_of(const struct answer *answer)
{
    static const struct hash_key key;
    return hash_bytes(&key, slice_of(answer->bytes, answer->len));
}

static bool same_bytes(const struct answer *a, const struct answer *b)
{
    return a->sent == b->sent && a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

// To the same target too, unless that cannot be reached from where the second has come in.
static bool same_answer(const struct answer *a, const struct answer *b)
{
    return same_bytes(a, b) &&
           (!a->sent || a->target.ip.family != b->target.ip.family ||
            (a->target.port == b->target.port && a->target.scope == b->target.scope &&
             ip_equal(&a->target.ip, &b->target.ip)));
}

// Handled again at the same moment it is answered again, and nothing but a REGISTER that has
// changed something could be answered otherwise.
static void check_anew(struct slice datagram, const struct answer *first,
                       const struct answer *second)
{
    static struct message request;
    const enum err e = message_parse(datagram, &request);
    (void)e;
    assert(first->sent == second->sent);
    if (!stun_looks_like(datagram) && request.method != METHOD_REGISTER) {
        assert(same_answer(first, second));
    }
}

// An INVITE's answer is remembered, for it will be sent again by itself.
static void note_invite(struct bench *bench, struct slice datagram, const struct answer *answer)
{
    static struct message request;
    const enum err e = message_parse(datagram, &request);
    (void)e;
    if (request.method == METHOD_INVITE) {
        bench->invites[bench->invite_count++ % DATAGRAMS_MAX] = hash_of(answer);
    }
}

// What the ticker would send: an answer that an INVITE has had, to where it went before.
static void check_repetition(struct bench *bench, const struct answer *answer,
                             const struct transaction_path *path)
{
    const uint64_t hash = hash_of(answer);
    bool known = false;
    for (unsigned i = 0; i < bench->invite_count && i < DATAGRAMS_MAX; i++) {
        known = known || bench->invites[i] == hash;
    }
    assert(known && path->target.port != 0 && path->socket < 2);
    assert(path->local.port == LOCAL_PORT && path->local.ip.family == path->target.ip.family);
    bench->repetitions++;
    // timer G from half a second, doubled up to four, until timer H: ten times
    assert(bench->repetitions <= 10 * bench->invite_count);
}

static void advance(struct bench *bench, uint64_t ms)
{
    bench->now.mono_ms += ms;
    bench->now.wall_ms += ms;
}

// What the ticker does.
static void tick(struct bench *bench)
{
    static struct answer answer;
    struct transactions *const transactions = bench->uas.transactions;
    size_t removed = 0;
    (void)location_expire(bench->uas.location, bench->now, UINT_MAX, &removed);
    if (transactions == NULL) {
        return;
    }
    unsigned shard = 0;
    struct transaction_path path;
    struct buf out = buf_over(answer.bytes, sizeof(answer.bytes));
    while (transactions_next_due(transactions, &shard, bench->now, &out, &path)) {
        assert(buf_ok(&out));
        answer.len = out.len;
        check_repetition(bench, &answer, &path);
        out = buf_over(answer.bytes, sizeof(answer.bytes));
    }
    const struct transactions_size size = transactions_size(transactions);
    assert((size.transactions == 0) == (size.bytes == 0) && size.bytes <= BUDGET_BYTES);
}

static uint64_t remembered(const struct bench *bench)
{
    return bench->uas.transactions == NULL
               ? 0
               : transactions_size(bench->uas.transactions).transactions;
}

static uint64_t retransmissions(const struct bench *bench)
{
    return metric_read(&bench->metrics->rows[METRIC_RETRANSMISSIONS]);
}

// Sends the datagram twice. What is remembered is answered the same even when the bindings, the
// time and the peer's port are others.
static void send_twice(struct bench *bench, struct slice datagram, unsigned n)
{
    static struct answer first;
    static struct answer second;
    const uint64_t before = remembered(bench);
    const uint64_t repeated = retransmissions(bench);
    handle(bench, datagram, n, &first);
    if (first.sent && retransmissions(bench) == repeated) {
        // else it is the answer to what has come before, and goes where that went
        check_answer(datagram, &first);
        assert(first.target.ip.family == peer_of(n).ip.family);
    }
    if (n == 0) {
        bench->first_hash = hash_of(&first);
    }
    if (retransmissions(bench) == repeated) {
        // also one that takes the place of another whose time is over
        note_invite(bench, datagram, &first);
    }
    if (remembered(bench) > before) {
        advance(bench, TIMER_G_MS + 1);
        tick(bench);
        handle(bench, datagram, n + 2, &second);
        assert(retransmissions(bench) == repeated + 1);
        assert(same_answer(&first, &second));
    } else if (retransmissions(bench) > repeated) {
        handle(bench, datagram, n + 2, &second);
        assert(same_bytes(&first, &second));
    } else {
        handle(bench, datagram, n, &second);
        check_anew(datagram, &first, &second);
    }
}

static void run(struct bench *bench, struct slice input)
{
    for (unsigned n = 0; n < DATAGRAMS_MAX && !slice_empty(input); n++) {
        const struct slice datagram = next_datagram(&input);
        send_twice(bench, guarded(0, datagram.at, datagram.len), n);
        const struct location_size size = location_size(bench->uas.location);
        assert(size.aors <= size.bindings && size.bindings <= size.aors * CONTACTS_MAX);
        advance(bench, MS_PER_S);
        if (n % 4 == 3) {
            // longer than any transaction lasts, and the ticker is late
            static struct answer late;
            const uint64_t before = retransmissions(bench);
            advance(bench, TIMER_H_MS);
            handle(bench, guarded(0, datagram.at, datagram.len), n, &late);
            assert(retransmissions(bench) == before);
            note_invite(bench, guarded(0, datagram.at, datagram.len), &late);
        }
        tick(bench);
    }
}

// Returns a hash of the answer to the first datagram.
static uint64_t run_anew(struct slice input, struct transactions *transactions)
{
    static const struct location_config table = {
        .shards = 1, .contacts_max = CONTACTS_MAX, .bindings_max = 1000000};
    static const struct cidr anybody[] = {{.ip = {.family = IP_V4}}, {.ip = {.family = IP_V6}}};
    static const struct slice domains[] = {SLICE_INIT("example.com"), SLICE_INIT("h")};
    static struct metrics metrics;
    struct bench bench = {
        .uas.config = {.domains = domains,
                       // the first bit says whether any domain is served
                       .domain_count = input.len > 0 && (input.at[0] & 1) != 0 ? 2 : 0,
                       .admission = {anybody, 2},
                       .expires_default_s = 3600,
                       .expires_min_s = 2,
                       .expires_max_s = 7200,
                       .register_contacts_max = CONTACTS_PER_AOR_MAX,
                       .redirect_bytes_max = ANSWER_BYTES_MAX,
                       .server = SLICE("fuzzed")},
        .uas.location = location_create(&table),
        .uas.transactions = transactions,
        .scratch = uas_scratch_create(),
        .metrics = &metrics,
        .now = {.mono_ms = START_MS, .wall_ms = START_MS},
    };
    assert(bench.uas.location != NULL && bench.scratch != NULL);
    run(&bench, input);
    // until no INVITE is answered again
    for (unsigned n = 0; bench.invite_count > 0 && n < 2 * TIMER_H_MS / TIMER_G_MS; n++) {
        advance(&bench, TIMER_G_MS / 2);
        tick(&bench);
    }
    // all that is left goes, and memory with it
    advance(&bench, UINT64_C(8000) * MS_PER_S);
    tick(&bench);
    assert(remembered(&bench) == 0);
    assert(location_size(bench.uas.location).bindings == 0);
    location_destroy(bench.uas.location);
    uas_scratch_destroy(bench.scratch);
    return bench.first_hash;
}

// Once without memory and once with some, of which there is little now and then: what has not been
// asked before is answered the same.
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice input = slice_of((const char *)data, size);
    const struct transactions_config config = {
        .shards = 1, .budget_bytes = size % 4 == 3 ? BUDGET_BYTES / 100 : BUDGET_BYTES};
    struct transactions *const transactions = transactions_create(&config);
    assert(transactions != NULL);
    const uint64_t stateless = run_anew(input, NULL);
    const uint64_t stateful = run_anew(input, transactions);
    assert(stateless == stateful);
    (void)stateless;
    (void)stateful;
    transactions_destroy(transactions);
    return 0;
}
