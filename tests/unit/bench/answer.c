// SPDX-License-Identifier: Apache-2.0
#include "sipflood/answer.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

static const char full[] = "SIP/2.0 200 OK\r\n"
                           "Via: SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b\r\n"
                           "vIA: SIP/2.0/UDP c\r\n"
                           "Server: x\r\n"
                           "From : <sip:a@b>;tag=1\r\n"
                           "To:<sip:a@b>;tag=2\r\n"
                           "Call-ID: abc\r\n"
                           "CSeq:  1 REGISTER \r\n"
                           "Contact: <sip:a@h>;expires=3,\r\n <sip:b@h>;expires=4\r\n"
                           "Content-Length: 2\r\n"
                           "\r\nhi";

static const char compact[] =
    "SIP/2.0 302 Moved\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 INVITE\r\n"
    "m: <sip:a@h>\r\nm: sip:b@h;q=0.1\r\nl: 0\r\n\r\n";

static struct answer a;

static bool parse(const char *text)
{
    return answer_parse(slice_of(text, strlen(text)), &a);
}

Test(answer, full_names_are_read)
{
    cr_assert(parse(full));
    cr_assert_eq(a.status, 200);
    cr_assert(slice_equal(a.via, SLICE("SIP/2.0/UDP a;branch=z9hG4bK1, SIP/2.0/UDP b")));
    cr_assert(slice_equal(a.from, SLICE("<sip:a@b>;tag=1")));
    cr_assert(slice_equal(a.to, SLICE("<sip:a@b>;tag=2")));
    cr_assert(slice_equal(a.call_id, SLICE("abc")));
    cr_assert(slice_equal(a.cseq, SLICE("1 REGISTER")));
    cr_assert_eq(a.contact_fields, 1);
}

Test(answer, compact_names_are_read)
{
    cr_assert(parse(compact));
    cr_assert_eq(a.status, 302);
    cr_assert_eq(a.contact_fields, 2);
    cr_assert(slice_equal(a.call_id, SLICE("w")));
}

Test(answer, retry_after_is_read)
{
    cr_assert(parse("SIP/2.0 503 Busy\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 INVITE\r\n"
                    "retry-AFTER: 17 \r\n\r\n"));
    cr_assert(slice_equal(a.retry_after, SLICE("17")));
    cr_assert(parse(compact));
    cr_assert(slice_empty(a.retry_after));
}

Test(answer, contacts_are_taken_one_by_one_over_folded_lines)
{
    struct contact c;
    cr_assert(parse(full));
    struct slice rest = a.contacts[0];
    cr_assert(answer_contact_next(&rest, &c));
    cr_assert(slice_equal(c.uri, SLICE("sip:a@h")));
    cr_assert(slice_equal(answer_param(c.params, SLICE("EXPIRES")), SLICE("3")));
    cr_assert(answer_contact_next(&rest, &c));
    cr_assert(slice_equal(c.uri, SLICE("sip:b@h")));
    cr_assert(slice_equal(answer_param(c.params, SLICE("expires")), SLICE("4")));
    cr_assert_not(answer_contact_next(&rest, &c));
    cr_assert(slice_empty(rest));
}

Test(answer, contact_forms)
{
    struct contact c;
    struct slice rest = SLICE("\"a\\\"<,;\" <sip:a,b;x=1@h>;q=\"1;2\";e=5");
    cr_assert(answer_contact_next(&rest, &c));
    cr_assert(slice_equal(c.uri, SLICE("sip:a,b;x=1@h")));
    cr_assert(slice_equal(answer_param(c.params, SLICE("e")), SLICE("5")));
    rest = SLICE("sip:b@h;q=0.1");
    cr_assert(answer_contact_next(&rest, &c));
    cr_assert(slice_equal(c.uri, SLICE("sip:b@h")));
    cr_assert(slice_equal(answer_param(c.params, SLICE("q")), SLICE("0.1")));
    cr_assert(slice_empty(answer_param(c.params, SLICE("expires"))));
}

// The text ends where a page without access begins: reading beyond it would crash.
Test(answer, cut_off_at_every_byte_is_malformed_and_never_read_beyond)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert(pages != MAP_FAILED);
    cr_assert_eq(mprotect(pages + page, page, PROT_NONE), 0);
    for (size_t len = 0; len < sizeof(full) - 1; len++) {
        memcpy(pages + page - len, full, len);
        cr_assert_not(answer_parse(slice_of(pages + page - len, len), &a), "%zu bytes", len);
    }
    (void)munmap(pages, 2 * page);
}

Test(answer, broken_messages_are_malformed)
{
    const char *broken[] = {
        "",
        "\r\n\r\n",
        "SIP/2.0 99 OK\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\n\r\n",
        "SIP/2.0 2000 OK\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\n\r\n",
        "HTTP/1.1 200 OK\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\n\r\n",
        "SIP/2.0 200 OK\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\n\r\n",
        "SIP/2.0 200 OK\r\nv: x\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\n\r\n",
        "SIP/2.0 200 OK\r\nv: x\r\nf: y\r\nt: z\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\n\r\n",
        "SIP/2.0 200 OK\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\nno colon\r\n\r\n",
        "SIP/2.0 200 OK\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\n: empty\r\n\r\n",
        "SIP/2.0 200 OK\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\nl: 1\r\n\r\n",
        "SIP/2.0 200 OK\nv: x\nf: y\nt: z\ni: w\nCSeq: 1 X\n\n",
    };
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        cr_assert_not(parse(broken[i]), "%s", broken[i]);
    }
}

Test(answer, a_request_has_no_status)
{
    cr_assert(parse("OPTIONS sip:h SIP/2.0\r\nv: x\r\nf: y\r\nt: z\r\ni: w\r\nCSeq: 1 X\r\n\r\n"));
    cr_assert_eq(a.status, ANSWER_STATUS_NONE);
}
