// SPDX-License-Identifier: Apache-2.0
#include "store/keeper.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/store/shelf.h"
#include "tests/unit/support.h"

enum { MANY = 400, AOR_BYTES = 24, OUTGROWN_BYTES = 65 << 20 };

TestSuite(keeper, .init = shelf_start, .fini = shelf_stop);
TestSuite(keeper_lazy, .init = shelf_start_lazy, .fini = shelf_stop);
TestSuite(keeper_first, .init = shelf_start_sync, .fini = shelf_stop);

static const enum disk_outcome failures[] = {DISK_REFUSES, DISK_LIES, DISK_HALVES};

static void crash_and_restart(void)
{
    shelf_crash();
    shelf_restart();
}

static const char *name_of(unsigned i)
{
    static char name[AOR_BYTES];
    (void)snprintf(name, sizeof(name), "u%u@x", i);
    return name;
}

// More than a rewrite writes in one round, and than a queue holds.
static void bind_many(void)
{
    for (unsigned i = 0; i < MANY; i++) {
        shelf_bind_padded(name_of(i), "sip:1@h");
        if (i % 100 == 99) {
            (void)shelf_round();
        }
    }
}

static size_t bound(void)
{
    return location_size(bed.location).bindings;
}

// ---- Groups

Test(keeper, what_has_changed_since_the_last_round_is_one_block)
{
    shelf_bind("ann@x", "sip:1@h");
    shelf_bind("bob@x", "sip:2@h");
    cr_assert_eq(disk_blocks(shelf.disk), 0);
    cr_assert_eq(shelf_round(), KEEPER_WORKED);
    cr_assert_eq(disk_blocks(shelf.disk), 1);
    cr_assert_eq(shelf_round(), KEEPER_IDLE);
    cr_assert_eq(disk_calls(shelf.disk, DISK_APPEND), 1);
    cr_assert_eq(shelf_count(METRIC_STORE_CHANGES), 2);
    cr_assert_eq(shelf_count(METRIC_STORE_COMMITS), 1);
    cr_assert_eq(shelf_count(METRIC_STORE_BYTES), disk_bytes(shelf.disk));
    crash_and_restart();
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:1@h 3600");
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:2@h 3600");
}

Test(keeper, of_one_address_of_record_the_latest_state_is_written)
{
    shelf_bind("ann@x", "sip:1@h");
    shelf_bind("ann@x", "sip:2@h");
    shelf_bind("ann@x", "sip:3@h");
    (void)shelf_round();
    cr_assert_eq(shelf_count(METRIC_STORE_COALESCED), 2);
    crash_and_restart();
    cr_assert_eq(shelf.loaded.records, 1);
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:3@h 3600 | sip:2@h 3600 | sip:1@h 3600");
}

Test(keeper, the_highest_revision_counts_in_whichever_queue_it_is)
{
    for (unsigned later = 0; later < SHELF_PRODUCERS; later++) {
        (void)keeper_service(shelf.keeper, 0);
        (void)keeper_service(shelf.keeper, 1);
        shelf_change("ann@x", "sip:1@h");
        struct binding_list *const earlier = shelf_take();
        shelf_change("ann@x", NULL);
        shelf_offer(later, "ann@x", &bed.list, "");
        shelf_offer(1 - later, "ann@x", earlier, "");
        (void)shelf_round();
        free(earlier);
        crash_and_restart();
        cr_assert_str_eq(bed_lookup("ann@x"), "");
    }
}

Test(keeper, what_is_removed_does_not_come_back)
{
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    shelf_remove("ann@x");
    (void)shelf_round();
    crash_and_restart();
    cr_assert_eq(shelf.loaded.records, 2);
    cr_assert_str_eq(bed_lookup("ann@x"), "");
    cr_assert_eq(location_size(bed.location).aors, 0);
}

Test(keeper, a_change_that_was_held_up_over_a_rewrite_does_not_bring_back_what_was_removed)
{
    (void)keeper_service(shelf.keeper, 1);
    shelf_change("ann@x", "sip:1@h");
    struct binding_list *const held = shelf_take();
    shelf_remove("ann@x");
    (void)shelf_round();
    disk_order(shelf.disk, DISK_APPEND, DISK_REFUSES, 0, 1);
    shelf_bind("bob@x", "sip:2@h");
    (void)shelf_round();
    shelf_advance_ms(1000);
    (void)shelf_settle(); // by a rewrite
    cr_assert_eq(shelf_count(METRIC_STORE_REWRITES), 1);
    shelf_offer(1, "ann@x", held, "");
    (void)shelf_round();
    free(held);
    crash_and_restart();
    cr_assert_str_eq(bed_lookup("ann@x"), "");
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:2@h 3599");
}

