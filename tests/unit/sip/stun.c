// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/stun.h"

#include "tests/unit/support.h"

// RFC 5769 2.1: the sample request, an ICE agent's.
#define REQUEST_HEAD   "\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae"
#define SOFTWARE       "\x80\x22\x00\x10STUN test client"
#define PRIORITY       "\x00\x24\x00\x04\x6e\x00\x01\xff"
#define ICE_CONTROLLED "\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36"
#define USERNAME       "\x00\x06\x00\x09\x65\x76\x74\x6a\x3a\x68\x36\x76\x59\x20\x20\x20"
#define INTEGRITY                                                                                  \
    "\x00\x08\x00\x14\x9a\xea\xa7\x0c\xbf\xd8\xcb\x56\x78\x1e\xf2\xb5\xb2\xd3\xf2\x49\xc1\xb5"     \
    "\x71\xa2"
#define FINGERPRINT  "\x80\x28\x00\x04\xe5\x7b\x3b\xcf"
#define CLASSIC_HEAD "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"

static struct endpoint endpoint_of(const char *ip, uint16_t port)
{
    struct endpoint e = {.port = port};
    cr_assert(ip_parse(text_slice(ip), &e.ip));
    return e;
}

#define ASSERT_ANSWER(request, ip, port, expected)                                                 \
    assert_answer(SLICE(request), endpoint_of(ip, port), SLICE(expected))

static void assert_answer(struct slice request, struct endpoint peer, struct slice expected)
{
    const struct guard guard = guard_create(256);
    char memory[256];
    struct buf b = buf_over(memory, sizeof(memory));
    cr_assert_eq(stun_answer(guard_copy(guard, request), &peer, &b), ERR_OK);
    cr_assert(buf_ok(&b));
    const struct slice is = buf_slice(&b);
    cr_assert_eq(is.len, expected.len, "%zu bytes instead of %zu", is.len, expected.len);
    for (size_t i = 0; i < is.len; i++) {
        cr_assert_eq(is.at[i], expected.at[i], "byte %zu is %#x, should be %#x", i,
                     (unsigned char)is.at[i], (unsigned char)expected.at[i]);
    }
}

// RFC 5769 2.2 and 2.3 without the attributes that need a password.
Test(stun, address_is_masked_as_in_the_test_vectors)
{
    ASSERT_ANSWER("\x00\x01\x00\x00" REQUEST_HEAD, "192.0.2.1", 32853,
                  "\x01\x01\x00\x0c" REQUEST_HEAD
                  "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43");
    ASSERT_ANSWER("\x00\x01\x00\x00" REQUEST_HEAD, "2001:db8:1234:5678:11:2233:4455:6677", 32853,
                  "\x01\x01\x00\x18" REQUEST_HEAD "\x00\x20\x00\x14\x00\x02\xa1\x47"
                  "\x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9");
}

Test(stun, known_and_optional_attributes_are_passed_over)
{
    ASSERT_ANSWER(
        "\x00\x01\x00\x50" REQUEST_HEAD SOFTWARE ICE_CONTROLLED USERNAME INTEGRITY FINGERPRINT,
        "192.0.2.1", 32853,
        "\x01\x01\x00\x0c" REQUEST_HEAD "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43");
    // REALM and NONCE
    ASSERT_ANSWER(
        "\x00\x01\x00\x08" REQUEST_HEAD "\x00\x14\x00\x00\x00\x15\x00\x00", "192.0.2.1", 32853,
        "\x01\x01\x00\x0c" REQUEST_HEAD "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43");
    ASSERT_ANSWER("\x00\x01\x00\x04" REQUEST_HEAD "\x80\x00\x00\x00", "192.0.2.1", 32853,
                  "\x01\x01\x00\x0c" REQUEST_HEAD
                  "\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43");
}

// Without the cookie it is a client of RFC 3489, which knows MAPPED-ADDRESS only.
Test(stun, classic_client_gets_its_address_unmasked)
{
    ASSERT_ANSWER("\x00\x01\x00\x00" CLASSIC_HEAD, "192.0.2.1", 32853,
                  "\x01\x01\x00\x0c" CLASSIC_HEAD
                  "\x00\x01\x00\x08\x00\x01\x80\x55\xc0\x00\x02\x01");
    ASSERT_ANSWER("\x00\x01\x00\x00" CLASSIC_HEAD, "2001:db8::1", 1,
                  "\x01\x01\x00\x18" CLASSIC_HEAD "\x00\x01\x00\x14\x00\x02\x00\x01"
                  "\x20\x01\x0d\xb8\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01");
}

#define UNKNOWN_REASON "\x00\x09\x00\x18\x00\x00\x04\x14Unknown Attribute   "

// RFC 5389 7.3.1: 420 with UNKNOWN-ATTRIBUTES, for what must be understood.
Test(stun, attributes_not_understood_are_listed)
{
    ASSERT_ANSWER("\x00\x01\x00\x58" REQUEST_HEAD SOFTWARE PRIORITY ICE_CONTROLLED USERNAME
                      INTEGRITY FINGERPRINT,
                  "192.0.2.1", 32853,
                  "\x01\x11\x00\x24" REQUEST_HEAD UNKNOWN_REASON
                  "\x00\x0a\x00\x02\x00\x24\x00\x00");
    ASSERT_ANSWER("\x00\x01\x00\x10" REQUEST_HEAD "\x00\x03\x00\x04\x00\x00\x00\x06"
                  "\x7f\xff\x00\x01x\x00\x00\x00",
                  "192.0.2.1", 32853,
                  "\x01\x11\x00\x24" REQUEST_HEAD UNKNOWN_REASON
                  "\x00\x0a\x00\x04\x00\x03\x7f\xff");
}

