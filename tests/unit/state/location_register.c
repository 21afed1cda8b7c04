// SPDX-License-Identifier: Apache-2.0
// What a REGISTER makes of the bindings of one address of record.
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/state/bed.h"

TestSuite(location_register, .init = bed_start, .fini = bed_stop);

Test(location_register, unknown_address_of_record_has_no_bindings)
{
    cr_assert_str_eq(bed_lookup("bob@example.com"), "");
    cr_assert_eq(location_size(bed.location).aors, 0);
}

Test(location_register, adds_a_binding_and_tells_it)
{
    const struct want want = {.uri = "sip:bob@192.0.2.4", .expires_s = 60, .params = ";ob;x=\"y\""};
    cr_assert_eq(bed_register("bob@example.com", "c1", 1, want), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:bob@192.0.2.4;ob;x=\"y\" 60");
    cr_assert_eq(bed.effect.added, 1);
    cr_assert_eq(bed.effect.refreshed + bed.effect.removed + bed.effect.repeated, 0);
    cr_assert_str_eq(bed_lookup("bob@example.com"), "sip:bob@192.0.2.4;ob;x=\"y\" 60");
    cr_assert_str_eq(bed_lookup("bob@example.org"), "");
}

Test(location_register, refresh_renews_expiry_q_and_parameters_in_place)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 60, 500, ";a=1"}), ERR_OK);
    bed_advance_ms(30000);
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){"sip:b@h", 90, 700, ";b=2"}), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h;b=2 q=700 90");
    cr_assert_eq(bed.effect.refreshed, 1);
    cr_assert_eq(bed.effect.added, 0);
    cr_assert_eq(location_size(bed.location).bindings, 1);
}

Test(location_register, refresh_with_longer_contact_replaces_the_record)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){"sip:c@h", 50, 0, NULL}), ERR_OK);
    const struct want longer = {"sip:b@h", 60, 0,
                                ";token=0123456789012345678901234567890123456789"};
    cr_assert_eq(bed_register("bob@x", "c", 3, longer), ERR_OK);
    // in the same place: its age is that of the binding
    cr_assert_str_eq(bed_list(), "sip:c@h 50 | sip:b@h"
                                 ";token=0123456789012345678901234567890123456789 60");
    cr_assert_eq(bed.effect.refreshed, 1);
    cr_assert_eq(location_size(bed.location).bindings, 2);
    cr_assert_eq(bed_register("bob@x", "c", 4, (struct want){"sip:b@h", 60, 0, ";s"}), ERR_OK);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:c@h 50 | sip:b@h;s 60");
    bed_advance_ms(60000);
    cr_assert_eq(bed_expire(), 2);
}

Test(location_register, expiry_of_zero_removes_only_the_binding_it_names)
{
    const struct want both[] = {{"sip:b@h1", 60, 0, NULL}, {"sip:b@h2", 70, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 1, both, 2), ERR_OK);
    cr_assert_eq(bed.effect.added, 2);
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){.uri = "sip:b@h1"}), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h2 70");
    cr_assert_eq(bed.effect.removed, 1);
    cr_assert_eq(location_size(bed.location).bindings, 1);
}

Test(location_register, removing_the_last_binding_forgets_the_address_of_record)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h1", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(location_size(bed.location).aors, 1);
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){.uri = "sip:b@h1"}), ERR_OK);
    cr_assert_eq(location_size(bed.location).aors, 0);
    cr_assert_eq(location_size(bed.location).bindings, 0);
}

Test(location_register, removing_what_is_not_bound_changes_nothing)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){.uri = "sip:b@h1"}), ERR_OK);
    cr_assert_eq(bed.effect.removed, 0);
    cr_assert_str_eq(bed_list(), "");
    cr_assert_eq(location_size(bed.location).aors, 0);
}

