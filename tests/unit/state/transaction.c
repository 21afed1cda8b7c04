// SPDX-License-Identifier: Apache-2.0
// Server transactions under a clock that the test moves, with a ticker that comes when it says so.
#include "signpost/state/transaction.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/support.h"

#define ALLOCATOR_ELSEWHERE
#include "tests/unit/state/allocator.h"

enum {
    START_MS = 1000000, // the beginning of a slot
    SLOT_MS = 50,       // how late the wheel may be
    LAP_MS = 1024 * SLOT_MS,
    SENT_MAX = 80,
    SHARDS = 4,
    ROOMY_BYTES = 1 << 24,
    TEXT_MAX = 48,
    ALLOCATIONS_MAX = 100,
};

// What the ticker has sent.
struct sent {
    uint64_t at_ms;
    char text[TEXT_MAX];
    struct transaction_path path;
};

static struct transactions *table;
static struct now now;
static struct sent sent[SENT_MAX];
static unsigned sent_count;

static const struct hash_key secret = {.bytes = "a fixed test key"};
static const struct transaction_path nowhere;

static void start_with(unsigned shards, size_t budget_bytes)
{
    const struct transactions_config config = {.shards = shards, .budget_bytes = budget_bytes};
    transactions_destroy(table);
    table = transactions_create(&config);
    now = (struct now){.mono_ms = START_MS};
    cr_assert_not_null(table);
}

static void start(void)
{
    start_with(SHARDS, ROOMY_BYTES);
}

static void stop(void)
{
    transactions_destroy(table);
}

TestSuite(transaction, .init = start, .fini = stop);

// A transaction of a call of its own.
static struct transaction_key key_of(const char *text)
{
    const uint64_t hash = hash_bytes(&secret, text_slice(text));
    return (struct transaction_key){
        .text = text_slice(text), .hash = hash, .call = hash >> 32, .merges = true, .merge = ~hash};
}

// One of a call that others have in common.
static struct transaction_key merging_key(const char *text)
{
    const struct transaction_key common = key_of("common");
    struct transaction_key key = key_of(text);
    key.call = common.call;
    key.merge = common.merge;
    return key;
}

static enum transaction_added add(const struct transaction_key *key, enum transaction_kind kind,
                                  const char *answer)
{
    return transactions_add(table, key, kind, text_slice(answer), &nowhere, now);
}

static void add_invite(const char *text)
{
    const struct transaction_key key = key_of(text);
    cr_assert_eq(add(&key, TRANSACTION_INVITE, text), TRANSACTION_ADDED, "%s", text);
}

static void add_other(const char *text)
{
    const struct transaction_key key = key_of(text);
    cr_assert_eq(add(&key, TRANSACTION_OTHER, text), TRANSACTION_ADDED, "%s", text);
}

// The answer that a retransmission gets; "(absorbed)"; or NULL when it is none.
static const char *repeated(const struct transaction_key *key)
{
    static char bytes[TEXT_MAX + 1];
    struct endpoint target;
    struct buf answer = buf_over(bytes, TEXT_MAX);
    if (transactions_find(table, key, now, &answer, &target) != TRANSACTION_REPEATED) {
        cr_assert_eq(answer.len, 0);
        return NULL;
    }
    bytes[answer.len] = '\0';
    return answer.len == 0 ? "(absorbed)" : bytes;
}

static const char *repeat_of(const char *text)
{
    const struct transaction_key key = key_of(text);
    return repeated(&key);
}

// The same request has come by another way.
static bool merged(const char *text)
{
    const struct transaction_key key = merging_key(text);
    struct endpoint target;
    char bytes[TEXT_MAX];
    struct buf answer = buf_over(bytes, sizeof(bytes));
    return transactions_find(table, &key, now, &answer, &target) == TRANSACTION_MERGED;
}

static bool acknowledge(const char *text)
{
    const struct transaction_key key = key_of(text);
    return transactions_acknowledge(table, &key, now);
}

static bool has(const char *text)
{
    const struct transaction_key key = key_of(text);
    return transactions_has(table, &key, now);
}

static uint64_t remembered(void)
{
    return transactions_size(table).transactions;
}

