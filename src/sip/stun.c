// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/stun.h"

enum {
    STUN_HEADER_BYTES = 20,
    STUN_COOKIE = 0x2112a442,
    STUN_BINDING_REQUEST = 0x0001,
    STUN_BINDING_SUCCESS = 0x0101,
    STUN_BINDING_ERROR = 0x0111,
    STUN_MAPPED_ADDRESS = 0x0001,
    STUN_ERROR_CODE = 0x0009,
    STUN_UNKNOWN_ATTRIBUTES = 0x000a,
    STUN_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_OPTIONAL_FROM = 0x8000, // attributes from here on may be ignored
    STUN_UNKNOWN_MAX = 8,        // listed in a 420; further ones are left out
};

static unsigned get16(const char *at)
{
    return (unsigned)(unsigned char)at[0] << 8 | (unsigned char)at[1];
}

static void put16(struct buf *b, unsigned value)
{
    buf_put_char(b, (char)(value >> 8 & 0xff));
    buf_put_char(b, (char)(value & 0xff));
}

bool stun_looks_like(struct slice bytes)
{
    return bytes.len >= STUN_HEADER_BYTES && ((unsigned char)bytes.at[0] & 0xc0) == 0 &&
           get16(bytes.at + 2) == bytes.len - STUN_HEADER_BYTES && bytes.len % 4 == 0;
}

// Attributes that a server of this usage would know: those of the old and new short-term
// mechanism (RFC 5389 15). They carry nothing that a keep-alive needs.
static bool attribute_known(unsigned type)
{
    enum { USERNAME = 0x0006, MESSAGE_INTEGRITY = 0x0008, REALM = 0x0014, NONCE = 0x0015 };

    return type == USERNAME || type == MESSAGE_INTEGRITY || type == REALM || type == NONCE ||
           type >= STUN_OPTIONAL_FROM;
}

// Collects the attributes that must be understood and are not. False when they do not add up to
// the message.
static bool scan_attributes(struct slice rest, unsigned unknown[static STUN_UNKNOWN_MAX],
                            unsigned *count)
{
    *count = 0;
    while (rest.len >= 4) {
        const unsigned type = get16(rest.at);
        const size_t padded = (get16(rest.at + 2) + 3U) & ~3U;
        if (padded > rest.len - 4) {
            return false;
        }
        if (!attribute_known(type) && *count < STUN_UNKNOWN_MAX) {
            unknown[(*count)++] = type;
        }
        rest = slice_from(rest, padded + 4);
    }
    return slice_empty(rest);
}

static void put_head(struct buf *out, unsigned type, size_t attribute_bytes, struct slice request)
{
    put16(out, type);
    put16(out, (unsigned)attribute_bytes);
    buf_put(out, slice_of(request.at + 4, 16)); // cookie and transaction id
}

// RFC 5389 15.1, 15.2: the address, exclusive-ored with the cookie and transaction id unless the
// client is of the old kind, which NATs that rewrite addresses in payloads would mislead.
static void put_mapped_address(struct buf *out, struct slice request, const struct endpoint *peer)
{
    static const unsigned char cookie[] = {0x21, 0x12, 0xa4, 0x42};
    const bool xor = memcmp(request.at + 4, cookie, sizeof(cookie)) == 0;
    const size_t bytes = peer->ip.family == IP_V4 ? 4 : 16;
    put_head(out, STUN_BINDING_SUCCESS, bytes + 8, request);
    put16(out, xor? STUN_XOR_MAPPED_ADDRESS : STUN_MAPPED_ADDRESS);
    put16(out, (unsigned)bytes + 4);
    put16(out, peer->ip.family == IP_V4 ? 1 : 2);
    put16(out, xor? peer->port ^ STUN_COOKIE >> 16 : peer->port);
    for (size_t i = 0; i < bytes; i++) {
        const unsigned mask = xor? (unsigned char)request.at[4 + i] : 0;
        buf_put_char(out, (char)(peer->ip.bytes[i] ^ mask));
    }
}

static void put_unknown_attributes(struct buf *out, struct slice request, const unsigned *unknown,
                                   unsigned count)
{
    static const struct slice reason = SLICE_INIT("Unknown Attribute   "); // padded to 4 bytes
    const unsigned listed = (count + 1) & ~1U;
    put_head(out, STUN_BINDING_ERROR, 8 + reason.len + 4 + 2 * (size_t)listed, request);
    put16(out, STUN_ERROR_CODE);
    put16(out, (unsigned)(4 + reason.len));
    put16(out, 0);
    put16(out, 4 << 8 | 20);
    buf_put(out, reason);
    put16(out, STUN_UNKNOWN_ATTRIBUTES);
    put16(out, 2 * count);
    for (unsigned i = 0; i < listed; i++) {
        put16(out, i < count ? unknown[i] : 0);
    }
}

enum err stun_answer(struct slice bytes, const struct endpoint *peer, struct buf *out)
{
    unsigned unknown[STUN_UNKNOWN_MAX];
    unsigned count;
    if (!stun_looks_like(bytes) || get16(bytes.at) != STUN_BINDING_REQUEST ||
        !scan_attributes(slice_from(bytes, STUN_HEADER_BYTES), unknown, &count)) {
        return ERR_SYNTAX;
    }
    if (count > 0) {
        put_unknown_attributes(out, bytes, unknown, count);
    } else {
        put_mapped_address(out, bytes, peer);
    }
    return ERR_OK;
}
