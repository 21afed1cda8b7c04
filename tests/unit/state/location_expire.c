// SPDX-License-Identifier: Apache-2.0
// Bindings end on their second: for readers at once, in memory when location_expire comes by.
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/state/bed.h"

enum { LAP_S = 4096 }; // of the wheel

TestSuite(location_expire, .init = bed_start, .fini = bed_stop);

static void bind(const char *uri, uint32_t expires_s)
{
    const struct want want = {uri, expires_s, 0, NULL};
    cr_assert_eq(bed_register("bob@x", uri, (uint32_t)(bed.now.mono_ms / 1000), want), ERR_OK);
}

Test(location_expire, remaining_seconds_count_the_begun_one_whole)
{
    bind("sip:b@h", 2);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 2");
    bed_advance_ms(1);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 2");
    bed_advance_ms(998);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 2");
    bed_advance_ms(1);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 1");
    bed_advance_ms(999);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 1");
    bed_advance_ms(1);
    cr_assert_str_eq(bed_lookup("bob@x"), "");
}

Test(location_expire, readers_never_see_an_expired_binding_even_before_it_is_removed)
{
    bind("sip:b@h1", 10);
    bind("sip:b@h2", 20);
    bed_advance_ms(10000);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h2 10");
    cr_assert_eq(location_size(bed.location).bindings, 2);
    cr_assert_eq(bed_expire(), 1);
    cr_assert_eq(location_size(bed.location).bindings, 1);
}

Test(location_expire, bindings_of_a_whole_second_go_at_its_exact_millisecond)
{
    bind("sip:b@h", 10);
    bed_advance_ms(9999);
    cr_assert_eq(bed_expire(), 0);
    bed_advance_ms(1);
    cr_assert_eq(bed_expire(), 1);
    cr_assert_eq(bed_expire(), 0);
    cr_assert_eq(location_size(bed.location).aors, 0);
}

Test(location_expire, bindings_that_end_within_a_second_go_when_it_is_over)
{
    bed_advance_ms(1);
    bind("sip:b@h", 10);
    bed_advance_ms(9998); // 9.999 s in all
    cr_assert_eq(bed_expire(), 0);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 1");
    bed_advance_ms(1); // the slot's second has begun, the binding is still good
    cr_assert_eq(bed_expire(), 0);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 1");
    bed_advance_ms(1);
    cr_assert_str_eq(bed_lookup("bob@x"), "");
    bed_advance_ms(999);
    cr_assert_eq(bed_expire(), 1);
}

Test(location_expire, every_millisecond_of_a_second_expires_within_the_next)
{
    for (unsigned ms = 0; ms < 1000; ms += 37) {
        bed.now.mono_ms = BED_START_MS + (uint64_t)ms * 1000 + ms;
        bind("sip:b@h", 3);
        const uint64_t end = bed.now.mono_ms + 3000;
        while (bed.now.mono_ms < end - 1) {
            cr_assert_eq(bed_expire(), 0, "%u", ms);
            cr_assert_str_neq(bed_lookup("bob@x"), "", "%u", ms);
            bed.now.mono_ms = bed.now.mono_ms + 111 < end ? bed.now.mono_ms + 111 : end - 1;
        }
        bed.now.mono_ms = (end + 999) / 1000 * 1000;
        cr_assert_eq(bed_expire(), 1, "%u", ms);
    }
}

Test(location_expire, a_binding_longer_than_a_lap_stays_until_its_second)
{
    bind("sip:b@h", 3 * LAP_S + 7);
    for (unsigned s = 1; s < 3 * LAP_S + 7; s++) {
        bed_advance_ms(1000);
        cr_assert_eq(bed_expire(), 0, "after %u s", s);
    }
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 1");
    bed_advance_ms(1000);
    cr_assert_eq(bed_expire(), 1);
}

Test(location_expire, bindings_a_lap_apart_share_a_slot_and_not_a_fate)
{
    bind("sip:b@h1", 100);
    bind("sip:b@h2", 100 + LAP_S);
    bind("sip:b@h3", 100 + 2 * LAP_S);
    bed_advance_ms(100000);
    cr_assert_eq(bed_expire(), 1);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h3 8192 | sip:b@h2 4096");
    bed_advance_ms((uint64_t)LAP_S * 1000);
    cr_assert_eq(bed_expire(), 1);
    bed_advance_ms((uint64_t)LAP_S * 1000);
    cr_assert_eq(bed_expire(), 1);
}

Test(location_expire, a_jump_of_more_than_a_lap_expires_all_that_is_due_and_nothing_else)
{
    static const uint32_t spans[] = {1, LAP_S - 1, LAP_S, LAP_S + 1, 2 * LAP_S, 3 * LAP_S};
    cr_assert_eq(bed_expire(), 0);
    for (size_t jump = 0; jump < sizeof(spans) / sizeof(spans[0]); jump++) {
        bind("sip:b@now", spans[jump]);
        bind("sip:b@next", spans[jump] + 1);
        bind("sip:b@later", spans[jump] + LAP_S);
        bed_advance_ms((uint64_t)spans[jump] * 1000);
        cr_assert_eq(bed_expire(), 1, "a jump of %u s", spans[jump]);
        cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@later 4096 | sip:b@next 1");
        bed_advance_ms(1000);
        cr_assert_eq(bed_expire(), 1, "the second after a jump of %u s", spans[jump]);
        bed_advance_ms((uint64_t)(LAP_S - 2) * 1000);
        cr_assert_eq(bed_expire(), 0, "most of a lap after a jump of %u s", spans[jump]);
        bed_advance_ms(1000);
        cr_assert_eq(bed_expire(), 1, "a lap after a jump of %u s", spans[jump]);
    }
}