// The ticker comes once.
static void tick(void)
{
    unsigned shard = 0;
    for (;;) {
        char bytes[TEXT_MAX];
        struct transaction_path path;
        struct buf answer = buf_over(bytes, sizeof(bytes) - 1);
        if (!transactions_next_due(table, &shard, now, &answer, &path)) {
            break;
        }
        cr_assert(buf_ok(&answer));
        cr_assert_lt(sent_count, SENT_MAX);
        struct sent *const s = &sent[sent_count++];
        *s = (struct sent){.at_ms = now.mono_ms, .path = path};
        memcpy(s->text, bytes, answer.len);
    }
}

// The ticker comes each millisecond.
static void run_ms(uint64_t ms)
{
    for (uint64_t i = 0; i < ms; i++) {
        now.mono_ms++;
        tick();
    }
}

static void skip_ms(uint64_t ms)
{
    now.mono_ms += ms;
}

// ---- What is remembered

Test(transaction, retransmission_gets_the_identical_answer_and_its_target)
{
    static const char bytes[] = "SIP/2.0 200 OK\r\n\0\xff\r\n";
    const struct slice answer = slice_of(bytes, sizeof(bytes));
    const struct transaction_key key = key_of("branch");
    struct transaction_path path = {.target = {.port = 5070}, .local = {.port = 5060}, .socket = 7};
    struct endpoint target = {0};
    char copy[64];
    cr_assert(ip_parse(SLICE("192.0.2.4"), &path.target.ip));
    cr_assert_eq(transactions_add(table, &key, TRANSACTION_OTHER, answer, &path, now),
                 TRANSACTION_ADDED);
    for (unsigned i = 0; i < 3; i++) {
        struct buf out = buf_over(copy, sizeof(copy));
        cr_assert_eq(transactions_find(table, &key, now, &out, &target), TRANSACTION_REPEATED);
        cr_assert(slice_equal(buf_slice(&out), answer));
        cr_assert_eq(target.port, 5070);
        cr_assert(ip_equal(&target.ip, &path.target.ip));
        run_ms(10000);
    }
}

Test(transaction, ticker_gets_the_way_that_the_answer_went)
{
    const struct transaction_key key = key_of("invite");
    struct transaction_path path = {.target = {.port = 5070}, .local = {.port = 5060}, .socket = 7};
    cr_assert(ip_parse(SLICE("192.0.2.4"), &path.target.ip));
    cr_assert(ip_parse(SLICE("2001:db8::1"), &path.local.ip));
    cr_assert_eq(transactions_add(table, &key, TRANSACTION_INVITE, SLICE("302"), &path, now),
                 TRANSACTION_ADDED);
    run_ms(500);
    cr_assert_eq(sent_count, 1);
    cr_assert_str_eq(sent[0].text, "302");
    cr_assert_eq(sent[0].path.socket, 7);
    cr_assert_eq(sent[0].path.target.port, 5070);
    cr_assert_eq(sent[0].path.local.port, 5060);
    cr_assert(ip_equal(&sent[0].path.target.ip, &path.target.ip));
    cr_assert(ip_equal(&sent[0].path.local.ip, &path.local.ip));
}

Test(transaction, what_is_unknown_is_no_retransmission)
{
    add_other("branch");
    cr_assert_null(repeat_of("branc"));
    cr_assert_null(repeat_of("branchh"));
    cr_assert(!has("other") && !acknowledge("other"));
    cr_assert(!merged("b"));
}

Test(transaction, keys_of_the_same_hash_are_told_apart_by_their_text)
{
    const struct transaction_key a = {
        .text = SLICE_INIT("a"), .hash = 1, .call = 1, .merges = true, .merge = 1};
    const struct transaction_key b = {
        .text = SLICE_INIT("b"), .hash = 1, .call = 1, .merges = true, .merge = 2};
    cr_assert_eq(add(&a, TRANSACTION_OTHER, "A"), TRANSACTION_ADDED);
    cr_assert_null(repeated(&b));
    cr_assert_eq(add(&b, TRANSACTION_OTHER, "B"), TRANSACTION_ADDED);
    cr_assert_str_eq(repeated(&a), "A");
    cr_assert_str_eq(repeated(&b), "B");
}

