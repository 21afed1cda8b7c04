// SPDX-License-Identifier: Apache-2.0
// The server with `transactions: stateless` (RFC 3261 8.2.7).
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/service/harness.h"

TestSuite(stateless, .init = harness_start, .fini = harness_stop);

Test(stateless, each_copy_is_answered_anew_and_no_cancel_finds_its_invite)
{
    const struct sip sip = {.method = "INVITE", .cseq = 10};
    char tag[17];
    harness_register("Contact: <sip:bob@192.0.2.10>\n");
    harness_send(sip);
    cr_assert_eq(answer_status(), 302);
    (void)snprintf(tag, sizeof(tag), "%s", answer_to_tag());
    harness_register("Contact: *\nExpires: 0\n");
    harness_send(sip);
    cr_assert_eq(answer_status(), 404);
    cr_assert_str_eq(answer_to_tag(), tag);
    harness_send((struct sip){.method = "CANCEL", .cseq = 10});
    cr_assert_eq(answer_status(), 481);
    harness_send((struct sip){.method = "ACK", .cseq = 10});
    cr_assert(!harness.answered);
    harness_send(sip);
    cr_assert_eq(answer_status(), 404);
    cr_assert_eq(count_of(METRIC_RETRANSMISSIONS), 0);
    cr_assert_eq(count_of(METRIC_TRANSACTIONS_REFUSED), 0);
    cr_assert_eq(count_of(METRIC_ACKS), 1);
}

Test(stateless, nothing_is_merged)
{
    for (unsigned i = 0; i < 2; i++) {
        harness_send((struct sip){.method = "OPTIONS",
                                  .uri = "sip:example.com",
                                  .cseq = 10,
                                  .via = i == 0 ? "SIP/2.0/UDP h;branch=z9hG4bK1"
                                                : "SIP/2.0/UDP h;branch=z9hG4bK2"});
        cr_assert_eq(answer_status(), 200);
    }
}