Test(keeper, a_group_has_its_limits)
{
    shelf_bind("ann@x", "sip:1@h");
    for (unsigned i = 0; i < 20000; i++) {
        shelf_offer(0, name_of(i), &bed.list, "");
        if (i % 4000 == 3999) {
            shelf_offer(1, name_of(i), &bed.list, "");
        }
    }
    const size_t waiting = keeper_waiting_bytes(shelf.keeper);
    cr_assert_leq(waiting, SHELF_PRODUCERS * KEEPER_QUEUE_BYTES_MIN);
    cr_assert_neq(shelf_round(), KEEPER_IDLE);
    cr_assert_leq(keeper_waiting_bytes(shelf.keeper), waiting);
}

// ---- Answers

Test(keeper_first, answers_leave_when_their_group_is_on_disk)
{
    shelf_bind("ann@x", "sip:1@h");
    shelf_bind("ann@x", "sip:2@h");
    shelf_bind("bob@x", "sip:3@h");
    disk_order(shelf.disk, DISK_APPEND, DISK_DOES, 0, 1);
    (void)shelf_round();
    cr_assert_str_eq(shelf.answers, "sip:1@h sip:2@h sip:3@h ");
    (void)shelf_round();
    cr_assert_str_eq(shelf.answers, "");
    crash_and_restart();
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:2@h 3600 | sip:1@h 3600");
}

Test(keeper_first, no_answer_leaves_when_its_group_could_not_be_written)
{
    for (unsigned i = 0; i < LENGTH_OF(failures); i++) {
        disk_order(shelf.disk, DISK_APPEND, failures[i], 0, 1);
        shelf_bind("ann@x", "sip:1@h");
        (void)shelf_round();
        cr_assert_str_eq(shelf.answers, "");
        cr_assert_eq(shelf_count(METRIC_STORE_ANSWERS_LET_GO), i + 1);
        shelf_advance_ms(10000);
        (void)shelf_settle();
        cr_assert_str_eq(shelf.answers, "");
        cr_assert_null(keeper_trouble(shelf.keeper));
    }
    crash_and_restart();
    cr_assert_eq(bound(), 1);
}

Test(keeper_first, without_room_for_an_answer_nothing_new_is_served)
{
    unsigned offered = 0;
    for (; keeper_service(shelf.keeper, 0) == UAS_SERVES; offered++) {
        cr_assert_lt(offered, MANY);
        shelf_bind_padded(name_of(offered), "sip:1@h");
    }
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_LOOKS_UP);
    cr_assert_eq(keeper_service(shelf.keeper, 1), UAS_SERVES);
    (void)shelf_round();
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_SERVES);
    crash_and_restart();
    cr_assert_eq(bound(), offered);
}

// ---- Syncing

Test(keeper_lazy, what_is_written_outlives_the_process_at_once_and_the_machine_soon)
{
    shelf_advance_ms(SHELF_SYNC_MS);
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    cr_assert_eq(disk_unsynced(shelf.disk), 0, "there was nothing to be synced for long");
    shelf_bind("bob@x", "sip:2@h");
    cr_assert_eq(shelf_round(), KEEPER_WORKED);
    cr_assert_eq(disk_unsynced(shelf.disk), 1);
    cr_assert(keeper_owes(shelf.keeper));
    shelf_crash();
    shelf_restart();
    cr_assert_eq(bound(), 2);
    shelf_bind("cid@x", "sip:3@h");
    shelf_advance_ms(SHELF_SYNC_MS);
    (void)shelf_round();
    shelf_advance_ms(SHELF_SYNC_MS - 1);
    shelf_bind("dan@x", "sip:4@h");
    (void)shelf_round();
    cr_assert_eq(shelf_count(METRIC_STORE_COMMITS), 1);
    shelf_lose_power();
    shelf_restart();
    cr_assert_eq(bound(), 3);
}

Test(keeper_lazy, whoever_has_nothing_else_to_do_syncs)
{
    for (unsigned i = 0; i < MANY; i++) {
        shelf_bind(name_of(i), "sip:1@h");
        (void)shelf_round();
    }
    cr_assert_eq(disk_unsynced(shelf.disk), MANY - 1);
    cr_assert_eq(shelf_round(), KEEPER_IDLE);
    cr_assert_eq(disk_unsynced(shelf.disk), 0);
    cr_assert_not(keeper_owes(shelf.keeper));
    (void)shelf_round();
    cr_assert_eq(disk_calls(shelf.disk, DISK_SYNC), 2);
}

