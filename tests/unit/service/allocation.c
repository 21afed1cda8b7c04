// SPDX-License-Identifier: Apache-2.0
// A datagram never allocates memory, unless it makes a new binding.
#include <criterion/criterion.h>

#include "tests/unit/service/harness.h"
#include "tests/unit/state/allocator.h"

TestSuite(allocation, .init = harness_start, .fini = harness_stop);

// A message in the form that goes to the core, so that nothing but the core runs while counting.
struct prepared {
    char bytes[4096];
    size_t len;
};

static void prepare(struct prepared *p, const char *text)
{
    struct buf b = buf_over(p->bytes, sizeof(p->bytes));
    for (; *text != '\0'; text++) {
        buf_put(&b, *text == '\n' ? SLICE("\r\n") : slice_of(text, 1));
    }
    cr_assert(buf_ok(&b));
    p->len = b.len;
}

static char answer[ANSWER_BYTES_MAX];

static unsigned long allocations_of(const char *text, const char *status)
{
    static struct prepared p;
    prepare(&p, text);
    const struct uas_input in = {.bytes = slice_of(p.bytes, p.len),
                                 .peer = &harness.peer,
                                 .local = &harness.local,
                                 .now = harness.now};
    struct uas_output out = {.answer = buf_over(answer, sizeof(answer))};
    allocator_count();
    const bool answered = uas_handle(&harness.uas, harness.scratch, &harness.metrics, &in, &out);
    const unsigned long calls = allocator_stop();
    cr_assert_eq(answered, *status != '\0', "%s", text);
    cr_assert(!answered || strncmp(answer + 8, status, 3) == 0, "%s, and not %s", text, status);
    return calls;
}

#define HEAD(method, cseq)                                                                         \
    method " sip:bob@example.com SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.4;branch=z9hG4bK" cseq "\n"     \
           "To: <sip:bob@example.com>\nFrom: <sip:a@h>;tag=1\nCall-ID: call-1\n"                   \
           "CSeq: " cseq " " method "\n"

Test(allocation, a_new_binding_allocates_and_nothing_else_does)
{
    cr_assert_gt(allocations_of(HEAD("REGISTER", "1") "Contact: <sip:b@h1>;q=0.5;p\n\n", "200"), 0);
    cr_assert_gt(allocations_of(HEAD("REGISTER", "2") "Contact: <sip:b@h2>\n\n", "200"), 0);
    static const char *const texts[][2] = {
        {HEAD("REGISTER", "3") "Contact: <sip:b@h1>;q=0.7;r\nExpires: 90\n\n", "200"},
        {HEAD("REGISTER", "3") "Contact: <sip:b@h1>;q=0.7;r\nExpires: 90\n\n", "200"},
        {HEAD("REGISTER", "4") "Contact: <sip:b@h1>, <sip:b@h2>\n\n", "200"},
        {HEAD("REGISTER", "5") "\n", "200"},
        {HEAD("REGISTER", "2") "Contact: <sip:b@h1>;expires=0\n\n", "400"},
        {HEAD("REGISTER", "6") "Contact: <sip:b@h1>;expires=1\n\n", "423"},
        {HEAD("REGISTER", "7") "Require: x\nContact: <sip:b@h9>\n\n", "420"},
        {HEAD("REGISTER", "8") "Contact: <sip:b@h9\n\n", "400"},
        {HEAD("INVITE", "9") "\n", "302"},
        {HEAD("INVITE", "9") "Content-Length: 99\n\n", "400"},
        {HEAD("CANCEL", "9") "\n", "481"},
        {HEAD("ACK", "9") "\n", ""},
        {"OPTIONS sip:example.com SIP/2.0\nVia: SIP/2.0/UDP h\nTo: <sip:h>\nFrom: <sip:a@h>\n"
         "Call-ID: c\nCSeq: 1 OPTIONS\n\n",
         "200"},
        {"INVITE sip:nobody@example.com SIP/2.0\nVia: SIP/2.0/UDP h\nTo: <sip:h>\n"
         "From: <sip:a@h>\nCall-ID: c\nCSeq: 1 INVITE\n\n",
         "404"},
        {"INVITE sip:nobody@example.com SIP/2.0\nVia: SIP/2.0/UDP h\n\n", "400"},
        {"SIP/2.0 200 OK\n\n", ""},
        {"garbage", ""},
        {"\n\n", ""},
        {HEAD("REGISTER", "10") "Contact: <sip:b@h1>;expires=0\n\n", "200"},
        {HEAD("REGISTER", "11") "Contact: *\nExpires: 0\n\n", "200"},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        cr_assert_eq(allocations_of(texts[i][0], texts[i][1]), 0, "%s", texts[i][0]);
    }
    cr_assert_eq(location_size(harness.uas.location).bindings, 0);
}

Test(allocation, memory_that_runs_out_is_answered_500_and_changes_nothing)
{
    static const char add[] = HEAD("REGISTER", "2") "Contact: <sip:b@h2>\n\n";
    harness_text(HEAD("REGISTER", "1") "Contact: <sip:b@h1>\n\n");
    static struct prepared p;
    prepare(&p, add);
    const struct uas_input in = {.bytes = slice_of(p.bytes, p.len),
                                 .peer = &harness.peer,
                                 .local = &harness.local,
                                 .now = harness.now};
    struct uas_output out = {.answer = buf_over(answer, sizeof(answer))};
    allocator_fail_after(0);
    const bool answered = uas_handle(&harness.uas, harness.scratch, &harness.metrics, &in, &out);
    (void)allocator_stop();
    cr_assert(answered);
    cr_assert_eq(strncmp(answer, "SIP/2.0 500 Out of Memory\r\n", 27), 0);
    cr_assert_eq(count_of(METRIC_REGISTER_NO_MEMORY), 1);
    harness_text(HEAD("REGISTER", "2") "\n");
    cr_assert_str_eq(answer_contacts(), "<sip:b@h1>;expires=3600");
    harness_text(add);
    cr_assert_eq(answer_status(), 200); // the retransmission finds memory
}
