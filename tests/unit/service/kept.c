// SPDX-License-Identifier: Apache-2.0
// What the core hands to a store, and what it answers when there is trouble with one.
#include <criterion/criterion.h>

#include "tests/unit/service/harness.h"
#include "tests/unit/support.h"

static void start(void)
{
    harness_start();
    harness_stateful(1 << 20);
}

static void start_waiting(void)
{
    start();
    harness.uas.config.answers_wait = true;
}

TestSuite(kept, .init = start, .fini = harness_stop);
TestSuite(kept_first, .init = start_waiting, .fini = harness_stop);

Test(kept, a_register_leaves_the_whole_new_state)
{
    harness_register("Contact: <sip:b@h>;q=0.5;+x=1\n");
    harness_register("Contact: <sip:c@h>\n");
    cr_assert_not_null(harness.state);
    cr_assert(slice_is(harness.aor, "bob@example.com"));
    cr_assert_eq(harness.state->count, 2);
    const struct binding *const older = &harness.state->rows[1];
    cr_assert(slice_is(older->uri, "sip:b@h") && slice_is(older->params, ";+x=1"));
    cr_assert(slice_is(older->call_id, "call-1@192.0.2.4"));
    cr_assert(older->q == 500 && older->cseq == 1 && older->age == 1);
    cr_assert(older->request_id != harness.state->rows[0].request_id);
    cr_assert_eq(older->expires_ms, harness.now.mono_ms + 3600000);
}

Test(kept, a_removal_leaves_nothing_with_a_later_revision)
{
    harness_register("Contact: <sip:b@h>\n");
    const uint64_t revision = harness.state->revision;
    harness_register("Contact: *\nExpires: 0\n");
    cr_assert_not_null(harness.state);
    cr_assert_eq(harness.state->count, 0);
    cr_assert_gt(harness.state->revision, revision);
}

Test(kept, what_changes_nothing_leaves_nothing)
{
    harness_register("");
    cr_assert_eq(answer_status(), 200);
    cr_assert_null(harness.state);
    harness_register("Contact: *\n");
    cr_assert_eq(answer_status(), 400);
    cr_assert_null(harness.state);
    harness_send((struct sip){.method = "OPTIONS"});
    cr_assert_null(harness.state);
    harness_register("Contact: <sip:b@h>\n");
    harness_send((struct sip){.cseq = harness.cseq, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_eq(answer_status(), 200);
    cr_assert_null(harness.state);
}

Test(kept_first, every_200_to_a_register_carries_a_state)
{
    harness_register("");
    cr_assert_not_null(harness.state);
    cr_assert_eq(harness.state->count, 0);
    harness_register("Contact: <sip:b@h>\n");
    const uint64_t revision = harness.state->revision;
    harness_send((struct sip){.cseq = harness.cseq, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_eq(answer_status(), 200);
    cr_assert_not_null(harness.state);
    cr_assert_eq(harness.state->count, 1);
    cr_assert_gt(harness.state->revision, revision);
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 1);
}

Test(kept_first, a_repeated_removal_carries_the_removal)
{
    harness_register("Contact: <sip:b@h>\n");
    harness_register("Contact: *\nExpires: 0\n");
    const uint64_t revision = harness.state->revision;
    harness_send((struct sip){.cseq = harness.cseq, .extra = "Contact: *\nExpires: 0\n"});
    cr_assert_eq(answer_status(), 200);
    cr_assert(harness.state != NULL && harness.state->count == 0);
    cr_assert_gt(harness.state->revision, revision);
}

// The phone had its 200 to both; a copy of the first REGISTER has taken longer on its way.
Test(kept_first, a_late_copy_of_a_register_brings_back_nothing_that_was_removed)
{
    harness_register("Contact: <sip:b@h>\n");
    const uint32_t first = harness.cseq;
    harness_register("Contact: <sip:b@h>;expires=0\n");
    harness_send((struct sip){.cseq = first, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_eq(answer_status(), 200);
    cr_assert(harness.state != NULL && harness.state->count == 0);
    cr_assert_str_eq(answer_contacts(), "");
}

Test(kept_first, a_late_copy_of_a_removal_removes_nothing_that_came_after)
{
    harness_register("Contact: <sip:b@h>\n");
    harness_register("Contact: *\nExpires: 0\n");
    const uint32_t removal = harness.cseq;
    harness_send((struct sip){.call_id = "other", .extra = "Contact: <sip:b@h>\n"});
    harness_send((struct sip){.cseq = removal, .extra = "Contact: *\nExpires: 0\n"});
    cr_assert_eq(answer_status(), 200);
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
}

Test(kept_first, a_copy_of_what_was_refused_is_refused_as_before)
{
    harness.service = UAS_LOOKS_UP;
    harness_register("Contact: <sip:b@h>\n");
    cr_assert_eq(answer_status(), 503);
    harness.service = UAS_SERVES;
    harness_send((struct sip){.cseq = harness.cseq, .extra = "Contact: <sip:b@h>\n"});
    cr_assert_eq(answer_status(), 503);
    cr_assert_null(harness.state);
}

Test(kept_first, a_merged_register_is_still_refused)
{
    harness_register("Contact: <sip:b@h>\n");
    harness_send((struct sip){.cseq = harness.cseq,
                              .via = "SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKother",
                              .extra = "Contact: <sip:b@h>\n"});
    cr_assert_eq(answer_status(), 482);
    cr_assert_null(harness.state);
}

Test(kept_first, other_retransmissions_get_the_answer_they_had)
{
    harness_register("Contact: <sip:b@h>\n");
    harness_send((struct sip){.method = "INVITE"});
    cr_assert_eq(answer_status(), 302);
    harness_register("Contact: *\nExpires: 0\n");
    harness_send((struct sip){.method = "INVITE", .cseq = 2});
    cr_assert_eq(answer_status(), 302);
}

Test(kept, what_cannot_be_kept_is_not_begun)
{
    harness_register("Contact: <sip:b@h>\n");
    harness.service = UAS_LOOKS_UP;
    harness_register("Contact: <sip:c@h>\n");
    cr_assert_str_eq(answer_line(), "503 Bindings Cannot Be Kept");
    cr_assert_str_neq(answer_header("Retry-After"), "-");
    cr_assert_null(harness.state);
    harness_send((struct sip){.method = "INVITE"});
    cr_assert_str_eq(answer_contacts(), "<sip:b@h>;expires=3600");
    cr_assert_eq(count_of(METRIC_REFUSED_UNKEPT), 1);
}

Test(kept, while_bindings_are_loaded_nobody_is_said_to_be_unknown)
{
    harness.service = UAS_IS_LOADING;
    harness_register("Contact: <sip:b@h>\n");
    cr_assert_str_eq(answer_line(), "503 Loading Bindings");
    harness_send((struct sip){.method = "INVITE"});
    cr_assert_eq(answer_status(), 503);
    harness_send((struct sip){.method = "MESSAGE"});
    cr_assert_eq(answer_status(), 503);
    harness_send((struct sip){.method = "OPTIONS", .uri = "sip:example.com"});
    cr_assert_eq(answer_status(), 200);
    cr_assert_eq(count_of(METRIC_REFUSED_LOADING), 3);
}