Test(location_register, one_request_may_add_refresh_and_remove)
{
    const struct want before[] = {{"sip:b@h1", 60, 0, NULL}, {"sip:b@h2", 60, 0, NULL}};
    const struct want after[] = {
        {"sip:b@h3", 30, 0, NULL}, {"sip:b@h1", 0, 0, NULL}, {"sip:b@h2", 90, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 1, before, 2), ERR_OK);
    cr_assert_eq(bed_register_all("bob@x", "c", 2, after, 3), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h3 30 | sip:b@h2 90");
    cr_assert_eq(bed.effect.added, 1);
    cr_assert_eq(bed.effect.refreshed, 1);
    cr_assert_eq(bed.effect.removed, 1);
}

Test(location_register, request_without_contacts_tells_what_is_bound)
{
    cr_assert_eq(bed_register("bob@x", "c", 5, (struct want){"sip:b@h1", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register_all("bob@x", "c", 1, NULL, 0), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h1 60");
    cr_assert_eq(bed_register_all("alice@x", "c", 1, NULL, 0), ERR_OK);
    cr_assert_str_eq(bed_list(), "");
    cr_assert_eq(location_size(bed.location).aors, 1);
}

Test(location_register, remove_all_removes_all_of_that_address_of_record_only)
{
    const struct want both[] = {{"sip:b@h1", 60, 0, NULL}, {"sip:b@h2", 70, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 1, both, 2), ERR_OK);
    cr_assert_eq(bed_register("alice@x", "d", 1, (struct want){"sip:a@h", 9, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_remove_all("bob@x", "c", 2), ERR_OK);
    cr_assert_str_eq(bed_list(), "");
    cr_assert_eq(bed.effect.removed, 2);
    cr_assert_str_eq(bed_lookup("bob@x"), "");
    cr_assert_str_eq(bed_lookup("alice@x"), "sip:a@h 9");
    cr_assert_eq(location_size(bed.location).aors, 1);
    cr_assert_eq(bed_remove_all("bob@x", "c", 2), ERR_OK);
}

// ---- RFC 3261 19.1.4

Test(location_register, contacts_match_by_uri_comparison_and_not_by_bytes)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:bob@HOST.example", 60, 0, NULL}),
                 ERR_OK);
    cr_assert_eq(
        bed_register("bob@x", "c", 2, (struct want){"SIP:%62ob@host.EXAMPLE;lr", 50, 0, NULL}),
        ERR_OK);
    cr_assert_str_eq(bed_list(), "SIP:%62ob@host.EXAMPLE;lr 50");
    cr_assert_eq(bed.effect.refreshed, 1);
}

Test(location_register, contacts_that_differ_by_comparison_are_bindings_of_their_own)
{
    const struct want wants[] = {{"sip:bob@h", 60, 0, NULL},
                                 {"sip:Bob@h", 60, 0, NULL},
                                 {"sip:bob@h:5060", 60, 0, NULL},
                                 {"sips:bob@h", 60, 0, NULL},
                                 {"sip:bob@h;transport=udp", 60, 0, NULL},
                                 {"tel:+123", 60, 0, NULL},
                                 {"sip:h", 60, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 1, wants, 7), ERR_OK);
    cr_assert_eq(bed.effect.added, 7);
    cr_assert_eq(bed.list.count, 7);
}

// Equality is not transitive: both updates equal the binding, but not each other.
Test(location_register, two_contacts_that_both_equal_one_binding)
{
    const struct want updates[] = {{"sip:b@h;x=1", 60, 0, ";longer=than-before"},
                                   {"sip:b@h;x=2", 70, 0, ";longer=than-before"}};
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 10, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register_all("bob@x", "c", 2, updates, 2), ERR_OK);
    cr_assert_str_eq(bed_list(),
                     "sip:b@h;x=2;longer=than-before 70 | sip:b@h;x=1;longer=than-before 60");
    cr_assert_eq(bed.effect.refreshed, 1);
    cr_assert_eq(bed.effect.added, 1);
    cr_assert_eq(location_size(bed.location).bindings, 2);
}

Test(location_register, two_removals_that_both_equal_one_binding)
{
    const struct want updates[] = {{"sip:b@h;x=1", 0, 0, NULL}, {"sip:b@h;x=2", 0, 0, NULL}};
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 10, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register_all("bob@x", "c", 2, updates, 2), ERR_OK);
    cr_assert_str_eq(bed_list(), "");
    cr_assert_eq(bed.effect.removed, 1);
    cr_assert_eq(location_size(bed.location).bindings, 0);
}

Test(location_register, the_same_bytes_match_before_what_merely_compares_equal)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h;x=1", 10, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){"sip:b@h;x=2", 20, 0, NULL}), ERR_OK);
    // equals both: replaces the newest
    cr_assert_eq(bed_register("bob@x", "c", 3, (struct want){"sip:b@h", 30, 0, NULL}), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h 30 | sip:b@h;x=1 10");
    cr_assert_eq(bed_register("bob@x", "c", 4, (struct want){"sip:b@h;x=1", 40, 0, NULL}), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h 30 | sip:b@h;x=1 40");
}

// ---- Call-ID and CSeq (RFC 3261 10.3 steps 6 and 7)

Test(location_register, lower_or_equal_cseq_of_the_same_call_id_is_stale)
{
    cr_assert_eq(bed_register("bob@x", "c", 7, (struct want){"sip:b@h", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "c", 6, (struct want){"sip:b@h", 90, 0, NULL}), ERR_STALE);
    cr_assert_str_eq(bed_list(), "");
    cr_assert_eq(bed_register("bob@x", "c", 7, (struct want){"sip:b@h", 90, 0, NULL}), ERR_STALE);
    cr_assert_eq(bed_register("bob@x", "c", 7, (struct want){.uri = "sip:b@h"}), ERR_STALE);
    cr_assert_eq(bed_remove_all("bob@x", "c", 7), ERR_STALE);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 60");
    cr_assert_eq(bed_register("bob@x", "c", 8, (struct want){"sip:b@h", 90, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_remove_all("bob@x", "c", 9), ERR_OK);
}

Test(location_register, another_call_id_may_have_any_cseq)
{
    cr_assert_eq(bed_register("bob@x", "c", 7, (struct want){"sip:b@h", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "d", 1, (struct want){"sip:b@h", 90, 0, NULL}), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h 90");
    // and now the binding belongs to that one
    cr_assert_eq(bed_register("bob@x", "d", 1, (struct want){"sip:b@h", 30, 0, NULL}), ERR_STALE);
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 30, 0, NULL}), ERR_OK);
}

Test(location_register, remove_all_is_stale_when_one_of_several_bindings_is_newer)
{
    cr_assert_eq(bed_register("bob@x", "c", 9, (struct want){"sip:b@h1", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "d", 1, (struct want){"sip:b@h2", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_remove_all("bob@x", "c", 5), ERR_STALE);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h2 60 | sip:b@h1 60");
    cr_assert_eq(bed_remove_all("bob@x", "d", 2), ERR_OK);
    cr_assert_str_eq(bed_lookup("bob@x"), "");
}

Test(location_register, lower_cseq_for_another_contact_of_the_same_phone_is_in_order)
{
    cr_assert_eq(bed_register("bob@x", "c", 9, (struct want){"sip:b@h1", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "c", 3, (struct want){"sip:b@h2", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed.list.count, 2);
}

// ---- Retransmissions

Test(location_register, retransmission_changes_nothing_and_tells_the_time_left)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 60, 0, NULL}), ERR_OK);
    bed_advance_ms(1500);
    bed_retransmit();
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 60, 0, NULL}), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h 59");
    cr_assert_eq(bed.effect.repeated, 1);
    cr_assert_eq(bed.effect.added + bed.effect.refreshed, 0);
}

Test(location_register, retransmitted_removals_succeed_again)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){.uri = "sip:b@h"}), ERR_OK);
    bed_retransmit();
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){.uri = "sip:b@h"}), ERR_OK);
    cr_assert_str_eq(bed_list(), "");
}

