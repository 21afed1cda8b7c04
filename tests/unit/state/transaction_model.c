// SPDX-License-Identifier: Apache-2.0
// Random operations on transactions and on a model of them that is too simple to be wrong: an
// array, searched from end to end, time compared and nothing scheduled.
#include <criterion/criterion.h>
#include <stdio.h>

#include "signpost/state/transaction.h"
#include "tests/unit/support.h"

enum {
    KEYS = 48,
    CALLS = 6, // keys of a call merge
    OPERATIONS = 20000,
    SEEDS = 6,
    LATE_MS = 50,
    SHARDS = 2,
    ROOMY_BYTES = 1000000,
    LITTLE_BYTES = 4000,
    TEXT_MAX = 32,
};

struct row {
    bool used;
    bool invite;
    bool acknowledged;
    unsigned answer;
    uint64_t over_ms;
    uint64_t repeat_ms;
    uint64_t interval_ms;
};

static const uint64_t steps_ms[] = {0,   0,   1,    3,    20,    49,    50,    51,
                                    100, 400, 1000, 4999, 31999, 32000, 51200, 700000};

static struct row rows[KEYS];
static struct transactions *table;
static struct now now;
static unsigned answers;
static uint64_t seed;
static uint64_t state;
static bool roomy; // nothing is ever forgotten before its time

#define CHECK(condition)                                                                           \
    cr_assert(condition, "seed %lu, at %lu ms", (unsigned long)seed, (unsigned long)now.mono_ms)

static unsigned pick(unsigned n)
{
    return (unsigned)(next_random(&state) >> 33) % n;
}

static bool alive(const struct row *row)
{
    return row->used && now.mono_ms < row->over_ms;
}

// Of every second call. No INVITE does, whose life an ACK may shorten.
static bool merges(unsigned k)
{
    return k % CALLS % 2 == 0;
}

// What is looked for is found if it is alive, or has had to make room.
static void expect(unsigned k, bool found)
{
    if (alive(&rows[k]) && !found) {
        CHECK(!roomy && transactions_size(table).evicted > 0);
        rows[k].used = false;
    }
    CHECK(found == alive(&rows[k]));
}

// Its hashes are so poor that keys share buckets and shards.
static struct transaction_key key_of(unsigned k, char text[static TEXT_MAX])
{
    (void)snprintf(text, TEXT_MAX, "key %u", k);
    return (struct transaction_key){.text = text_slice(text),
                                    .hash = k / 2,
                                    .call = k % CALLS,
                                    .merges = merges(k),
                                    .merge = k % CALLS};
}

// The answer begins with the key, so that what leaves again tells whose it is.
static void put_answer(struct buf *b, unsigned k, unsigned answer)
{
    buf_put_u64(b, k);
    buf_put_char(b, '.');
    buf_put_u64(b, answer);
}

static bool is_answer(const struct buf *b, unsigned k)
{
    char text[TEXT_MAX];
    struct buf expected = buf_over(text, sizeof(text));
    put_answer(&expected, k, rows[k].answer);
    return slice_equal(buf_slice(b), buf_slice(&expected));
}

static void add(unsigned k)
{
    char text[TEXT_MAX];
    char bytes[TEXT_MAX];
    const struct transaction_key key = key_of(k, text);
    const bool invite = !merges(k) && pick(4) != 0;
    const struct transaction_path path = {.socket = k, .target = {.port = (uint16_t)k}};
    struct buf answer = buf_over(bytes, sizeof(bytes));
    put_answer(&answer, k, ++answers);
    const enum transaction_added added =
        transactions_add(table, &key, invite ? TRANSACTION_INVITE : TRANSACTION_OTHER,
                         buf_slice(&answer), &path, now);
    CHECK(added != TRANSACTION_NO_ROOM);
    expect(k, added == TRANSACTION_EXISTS);
    if (added == TRANSACTION_ADDED) {
        rows[k] = (struct row){.used = true,
                               .invite = invite,
                               .answer = answers,
                               .over_ms = now.mono_ms + TIMER_H_MS,
                               .repeat_ms = now.mono_ms + TIMER_G_MS,
                               .interval_ms = TIMER_G_MS};
    }
}

// Some other of its call is alive. For certain only when there is room for all.
static bool has_sibling(unsigned k)
{
    bool other = false;
    for (unsigned i = merges(k) ? k % CALLS : KEYS; i < KEYS; i += CALLS) {
        other = other || (i != k && alive(&rows[i]));
    }
    return other;
}

static void find(unsigned k)
{
    char text[TEXT_MAX];
    char bytes[TEXT_MAX];
    const struct transaction_key key = key_of(k, text);
    struct endpoint target = {0};
    struct buf answer = buf_over(bytes, sizeof(bytes));
    const enum transaction_found found = transactions_find(table, &key, now, &answer, &target);
    expect(k, found == TRANSACTION_REPEATED);
    if (found == TRANSACTION_REPEATED && !rows[k].acknowledged) {
        CHECK(is_answer(&answer, k) && target.port == k);
    } else {
        CHECK(answer.len == 0);
    }
    if (found != TRANSACTION_REPEATED) {
        CHECK(has_sibling(k) || found == TRANSACTION_NEW);
        CHECK(!roomy || !has_sibling(k) || found == TRANSACTION_MERGED);
    }
}

