// SPDX-License-Identifier: Apache-2.0
// Server transactions under threads that all answer the same requests, as workers do when copies
// of a request come close together, while another thread is the ticker. Of each round of a key one
// thread has added it, all get its answer, and in the end everything is accounted for.
#include "signpost/state/transaction.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    ALARM_S = 200,
    WORKERS = 4,
    SHARDS = 2,
    ROUNDS = 60,
    KEYS = 400, // of a round, each with its number in all rounds; every second an INVITE
    TOTAL = ROUNDS * KEYS,
    BUDGET_BYTES = 1 << 28,
    TEXT_MAX = 64,
};

// What a thread has been told about the request of a number.
enum outcome {
    OUTCOME_ABSORBED, // acknowledged before this thread came by
    OUTCOME_ADDED,
    OUTCOME_REPEATED,
};

static struct transactions *table;
static _Atomic uint64_t clock_ms;
static _Atomic unsigned at_work;
static _Atomic uint64_t sent_again;
static _Atomic unsigned added_by[TOTAL]; // threads that were told ADDED
static _Atomic unsigned sent_count[TOTAL];
static _Atomic bool acknowledged[TOTAL]; // its acknowledgement has returned
static pthread_barrier_t round_begins;

static void check(bool ok, const char *what)
{
    if (!ok) {
        (void)fprintf(stderr, "failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static struct now now(void)
{
    return (struct now){.mono_ms = atomic_load(&clock_ms)};
}

// splitmix64
static uint64_t mix(uint64_t z)
{
    z += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static bool is_invite(unsigned n)
{
    return n % 2 == 0;
}

// The key lives as long as its text.
static struct transaction_key key_of(unsigned n, char text[static TEXT_MAX])
{
    struct buf b = buf_over(text, TEXT_MAX);
    buf_put(&b, SLICE("key "));
    buf_put_u64(&b, n);
    return (struct transaction_key){.text = buf_slice(&b),
                                    .hash = mix(n),
                                    .call = mix(n / 3),
                                    .merges = true,
                                    .merge = mix(n / 3)};
}

// ---- Workers

// "<number>/<thread>": who has added it. All threads must be told the same.
static void put_answer(struct buf *b, unsigned n, unsigned thread)
{
    buf_put_u64(b, n);
    buf_put_char(b, '/');
    buf_put_u64(b, thread);
}

static unsigned number_of(struct slice answer)
{
    uint64_t n = 0;
    check(slice_to_u64(slice_of(answer.at, slice_find(answer, '/')), TOTAL - 1, &n), "an answer");
    return (unsigned)n;
}

static _Atomic unsigned answered_by[TOTAL]; // 1 + the thread whose answer somebody has got

static void check_same_answer(unsigned n, struct slice answer)
{
    uint64_t thread = 0;
    unsigned none = 0;
    const size_t slash = slice_find(answer, '/');
    check(number_of(answer) == n, "the answer of this request");
    check(slice_to_u64(slice_from(answer, slash + 1), WORKERS - 1, &thread), "a thread");
    if (!atomic_compare_exchange_strong(&answered_by[n], &none, (unsigned)thread + 1)) {
        check(none == thread + 1, "the same answer for everybody");
    }
}

// As service/transact does it.
static enum outcome answer_request(unsigned n, unsigned thread)
{
    char text[TEXT_MAX];
    char own[TEXT_MAX];
    char bytes[TEXT_MAX];
    const struct transaction_key key = key_of(n, text);
    const struct transaction_path path = {.socket = n, .target = {.port = (uint16_t)n}};
    struct endpoint target = {0};
    struct buf again = buf_over(bytes, sizeof(bytes));
    struct buf answer = buf_over(own, sizeof(own));
    put_answer(&answer, n, thread);
    if (transactions_find(table, &key, now(), &again, &target) != TRANSACTION_REPEATED) {
        const enum transaction_added added =
            transactions_add(table, &key, is_invite(n) ? TRANSACTION_INVITE : TRANSACTION_OTHER,
                             buf_slice(&answer), &path, now());
        check(added != TRANSACTION_NO_ROOM, "room");
        if (added == TRANSACTION_ADDED) {
            check_same_answer(n, buf_slice(&answer));
            return OUTCOME_ADDED;
        }
        check(transactions_find(table, &key, now(), &again, &target) == TRANSACTION_REPEATED,
              "what exists is repeated");
    }
    if (again.len == 0) {
        check(is_invite(n), "only an INVITE is absorbed");
        return OUTCOME_ABSORBED;
    }
    check(target.port == (uint16_t)n, "its target");
    check_same_answer(n, buf_slice(&again));
    return OUTCOME_REPEATED;
}

static void acknowledge(unsigned n)
{
    char text[TEXT_MAX];
    const struct transaction_key key = key_of(n, text);
    check(transactions_acknowledge(table, &key, now()), "an ACK finds its INVITE");
    atomic_store(&acknowledged[n], true);
}

static void look(unsigned n)
{
    char text[TEXT_MAX];
    const struct transaction_key key = key_of(n, text);
    check(transactions_has(table, &key, now()), "what has been added is there");
}

// Within a round the clock moves less than timer I, so that nothing of it is forgotten.
static void work_round(unsigned round, unsigned thread, uint64_t *state)
{
    for (unsigned i = 0; i < KEYS; i++) {
        const unsigned n = round * KEYS + i;
        if (answer_request(n, thread) == OUTCOME_ADDED) {
            atomic_fetch_add(&added_by[n], 1);
        }
        look(n);
        *state = mix(*state);
        if (is_invite(n) && *state % 3 == 0) {
            acknowledge(n);
        }
        if (*state % 256 < 2) {
            atomic_fetch_add(&clock_ms, 40);
        }
    }
}

static void *work(void *arg)
{
    const unsigned thread = *(const unsigned *)arg;
    uint64_t state = thread;
    for (unsigned round = 0; round < ROUNDS; round++) {
        // one thread moves the clock past everything, now and then; the others wait for it
        // The constant happens to be -1, but is no error. NOLINTNEXTLINE(bugprone-posix-return)
        if (pthread_barrier_wait(&round_begins) == PTHREAD_BARRIER_SERIAL_THREAD) {
            atomic_fetch_add(&clock_ms, round % 8 == 0 ? 100000 : 700);
        }
        (void)pthread_barrier_wait(&round_begins);
        work_round(round, thread, &state);
    }
    atomic_fetch_sub(&at_work, 1);
    return NULL;
}

// ---- The ticker

static void tick(void)
{
    char bytes[TEXT_MAX];
    unsigned shard = 0;
    struct transaction_path path;
    // What is sent now may be acknowledged at the same moment, but not have been before.
    const struct now at = now();
    for (;;) {
        struct buf answer = buf_over(bytes, sizeof(bytes));
        if (!transactions_next_due(table, &shard, at, &answer, &path)) {
            return;
        }
        const unsigned n = number_of(buf_slice(&answer));
        check_same_answer(n, buf_slice(&answer));
        check(path.socket == n && is_invite(n), "an INVITE's answer, by its way");
        atomic_fetch_add(&sent_count[n], 1);
        atomic_fetch_add(&sent_again, 1);
    }
}

static void *keep_ticking(void *arg)
{
    (void)arg;
    while (atomic_load(&at_work) > 0) {
        tick();
        const struct transactions_size size = transactions_size(table);
        check(size.transactions <= TOTAL && size.bytes <= BUDGET_BYTES, "a size that can be");
    }
    return NULL;
}

// ---- Afterwards

// Of the INVITEs that are left only those without an ACK are sent once more.
static void check_silence_after_ack(void)
{
    static unsigned before[TOTAL];
    for (unsigned n = 0; n < TOTAL; n++) {
        before[n] = atomic_load(&sent_count[n]);
    }
    atomic_fetch_add(&clock_ms, 4100);
    tick();
    for (unsigned n = 0; n < TOTAL; n++) {
        check(!atomic_load(&acknowledged[n]) || atomic_load(&sent_count[n]) == before[n],
              "nothing is sent after the ACK");
    }
}

static void check_end(void)
{
    for (unsigned n = 0; n < TOTAL; n++) {
        check(atomic_load(&added_by[n]) == 1, "exactly one thread has added a request");
    }
    check(atomic_load(&sent_again) > 0, "answers were sent again");
    check_silence_after_ack();
    atomic_fetch_add(&clock_ms, 100000);
    tick();
    const struct transactions_size size = transactions_size(table);
    check(size.transactions == 0 && size.bytes == 0, "everything is over in the end");
}

int main(void)
{
    const struct transactions_config config = {.shards = SHARDS, .budget_bytes = BUDGET_BYTES};
    pthread_t workers[WORKERS];
    pthread_t ticker;
    unsigned ids[WORKERS];
    (void)alarm(ALARM_S);
    table = transactions_create(&config);
    check(table != NULL, "transactions_create");
    check(pthread_barrier_init(&round_begins, NULL, WORKERS) == 0, "pthread_barrier_init");
    atomic_store(&clock_ms, 1000000);
    atomic_store(&at_work, WORKERS);
    for (unsigned i = 0; i < WORKERS; i++) {
        ids[i] = i;
        check(pthread_create(&workers[i], NULL, work, &ids[i]) == 0, "a thread");
    }
    check(pthread_create(&ticker, NULL, keep_ticking, NULL) == 0, "a thread");
    for (unsigned i = 0; i < WORKERS; i++) {
        check(pthread_join(workers[i], NULL) == 0, "pthread_join");
    }
    check(pthread_join(ticker, NULL) == 0, "pthread_join");
    check_end();
    transactions_destroy(table);
    (void)pthread_barrier_destroy(&round_begins);
    (void)printf("%u requests by %u threads, %lu answers sent again\n", (unsigned)TOTAL,
                 (unsigned)WORKERS, (unsigned long)atomic_load(&sent_again));
    return EXIT_SUCCESS;
}