Test(location_register, late_retransmission_behind_a_newer_request_is_stale)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 60, 0, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){"sip:b@h", 90, 0, NULL}), ERR_OK);
    bed.request_id = 0; // that of the first
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h", 60, 0, NULL}), ERR_STALE);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h 90");
}

Test(location_register, retransmission_after_expiry_of_one_contact_adds_it_anew)
{
    const struct want both[] = {{"sip:b@h1", 1, 0, NULL}, {"sip:b@h2", 60, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 1, both, 2), ERR_OK);
    bed_advance_ms(1000);
    bed_retransmit();
    cr_assert_eq(bed_register_all("bob@x", "c", 1, both, 2), ERR_OK);
    cr_assert_eq(bed.effect.repeated, 1);
    cr_assert_eq(bed.effect.added, 1);
    cr_assert_eq(bed.effect.expired, 1);
    cr_assert_str_eq(bed_list(), "sip:b@h1 1 | sip:b@h2 59");
}

// ---- All or nothing

Test(location_register, one_stale_contact_leaves_every_binding_untouched)
{
    const struct want before[] = {{"sip:b@h1", 60, 500, ";p"}, {"sip:b@h2", 60, 0, NULL}};
    const struct want after[] = {
        {"sip:b@h9", 30, 0, NULL}, {"sip:b@h1", 0, 0, NULL}, {"sip:b@h2", 90, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 1, before, 1), ERR_OK);
    cr_assert_eq(bed_register_all("bob@x", "d", 5, before + 1, 1), ERR_OK);
    cr_assert_eq(bed_register_all("bob@x", "d", 5, after, 3), ERR_STALE);
    cr_assert_str_eq(bed_list(), "");
    cr_assert_eq(bed.effect.added + bed.effect.removed + bed.effect.refreshed, 0);
    cr_assert_str_eq(bed_lookup("bob@x"), "sip:b@h2 60 | sip:b@h1;p q=500 60");
}

