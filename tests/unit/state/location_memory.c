// SPDX-License-Identifier: Apache-2.0
// Memory runs out at the n-th allocation, for every n until it suffices: nothing has changed then.
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/state/allocator.h"
#include "tests/unit/state/bed.h"

enum { ALLOCATIONS_MAX = 100 };

TestSuite(location_memory, .init = bed_start, .fini = bed_stop);

static enum err register_with_memory_for(unsigned long allocations, const char *aor,
                                         const struct want *wants, size_t count)
{
    allocator_fail_after(allocations);
    const enum err e = bed_register_all(aor, "call", 1000, wants, count);
    (void)allocator_stop();
    cr_assert(e == ERR_OK || allocator.live == 0, "%ld pieces of memory lost", allocator.live);
    return e;
}

Test(location_memory, the_tests_allocator_fails_when_told_to)
{
    // volatile: the compiler believes to know what malloc does
    void *(*volatile take)(size_t) = malloc;
    allocator_fail_after(1);
    void *const first = take(1);
    void *const second = take(1);
    cr_assert_eq(allocator_stop(), 2);
    cr_assert_not_null(first);
    cr_assert_null(second);
    free(first);
}

Test(location_memory, creating_the_table_fails_cleanly)
{
    const struct location_config config = {.shards = 2, .contacts_max = 1, .bindings_max = 1000000};
    struct location *location = NULL;
    unsigned long n = 0;
    for (; location == NULL && n < ALLOCATIONS_MAX; n++) {
        allocator_fail_after(n);
        location = location_create(&config);
        (void)allocator_stop();
        cr_assert(location != NULL || allocator.live == 0);
    }
    cr_assert_not_null(location);
    cr_assert_gt(n, 1);
    location_destroy(location);
}

Test(location_memory, a_new_address_of_record_is_bound_wholly_or_not_at_all)
{
    const struct want wants[] = {{"sip:b@h1", 60, 0, NULL}, {"sip:b@h2", 60, 0, NULL}};
    unsigned long n = 0;
    while (register_with_memory_for(n, "bob@x", wants, 2) != ERR_OK) {
        cr_assert_str_eq(bed_list(), "");
        cr_assert_eq(bed.effect.added, 0);
        cr_assert_str_eq(bed_lookup("bob@x"), "");
        cr_assert_eq(location_size(bed.location).aors, 0);
        cr_assert_eq(location_size(bed.location).bindings, 0);
        cr_assert_lt(++n, ALLOCATIONS_MAX);
    }
    cr_assert_geq(n, 3); // two records and the address of record at least
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h2 60 | sip:b@h1 60");
}

Test(location_memory, bindings_in_place_stay_as_they_were)
{
    const struct want before[] = {{"sip:b@h1", 60, 500, ";p"}, {"sip:b@h2", 60, 0, NULL}};
    const struct want after[] = {{"sip:b@h2", 0, 0, NULL},
                                 {"sip:b@h3", 30, 0, NULL},
                                 {"sip:b@h1", 90, 0, ";longer=0123456789012345678901234567890"},
                                 {"sip:b@h4", 30, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 1, before, 2), ERR_OK);
    unsigned long n = 0;
    enum err e;
    while ((e = register_with_memory_for(n, "bob@x", after, 4)) != ERR_OK) {
        cr_assert_eq(e, ERR_NO_MEMORY);
        cr_assert_str_eq(bed_list(), "");
        cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h2 60 | sip:b@h1;p q=500 60");
        cr_assert_eq(location_size(bed.location).bindings, 2);
        cr_assert_lt(++n, ALLOCATIONS_MAX);
    }
    cr_assert_eq(n, 3);
    cr_assert_str_eq(
        bed_list(),
        "sip:b@h4 30 | sip:b@h3 30 | sip:b@h1;longer=0123456789012345678901234567890 90");
    bed_advance_ms(60000);
    cr_assert_eq(bed_expire(), 2); // the wheel agrees
}

// Also when the hash table itself wants to grow.
Test(location_memory, a_table_that_cannot_grow_refuses_and_keeps_what_it_has)
{
    enum { AORS = 3000 };

    char aor[16];
    const struct want want = {"sip:b@h", 60, 0, NULL};
    unsigned refused = 0;
    for (unsigned i = 0; i < AORS; i++) {
        (void)snprintf(aor, sizeof(aor), "u%u", i);
        unsigned long n = 0;
        while (register_with_memory_for(n, aor, &want, 1) != ERR_OK) {
            cr_assert_eq(location_size(bed.location).aors, i);
            cr_assert_str_eq(bed_lookup(aor), "");
            refused++;
            cr_assert_lt(++n, ALLOCATIONS_MAX);
        }
    }
    cr_assert_gt(refused, 2 * AORS); // some had more to allocate than record and key
    for (unsigned i = 0; i < AORS; i++) {
        (void)snprintf(aor, sizeof(aor), "u%u", i);
        cr_assert_str_eq(bed_lookup(aor), "sip:b@h 60");
    }
    bed_advance_ms(60000);
    cr_assert_eq(bed_expire(), AORS);
}

Test(location_memory, only_a_new_or_longer_binding_allocates)
{
    const struct want want = {"sip:b@h", 60, 0, ";p"};
    const struct want shorter = {"sip:b@h", 90, 500, NULL};
    const struct want gone = {"sip:b@h", 0, 0, NULL};
    cr_assert_eq(bed_register("bob@x", "call", 1, want), ERR_OK);
    cr_assert_eq(register_with_memory_for(0, "bob@x", &shorter, 1), ERR_OK);
    allocator_fail_after(0);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h q=500 90");
    bed_advance_ms(1000);
    (void)bed_expire();
    cr_assert_eq(bed_register("bob@x", "call", 2000, gone), ERR_OK);
    cr_assert_eq(bed_remove_all("bob@x", "call", 2001), ERR_OK);
    cr_assert_eq(bed_register("new@x", "call", 1, gone), ERR_OK);
    cr_assert_eq(allocator_stop(), 0);
}
