// SPDX-License-Identifier: Apache-2.0
// A table that is filled again from what a store has kept.
#include <criterion/criterion.h>
#include <stdio.h>

#include "signpost/sip/fields.h"
#include "tests/unit/state/bed.h"
#include "tests/unit/support.h"

TestSuite(location_restore, .init = bed_start, .fini = bed_stop);

static struct binding kept(const char *uri, uint64_t remaining_ms)
{
    return (struct binding){.uri = slice_of(uri, strlen(uri)),
                            .call_id = SLICE_INIT("call"),
                            .cseq = 7,
                            .q = Q_ABSENT,
                            .request_id = 1,
                            .expires_ms = BED_START_MS + remaining_ms};
}

static void restore(uint64_t revision, const struct binding *bindings, size_t count)
{
    const struct location_state state = {
        .aor = SLICE("bob@x"), .revision = revision, .count = count, .bindings = bindings};
    cr_assert_eq(location_restore(bed.location, &state, bed.now), ERR_OK);
}

static uint64_t bindings(void)
{
    return location_size(bed.location).bindings;
}

Test(location_restore, what_was_bound_is_offered_again)
{
    struct binding rows[] = {kept("sip:new@h", 60000), kept("sip:old@h", 30500)};
    rows[0].params = SLICE(";+x=1");
    rows[1].q = 500;
    restore(5, rows, 2);
    location_restored(bed.location);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:new@h;+x=1 60 | sip:old@h q=500 31");
    cr_assert_eq(bindings(), 2);
}

Test(location_restore, the_highest_revision_counts_in_whatever_order)
{
    const struct binding first = kept("sip:1@h", 60000);
    const struct binding second = kept("sip:2@h", 60000);
    restore(6, &second, 1);
    restore(5, &first, 1);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:2@h 60");
    restore(7, &first, 1);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:1@h 60");
    cr_assert_eq(bindings(), 1);
}

Test(location_restore, what_was_removed_later_does_not_come_back)
{
    const struct binding row = kept("sip:b@h", 60000);
    const struct binding over = kept("sip:b@h", 0);
    restore(6, NULL, 0);
    restore(5, &row, 1);
    cr_assert_str_eq(bed_lookup("bob@x"), "");
    restore(8, &over, 1);
    restore(7, &row, 1);
    location_restored(bed.location);
    cr_assert_str_eq(bed_lookup("bob@x"), "");
    cr_assert_eq(location_size(bed.location).aors, 0);
}

Test(location_restore, revisions_go_on_from_the_highest)
{
    const struct want want = {"sip:b@h", 60, 0, NULL};
    restore(1000, NULL, 0);
    location_restored(bed.location);
    cr_assert_eq(bed_register("bob@x", "call", 1, want), ERR_OK);
    cr_assert_eq(bed.list.revision, 1001);
    cr_assert_eq(bed_remove_all("bob@x", "call", 2), ERR_OK);
    cr_assert_eq(bed.list.revision, 1002);
    cr_assert_eq(bed_register("bob@x", "call", 3, want), ERR_OK);
    cr_assert_eq(bed.list.revision, 1003);
    cr_assert_eq(bed_register("bob@x", "call", 2, want), ERR_STALE);
    cr_assert_eq(bed.list.revision, 0);
}

Test(location_restore, a_lookup_tells_no_lower_revision_than_the_last)
{
    const struct want want = {"sip:b@h", 60, 0, NULL};
    cr_assert_eq(bed_register("bob@x", "call", 1, want), ERR_OK);
    const uint64_t revision = bed.list.revision;
    (void)bed_lookup("bob@x");
    cr_assert_eq(bed.list.revision, revision);
    cr_assert_eq(bed_remove_all("bob@x", "call", 2), ERR_OK);
    (void)bed_lookup("bob@x");
    cr_assert_geq(bed.list.revision, revision + 1);
}

Test(location_restore, a_restored_binding_has_its_order_and_identity)
{
    const struct want want = {"sip:b@h", 60, 0, NULL};
    struct binding row = kept("sip:b@h", 60000);
    cr_assert_eq(bed_register("ann@x", "call", 7, want), ERR_OK);
    row.request_id = bed.list.rows[0].request_id;
    restore(5, &row, 1);
    location_restored(bed.location);
    bed_retransmit();
    cr_assert_eq(bed_register("bob@x", "call", 7, want), ERR_OK);
    cr_assert_eq(bed.effect.repeated, 1);
    cr_assert_eq(bed_register("bob@x", "call", 7, want), ERR_STALE);
}

Test(location_restore, what_a_store_alone_knows_stays_with_the_binding)
{
    struct want want = {"sip:b@h", 60, 0, NULL};
    struct binding row = kept("sip:b@h", 60000);
    row.extra = SLICE("\x09\x01\x00?");
    restore(5, &row, 1);
    location_restored(bed.location);
    cr_assert_eq(bed_register("bob@x", "call", 8, want), ERR_OK);
    cr_assert(slice_equal(bed.list.rows[0].extra, row.extra));
    want.params = ";longer=than-before";
    cr_assert_eq(bed_register("bob@x", "another call", 1, want), ERR_OK);
    cr_assert(slice_equal(bed.list.rows[0].extra, row.extra));
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h;longer=than-before 60");
}

Test(location_restore, more_bindings_than_are_allowed_by_now_can_be_refreshed)
{
    struct binding rows[BED_CONTACTS_MAX + 1];
    char uris[BED_CONTACTS_MAX + 1][16];
    for (unsigned i = 0; i <= BED_CONTACTS_MAX; i++) {
        (void)snprintf(uris[i], sizeof(uris[i]), "sip:%u@h", i);
        rows[i] = kept(uris[i], 60000);
    }
    restore(5, rows, BED_CONTACTS_MAX + 1);
    location_restored(bed.location);
    cr_assert_eq(bindings(), BED_CONTACTS_MAX + 1);
    const struct want again = {"sip:3@h", 90, 0, NULL};
    const struct want another = {"sip:more@h", 90, 0, NULL};
    cr_assert_eq(bed_register("bob@x", "call", 8, again), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "call", 9, another), ERR_TOO_MANY);
}