Test(transaction, a_key_that_is_there_exists_and_keeps_its_answer)
{
    const struct transaction_key key = key_of("k");
    add_other("k");
    const struct transactions_size before = transactions_size(table);
    cr_assert_eq(add(&key, TRANSACTION_OTHER, "later"), TRANSACTION_EXISTS);
    cr_assert_eq(add(&key, TRANSACTION_INVITE, "later"), TRANSACTION_EXISTS);
    cr_assert_str_eq(repeat_of("k"), "k");
    cr_assert_eq(transactions_size(table).bytes, before.bytes);
    cr_assert_eq(remembered(), 1);
    run_ms(TIMER_H_MS + SLOT_MS);
    cr_assert_eq(sent_count, 0);
    cr_assert_eq(remembered(), 0);
}

// ---- Timers

Test(transaction, answers_to_invite_leave_again_at_the_intervals_of_timer_g)
{
    static const uint64_t at_ms[] = {500,   1500,  3500,  7500,  11500,
                                     15500, 19500, 23500, 27500, 31500};
    add_invite("302");
    run_ms(60000);
    cr_assert_eq(sent_count, LENGTH_OF(at_ms));
    for (unsigned i = 0; i < sent_count; i++) {
        cr_assert_eq(sent[i].at_ms, START_MS + at_ms[i]);
        cr_assert_str_eq(sent[i].text, "302");
    }
}

// At any place of a slot that the INVITE comes.
static void expect_timer_g(uint64_t since_ms)
{
    uint64_t interval_ms = TIMER_G_MS;
    uint64_t last_ms = since_ms;
    for (unsigned i = 0; i < sent_count; i++) {
        cr_assert_geq(sent[i].at_ms, last_ms + interval_ms, "early");
        cr_assert_lt(sent[i].at_ms, last_ms + interval_ms + SLOT_MS, "late");
        last_ms = sent[i].at_ms;
        interval_ms = 2 * interval_ms < TIMER_T2_MS ? 2 * interval_ms : TIMER_T2_MS;
    }
    cr_assert_eq(sent_count, 10);
}

Test(transaction, timer_g_is_never_early_and_less_than_a_slot_late)
{
    for (uint64_t phase_ms = 0; phase_ms <= SLOT_MS; phase_ms += 7) {
        start();
        sent_count = 0;
        skip_ms(phase_ms);
        tick();
        add_invite("302");
        run_ms(TIMER_H_MS - 1);
        cr_assert_eq(remembered(), 1);
        run_ms(SLOT_MS);
        cr_assert_eq(remembered(), 0);
        expect_timer_g(START_MS + phase_ms);
    }
}

Test(transaction, an_invite_without_ack_is_over_with_timer_h)
{
    add_invite("302");
    skip_ms(TIMER_H_MS - 1);
    cr_assert_str_eq(repeat_of("302"), "302");
    cr_assert(has("302"));
    skip_ms(1); // and the ticker has not come
    cr_assert_null(repeat_of("302"));
    cr_assert(!has("302") && !acknowledge("302"));
    tick();
    cr_assert_eq(sent_count, 0);
    cr_assert_eq(transactions_size(table).bytes, 0);
}

Test(transaction, other_answers_wait_for_timer_j_and_never_leave_by_themselves)
{
    add_other("200");
    run_ms(TIMER_J_MS - 1);
    cr_assert_str_eq(repeat_of("200"), "200");
    skip_ms(1);
    cr_assert_null(repeat_of("200"));
    cr_assert_eq(remembered(), 1);
    tick();
    cr_assert_eq(remembered(), 0);
    cr_assert_eq(sent_count, 0);
}

Test(transaction, ack_ends_the_repetitions_and_what_comes_after_is_absorbed)
{
    add_invite("302");
    run_ms(2000);
    cr_assert_eq(sent_count, 2);
    cr_assert(acknowledge("302"));
    cr_assert_str_eq(repeat_of("302"), "(absorbed)");
    cr_assert(has("302")); // a CANCEL still finds it
    run_ms(TIMER_I_MS - 1);
    cr_assert_str_eq(repeat_of("302"), "(absorbed)");
    cr_assert_eq(remembered(), 1);
    run_ms(1);
    cr_assert_null(repeat_of("302"));
    cr_assert_eq(remembered(), 0);
    run_ms(60000);
    cr_assert_eq(sent_count, 2);
}

