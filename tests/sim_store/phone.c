// SPDX-License-Identifier: Apache-2.0
#include "tests/sim_store/phone.h"

#include <stdarg.h>
#include <stdio.h>

static void put(struct buf *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(struct buf *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    const int len = vsnprintf(text->at + text->len, text->cap - text->len, format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < text->cap - text->len);
    text->len += (size_t)len;
}

static void put_uri(struct buf *text, unsigned aor, unsigned phone)
{
    put(text, "sip:a%u.%u@192.0.2.4:5070", aor, phone);
}

static void put_params(struct buf *text, uint32_t cseq, unsigned pad_bytes)
{
    put(text, ";n=%u;pad=", cseq);
    char *const room = buf_room(text, pad_bytes + 1);
    assert(room != NULL);
    memset(room, (int)('a' + cseq % 26), pad_bytes + 1);
}

// So that the order in which Contacts are offered is not that of their age.
static unsigned q_tenths(unsigned phone)
{
    return 1 + phone * 7 % 5;
}

static void put_contact(struct buf *text, const struct deed *deed)
{
    switch (deed->kind) {
    case DEED_BIND:
    case DEED_REMOVE:
        put(text, "Contact: <");
        put_uri(text, deed->aor, deed->phone);
        put(text, ">;q=0.%u", q_tenths(deed->phone));
        put_params(text, deed->cseq, deed->pad_bytes);
        put(text, "\r\nExpires: %u\r\n", deed->kind == DEED_BIND ? deed->expires_s : 0);
        break;
    case DEED_REMOVE_ALL: put(text, "Contact: *\r\nExpires: 0\r\n"); break;
    case DEED_ASK: break;
    }
}

struct slice phone_register(struct buf *text, const struct deed *deed)
{
    text->len = 0;
    put(text, "REGISTER sip:example.com SIP/2.0\r\n");
    put(text, "Via: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bK%u.%u.%u\r\n", deed->aor, deed->phone,
        deed->cseq);
    put(text, "Max-Forwards: 70\r\nTo: <sip:u%u@example.com>\r\n", deed->aor);
    put(text, "From: <sip:u%u@example.com>;tag=f%u\r\n", deed->aor, deed->phone);
    put(text, "Call-ID: c%u.%u\r\nCSeq: %u REGISTER\r\n", deed->aor, deed->phone, deed->cseq);
    put_contact(text, deed);
    put(text, "Content-Length: 0\r\n\r\n");
    assert(buf_ok(text));
    return buf_slice(text);
}

struct slice phone_invite(struct buf *text, unsigned aor, unsigned number)
{
    text->len = 0;
    put(text, "INVITE sip:u%u@example.com SIP/2.0\r\n", aor);
    put(text, "Via: SIP/2.0/UDP 192.0.2.4:5070;branch=z9hG4bKi%u\r\n", number);
    put(text, "Max-Forwards: 70\r\nTo: <sip:u%u@example.com>\r\n", aor);
    put(text, "From: <sip:caller@example.com>;tag=i%u\r\n", number);
    put(text, "Call-ID: i%u\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n", number);
    return buf_slice(text);
}

struct slice phone_aor(struct buf *text, unsigned aor)
{
    text->len = 0;
    put(text, "u%u@example.com", aor);
    return buf_slice(text);
}

bool phone_reads(const struct binding *binding, unsigned aor, unsigned pad_bytes, unsigned *phone)
{
    char bytes[PHONE_TEXT_BYTES];
    for (*phone = 0; *phone < PHONES_MAX; ++*phone) {
        struct buf text = buf_over(bytes, sizeof(bytes));
        put_uri(&text, aor, *phone);
        if (!slice_equal(binding->uri, buf_slice(&text))) {
            continue;
        }
        text.len = 0;
        put_params(&text, binding->cseq, pad_bytes);
        const bool whole = slice_equal(binding->params, buf_slice(&text));
        text.len = 0;
        put(&text, "c%u.%u", aor, *phone);
        return whole && slice_equal(binding->call_id, buf_slice(&text)) &&
               binding->request_id != 0 && binding->q == 100 * q_tenths(*phone) &&
               binding->extra.len == 0;
    }
    return false;
}
