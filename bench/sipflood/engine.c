// SPDX-License-Identifier: Apache-2.0
#include "sipflood/engine.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "sipflood/batch.h"
#include "sipflood/digest.h"
#include "sipflood/random.h"
#include "sipflood/stopwatch.h"

enum {
    ENGINE_EVENTS = 64,
    ENGINE_INFLIGHT_ROWS_MIN = 1 << 10,
    ENGINE_INFLIGHT_ROWS_MAX = 1 << 22,
};

static const uint64_t sleep_max_ns = UINT64_C(100) * NS_PER_MS;

// How long after the last answer a surplus one is still waited for, so that it is noticed.
static const uint64_t linger_ns = UINT64_C(50) * NS_PER_MS;

struct engine {
    struct engine_config config;
    bool stopped;
    int epoll;
    uint64_t now_ns;
    uint64_t last_ns; // when the last request was sent or answered
    uint64_t settled; // requests at this pace, before those in the tally
    struct plan plan;
    struct inflight *inflight;
    struct digest *digest; // with a password
    struct outbox *outbox;
    struct inbox *inbox;
    struct tally tally;
    struct script_scratch scratch;
};

// --- life -----------------------------------------------------------------------------------

static size_t inflight_rows(uint64_t waiting_max)
{
    size_t rows = ENGINE_INFLIGHT_ROWS_MIN;
    while (rows < waiting_max && rows < ENGINE_INFLIGHT_ROWS_MAX) {
        rows *= 2;
    }
    return rows;
}

static bool watch_ports(struct engine *e)
{
    const struct ports *ports = e->config.ports;
    e->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (e->epoll < 0) {
        return false;
    }
    for (unsigned i = 0; i < ports->count; i++) {
        struct epoll_event interest = {.events = EPOLLIN, .data.u32 = i};
        if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, ports->fds[i], &interest) != 0) {
            return false;
        }
    }
    return true;
}

struct engine *engine_create(const struct engine_config *config, FILE *why)
{
    struct engine *e = calloc(1, sizeof(*e));
    if (e == NULL) {
        (void)fprintf(why, "out of memory\n");
        return NULL;
    }
    e->config = *config;
    e->epoll = -1;
    e->plan = plan_of(&config->plan);
    e->inflight = inflight_create(inflight_rows(config->waiting_max), &config->timers);
    e->outbox = outbox_create(config->gso);
    e->inbox = inbox_create(config->gro);
    tally_init(&e->tally, config->shown);
    if (e->inflight == NULL || e->outbox == NULL || e->inbox == NULL) {
        (void)fprintf(why, "out of memory\n");
        engine_destroy(e);
        return NULL;
    }
    if (config->password != NULL && (e->digest = digest_create(why)) == NULL) {
        engine_destroy(e);
        return NULL;
    }
    if (!watch_ports(e)) {
        (void)fprintf(why, "cannot watch the sockets: %s\n", strerror(errno));
        engine_destroy(e);
        return NULL;
    }
    return e;
}

void engine_destroy(struct engine *e)
{
    if (e == NULL) {
        return;
    }
    if (e->epoll >= 0) {
        (void)close(e->epoll);
    }
    digest_destroy(e->digest);
    inbox_destroy(e->inbox);
    outbox_destroy(e->outbox);
    inflight_destroy(e->inflight);
    free(e);
}

void engine_begin(struct engine *e, const struct pace *pace)
{
    assert(inflight_waiting(e->inflight) == 0);
    plan_begin(&e->plan, pace);
    e->stopped = false;
    e->settled = 0;
    e->now_ns = pace->start_ns;
    e->last_ns = pace->start_ns;
}

void engine_stop(struct engine *e)
{
    e->stopped = true;
}

uint64_t engine_now_ns(const struct engine *e)
{
    return e->now_ns;
}

void engine_post(struct engine *e, struct ledger *ledger)
{
    e->settled += tally_settled(&e->tally.counts);
    e->tally.last_ns = e->last_ns;
    ledger_post(ledger, &e->tally);
}