Test(transaction, further_acks_do_not_prolong_timer_i)
{
    add_invite("302");
    cr_assert(acknowledge("302"));
    skip_ms(TIMER_I_MS - 1);
    cr_assert(acknowledge("302"));
    skip_ms(1);
    cr_assert(!acknowledge("302"));
    tick();
    cr_assert_eq(remembered(), 0);
}

Test(transaction, ack_in_the_last_moment_still_starts_timer_i)
{
    add_invite("302");
    run_ms(TIMER_H_MS - 1);
    cr_assert(acknowledge("302"));
    run_ms(TIMER_I_MS - 1);
    cr_assert_str_eq(repeat_of("302"), "(absorbed)");
    run_ms(SLOT_MS);
    cr_assert_eq(remembered(), 0);
}

Test(transaction, a_key_whose_time_is_over_is_free_before_the_ticker_comes)
{
    const struct transaction_key key = key_of("k");
    for (unsigned i = 0; i < 3; i++) {
        cr_assert_eq(add(&key, TRANSACTION_INVITE, i == 2 ? "new" : "old"), TRANSACTION_ADDED);
        cr_assert_eq(remembered(), 1);
        skip_ms(TIMER_H_MS);
    }
    tick();
    cr_assert_eq(sent_count, 0);
    cr_assert_eq(add(&key, TRANSACTION_OTHER, "newest"), TRANSACTION_ADDED);
    cr_assert_str_eq(repeated(&key), "newest");
}

// ---- Pauses of the ticker

Test(transaction, one_repetition_makes_up_for_all_that_a_pause_has_missed)
{
    add_invite("302");
    skip_ms(20000);
    tick();
    tick();
    cr_assert_eq(sent_count, 1);
    run_ms(999);
    cr_assert_eq(sent_count, 1);
    run_ms(SLOT_MS);
    cr_assert_eq(sent_count, 2);
}

// What comes after a pause has its timers, wherever the wheel has stopped.
Test(transaction, a_pause_of_any_length_does_not_disturb_what_comes_after_it)
{
    static const uint64_t pauses_ms[] = {
        1,
        49,
        50,
        1000,
        19000,
        19200,
        31950,
        32000,
        40000,
        LAP_MS - 1,
        LAP_MS,
        LAP_MS + 1,
        LAP_MS + SLOT_MS,
        2 * LAP_MS,
        600000,
        3600000,
        100 * LAP_MS - 500,
        86400123456,
    };
    for (size_t i = 0; i < LENGTH_OF(pauses_ms); i++) {
        start();
        sent_count = 0;
        tick();
        add_other("before");
        skip_ms(pauses_ms[i]);
        const uint64_t since_ms = now.mono_ms;
        add_invite("302");
        add_other("200");
        run_ms(TIMER_J_MS - 1);
        cr_assert_str_eq(repeat_of("302"), "302");
        cr_assert_str_eq(repeat_of("200"), "200");
        expect_timer_g(since_ms);
        run_ms(SLOT_MS);
        cr_assert_eq(remembered(), 0, "after a pause of %lu ms", (unsigned long)pauses_ms[i]);
        cr_assert_eq(transactions_size(table).bytes, 0);
    }
}

// A worker may be held up between reading the clock and remembering its answer.
Test(transaction, what_a_late_worker_remembers_is_due_at_once)
{
    run_ms(SLOT_MS);
    now.mono_ms -= 2000;
    add_invite("302");
    now.mono_ms += 2000;
    run_ms(SLOT_MS);
    cr_assert_eq(sent_count, 1);
}

// The ticker has one answer in hand, and an ACK and a new INVITE come before it asks for the next.
Test(transaction, an_ack_while_the_ticker_is_at_work_is_in_time)
{
    char bytes[TEXT_MAX];
    struct transaction_path path;
    unsigned shard = 0;
    struct buf answer = buf_over(bytes, sizeof(bytes));
    start_with(1, ROOMY_BYTES);
    add_invite("1");
    add_invite("2");
    add_invite("3");
    skip_ms(500);
    cr_assert(transactions_next_due(table, &shard, now, &answer, &path));
    cr_assert_eq(answer.len, 1);
    for (char other = '1'; other <= '3'; other++) {
        const char text[] = {other, '\0'};
        cr_assert(other == bytes[0] || acknowledge(text));
    }
    add_invite("4");
    cr_assert(!transactions_next_due(table, &shard, now, &answer, &path));
    run_ms(500);
    cr_assert_eq(sent_count, 1);
    cr_assert_str_eq(sent[0].text, "4");
    run_ms(TIMER_H_MS);
    cr_assert_eq(remembered(), 0);
}