Test(stun, at_most_eight_attributes_are_listed)
{
    char request[20 + 9 * 4] = "\x00\x01\x00\x24" REQUEST_HEAD;
    char memory[256];
    struct buf b = buf_over(memory, sizeof(memory));
    const struct endpoint peer = endpoint_of("192.0.2.1", 1);
    for (unsigned i = 0; i < 9; i++) {
        request[20 + 4 * i] = 0x40;
        request[21 + 4 * i] = (char)i;
    }
    cr_assert_eq(stun_answer(slice_of(request, sizeof(request)), &peer, &b), ERR_OK);
    cr_assert(slice_equal(slice_from(buf_slice(&b), 20 + 28),
                          SLICE("\x00\x0a\x00\x10\x40\x00\x40\x01\x40\x02\x40\x03"
                                "\x40\x04\x40\x05\x40\x06\x40\x07")));
    cr_assert_eq((unsigned char)memory[3], b.len - 20);
}

Test(stun, looks_like_stun_what_cannot_be_sip)
{
    cr_assert(stun_looks_like(SLICE("\x00\x01\x00\x00" REQUEST_HEAD)));
    cr_assert(stun_looks_like(SLICE("\x00\x01\x00\x00" CLASSIC_HEAD)));
    cr_assert(stun_looks_like(SLICE("\x3f\xff\x00\x04" REQUEST_HEAD "abcd")));
    cr_assert_not(stun_looks_like(SLICE("")));
    cr_assert_not(stun_looks_like(slice_of(NULL, 0)));
    cr_assert_not(stun_looks_like(SLICE("\x00\x00\x00\x00")), "a keep-alive of zeros");
    cr_assert_not(stun_looks_like(SLICE("\x40\x01\x00\x00" REQUEST_HEAD)), "channel data");
    cr_assert_not(stun_looks_like(SLICE("\x80\x01\x00\x00" REQUEST_HEAD)), "RTP");
    cr_assert_not(stun_looks_like(SLICE("\x00\x01\x00\x04" REQUEST_HEAD)), "too short");
    cr_assert_not(stun_looks_like(SLICE("\x00\x01\x00\x00" REQUEST_HEAD "abcd")), "too long");
    cr_assert_not(stun_looks_like(SLICE("\x00\x01\x00\x02" REQUEST_HEAD "ab")), "not by fours");
    cr_assert_not(stun_looks_like(SLICE("OPTIONS sip:bob@biloxi.com SIP/2.0\r\n")));
}

Test(stun, what_asks_for_no_answer_gets_none)
{
    static const struct slice requests[] = {
        SLICE_INIT("\x00\x11\x00\x00" REQUEST_HEAD), // an indication
        SLICE_INIT("\x01\x01\x00\x00" REQUEST_HEAD), // a response
        SLICE_INIT("\x01\x11\x00\x00" REQUEST_HEAD), // an error
        SLICE_INIT("\x00\x03\x00\x00" REQUEST_HEAD), // TURN's Allocate
        SLICE_INIT("\x40\x01\x00\x00" REQUEST_HEAD),
        SLICE_INIT("\x00\x01\x00\x04" REQUEST_HEAD "\x00\x06\x00\x01"), // beyond the message
        SLICE_INIT("\x00\x01\x00\x08" REQUEST_HEAD "\x00\x06\x00\x05wxyz"),
        SLICE_INIT("\x00\x01\x00\x04" REQUEST_HEAD "\x00\x24\xff\xff"),
        SLICE_INIT("INVITE sip:bob@biloxi.com SIP/2.0\r\n\r\n"),
        SLICE_INIT(""),
    };
    const struct endpoint peer = endpoint_of("192.0.2.1", 32853);
    for (size_t i = 0; i < LENGTH_OF(requests); i++) {
        char memory[256];
        struct buf b = buf_over(memory, sizeof(memory));
        cr_expect_eq(stun_answer(requests[i], &peer, &b), ERR_SYNTAX, "request %zu", i);
        cr_expect(buf_ok(&b) && b.len == 0, "request %zu", i);
    }
}

Test(stun, answer_that_does_not_fit_overflows)
{
    const struct endpoint peer = endpoint_of("192.0.2.1", 32853);
    char memory[31];
    struct buf b = buf_over(memory, sizeof(memory));
    cr_assert_eq(stun_answer(SLICE("\x00\x01\x00\x00" REQUEST_HEAD), &peer, &b), ERR_OK);
    cr_assert_not(buf_ok(&b));
}

// Cut at any byte, and with the length field made to agree, so that the attributes are walked.
Test(stun, cut_anywhere_is_not_read_beyond)
{
    const struct slice whole = SLICE("\x00\x01\x00\x58" REQUEST_HEAD SOFTWARE PRIORITY
                                         ICE_CONTROLLED USERNAME INTEGRITY FINGERPRINT);
    const struct guard guard = guard_create(whole.len);
    const struct endpoint peer = endpoint_of("192.0.2.1", 32853);
    for (size_t len = 0; len < whole.len; len++) {
        char memory[256];
        struct buf b = buf_over(memory, sizeof(memory));
        const struct slice cut = guard_copy(guard, slice_of(whole.at, len));
        cr_assert_eq(stun_answer(cut, &peer, &b), ERR_SYNTAX, "%zu bytes", len);
        cr_assert_eq(b.len, 0);
        if (len >= 20) {
            guard.end[-(ptrdiff_t)len + 3] = (char)(len - 20);
            const enum err e = stun_answer(cut, &peer, &b);
            cr_assert(e == ERR_SYNTAX || len % 4 == 0, "%zu bytes", len);
            cr_assert_eq(e == ERR_SYNTAX, b.len == 0);
        }
    }
}