static uint64_t settled(const struct engine *e)
{
    return e->settled + tally_settled(&e->tally.counts);
}

// --- sending --------------------------------------------------------------------------------

static void send_request(struct engine *e, uint64_t n, const struct step *step)
{
    const struct script *s = e->config.script;
    const struct script_part part = script_part_of(s, n, step);
    char *room = outbox_room(e->outbox, e->config.ports->fds[script_socket(s, step->caller)]);
    outbox_add(e->outbox, script_request(s, &part, room));
}

static void send_again(struct engine *e, uint64_t now_ns)
{
    uint64_t n;
    while (inflight_resend(e->inflight, now_ns, &n)) {
        const struct step *step = inflight_step(e->inflight, n);
        // The challenge that an answer to one was made from is not kept.
        if (!step->credentials) {
            send_request(e, n, step);
            e->tally.counts.resent++;
        }
    }
}

// At most one batch, so that answers never wait long.
static void send_due(struct engine *e, uint64_t now_ns)
{
    const uint64_t done = settled(e);
    for (unsigned i = 0; i < BATCH_MESSAGES && !e->stopped && !inflight_full(e->inflight); i++) {
        struct step step;
        uint64_t intended_ns;
        if (!plan_take(&e->plan, now_ns, done, &step, &intended_ns)) {
            break;
        }
        send_request(e, inflight_next(e->inflight), &step);
        inflight_begin(e->inflight, &step, intended_ns, now_ns);
        e->tally.counts.sent++;
        e->tally.sent[step.kind]++;
        e->last_ns = now_ns;
    }
}

static void flush(struct engine *e)
{
    outbox_flush(e->outbox);
    const struct outbox_result result = outbox_take_result(e->outbox);
    e->tally.counts.send_full += result.full;
    e->tally.counts.unreachable += result.refused;
    e->tally.counts.unsent += result.dropped;
}

// --- answers --------------------------------------------------------------------------------

// A request that an answer belongs to.
struct sent {
    uint64_t n;
    unsigned socket;
    struct step step;
};

static void acknowledge(struct engine *e, const struct sent *sent, struct slice to)
{
    char *room = outbox_room(e->outbox, e->config.ports->fds[sent->socket]);
    const struct script_part part = script_part_of(e->config.script, sent->n, &sent->step);
    const size_t len = script_ack(e->config.script, &part, to, room);
    if (len > 0) {
        outbox_add(e->outbox, len);
        e->tally.counts.acks++;
    }
}

// The first final answer to a request: right, wrong or none of both?
static void judge(struct engine *e, const struct sent *sent, const struct answer *answer,
                  struct slice datagram, uint64_t latency_ns)
{
    struct complaint why;
    struct tally_counts *counts = &e->tally.counts;
    enum verdict verdict = VERDICT_RIGHT;
    if (!e->config.echo) {
        const struct script_part part = script_part_of(e->config.script, sent->n, &sent->step);
        const struct expectation expected = script_expect(e->config.script, &part, &e->scratch);
        verdict = check_answer(&expected, answer, &why);
    }
    e->tally.oldest_ns = latency_ns > e->tally.oldest_ns ? latency_ns : e->tally.oldest_ns;
    switch (verdict) {
    case VERDICT_RIGHT:
        counts->right++;
        histogram_record(&e->tally.latency_ns[sent->step.kind], latency_ns);
        return;
    case VERDICT_REFUSED:
        counts->refused++;
        e->tally.refused[sent->step.kind]++;
        return;
    case VERDICT_WRONG_STATUS: counts->wrong_status++; break;
    case VERDICT_WRONG_CONTENT: counts->wrong_content++; break;
    }
    tally_keep(&e->tally, &why, datagram);
}