Test(keeper_lazy, what_could_not_be_synced_is_written_anew)
{
    for (unsigned i = 0; i < LENGTH_OF(failures); i++) {
        disk_order(shelf.disk, DISK_SYNC, failures[i], 0, 1);
        shelf_bind("ann@x", "sip:1@h");
        shelf_bind("bob@x", "sip:2@h");
        (void)shelf_round();
        (void)shelf_round();
        cr_assert_not_null(keeper_trouble(shelf.keeper));
        shelf_advance_ms(250);
        (void)shelf_settle();
        cr_assert_null(keeper_trouble(shelf.keeper));
        shelf_lose_power();
        shelf_restart();
        cr_assert_eq(bound(), 2);
        shelf_remove("ann@x");
        shelf_remove("bob@x");
        (void)shelf_settle();
    }
}

Test(keeper_lazy, what_is_replaced_goes_when_its_replacement_is_synced)
{
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_settle();
    disk_order(shelf.disk, DISK_APPEND, DISK_REFUSES, 0, 1);
    shelf_bind("bob@x", "sip:2@h");
    cr_assert_eq(shelf_round(), KEEPER_FAILS);
    keeper_hurry(shelf.keeper);
    shelf_bind("cid@x", "sip:3@h");
    (void)shelf_round();
    cr_assert_eq(shelf_count(METRIC_STORE_REWRITES), 1);
    shelf_lose_power();
    shelf_restart();
    cr_assert_eq(bound(), 3);
}

Test(keeper, whoever_is_in_a_hurry_tries_a_failing_disk_at_once)
{
    disk_order(shelf.disk, DISK_APPEND, DISK_REFUSES, 0, 1);
    shelf_bind("ann@x", "sip:1@h");
    cr_assert_eq(shelf_round(), KEEPER_FAILS);
    cr_assert_eq(shelf_round(), KEEPER_FAILS);
    keeper_hurry(shelf.keeper);
    (void)shelf_settle();
    cr_assert_null(keeper_trouble(shelf.keeper));
    crash_and_restart();
    cr_assert_eq(bound(), 1);
}

// ---- Trouble

Test(keeper, a_full_queue_is_made_good_by_a_rewrite)
{
    for (unsigned i = 0; i < MANY; i++) {
        shelf_bind_padded(name_of(i), "sip:1@h");
    }
    cr_assert_leq(keeper_waiting_bytes(shelf.keeper), KEEPER_QUEUE_BYTES_MIN);
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_SERVES);
    (void)shelf_round();
    cr_assert(keeper_owes(shelf.keeper), "it takes more than a round");
    (void)shelf_settle();
    cr_assert_eq(shelf_count(METRIC_STORE_OVERFLOWS), 1);
    cr_assert_eq(shelf_count(METRIC_STORE_REWRITES), 1);
    cr_assert_not(keeper_owes(shelf.keeper));
    crash_and_restart();
    cr_assert_eq(bound(), MANY);
}

Test(keeper, what_is_let_go_during_a_rewrite_is_owed_until_the_next_one_ends)
{
    shelf.begin_bytes = OUTGROWN_BYTES;
    bind_many();
    (void)shelf_settle();
    crash_and_restart();
    cr_assert_eq(shelf_round(), KEEPER_REWRITES);
    for (unsigned i = 0; i < MANY; i++) {
        shelf_bind_padded(name_of(i), "sip:2@h");
    }
    do {
        (void)shelf_round();
    } while (shelf.did == KEEPER_BUSY || shelf.did == KEEPER_REWRITES);
    cr_assert_not(keeper_owes(shelf.keeper));
    cr_assert_eq(shelf_count(METRIC_STORE_REWRITES), 2);
    crash_and_restart();
    cr_assert_eq(bound(), 2 * MANY);
}

