// SPDX-License-Identifier: Apache-2.0
#include "store/load.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "store/crc32c.h"
#include "store/record.h"
#include "tests/unit/store/shelf.h"
#include "tests/unit/support.h"

enum { S = 1000, HOUR_MS = 3600 * S };

TestSuite(load, .init = shelf_start, .fini = shelf_stop);

static void bind_for(const char *aor, const char *uri, uint32_t expires_s)
{
    const struct want want = {uri, expires_s, 0, NULL};
    (void)keeper_service(shelf.keeper, 0);
    cr_assert_eq(bed_register(aor, "call", ++shelf.cseq, want), ERR_OK);
    shelf_offer(0, aor, &bed.list, "");
}

// So much later by the wall clock; the other one begins anew.
static void restart_after(uint64_t ms)
{
    (void)shelf_settle();
    shelf_crash();
    bed.now.wall_ms += ms;
    bed.now.mono_ms = 17;
    shelf_restart();
}

Test(load, bindings_go_on_for_what_is_left_of_their_time_by_the_wall_clock)
{
    bind_for("ann@x", "sip:1@h", 60);
    bind_for("ann@x", "sip:2@h", 3600);
    shelf_advance_ms(10 * S);
    restart_after(20 * S);
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:2@h 3570 | sip:1@h 30");
    restart_after(30 * S);
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:2@h 3540");
    restart_after(HOUR_MS);
    cr_assert_str_eq(bed_lookup("ann@x"), "");
    cr_assert_eq(location_size(bed.location).aors, 0);
}

Test(load, bindings_keep_what_they_have_been_given_and_their_order)
{
    struct want want = {"sip:1@h", 60, 300, ";+x=1"};
    cr_assert_eq(bed_register("ann@x", "one", 1, want), ERR_OK);
    const uint64_t request_id = bed.request_id;
    want = (struct want){"sip:2@h", 60, 0, NULL};
    cr_assert_eq(bed_register("ann@x", "two", 2, want), ERR_OK);
    want = (struct want){"sip:3@h", 60, 300, NULL};
    (void)keeper_service(shelf.keeper, 0);
    cr_assert_eq(bed_register("ann@x", "three", 3, want), ERR_OK);
    shelf_offer(0, "ann@x", &bed.list, "");
    for (unsigned i = 0; i < 2; i++) {
        restart_after(0); // from the change, then from the rewrite
        cr_assert_str_eq(bed_lookup("ann@x"),
                         "sip:2@h 60 | sip:3@h q=300 60 | sip:1@h;+x=1 q=300 60");
        const struct binding *const oldest = &bed.list.rows[2];
        cr_assert(slice_is(oldest->call_id, "one") && oldest->cseq == 1 && oldest->age == 2);
        cr_assert_eq(oldest->request_id, request_id);
        cr_assert_eq(bed.list.rows[0].age, 1);
        disk_delete(shelf.disk);
        (void)shelf_round();
        bed.now.mono_ms += 250;
    }
}

Test(load, a_rewrite_does_not_prolong_bindings)
{
    bind_for("ann@x", "sip:1@h", 60);
    (void)shelf_round();
    shelf_advance_ms(10 * S);
    disk_delete(shelf.disk);
    (void)shelf_round();
    shelf_advance_ms(10 * S);
    restart_after(10 * S);
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:1@h 30");
}

Test(load, a_clock_that_was_set_back_prolongs_nothing_beyond_the_longest_expiry)
{
    bind_for("ann@x", "sip:1@h", 60);
    restart_after(-(uint64_t)(24 * HOUR_MS));
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:1@h 7200");
}

Test(load, a_clock_that_was_set_forward_ends_bindings)
{
    bind_for("ann@x", "sip:1@h", 3600);
    restart_after(24 * HOUR_MS);
    cr_assert_str_eq(bed_lookup("ann@x"), "");
    cr_assert_eq(shelf.loaded.records, 1);
}

Test(load, all_parts_together_are_all_of_it)
{
    enum { BLOCKS = 3 * ENGINE_STRIPES + 1 };

    char aor[16];
    for (unsigned i = 0; i < BLOCKS; i++) {
        (void)snprintf(aor, sizeof(aor), "u%u@x", i);
        shelf_bind(aor, "sip:1@h");
        (void)shelf_round();
    }
    cr_assert_eq(disk_blocks(shelf.disk), BLOCKS);
    restart_after(0);
    cr_assert_eq(shelf.loaded.records, BLOCKS);
    cr_assert_eq(shelf.loaded.bytes, disk_bytes(shelf.disk));
    cr_assert_eq(shelf.loaded.damaged + shelf.loaded.newer, 0);
    cr_assert_eq(location_size(bed.location).bindings, BLOCKS);
}

