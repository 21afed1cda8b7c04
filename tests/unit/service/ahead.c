// SPDX-License-Identifier: Apache-2.0
// A batch of datagrams, some of them read before others are answered.
#include <criterion/criterion.h>
#include <string.h>

#include "tests/unit/service/harness.h"

TestSuite(ahead, .init = harness_start, .fini = harness_stop);

#define FIELDS(method, cseq)                                                                       \
    "Via: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK" cseq "\r\n"                                   \
    "From: <sip:alice@example.com>;tag=al1ce\r\n"                                                  \
    "To: <sip:bob@example.com>\r\n"                                                                \
    "Call-ID: call-1@192.0.2.4\r\n"                                                                \
    "CSeq: " cseq " " method "\r\n"

static const char *const datagrams[] = {
    "INVITE sip:bob@example.com SIP/2.0\r\n" FIELDS("INVITE", "1") "\r\n",
    "REGISTER sip:example.com SIP/2.0\r\n" FIELDS("REGISTER",
                                                  "2") "Contact: <sip:bob@192.0.2.4>\r\n\r\n",
    "INVITE sip:bob@example.com SIP/2.0\r\n" FIELDS("INVITE", "3") "\r\n",
    "\r\n\r\n",
    "garbage",
    "ACK sip:bob@example.com SIP/2.0\r\n" FIELDS("ACK", "3") "\r\n",
    "REGISTER sip:example.com SIP/2.0\r\n" FIELDS("REGISTER", "4") "Contact: <sip:bob@\r\n\r\n",
    "OPTIONS sip:example.com SIP/2.0\r\n" FIELDS("OPTIONS", "5") "\r\n",
    "REGISTER sip:example.com SIP/2.0\r\n" FIELDS("REGISTER",
                                                  "6") "Contact: *\r\nExpires: 0\r\n\r\n",
    "INVITE sip:bob@example.com SIP/2.0\r\n" FIELDS("INVITE", "7") "\r\n",
};

enum { COUNT = sizeof(datagrams) / sizeof(datagrams[0]), TEXT_BYTES = 16384 };

static void answer_next(struct buf *text)
{
    struct uas_output out = {.answer = buf_over(harness.answer, ANSWER_BYTES_MAX)};
    if (uas_answer(harness.scratch, UAS_SERVES, &out)) {
        buf_put(text, buf_slice(&out.answer));
    }
    buf_put(text, SLICE("----\n"));
}

// The answers to all of them in a row, where so many are read ahead.
static void answer_all(unsigned ahead, struct buf *text)
{
    for (unsigned i = 0; i < COUNT + ahead; i++) {
        if (i < COUNT) {
            const struct uas_input in = {.bytes = slice_of(datagrams[i], strlen(datagrams[i])),
                                         .peer = &harness.peer,
                                         .local = &harness.local,
                                         .now = harness.now};
            uas_read(&harness.uas, harness.scratch, &harness.metrics, &in);
        }
        if (i >= ahead) {
            answer_next(text);
        }
    }
    cr_assert(buf_ok(text));
}

Test(ahead, a_batch_is_answered_as_if_one_came_after_the_other)
{
    static char one_by_one[TEXT_BYTES];
    struct buf expected = buf_over(one_by_one, sizeof(one_by_one));
    answer_all(0, &expected);
    cr_assert(strstr(one_by_one, "302 Moved Temporarily") != NULL);
    for (unsigned ahead = 1; ahead <= UAS_AHEAD; ahead++) {
        static char batch[TEXT_BYTES];
        struct buf text = buf_over(batch, sizeof(batch));
        harness_stop();
        harness_start();
        answer_all(ahead, &text);
        cr_assert(slice_equal(buf_slice(&text), buf_slice(&expected)), "%u ahead:\n%.*s", ahead,
                  (int)text.len, batch);
    }
}

Test(ahead, who_was_removed_while_it_was_fetched_is_not_found)
{
    static char bytes[TEXT_BYTES];
    struct buf text = buf_over(bytes, sizeof(bytes));
    answer_all(UAS_AHEAD, &text);
    const char *last = strstr(bytes, "CSeq: 7 INVITE");
    cr_assert_not_null(last);
    while (last > bytes && strncmp(last, "SIP/2.0 ", 8) != 0) {
        last--;
    }
    cr_assert_eq(strncmp(last, "SIP/2.0 404", 11), 0, "%.60s", last);
}
