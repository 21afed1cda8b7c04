// SPDX-License-Identifier: Apache-2.0
// What a server says that has more to do than it can.
#include <criterion/criterion.h>

#include "tests/unit/service/harness.h"
#include "tests/unit/support.h"

static void start(void)
{
    harness_start();
    harness_stateful(1 << 20);
    harness_register("Contact: <sip:b@h>\n");
    harness.uas.config.busy_after_ms = 100;
    harness.uas.config.retry_after_s = 10;
}

TestSuite(busy, .init = start, .fini = harness_stop);

static unsigned status_of(const char *method)
{
    harness_send((struct sip){.method = method});
    return answer_status();
}

Test(busy, new_requests_that_have_waited_are_told_to_come_again)
{
    harness.waited_ms = 100;
    cr_assert_eq(status_of("INVITE"), 302);
    cr_assert_str_eq(answer_header("Retry-After"), "-");
    harness.waited_ms = 101;
    cr_assert_eq(status_of("INVITE"), 503);
    cr_assert_str_eq(answer_line(), "503 Busy");
    harness_register("Contact: <sip:c@h>\n");
    cr_assert_eq(answer_status(), 503);
    cr_assert_eq(location_size(harness.uas.location).bindings, 1);
    cr_assert_eq(status_of("OPTIONS"), 503);
    cr_assert_eq(count_of(METRIC_BUSY), 3);
}

Test(busy, what_ends_something_is_served)
{
    harness.waited_ms = 1000;
    cr_assert_eq(status_of("CANCEL"), 481);
    harness_send((struct sip){.method = "BYE", .uri = "sip:example.com"});
    cr_assert_eq(answer_status(), 481);
    harness_send((struct sip){.method = "ACK"});
    cr_assert(!harness.answered);
    cr_assert_eq(count_of(METRIC_BUSY), 0);
}

Test(busy, retransmissions_of_what_was_served_get_the_answer_it_had)
{
    harness_send((struct sip){.method = "INVITE", .cseq = 7});
    cr_assert_eq(answer_status(), 302);
    harness.waited_ms = 1000;
    harness_send((struct sip){.method = "INVITE", .cseq = 7});
    cr_assert_eq(answer_status(), 302);
}

Test(busy, retry_after_differs_from_request_to_request)
{
    unsigned seen[32] = {0};
    unsigned different = 0;
    harness.waited_ms = 1000;
    for (unsigned i = 0; i < 500; i++) {
        cr_assert_eq(status_of("INVITE"), 503);
        uint64_t seconds;
        cr_assert(slice_to_u64(text_slice(answer_header("Retry-After")), 20, &seconds));
        cr_assert_geq(seconds, 10);
        different += seen[seconds]++ == 0 ? 1 : 0;
    }
    cr_assert_eq(different, 11);
}

Test(busy, without_a_limit_nobody_is_refused)
{
    harness.uas.config.busy_after_ms = 0;
    harness.waited_ms = 3600000;
    cr_assert_eq(status_of("INVITE"), 302);
}