Test(load, whoever_is_told_to_stop_leaves_the_rest_out)
{
    const _Atomic bool stop = true;
    const struct load_into into = {.location = bed.location,
                                   .now = bed.now,
                                   .expires_s_max = SHELF_EXPIRES_MAX_S,
                                   .stop = &stop};
    struct engine_fault fault;
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    shelf.loaded = (struct load_count){0};
    for (unsigned i = 0; i < ENGINE_STRIPES; i++) {
        cr_assert_eq(load_stripe(shelf.engine, i, &into, &shelf.loaded, &fault), ERR_OK);
    }
    cr_assert_eq(shelf.loaded.records, 0);
}

// ---- What cannot be read

static void three_blocks(void)
{
    shelf_bind("ann@x", "sip:1@h");
    (void)shelf_round();
    shelf_bind("bob@x", "sip:2@h");
    shelf_bind("cid@x", "sip:3@h");
    (void)shelf_round();
    shelf_bind("dan@x", "sip:4@h");
    (void)shelf_round();
}

Test(load, a_block_that_cannot_be_read_is_counted_and_the_rest_is_there)
{
    for (unsigned i = 0; i < ENGINE_STRIPES; i++) {
        three_blocks();
    }
    for (unsigned i = 0; i < ENGINE_STRIPES; i++) {
        disk_spoil(shelf.disk, 3 * i + 1);
    }
    restart_after(0);
    cr_assert_eq(shelf.loaded.damaged, ENGINE_STRIPES);
    cr_assert_eq(shelf.loaded.records, 2 * ENGINE_STRIPES);
    cr_assert_str_eq(bed_lookup("bob@x"), "");
    cr_assert_str_eq(bed_lookup("dan@x"), "sip:4@h 3600");
}

Test(load, a_record_that_is_damaged_is_counted_and_the_rest_of_its_block_is_there)
{
    three_blocks();
    disk_turn_bit(shelf.disk, 1, RECORD_HEAD_BYTES + 20);
    restart_after(0);
    cr_assert_eq(shelf.loaded.damaged, 1);
    cr_assert_eq(shelf.loaded.records, 3);
    cr_assert_str_eq(bed_lookup("bob@x"), "");
    cr_assert_str_eq(bed_lookup("cid@x"), "sip:3@h 3600");
}

Test(load, of_a_torn_block_the_whole_records_are_there)
{
    struct now later = bed.now;
    disk_order(shelf.disk, DISK_APPEND, DISK_HALVES, 0, 1);
    shelf_bind("ann@x", "sip:1@h");
    shelf_bind("bob@x", "sip:2@h");
    shelf_bind("cid@x", "sip:3@h");
    (void)shelf_round();
    shelf_crash();
    bed.now = later;
    shelf_restart();
    cr_assert_eq(shelf.loaded.records, 1);
    cr_assert_eq(shelf.loaded.damaged, 1);
    cr_assert_str_eq(bed_lookup("ann@x"), "sip:1@h 3600");
    cr_assert_str_eq(bed_lookup("bob@x"), "");
}

Test(load, a_record_of_a_later_version_is_counted_and_the_rest_is_there)
{
    char bytes[1024];
    struct buf block = buf_over(bytes, sizeof(bytes));
    struct engine_fault fault;
    struct record_state state = {.aor = SLICE_INIT("ann@x"), .revision = 7};
    record_put(&block, &state);
    const size_t len = block.len;
    bytes[RECORD_HEAD_BYTES] = RECORD_VERSION + 1;
    const uint32_t crc = crc32c_bytes(slice_of(bytes + RECORD_HEAD_BYTES, len - RECORD_HEAD_BYTES));
    for (unsigned i = 0; i < 4; i++) {
        bytes[4 + i] = (char)(crc >> 8 * i);
    }
    state.aor = SLICE("bob@x");
    record_put(&block, &state);
    cr_assert_eq(engine_append(shelf.engine, buf_slice(&block), &fault), ERR_OK);
    restart_after(0);
    cr_assert_eq(shelf.loaded.newer, 1);
    cr_assert_eq(shelf.loaded.records, 1);
    cr_assert_eq(shelf.loaded.damaged, 0);
}