Test(transaction, records_from_all_along_a_pause_are_over_after_it)
{
    char text[16];
    start_with(1, ROOMY_BYTES);
    for (unsigned i = 0; i < 1000; i++) {
        (void)snprintf(text, sizeof(text), "k%u", i);
        if (i % 2 == 0) {
            add_invite(text);
        } else {
            add_other(text);
        }
        skip_ms(271);
    }
    unsigned shard = 0;
    char bytes[TEXT_MAX];
    struct transaction_path path;
    struct buf answer = buf_over(bytes, sizeof(bytes));
    while (transactions_next_due(table, &shard, now, &answer, &path)) {
        answer = buf_over(bytes, sizeof(bytes));
    }
    // the last 32 s are left: 271 ms up to 31,978 ms ago
    cr_assert_eq(remembered(), 118);
    cr_assert_null(repeat_of("k881"));
    cr_assert_str_eq(repeat_of("k882"), "k882");
}

// ---- The same request by other ways

static void add_merging(const char *text)
{
    const struct transaction_key key = merging_key(text);
    cr_assert_eq(add(&key, TRANSACTION_OTHER, text), TRANSACTION_ADDED);
}

Test(transaction, a_request_by_another_way_is_merged)
{
    cr_assert(!merged("one"));
    add_merging("one");
    cr_assert(merged("two"));
    cr_assert(!merged("one")); // a retransmission
    skip_ms(TIMER_J_MS - 1);
    cr_assert(merged("two"));
    skip_ms(1); // and the ticker has not come
    cr_assert(!merged("two"));
    tick();
    cr_assert(!merged("two"));
}

Test(transaction, of_merged_requests_the_one_that_lasts_longest_counts)
{
    add_merging("one");
    skip_ms(20000);
    add_merging("two");
    skip_ms(12000);
    cr_assert(merged("three"), "two is ongoing, and one not yet forgotten");
    tick();
    cr_assert_eq(remembered(), 1);
    cr_assert(merged("three"), "two is ongoing");
    skip_ms(20000);
    tick();
    cr_assert_eq(remembered(), 0);
    cr_assert(!merged("three"));
    add_merging("three");
    cr_assert(merged("one"));
}

// ---- The budget

Test(transaction, past_the_budget_the_oldest_is_forgotten_for_the_newest)
{
    enum { BUDGET_BYTES = 10000, KEYS = 1000 };

    char text[16];
    uint64_t most = 0;
    start_with(1, BUDGET_BYTES);
    for (unsigned n = 0; n < KEYS; n++) {
        (void)snprintf(text, sizeof(text), "k%06u", n);
        add_invite(text);
        most = remembered() > most ? remembered() : most;
        cr_assert_leq(transactions_size(table).bytes, BUDGET_BYTES);
        cr_assert_eq(remembered() + transactions_size(table).evicted, n + 1);
    }
    cr_assert_gt(most, 30);
    cr_assert_lt(most, 100); // bookkeeping is counted
    cr_assert_null(repeat_of("k000000"));
    for (unsigned n = KEYS - (unsigned)remembered(); n < KEYS; n++) {
        (void)snprintf(text, sizeof(text), "k%06u", n);
        cr_assert_str_eq(repeat_of(text), text);
    }
    // What has been forgotten is not repeated either.
    const uint64_t left = remembered();
    const uint64_t evicted = transactions_size(table).evicted;
    skip_ms(TIMER_G_MS);
    sent_count = 0;
    cr_assert_leq(left, SENT_MAX);
    tick();
    cr_assert_eq(sent_count, left);
    skip_ms(TIMER_H_MS);
    tick();
    cr_assert_eq(remembered(), 0);
    cr_assert_eq(transactions_size(table).bytes, 0);
    cr_assert_eq(transactions_size(table).evicted, evicted);
}