Test(keeper, what_fails_is_tried_again_less_and_less_often)
{
    static const uint64_t pauses_ms[] = {250, 500, 1000, 2000, 4000, 8000, 8000, 8000};
    disk_order(shelf.disk, DISK_APPEND, DISK_REFUSES, 0, 1);
    disk_order(shelf.disk, DISK_OPEN, DISK_REFUSES, 0, LENGTH_OF(pauses_ms) - 1);
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    cr_assert_str_eq(keeper_trouble(shelf.keeper), "the disk was told to fail");
    const unsigned opened = disk_calls(shelf.disk, DISK_OPEN);
    for (unsigned i = 0; i < LENGTH_OF(pauses_ms); i++) {
        cr_assert_not_null(keeper_trouble(shelf.keeper));
        shelf_advance_ms(pauses_ms[i] - 1);
        (void)shelf_round();
        cr_assert_eq(disk_calls(shelf.disk, DISK_OPEN), opened + i, "pause %u", i);
        shelf_advance_ms(1);
        (void)shelf_round();
        cr_assert_eq(disk_calls(shelf.disk, DISK_OPEN), opened + i + 1, "pause %u", i);
    }
    cr_assert_null(keeper_trouble(shelf.keeper));
    cr_assert_eq(shelf_count(METRIC_STORE_FAILURES), LENGTH_OF(pauses_ms));
    disk_order(shelf.disk, DISK_APPEND, DISK_REFUSES, 0, 1);
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    shelf_advance_ms(pauses_ms[0]);
    (void)shelf_round();
    cr_assert_null(keeper_trouble(shelf.keeper), "the pauses begin anew");
}

Test(keeper, whatever_fails_the_table_is_served_and_then_written_anew)
{
    static const enum disk_call calls[] = {DISK_APPEND, DISK_BEGIN, DISK_DROP, DISK_OPEN};

    for (unsigned i = 0; i < LENGTH_OF(calls) * LENGTH_OF(failures); i++) {
        shelf_bind("ann@x", "sip:1@h");
        shelf_bind("bob@x", "sip:1@h");
        (void)shelf_settle();
        disk_order(shelf.disk, DISK_APPEND, DISK_REFUSES, 0, 1);
        shelf_remove("ann@x");
        (void)shelf_round();
        disk_order(shelf.disk, calls[i / LENGTH_OF(failures)], failures[i % LENGTH_OF(failures)], 0,
                   2);
        for (unsigned k = 0; k < 6; k++) {
            shelf_bind("cid@x", "sip:2@h");
            cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_SERVES);
            shelf_advance_ms(2000);
            (void)shelf_round();
        }
        shelf_advance_ms(8000);
        (void)shelf_settle();
        cr_assert_null(keeper_trouble(shelf.keeper));
        cr_assert_not(keeper_owes(shelf.keeper));
        cr_assert_eq(disk_generations(shelf.disk), 1);
        crash_and_restart();
        cr_assert_str_eq(bed_lookup("ann@x"), "");
        cr_assert_eq(bound(), 2);
    }
}

Test(keeper_first, nothing_new_is_served_while_the_disk_fails_but_as_soon_as_it_works)
{
    bind_many();
    (void)shelf_settle();
    disk_order(shelf.disk, DISK_APPEND, DISK_LIES, 0, 1);
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_LOOKS_UP);
    cr_assert_eq(keeper_service(shelf.keeper, 1), UAS_LOOKS_UP);
    shelf_advance_ms(249);
    cr_assert_eq(shelf_round(), KEEPER_FAILS);
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_LOOKS_UP);
    shelf_advance_ms(1);
    cr_assert_eq(shelf_round(), KEEPER_REWRITES);
    cr_assert_not_null(keeper_trouble(shelf.keeper), "it is not whole yet");
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_SERVES, "but it takes what is new");
    shelf_bind("bob@x", "sip:2@h");
    cr_assert_eq(shelf_round(), KEEPER_REWRITES);
    cr_assert_str_eq(shelf.answers, "sip:2@h ");
    shelf_lose_power();
    shelf_restart();
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:2@h 3600");
    cr_assert_geq(bound(), MANY + 1, "and what was there before still is");
}

Test(keeper_first, what_fails_again_while_it_is_written_anew_serves_nothing_new_again)
{
    bind_many();
    (void)shelf_settle();
    disk_order(shelf.disk, DISK_APPEND, DISK_REFUSES, 0, 1);
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    shelf_advance_ms(250);
    (void)shelf_round();
    disk_order(shelf.disk, DISK_SYNC, DISK_REFUSES, 0, 1);
    shelf_bind("bob@x", "sip:2@h");
    cr_assert_eq(shelf_round(), KEEPER_FAILS);
    cr_assert_str_eq(shelf.answers, "");
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_LOOKS_UP);
}

