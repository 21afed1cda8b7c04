// SPDX-License-Identifier: Apache-2.0
#include "micro/phone.h"

#include <inttypes.h>
#include <stdio.h>

#define DOMAIN      "sip.test"
#define USER        "u%07" PRIu32 "@" DOMAIN
#define STRANGER    "x%07" PRIu32 "@" DOMAIN
#define CALL_ID     "%016" PRIx64 "-%07" PRIu32 "@" DOMAIN
#define CONTACT_URI "sip:u%07" PRIu32 "@192.0.2.10:%" PRIu32 ";transport=udp;ob"

enum { PORT_MIN = 20000, PORTS = 40000, USERS_PER_PORT = 32 };

static const char sdp[] = "v=0\r\n"
                          "o=- 3900000000 3900000000 IN IP4 192.0.2.10\r\n"
                          "s=-\r\n"
                          "c=IN IP4 192.0.2.10\r\n"
                          "t=0 0\r\n"
                          "m=audio 4000 RTP/AVP 0 8 101\r\n"
                          "a=rtpmap:0 PCMU/8000\r\n"
                          "a=rtpmap:8 PCMA/8000\r\n"
                          "a=rtpmap:101 telephone-event/8000\r\n"
                          "a=fmtp:101 0-16\r\n"
                          "a=sendrecv\r\n";

// RFC 5389: a binding request without attributes.
static const char stun[] = "\x00\x01\x00\x00\x21\x12\xa4\x42"
                           "signpost-stu";

// The finalizer of splitmix64: numbers one apart look random, as phones' tags and Call-IDs do.
static uint64_t mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

static uint32_t port_of(uint32_t user)
{
    return PORT_MIN + user / USERS_PER_PORT % PORTS;
}

// What was printed into `out`, all of which must have fitted.
static size_t length_of(int printed)
{
    assert(printed > 0 && printed < PHONE_BYTES_MAX);
    return (size_t)printed;
}

struct slice phone_contact_uri(uint32_t user, char *out)
{
    return slice_of(out,
                    length_of(snprintf(out, PHONE_BYTES_MAX, CONTACT_URI, user, port_of(user))));
}

struct slice phone_aor(uint32_t user, char *out)
{
    return slice_of(out, length_of(snprintf(out, PHONE_BYTES_MAX, USER, user)));
}

struct slice phone_call_id(uint32_t user, char *out)
{
    return slice_of(out, length_of(snprintf(out, PHONE_BYTES_MAX, CALL_ID, mix(user), user)));
}

// One request: what its header fields say that are not the same for all.
struct lines {
    const char *method;
    const char *uri; // Request-URI
    const char *to;  // the URI in To, and a tag if it has one
    struct slice call_id;
    const char *rows; // of this method alone
    struct slice body;
};

static size_t write_request(const struct lines *l, const struct phone_words *w, char *out)
{
    char contact[PHONE_BYTES_MAX];
    (void)phone_contact_uri(w->user, contact);
    return length_of(snprintf(
        out, PHONE_BYTES_MAX,
        "%s %s SIP/2.0\r\n"
        "Via: SIP/2.0/UDP 192.0.2.10:%" PRIu32 ";rport;branch=z9hG4bK5ca1ab1e%016" PRIx64 "\r\n"
        "Max-Forwards: 70\r\n"
        "From: <sip:" USER ">;tag=%016" PRIx64 "\r\n"
        "Call-ID: %.*s\r\n"
        "CSeq: %" PRIu32 " %s\r\n"
        "To: %s\r\n"
        "Contact: <%s>\r\n"
        "%s"
        "User-Agent: sipflood/" SIGNPOST_VERSION "\r\n"
        "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
        "Content-Length: %zu\r\n"
        "\r\n"
        "%.*s",
        l->method, l->uri, port_of(w->user), mix(w->branch), w->user, mix(~w->branch),
        (int)l->call_id.len, l->call_id.at, w->cseq, l->method, l->to, contact, l->rows,
        l->body.len, (int)l->body.len, l->body.at));
}

static size_t write_register(const char *expires, const struct phone_words *w, char *out)
{
    char to[PHONE_BYTES_MAX];
    char call_id[PHONE_BYTES_MAX];
    (void)length_of(snprintf(to, sizeof(to), "<sip:" USER ">", w->user));
    return write_request(&(struct lines){.method = "REGISTER",
                                         .uri = "sip:" DOMAIN,
                                         .to = to,
                                         .call_id = phone_call_id(w->user, call_id),
                                         .rows = expires,
                                         .body = SLICE("")},
                         w, out);
}

// `uri` is the callee's.
static size_t write_call(const char *method, const char *uri, const char *to,
                         const struct phone_words *w, char *out)
{
    const bool invite = strcmp(method, "INVITE") == 0;
    char call_id[PHONE_BYTES_MAX];
    const size_t len =
        length_of(snprintf(call_id, sizeof(call_id), CALL_ID, mix(w->call), w->user));
    return write_request(&(struct lines){.method = method,
                                         .uri = uri,
                                         .to = to,
                                         .call_id = slice_of(call_id, len),
                                         .rows = invite ? "Content-Type: application/sdp\r\n" : "",
                                         .body = slice_of(sdp, invite ? sizeof(sdp) - 1 : 0)},
                         w, out);
}

static size_t write_to_callee(enum phone_text text, const struct phone_words *w, char *out)
{
    char uri[PHONE_BYTES_MAX];
    char to[PHONE_BYTES_MAX];
    (void)length_of(text == PHONE_INVITE_STRANGER
                        ? snprintf(uri, sizeof(uri), "sip:" STRANGER, w->callee)
                        : snprintf(uri, sizeof(uri), "sip:" USER, w->callee));
    (void)length_of(snprintf(to, sizeof(to),
                             text == PHONE_ACK ? "<%.64s>;tag=0123456789abcdef" : "<%.64s>", uri));
    return write_call(text == PHONE_ACK ? "ACK" : "INVITE", uri, to, w, out);
}

static size_t write_bytes(const char *bytes, size_t len, char *out)
{
    memcpy(out, bytes, len);
    return len;
}

size_t phone_write(enum phone_text text, const struct phone_words *words, char *out)
{
    switch (text) {
    case PHONE_REGISTER: return write_register("Expires: 3600\r\n", words, out);
    case PHONE_REGISTER_BRIEF: return write_register("Expires: 0010\r\n", words, out);
    case PHONE_REGISTER_REMOVE: return write_register("Expires: 0\r\n", words, out);
    case PHONE_INVITE:
    case PHONE_INVITE_STRANGER:
    case PHONE_ACK: return write_to_callee(text, words, out);
    case PHONE_OPTIONS: return write_call("OPTIONS", "sip:" DOMAIN, "<sip:" DOMAIN ">", words, out);
    case PHONE_KEEPALIVE: return write_bytes("\r\n\r\n", 4, out);
    case PHONE_STUN: return write_bytes(stun, sizeof(stun) - 1, out);
    }
    assert(false);
    return 0;
}