// Writes the header field that answers the first challenge it can; empty when it can none.
static struct slice authorize(struct engine *e, const struct script_part *part,
                              const struct answer *answer, struct buf *out)
{
    char user[SCRIPT_TEXT_BYTES];
    char cnonce[SCRIPT_TEXT_BYTES];
    struct challenge challenge;
    unsigned i = 0;
    while (i < answer->challenge_fields && !challenge_parse(answer->challenges[i], &challenge)) {
        i++;
    }
    if (i == answer->challenge_fields) {
        return slice_of(NULL, 0);
    }
    struct buf random = buf_over(cnonce, sizeof(cnonce));
    buf_put_hex64(&random, random_mix(e->config.script->run ^ inflight_next(e->inflight)));
    const struct credentials credentials = {
        .user = script_user(part, user),
        .password = slice_of(e->config.password, strlen(e->config.password)),
        .method = scenario_of(part->kind)->method,
        .uri = script_uri(e->config.script, part, &e->scratch),
        .cnonce = buf_slice(&random),
    };
    buf_put(out, answer->status == 407 ? SLICE("Proxy-Authorization: ") : SLICE("Authorization: "));
    const bool ok = digest_answer(e->digest, &challenge, &credentials, out);
    buf_put(out, SLICE("\r\n"));
    return ok && buf_ok(out) ? buf_slice(out) : slice_of(NULL, 0);
}

// Asks once more with credentials (RFC 3261 22.2). False when there is no way to.
static bool ask_again(struct engine *e, const struct sent *sent, const struct answer *answer,
                      uint64_t intended_ns)
{
    char text[SCRIPT_MESSAGE_BYTES_MAX];
    struct buf field = buf_over(text, sizeof(text));
    struct step step = sent->step;
    const uint64_t n = inflight_next(e->inflight);
    const bool asked = answer->status == 401 || answer->status == 407;
    if (!asked || e->digest == NULL || step.credentials || inflight_full(e->inflight)) {
        return false;
    }
    step.credentials = true;
    const struct script_part part = script_part_of(e->config.script, n, &step);
    const struct slice line = authorize(e, &part, answer, &field);
    char *room = outbox_room(e->outbox, e->config.ports->fds[sent->socket]);
    const size_t len =
        slice_empty(line) ? 0 : script_request_with(e->config.script, &part, line, room);
    if (len == 0) {
        return false;
    }
    outbox_add(e->outbox, len);
    inflight_begin(e->inflight, &step, intended_ns, e->now_ns);
    e->tally.counts.challenged++;
    return true;
}

// An answer that settles nothing. The final answer to an INVITE is repeated until its ACK
// arrives (RFC 3261 17.2.1), any other only when the request was.
static void take_surplus(struct engine *e, enum inflight_match match, bool invite,
                         struct slice datagram)
{
    const bool expected = match == INFLIGHT_AGAIN || (match == INFLIGHT_TWICE && invite);
    if (match == INFLIGHT_LATE) {
        e->tally.counts.late++;
    } else if (expected) {
        e->tally.counts.repeated++;
    } else {
        const struct complaint why = {.what = match == INFLIGHT_TWICE
                                                  ? "a second answer to one request"
                                                  : "an answer to nothing that was sent"};
        e->tally.counts.unmatched++;
        tally_keep(&e->tally, &why, datagram);
    }
}

// An answer to a request that is remembered.
static void take_answer(struct engine *e, const struct sent *sent, const struct answer *answer,
                        struct slice datagram, uint64_t now_ns)
{
    uint64_t intended_ns = 0;
    const bool invite = scenario_of(sent->step.kind)->invite;
    if (answer->status != ANSWER_STATUS_NONE && answer->status < 200) {
        e->tally.counts.provisional++;
        return;
    }
    const enum inflight_match match = inflight_answer(e->inflight, sent->n, &intended_ns);
    if (match == INFLIGHT_FIRST) {
        e->last_ns = now_ns;
        if (!ask_again(e, sent, answer, intended_ns)) {
            judge(e, sent, answer, datagram, now_ns - intended_ns);
        }
    } else {
        take_surplus(e, match, invite, datagram);
    }
    if (e->config.acks && invite) {
        acknowledge(e, sent, answer->to);
    }
}