Test(location_register, one_contact_too_many_leaves_every_binding_untouched)
{
    char uris[BED_CONTACTS_MAX + 1][16];
    for (unsigned i = 0; i <= BED_CONTACTS_MAX; i++) {
        (void)snprintf(uris[i], sizeof(uris[i]), "sip:b@h%u", i);
    }
    for (uint32_t i = 0; i < BED_CONTACTS_MAX; i++) {
        const struct want one = {uris[i], 60, 0, NULL};
        cr_assert_eq(bed_register("bob@x", "c", i, one), ERR_OK, "%u", i);
    }
    const struct want more[] = {{uris[0], 90, 0, NULL}, {uris[BED_CONTACTS_MAX], 90, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 100, more, 2), ERR_TOO_MANY);
    bed_lookup("bob@x");
    cr_assert_eq(bed.list.count, BED_CONTACTS_MAX);
    cr_assert_eq(bed.list.rows[BED_CONTACTS_MAX - 1].remaining_s, 60);
    // one goes, one comes: that fits
    const struct want swap[] = {{uris[BED_CONTACTS_MAX], 90, 0, NULL}, {uris[0], 0, 0, NULL}};
    cr_assert_eq(bed_register_all("bob@x", "c", 101, swap, 2), ERR_OK);
    cr_assert_eq(bed.list.count, BED_CONTACTS_MAX);
}

Test(location_register, expired_bindings_do_not_count_towards_the_limit)
{
    char uri[16];
    for (uint32_t i = 0; i < 3 * BED_CONTACTS_MAX; i++) {
        (void)snprintf(uri, sizeof(uri), "sip:b@h%u", i);
        cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){uri, 5, 0, NULL}), ERR_OK);
        bed_advance_ms(500);
    }
    cr_assert_eq(bed.list.count, BED_CONTACTS_MAX);
    cr_assert_eq(bed.effect.expired, 1);
}

