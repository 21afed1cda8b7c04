// SPDX-License-Identifier: Apache-2.0
// A scan tells what the table holds, while it changes.
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/state/bed.h"
#include "tests/unit/support.h"

enum { USERS = 3000 };

static struct location_page page;
static struct location_cursor cursor;
static unsigned told[USERS];

TestSuite(location_scan, .init = bed_start, .fini = bed_stop);

static void bind(unsigned user, const char *uri, uint32_t expires_s)
{
    char aor[16];
    const struct want want = {uri, expires_s, 0, NULL};
    (void)snprintf(aor, sizeof(aor), "%u@x", user);
    cr_assert_eq(bed_register(aor, uri, 1, want), ERR_OK);
}

static void remove_user(unsigned user)
{
    char aor[16];
    (void)snprintf(aor, sizeof(aor), "%u@x", user);
    cr_assert_eq(bed_remove_all(aor, "sip:b@h", 2), ERR_OK);
}

// Looks at the next page. False at the end.
static bool scan(void)
{
    const bool more = location_scan(bed.location, &cursor, bed.now, &page);
    cr_assert_eq(more, page.count > 0);
    for (size_t i = 0; i < page.count; i++) {
        const struct slice aor = page.rows[i].aor;
        uint64_t user;
        cr_assert(slice_to_u64(slice_of(aor.at, slice_find(aor, '@')), USERS - 1, &user));
        told[user]++;
    }
    return more;
}

Test(location_scan, a_binding_is_told_whole)
{
    const struct want want = {"sip:b@h", 100, 500, ";x=1"};
    cr_assert_eq(bed_register("bob@x", "call", 7, want), ERR_OK);
    bed_advance_ms(10500);
    cr_assert(location_scan(bed.location, &cursor, bed.now, &page));
    cr_assert_eq(page.count, 1);
    const struct location_row *const row = &page.rows[0];
    const struct binding *const binding = &row->binding;
    cr_assert(slice_is(row->aor, "bob@x") && slice_is(binding->uri, "sip:b@h"));
    cr_assert(slice_is(binding->params, ";x=1") && slice_is(binding->call_id, "call"));
    cr_assert(binding->cseq == 7 && binding->q == 500 && binding->remaining_s == 90);
    cr_assert(row->revision == bed.list.revision && row->revision > 0);
    cr_assert_not(location_scan(bed.location, &cursor, bed.now, &page));
    cr_assert_not(location_scan(bed.location, &cursor, bed.now, &page));
}

Test(location_scan, an_empty_table_has_nothing_to_tell)
{
    cr_assert_not(scan());
}

Test(location_scan, everything_is_told_once_and_nothing_that_has_expired)
{
    for (unsigned i = 0; i < USERS; i++) {
        bind(i, "sip:b@h", i % 3 == 0 ? 10 : 100);
        bind(i, "sip:b@h2", 100);
    }
    bed_advance_ms(10000);
    while (scan()) {
    }
    for (unsigned i = 0; i < USERS; i++) {
        cr_assert_eq(told[i], i % 3 == 0 ? 1 : 2);
    }
}

// What the scan is about to come to goes, too.
Test(location_scan, what_stays_is_told_once_whatever_comes_and_goes)
{
    uint64_t state = 11;
    unsigned removed = 0;
    for (unsigned i = 0; i < USERS; i++) {
        bind(i, "sip:b@h", 100);
    }
    while (scan()) {
        for (unsigned i = 0; i < 100; i++) {
            const unsigned user = (unsigned)(next_random(&state) >> 33) % USERS;
            if (user % 2 == 0) {
                remove_user(user);
                removed++;
                bind(user, "sip:b@h", 100);
            }
        }
    }
    cr_assert_gt(removed, 100);
    for (unsigned i = 1; i < USERS; i += 2) {
        cr_assert_eq(told[i], 1, "%u: %u", i, told[i]);
    }
}

Test(location_scan, removing_all_behind_and_before_it_ends_it)
{
    for (unsigned i = 0; i < USERS; i++) {
        bind(i, "sip:b@h", 100);
    }
    cr_assert(scan());
    bed_advance_ms(100000);
    (void)bed_expire();
    cr_assert_eq(location_size(bed.location).aors, 0);
    cr_assert_not(scan());
}

// The longest that an address of record can be.
Test(location_scan, any_address_of_record_fits_a_page)
{
    static char uri[AOR_STATE_BYTES_MAX / BED_CONTACTS_MAX];
    static char call_id[CALL_ID_BYTES_MAX + 1];
    static char aor[AOR_BYTES_MAX + 1];
    memset(aor, 'a', AOR_BYTES_MAX);
    memset(call_id, 'c', CALL_ID_BYTES_MAX);
    for (unsigned n = 0; n < 20; n++) {
        (void)snprintf(aor, 8, "%07u", n);
        aor[7] = 'a';
        for (unsigned i = 0; i < BED_CONTACTS_MAX; i++) {
            (void)snprintf(uri, sizeof(uri), "sip:%0*u@h", (int)sizeof(uri) - 8, i);
            cr_assert_eq(bed_register(aor, call_id, 1, (struct want){uri, 100, 0, NULL}), ERR_OK);
        }
    }
    unsigned rows = 0;
    while (location_scan(bed.location, &cursor, bed.now, &page)) {
        rows += (unsigned)page.count;
    }
    cr_assert_eq(rows, 20 * BED_CONTACTS_MAX);
}

// As when all phones of a network expire at once, and nobody has come by to remove them.
Test(location_scan, a_mass_of_expired_bindings_hides_nothing_behind_it)
{
    char aor[32];
    for (unsigned i = 0; i < 40000; i++) {
        (void)snprintf(aor, sizeof(aor), "somebody%08u@x.example", i);
        cr_assert_eq(bed_register(aor, "c", 1, (struct want){"sip:b@h", 10, 0, NULL}), ERR_OK);
    }
    for (unsigned i = 0; i < 100; i++) {
        bind(i, "sip:b@h", 100);
    }
    bed_advance_ms(10000);
    while (scan()) {
    }
    for (unsigned i = 0; i < 100; i++) {
        cr_assert_eq(told[i], 1);
    }
}