Test(keeper, a_store_that_is_deleted_is_missed_also_when_nothing_changes)
{
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    disk_delete(shelf.disk);
    (void)shelf_round();
    cr_assert_str_eq(keeper_trouble(shelf.keeper), "shelf: has been deleted or replaced");
    shelf_advance_ms(250);
    (void)shelf_settle();
    cr_assert_null(keeper_trouble(shelf.keeper));
    crash_and_restart();
    cr_assert_eq(bound(), 1);
}

Test(keeper_first, no_answer_leaves_for_what_went_into_a_deleted_store)
{
    disk_delete(shelf.disk);
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    cr_assert_str_eq(shelf.answers, "");
}

Test(keeper_first, a_store_that_can_only_be_read_is_tried_again)
{
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    shelf_crash();
    disk_order(shelf.disk, DISK_OPEN, DISK_HALVES, 0, 2);
    shelf_restart();
    cr_assert_str_eq(keeper_trouble(shelf.keeper), "the disk was told to fail");
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:1@h 3600");
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_LOOKS_UP);
    shelf_advance_ms(250);
    (void)shelf_round();
    cr_assert_not_null(keeper_trouble(shelf.keeper));
    shelf_advance_ms(500);
    (void)shelf_round();
    cr_assert_null(keeper_trouble(shelf.keeper));
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_SERVES);
}

Test(keeper, however_long_the_disk_stands_still_what_waits_is_bounded)
{
    for (unsigned i = 0; i < 10 * MANY; i++) {
        shelf_bind_padded(name_of(i % MANY), "sip:1@h");
        cr_assert_leq(keeper_waiting_bytes(shelf.keeper), KEEPER_QUEUE_BYTES_MIN);
    }
    (void)shelf_settle();
    cr_assert_not(keeper_owes(shelf.keeper));
    cr_assert_eq(keeper_waiting_bytes(shelf.keeper), 0);
}

// ---- What could not be read

static void restart_damaged(void)
{
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    shelf_bind("bob@x", "sip:2@h");
    (void)shelf_round();
    disk_spoil(shelf.disk, 0);
    crash_and_restart();
    cr_assert_eq(shelf.loaded.damaged, 1);
}

Test(keeper, what_could_not_be_read_is_copied_before_anything_is_written)
{
    restart_damaged();
    disk_order(shelf.disk, DISK_COPY, DISK_REFUSES, 0, 1);
    const unsigned appended = disk_calls(shelf.disk, DISK_APPEND);
    shelf_bind("cid@x", "sip:3@h");
    cr_assert_eq(shelf_round(), KEEPER_FAILS);
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_SERVES);
    cr_assert_eq(disk_calls(shelf.disk, DISK_APPEND), appended);
    cr_assert_eq(disk_generations(shelf.disk), 1);
    shelf_advance_ms(250);
    (void)shelf_settle();
    cr_assert_eq(disk_copies(shelf.disk), 1);
    cr_assert_null(keeper_trouble(shelf.keeper));
    crash_and_restart();
    cr_assert_eq(shelf.loaded.damaged, 0);
    cr_assert_eq(bound(), 2);
}

Test(keeper_first, nothing_new_is_served_until_what_could_not_be_read_is_copied)
{
    restart_damaged();
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_LOOKS_UP);
    const unsigned opened = disk_calls(shelf.disk, DISK_OPEN);
    disk_order(shelf.disk, DISK_COPY, DISK_REFUSES, 0, 2);
    (void)shelf_round();
    shelf_advance_ms(249);
    (void)shelf_round();
    cr_assert_eq(disk_calls(shelf.disk, DISK_COPY), 1);
    shelf_advance_ms(1);
    (void)shelf_round();
    cr_assert_eq(disk_calls(shelf.disk, DISK_COPY), 2);
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_LOOKS_UP);
    shelf_advance_ms(500);
    (void)shelf_round();
    cr_assert_eq(keeper_service(shelf.keeper, 0), UAS_SERVES);
    cr_assert_eq(disk_calls(shelf.disk, DISK_OPEN), opened, "each opening would leave a file");
}

Test(keeper, what_could_not_be_read_is_copied_once)
{
    restart_damaged();
    disk_order(shelf.disk, DISK_BEGIN, DISK_REFUSES, 0, 2);
    (void)shelf_round();
    shelf_advance_ms(250);
    (void)shelf_round();
    shelf_advance_ms(500);
    (void)shelf_settle();
    cr_assert_null(keeper_trouble(shelf.keeper));
    cr_assert_eq(disk_copies(shelf.disk), 1);
}

