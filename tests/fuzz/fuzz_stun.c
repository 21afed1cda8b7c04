// SPDX-License-Identifier: Apache-2.0
// One datagram as a STUN binding request (RFC 5389): the answer adds up, belongs to the request and
// tells the peer's address, or what in the request was not understood.
#include "signpost/sip/stun.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

enum { HEADER_BYTES = 20, ATTRIBUTE_BYTES = 4, COOKIE = 0x2112a442 };

static unsigned get16(struct slice s, size_t at)
{
    assert(at + 2 <= s.len);
    const unsigned high = (unsigned char)s.at[at];
    return high << 8 | (unsigned char)s.at[at + 1];
}

// Takes an attribute off the front; false at the end. What does not add up is a finding in an
// answer, and no answer in a request.
static bool next_attribute(struct slice *rest, unsigned *type, struct slice *value)
{
    if (slice_empty(*rest)) {
        return false;
    }
    const size_t len = get16(*rest, 2);
    const size_t padded = (len + 3) / 4 * 4;
    assert(ATTRIBUTE_BYTES + padded <= rest->len);
    *type = get16(*rest, 0);
    *value = slice_of(rest->at + ATTRIBUTE_BYTES, len);
    *rest = slice_from(*rest, ATTRIBUTE_BYTES + padded);
    return true;
}

static void check_address(struct slice value, struct slice request, const struct endpoint *peer,
                          bool xored)
{
    const size_t bytes = peer->ip.family == IP_V4 ? 4 : 16;
    assert(value.len == 4 + bytes);
    assert(get16(value, 0) == (peer->ip.family == IP_V4 ? 1 : 2));
    assert((get16(value, 2) ^ (xored ? COOKIE >> 16 : 0)) == peer->port);
    for (size_t i = 0; i < bytes; i++) {
        const int mask = xored ? request.at[4 + i] : 0;
        assert((uint8_t)(value.at[4 + i] ^ mask) == peer->ip.bytes[i]);
    }
}

// The type is one that has to be understood, and an attribute of the request has it.
static void check_unknown(struct slice request, unsigned wanted)
{
    struct slice rest = slice_from(request, HEADER_BYTES);
    struct slice value;
    unsigned type;
    bool found = false;
    assert(wanted < 0x8000);
    while (next_attribute(&rest, &type, &value)) {
        found = found || type == wanted;
    }
    assert(found);
}

static void check_success(struct slice rest, struct slice request, const struct endpoint *peer)
{
    const bool xored = get16(request, 4) == COOKIE >> 16 && get16(request, 6) == (COOKIE & 0xffff);
    struct slice value;
    unsigned type;
    const bool one = next_attribute(&rest, &type, &value);
    assert(one && slice_empty(rest) && type == (xored ? 0x20 : 1));
    (void)one;
    check_address(value, request, peer, xored);
}

static void check_error(struct slice rest, struct slice request)
{
    struct slice code;
    struct slice list;
    unsigned type;
    const bool first = next_attribute(&rest, &type, &code);
    assert(first && type == 9 && code.len >= 4 && get16(code, 0) == 0);
    assert(code.at[2] == 4 && code.at[3] == 20);
    const bool second = next_attribute(&rest, &type, &list);
    assert(second && type == 10 && slice_empty(rest) && list.len > 0 && list.len % 2 == 0);
    (void)first;
    (void)second;
    for (size_t i = 0; i < list.len; i += 2) {
        check_unknown(request, get16(list, i));
    }
}

static void check_answer(struct slice request, const struct endpoint *peer)
{
    char bytes[512];
    struct buf out = buf_over(bytes, sizeof(bytes));
    const enum err e = stun_answer(request, peer, &out);
    const struct slice answer = buf_slice(&out);
    if (e != ERR_OK) {
        assert(answer.len == 0);
        return;
    }
    assert(buf_ok(&out) && stun_looks_like(request) && stun_looks_like(answer));
    assert(get16(request, 0) == 1);
    assert(memcmp(answer.at + 4, request.at + 4, 16) == 0);
    const struct slice attributes = slice_from(answer, HEADER_BYTES);
    if (get16(answer, 0) == 0x101) {
        check_success(attributes, request, peer);
    } else {
        assert(get16(answer, 0) == 0x111);
        check_error(attributes, request);
    }
    // an answer is none to be answered
    struct buf none = buf_over(bytes, sizeof(bytes));
    const enum err again = stun_answer(answer, peer, &none);
    assert(again != ERR_OK);
    (void)again;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct endpoint peers[] = {
        {.ip = {IP_V4, {192, 0, 2, 1}}, .port = 5070},
        {.ip = {IP_V6, {0x20, 1, 0xd, 0xb8, [15] = 1}}, .port = 65535},
    };
    const struct slice input = guarded(0, data, size);
    assert(!stun_looks_like(input) || (input.len >= HEADER_BYTES && input.at[0] < 0x40));
    for (size_t i = 0; i < sizeof(peers) / sizeof(peers[0]); i++) {
        check_answer(input, &peers[i]);
    }
    return 0;
}