Test(transaction, what_is_over_makes_room_without_being_counted_as_evicted)
{
    enum { BUDGET_BYTES = 10000 };

    char text[16];
    start_with(1, BUDGET_BYTES);
    for (unsigned n = 0; n < 1000; n++) {
        (void)snprintf(text, sizeof(text), "k%06u", n);
        add_other(text);
        skip_ms(TIMER_J_MS / 20); // and the ticker never comes
        cr_assert_leq(remembered(), 21);
    }
    cr_assert_eq(transactions_size(table).evicted, 0);
}

Test(transaction, an_answer_too_long_for_the_budget_is_not_remembered)
{
    static char large[ANSWER_BYTES_MAX];
    const struct slice answer = slice_of(large, sizeof(large));
    const struct transaction_key key = key_of("k");
    memset(large, 'x', sizeof(large));
    start_with(4, sizeof(large) * 8 * 4);
    add_other("kept");
    cr_assert_eq(transactions_add(table, &key, TRANSACTION_OTHER, answer, &nowhere, now),
                 TRANSACTION_NO_ROOM);
    cr_assert_eq(remembered(), 1);
    cr_assert_str_eq(repeat_of("kept"), "kept");
    start_with(4, 4 << 20);
    cr_assert_eq(transactions_add(table, &key, TRANSACTION_OTHER, answer, &nowhere, now),
                 TRANSACTION_ADDED);
}

// ---- Memory

Test(transaction, creating_fails_cleanly_without_memory)
{
    const struct transactions_config config = {.shards = 2, .budget_bytes = 1000};
    struct transactions *t = NULL;
    unsigned long n = 0;
    for (; t == NULL && n < ALLOCATIONS_MAX; n++) {
        allocator_fail_after(n);
        t = transactions_create(&config);
        (void)allocator_stop();
        cr_assert(t != NULL || allocator.live == 0);
    }
    cr_assert_not_null(t);
    cr_assert_gt(n, 1);
    transactions_destroy(t);
    transactions_destroy(NULL);
}

// Tries with ever more memory until the key is remembered. Returns how often it was not.
static unsigned long add_when_memory_suffices(const struct transaction_key *key, const char *text)
{
    const struct transactions_size before = transactions_size(table);
    unsigned long n = 0;
    for (;; n++) {
        allocator_fail_after(n);
        const enum transaction_added added = add(key, TRANSACTION_OTHER, text);
        (void)allocator_stop();
        if (added == TRANSACTION_ADDED) {
            return n;
        }
        cr_assert_eq(added, TRANSACTION_NO_ROOM);
        cr_assert_eq(allocator.live, 0, "%ld pieces of memory lost", allocator.live);
        cr_assert_null(repeated(key));
        cr_assert_eq(transactions_size(table).bytes, before.bytes);
        cr_assert_eq(transactions_size(table).transactions, before.transactions);
        cr_assert_lt(n, ALLOCATIONS_MAX);
    }
}

// It is the index that wants to grow.
Test(transaction, without_memory_nothing_is_remembered_nothing_lost_and_nothing_broken)
{
    enum { KEYS = 3000 };

    char text[16];
    unsigned long refused = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(text, sizeof(text), "k%u", i);
        const struct transaction_key key = i % 3 == 0 ? merging_key(text) : key_of(text);
        refused += add_when_memory_suffices(&key, text);
    }
    cr_assert_gt(refused, 3);
    cr_assert_eq(remembered(), KEYS);
    for (unsigned i = 0; i < KEYS; i++) {
        (void)snprintf(text, sizeof(text), "k%u", i);
        const struct transaction_key key = i % 3 == 0 ? merging_key(text) : key_of(text);
        cr_assert_str_eq(repeated(&key), text);
    }
    allocator_count();
    skip_ms(TIMER_J_MS);
    tick();
    cr_assert_eq(allocator_stop(), 0);
    cr_assert_eq(transactions_size(table).bytes, 0);
}

Test(transaction, only_adding_allocates)
{
    add_invite("302");
    allocator_fail_after(0);
    cr_assert_str_eq(repeat_of("302"), "302");
    skip_ms(1000);
    tick();
    cr_assert(acknowledge("302"));
    cr_assert(has("302"));
    skip_ms(TIMER_I_MS);
    tick();
    cr_assert_eq(allocator_stop(), 0);
    cr_assert_eq(remembered(), 0);
    cr_assert_eq(sent_count, 1);
}