Test(keeper, what_could_not_be_read_of_a_store_that_is_read_only_is_copied_later)
{
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    disk_spoil(shelf.disk, 0);
    shelf_crash();
    disk_order(shelf.disk, DISK_OPEN, DISK_HALVES, 0, 1);
    shelf_restart();
    cr_assert_eq(disk_copies(shelf.disk), 0);
    shelf_advance_ms(250);
    (void)shelf_settle();
    cr_assert_eq(disk_copies(shelf.disk), 1);
    cr_assert_null(keeper_trouble(shelf.keeper));
}

// ---- Rewrites

Test(keeper, a_store_that_has_outgrown_the_table_is_written_anew)
{
    for (unsigned i = 0; i < 50; i++) {
        shelf_bind_padded("ann@x", "sip:1@h");
        (void)shelf_round();
    }
    const uint64_t before = disk_bytes(shelf.disk);
    shelf.begin_bytes = OUTGROWN_BYTES;
    crash_and_restart();
    (void)shelf_settle();
    cr_assert_eq(shelf_count(METRIC_STORE_REWRITES), 1);
    cr_assert_lt(disk_bytes(shelf.disk), before / 10);
    cr_assert_eq(disk_generations(shelf.disk), 1);
    (void)shelf_settle();
    cr_assert_eq(shelf_count(METRIC_STORE_REWRITES), 1);
    shelf.begin_bytes = 0;
    crash_and_restart();
    cr_assert_eq(bound(), 1);
    (void)shelf_settle();
    cr_assert_eq(shelf_count(METRIC_STORE_REWRITES), 0);
}

enum { CHANGING_ROUNDS = 4 };

// While a rewrite goes on in parts, changes come between them. Returns the rounds that have ended
// well.
static unsigned rewrite_under_changes(unsigned moment)
{
    unsigned round = 0;
    while (round < CHANGING_ROUNDS) {
        char uri[16];
        (void)snprintf(uri, sizeof(uri), "sip:%u.%u@n", moment, round);
        shelf_bind(name_of(round), uri);
        shelf_remove(name_of(MANY - 1 - round));
        (void)shelf_round();
        if (disk_dead(shelf.disk)) {
            break;
        }
        round++;
    }
    return round;
}

static void check_after_crash(unsigned moment, unsigned rounds)
{
    for (unsigned i = CHANGING_ROUNDS; i < MANY - CHANGING_ROUNDS; i++) {
        cr_assert_neq(*bed_lookup(name_of(i)), '\0', "moment %u: %u", moment, i);
    }
    for (unsigned round = 0; round < rounds; round++) {
        char newest[16];
        const int len = snprintf(newest, sizeof(newest), "sip:%u.%u@n", moment, round);
        cr_assert_eq(strncmp(bed_lookup(name_of(round)), newest, (size_t)len), 0,
                     "moment %u: %s is %s", moment, name_of(round), bed_lookup(name_of(round)));
        cr_assert_str_eq(bed_lookup(name_of(MANY - 1 - round)), "", "moment %u", moment);
    }
}

Test(keeper, a_crash_at_any_moment_of_a_rewrite_loses_nothing)
{
    shelf.begin_bytes = OUTGROWN_BYTES;
    unsigned moments = 0;
    for (bool died = true; died; moments++) {
        for (unsigned i = 0; i < MANY; i++) {
            shelf_remove(name_of(i)); // the last moment's
            shelf_bind_padded(name_of(i), "sip:1@h");
            (void)shelf_round();
        }
        (void)shelf_settle();
        crash_and_restart();
        disk_kill(shelf.disk, (enum disk_outcome)(moments % 4), moments / 4);
        const unsigned rounds = rewrite_under_changes(moments);
        died = disk_dead(shelf.disk);
        crash_and_restart();
        check_after_crash(moments, rounds);
    }
    cr_assert_gt(moments, 16);
}

Test(keeper, when_the_wall_clock_is_set_all_is_written_anew)
{
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_settle();
    bed.now.wall_ms += 3000; // a little is no reason
    cr_assert_eq(shelf_round(), KEEPER_IDLE);
    bed.now.wall_ms += 86400000;
    (void)shelf_settle();
    crash_and_restart();
    cr_assert_eq(bound(), 1);
    bed.now.wall_ms -= 86400000;
    (void)shelf_settle();
    cr_assert_eq(metric_read(&shelf.metrics.rows[METRIC_STORE_REWRITES]), 1);
}