Test(location_expire, the_first_call_may_come_long_after_start_up)
{
    bed.now.mono_ms = UINT64_C(86400000) * 400;
    bind("sip:b@h1", 5);
    bind("sip:b@h2", 5000);
    bed_advance_ms(5000);
    cr_assert_eq(bed_expire(), 1);
    bed_advance_ms(4995000);
    cr_assert_eq(bed_expire(), 1);
}

Test(location_expire, refreshed_to_a_later_time_it_goes_then)
{
    bind("sip:b@h", 10);
    bed_advance_ms(5000);
    bind("sip:b@h", 60);
    for (unsigned s = 1; s < 60; s++) {
        bed_advance_ms(1000);
        cr_assert_eq(bed_expire(), 0, "after %u s", s);
    }
    bed_advance_ms(1000);
    cr_assert_eq(bed_expire(), 1);
}

Test(location_expire, refreshed_to_an_earlier_time_it_goes_then)
{
    bind("sip:b@h", 3600);
    bed_advance_ms(1000);
    bind("sip:b@h", 5);
    bed_advance_ms(4000);
    cr_assert_eq(bed_expire(), 0);
    bed_advance_ms(1000);
    cr_assert_eq(bed_expire(), 1);
}

Test(location_expire, refreshed_by_more_than_a_lap_and_back)
{
    bind("sip:b@h", 10);
    bed_advance_ms(1000);
    bind("sip:b@h", 10 + LAP_S + 5);
    bed_advance_ms(20000);
    cr_assert_eq(bed_expire(), 0);
    bind("sip:b@h", 3);
    bed_advance_ms(2000);
    cr_assert_eq(bed_expire(), 0);
    bed_advance_ms(1000);
    cr_assert_eq(bed_expire(), 1);
    cr_assert_eq(location_size(bed.location).bindings, 0);
}

// A worker's clock may be a little behind the ticker's.
Test(location_expire, a_binding_made_with_a_clock_behind_goes_with_the_next_second)
{
    bed_advance_ms(10000);
    cr_assert_eq(bed_expire(), 0);
    bed.now.mono_ms -= 5000;
    bind("sip:b@h", 2);
    bed.now.mono_ms += 5000;
    cr_assert_str_eq(bed_lookup("bob@x"), "");
    bed_advance_ms(1000);
    cr_assert_eq(bed_expire(), 1);
}

Test(location_expire, more_than_a_batch_in_one_second)
{
    enum { AORS = 5000 };

    char aor[16];
    for (unsigned i = 0; i < AORS; i++) {
        (void)snprintf(aor, sizeof(aor), "u%u", i);
        const struct want want = {"sip:b@h", i % 2 == 0 ? 10 : 10 + LAP_S, 0, NULL};
        cr_assert_eq(bed_register(aor, "c", 1, want), ERR_OK);
    }
    bed_advance_ms(10000);
    cr_assert_eq(bed_expire(), AORS / 2);
    cr_assert_eq(location_size(bed.location).aors, AORS / 2);
    bed_advance_ms((uint64_t)LAP_S * 1000);
    cr_assert_eq(bed_expire(), AORS / 2);
}

Test(location_expire, a_register_that_meets_expired_bindings_removes_and_counts_them)
{
    bind("sip:b@h1", 1);
    bind("sip:b@h2", 1);
    bed_advance_ms(1000);
    cr_assert_eq(bed_register_all("bob@x", "c", 1, NULL, 0), ERR_OK);
    cr_assert_eq(bed.effect.expired, 2);
    cr_assert_eq(location_size(bed.location).aors, 0);
    cr_assert_eq(bed_expire(), 0);
}

Test(location_expire, an_expired_binding_forgets_its_call_id)
{
    cr_assert_eq(bed_register("bob@x", "c", 9, (struct want){"sip:b@h", 1, 0, NULL}), ERR_OK);
    bed_advance_ms(1000);
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 1, 0, NULL}), ERR_OK);
    cr_assert_eq(bed.effect.added, 1);
}

Test(location_expire, the_longest_expiry_does_not_overflow)
{
    bind("sip:b@h", EXPIRES_S_LIMIT);
    bed_advance_ms(UINT64_C(1000) * (EXPIRES_S_LIMIT - 1));
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 1");
    cr_assert_eq(bed_expire(), 0);
    bed_advance_ms(1000);
    cr_assert_eq(bed_expire(), 1);
}

// A mass of bindings that end in one second goes little by little, and nothing else has to wait.
Test(location_expire, what_expires_at_once_goes_in_as_many_batches_as_are_asked_for)
{
    enum { USERS = 2000, BATCHES = 3 };

    size_t removed = 0;
    unsigned calls = 0;
    bool more = true;
    for (unsigned i = 0; i < USERS; i++) {
        char aor[16];
        (void)snprintf(aor, sizeof(aor), "%u@x", i);
        cr_assert_eq(bed_register(aor, "c", 1, (struct want){"sip:b@h", 10, 0, NULL}), ERR_OK);
    }
    bed_advance_ms(10000);
    while (more) {
        const size_t before = removed;
        more = location_expire(bed.location, bed.now, BATCHES, &removed);
        cr_assert_eq(location_size(bed.location).bindings, USERS - removed);
        cr_assert_leq(removed - before, (BATCHES + 4) * EXPIRE_BATCH); // and the rest of each shard
        calls++;
    }
    cr_assert_eq(removed, USERS);
    cr_assert_geq(calls, USERS / ((BATCHES + 4) * EXPIRE_BATCH));
    cr_assert_not(location_expire(bed.location, bed.now, 1, &removed));
    cr_assert_eq(removed, USERS);
}