// Which request it answers.
static void match_answer(struct engine *e, unsigned socket, const struct answer *answer,
                         struct slice datagram, uint64_t now_ns)
{
    struct sent sent = {.socket = socket};
    const bool ours = script_number_of(e->config.script, answer->via, &sent.n) &&
                      sent.n < inflight_next(e->inflight);
    const struct step *step = ours ? inflight_step(e->inflight, sent.n) : NULL;
    if (step == NULL) {
        take_surplus(e, ours ? INFLIGHT_LATE : INFLIGHT_UNKNOWN, false, datagram);
    } else if (script_socket(e->config.script, step->caller) != socket) {
        take_surplus(e, INFLIGHT_UNKNOWN, false, datagram);
    } else {
        sent.step = *step;
        take_answer(e, &sent, answer, datagram, now_ns);
    }
}

static void take_datagram(struct engine *e, unsigned socket, struct slice datagram, bool whole,
                          uint64_t now_ns)
{
    struct answer answer;
    if (!whole || !answer_parse(datagram, &answer) ||
        (answer.status == ANSWER_STATUS_NONE && !e->config.echo)) {
        const struct complaint why = {.what = "no SIP answer, or one cut short"};
        e->tally.counts.malformed++;
        tally_keep(&e->tally, &why, datagram);
        return;
    }
    match_answer(e, socket, &answer, datagram, now_ns);
}

static void receive(struct engine *e, unsigned socket)
{
    struct slice datagram;
    bool whole;
    const bool ok = inbox_receive(e->inbox, e->config.ports->fds[socket]);
    e->now_ns = stopwatch_now_ns();
    e->tally.counts.unreachable += ok ? 0 : 1;
    while (inbox_next(e->inbox, &datagram, &whole)) {
        take_datagram(e, socket, datagram, whole, e->now_ns);
    }
}

// --- the loop -------------------------------------------------------------------------------

// Whether no further request will be begun.
static bool all_begun(const struct engine *e, uint64_t now_ns)
{
    return e->stopped || plan_over(&e->plan, now_ns);
}

// How long nothing has to be done unless an answer comes.
static uint64_t idle_ns(const struct engine *e, uint64_t now_ns)
{
    uint64_t wake_ns = inflight_wake_ns(e->inflight);
    if (e->config.busy) {
        return 0;
    }
    if (!e->stopped && !inflight_full(e->inflight)) {
        const uint64_t due_ns = plan_wake_ns(&e->plan, now_ns, settled(e));
        wake_ns = due_ns < wake_ns ? due_ns : wake_ns;
    }
    if (wake_ns <= now_ns) {
        return 0;
    }
    return wake_ns - now_ns < sleep_max_ns ? wake_ns - now_ns : sleep_max_ns;
}

static void receive_all(struct engine *e, uint64_t wait_ns)
{
    struct epoll_event ready[ENGINE_EVENTS];
    const struct timespec wait = {.tv_nsec = (long)wait_ns};
    // A signal ends the wait; whoever calls asks for it.
    int n = epoll_pwait2(e->epoll, ready, ENGINE_EVENTS, &wait, NULL);
    if (n < 0 && errno == ENOSYS) {
        // Under valgrind, and before Linux 5.11; then the end of a short wait is awaited awake.
        n = epoll_wait(e->epoll, ready, ENGINE_EVENTS, (int)(wait_ns / NS_PER_MS));
    }
    for (int i = 0; i < n; i++) {
        receive(e, ready[i].data.u32);
    }
}

static bool finished(const struct engine *e, uint64_t now_ns)
{
    return all_begun(e, now_ns) && inflight_waiting(e->inflight) == 0 &&
           now_ns >= e->last_ns + linger_ns;
}

bool engine_turn(struct engine *e)
{
    const uint64_t now_ns = stopwatch_now_ns();
    e->now_ns = now_ns;
    e->tally.counts.lost += inflight_expire(e->inflight, now_ns);
    send_again(e, now_ns);
    send_due(e, now_ns);
    flush(e);
    if (finished(e, now_ns)) {
        return false;
    }
    receive_all(e, idle_ns(e, stopwatch_now_ns()));
    flush(e);
    return true;
}