static void acknowledge(unsigned k)
{
    char text[TEXT_MAX];
    const struct transaction_key key = key_of(k, text);
    struct row *const row = &rows[k];
    expect(k, transactions_acknowledge(table, &key, now));
    if (alive(row) && row->invite && !row->acknowledged) {
        row->acknowledged = true;
        row->over_ms = now.mono_ms + TIMER_I_MS;
    }
}

static void look(unsigned k)
{
    char text[TEXT_MAX];
    const struct transaction_key key = key_of(k, text);
    expect(k, transactions_has(table, &key, now));
}

static void expect_nothing_overdue(void)
{
    for (unsigned k = 0; k < KEYS; k++) {
        const struct row *const row = &rows[k];
        CHECK(!alive(row) || !row->invite || row->acknowledged ||
              now.mono_ms < row->repeat_ms + LATE_MS);
    }
}

// Never early, never late, to the right place, and once each.
static void tick(void)
{
    char bytes[TEXT_MAX];
    unsigned shard = 0;
    uint64_t least = 0;
    struct transaction_path path;
    struct buf answer = buf_over(bytes, sizeof(bytes));
    while (transactions_next_due(table, &shard, now, &answer, &path)) {
        CHECK(path.socket < KEYS && path.target.port == path.socket);
        struct row *const row = &rows[path.socket];
        CHECK(alive(row) && row->invite && !row->acknowledged);
        CHECK(is_answer(&answer, path.socket));
        CHECK(row->repeat_ms <= now.mono_ms);
        const uint64_t doubled = 2 * row->interval_ms;
        row->interval_ms = doubled < TIMER_T2_MS ? doubled : TIMER_T2_MS;
        row->repeat_ms = now.mono_ms + row->interval_ms;
        answer = buf_over(bytes, sizeof(bytes));
    }
    for (unsigned k = 0; k < KEYS; k++) {
        least += alive(&rows[k]) ? 1 : 0;
    }
    const struct transactions_size size = transactions_size(table);
    if (roomy) {
        expect_nothing_overdue();
        CHECK(size.transactions >= least && size.evicted == 0);
    }
    CHECK((size.transactions == 0) == (size.bytes == 0));
}

static void run(uint64_t with_seed, size_t budget_bytes)
{
    const struct transactions_config config = {.shards = SHARDS, .budget_bytes = budget_bytes};
    table = transactions_create(&config);
    cr_assert_not_null(table);
    memset(rows, 0, sizeof(rows));
    roomy = budget_bytes == ROOMY_BYTES;
    seed = with_seed;
    state = with_seed;
    now = (struct now){.mono_ms = 1000 + pick(100000)};
    for (unsigned i = 0; i < OPERATIONS; i++) {
        const unsigned k = pick(KEYS);
        switch (pick(8)) {
        case 0:
        case 1: add(k); break;
        case 2: find(k); break;
        case 3: acknowledge(k); break;
        case 4: look(k); break;
        case 5: tick(); break;
        default: now.mono_ms += steps_ms[pick((unsigned)LENGTH_OF(steps_ms) - pick(6))]; break;
        }
    }
    now.mono_ms += TIMER_H_MS + LATE_MS;
    tick();
    CHECK(transactions_size(table).transactions == 0 && transactions_size(table).bytes == 0);
    CHECK((transactions_size(table).evicted == 0) == roomy);
    transactions_destroy(table);
}

Test(transaction_model, random_operations_agree_with_the_model)
{
    for (uint64_t s = 1; s <= SEEDS; s++) {
        run(s, ROOMY_BYTES);
    }
}

Test(transaction_model, and_when_there_is_little_room)
{
    for (uint64_t s = 1; s <= SEEDS; s++) {
        run(s, LITTLE_BYTES);
    }
}

// The ticker comes each millisecond, as it nearly does.
Test(transaction_model, and_when_the_clock_goes_slowly)
{
    const struct transactions_config config = {.shards = SHARDS, .budget_bytes = ROOMY_BYTES};
    table = transactions_create(&config);
    cr_assert_not_null(table);
    roomy = true;
    seed = 77;
    state = seed;
    now = (struct now){.mono_ms = 123457};
    for (unsigned i = 0; i < 200000; i++) {
        const unsigned k = pick(KEYS);
        switch (pick(64)) {
        case 0: add(k); break;
        case 1: find(k); break;
        case 2: acknowledge(pick(KEYS / 2)); break;
        case 3: look(k); break;
        default: now.mono_ms++; tick();
        }
    }
    transactions_destroy(table);
}