Test(location_register, bytes_of_all_bindings_of_an_address_of_record_are_limited)
{
    static char params[CONTACT_BYTES_MAX - 9];
    memset(params, 'p', sizeof(params) - 1);
    params[0] = ';';
    char uri[] = "sip:b@h0";
    for (; uri[7] < '6'; uri[7]++) {
        cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){uri, 60, 0, params}), ERR_OK);
    }
    cr_assert_eq(bed.list.count, 6);
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){uri, 60, 0, params}), ERR_TOO_MANY);
    cr_assert_eq(location_size(bed.location).bindings, 6);
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){uri, 60, 0, NULL}), ERR_OK);
}

Test(location_register, as_many_contacts_as_the_limit_allows_in_one_request)
{
    char uris[BED_CONTACTS_MAX + 1][16];
    struct want wants[BED_CONTACTS_MAX + 1];
    for (unsigned i = 0; i <= BED_CONTACTS_MAX; i++) {
        (void)snprintf(uris[i], sizeof(uris[i]), "sip:b@h%u", i);
        wants[i] = (struct want){uris[i], 60, 0, NULL};
    }
    cr_assert_eq(bed_register_all("bob@x", "c", 1, wants, BED_CONTACTS_MAX + 1), ERR_TOO_MANY);
    cr_assert_eq(location_size(bed.location).aors, 0);
    cr_assert_eq(bed_register_all("bob@x", "c", 1, wants, BED_CONTACTS_MAX), ERR_OK);
}

// ---- Order

Test(location_register, bindings_come_best_q_first_and_newest_first_among_equals)
{
    const struct want wants[] = {{"sip:b@h1", 60, 500, NULL},          {"sip:b@h2", 60, 0, NULL},
                                 {"sip:b@h3", 60, 500, NULL},          {"sip:b@h4", 60, 1000, NULL},
                                 {"sip:b@h5", 60, BED_Q_NOUGHT, NULL}, {"sip:b@h6", 60, 501, NULL}};
    for (uint32_t i = 0; i < 6; i++) {
        cr_assert_eq(bed_register("bob@x", "c", i, wants[i]), ERR_OK);
    }
    // no q counts as one
    cr_assert_str_eq(bed_list(), "sip:b@h4 q=1000 60 | sip:b@h2 60 | sip:b@h6 q=501 60 | "
                                 "sip:b@h3 q=500 60 | sip:b@h1 q=500 60 | sip:b@h5 q=0 60");
}

Test(location_register, a_new_q_moves_a_binding)
{
    cr_assert_eq(bed_register("bob@x", "c", 1, (struct want){"sip:b@h1", 60, 500, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "c", 2, (struct want){"sip:b@h2", 60, 400, NULL}), ERR_OK);
    cr_assert_eq(bed_register("bob@x", "c", 3, (struct want){"sip:b@h1", 60, 300, NULL}), ERR_OK);
    cr_assert_str_eq(bed_list(), "sip:b@h2 q=400 60 | sip:b@h1 q=300 60");
}

// ---- Many

Test(location_register, many_addresses_of_record_keep_apart)
{
    enum { AORS = 20000 };

    char aor[32];
    char uri[32];
    for (unsigned i = 0; i < AORS; i++) {
        (void)snprintf(aor, sizeof(aor), "u%u@example.com", i);
        (void)snprintf(uri, sizeof(uri), "sip:c%u@192.0.2.1", i);
        cr_assert_eq(bed_register(aor, "c", 1, (struct want){uri, 60 + i, 0, NULL}), ERR_OK);
    }
    cr_assert_eq(location_size(bed.location).aors, AORS);
    cr_assert_eq(location_size(bed.location).bindings, AORS);
    for (unsigned i = 0; i < AORS; i++) {
        (void)snprintf(aor, sizeof(aor), "u%u@example.com", i);
        (void)snprintf(uri, sizeof(uri), "sip:c%u@192.0.2.1 %u", i, 60 + i);
        cr_assert_str_eq(bed_lookup(aor), uri);
    }
    bed_advance_ms((uint64_t)MS_PER_S * (60 + AORS));
    cr_assert_eq(bed_expire(), AORS);
    cr_assert_eq(location_size(bed.location).aors, 0);
}
