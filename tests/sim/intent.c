// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/intent.h"

#include <stdio.h>

enum { STRANGER_PEER = 99, NAT_PORT = 5066 };

static const char *const users[SPEC_USERS] = {"alice", "bob", "Bob", "carol", "dave", "e;ve"};
static const char *const hosts[SPEC_HOSTS] = {
    "example.com", "example.net",   "elsewhere.example", "phone.example.org",
    "192.0.2.77",  "[2001:db8::a]", "198.51.100.9"};
static const char *const transports[] = {"", ";transport=udp", ";transport=tcp"};
static const char *const schemes[] = {"sip:", "sips:", "tel:+1555000"};

static void put(struct buf *b, const char *text)
{
    buf_put(b, slice_of(text, strlen(text)));
}

static void put_cased(struct buf *b, const char *text, bool upper)
{
    if (!upper) {
        put(b, text);
        return;
    }
    for (; *text != '\0'; text++) {
        const char c = *text;
        buf_put_char(b, (char)(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
    }
}

static void put_user(struct buf *b, const char *user, bool escaped)
{
    char hex[4];
    if (escaped) {
        (void)snprintf(hex, sizeof(hex), "%%%02x", (unsigned)*user);
        put(b, hex);
        user++;
    }
    put(b, user);
    buf_put_char(b, '@');
}

void uri_spec_put(struct buf *b, const struct uri_spec *uri)
{
    if (uri->scheme == SPEC_TEL) {
        put(b, schemes[SPEC_TEL]);
        buf_put_u64(b, uri->user);
        return;
    }
    put_cased(b, schemes[uri->scheme], (uri->spelling & SPELL_SCHEME) != 0);
    if (uri->user != SPEC_NO_USER) {
        put_user(b, users[uri->user], (uri->spelling & SPELL_ESCAPED) != 0);
    }
    put_cased(b, hosts[uri->host], (uri->spelling & SPELL_HOST) != 0);
    if (uri->port != 0) {
        buf_put_char(b, ':');
        buf_put_u64(b, uri->port);
    }
    put_cased(b, transports[uri->transport], (uri->spelling & SPELL_PARAMS) != 0);
    put(b, uri->extra ? ";x=1" : "");
    put_cased(b, uri->phone ? ";user=phone" : "", (uri->spelling & SPELL_PARAMS) != 0);
}

void uri_spec_put_aor(struct buf *b, uint8_t user, uint8_t domain)
{
    put_user(b, users[user], false);
    put(b, hosts[domain]);
}

bool uri_spec_same(const struct uri_spec *a, const struct uri_spec *b)
{
    if (a->scheme == SPEC_TEL || b->scheme == SPEC_TEL) {
        return a->scheme == b->scheme && a->user == b->user;
    }
    return a->scheme == b->scheme && a->user == b->user && a->host == b->host &&
           a->port == b->port && a->transport == b->transport && a->phone == b->phone;
}

// ---- Who sends it

struct endpoint intent_peer(const struct intent *in)
{
    struct endpoint peer = {.port = (uint16_t)(5060 + in->peer)};
    char text[32];
    if (in->flaw == FLAW_STRANGER) {
        (void)snprintf(text, sizeof(text), "198.51.100.%u", STRANGER_PEER);
    } else if (in->peer % 4 == 3 && !in->natted) {
        (void)snprintf(text, sizeof(text), "2001:db8::%x", in->peer + 1);
    } else {
        (void)snprintf(text, sizeof(text), "192.0.2.%u", in->peer + 1);
    }
    (void)ip_parse(slice_of(text, strlen(text)), &peer.ip);
    return peer;
}

static uint16_t sent_by_port(const struct intent *in)
{
    if (in->no_port) {
        return 0;
    }
    return in->natted ? NAT_PORT : intent_peer(in).port;
}

struct endpoint intent_answer_target(const struct intent *in)
{
    struct endpoint target = intent_peer(in);
    if (!in->rport) {
        target.port = in->no_port ? 5060 : sent_by_port(in);
    }
    return target;
}

void intent_put_sent_by(struct buf *b, const struct intent *in)
{
    const struct endpoint peer = intent_peer(in);
    if (in->natted) {
        put(b, "10.0.0.");
        buf_put_u64(b, in->peer + 1);
    } else {
        put(b, peer.ip.family == IP_V6 ? "[" : "");
        ip_put(b, &peer.ip);
        put(b, peer.ip.family == IP_V6 ? "]" : "");
    }
    if (!in->no_port) {
        buf_put_char(b, ':');
        buf_put_u64(b, sent_by_port(in));
    }
}

// ---- Header fields

const char *intent_method(const struct intent *in)
{
    static const char *const names[] = {"REGISTER", "INVITE", "OPTIONS", "MESSAGE", "SUBSCRIBE",
                                        "FOO",      "BYE",    "CANCEL",  "ACK"};
    return names[in->kind];
}

void intent_put_second_via(struct buf *b, const struct intent *in)
{
    put(b, "SIP/2.0/UDP 10.9.9.9;branch=z9hG4bKup");
    buf_put_u64(b, in->branch);
}

void intent_put_from(struct buf *b, const struct intent *in)
{
    put(b, "\"A. Caller\" <sip:caller@example.org>;tag=f");
    buf_put_u64(b, in->from_tag);
}

// Without the tag that an answer may add.
void intent_put_to(struct buf *b, const struct intent *in)
{
    buf_put_char(b, '<');
    uri_spec_put(b, &in->to);
    buf_put_char(b, '>');
    put(b, in->in_dialog ? ";tag=there" : "");
}

void intent_put_call_id(struct buf *b, const struct intent *in)
{
    put(b, "call-");
    buf_put_u64(b, in->call);
    put(b, "@example.org");
}

void intent_put_cseq(struct buf *b, const struct intent *in)
{
    buf_put_u64(b, in->cseq);
    buf_put_char(b, ' ');
    put(b, in->flaw == FLAW_CSEQ_METHOD ? "PUBLISH" : intent_method(in));
}

static void put_name(struct buf *b, const struct intent *in, const char *name, const char *compact)
{
    put(b, in->compact ? compact : name);
    put(b, ": ");
}

static void put_vias(struct buf *b, const struct intent *in)
{
    if (in->flaw == FLAW_NO_VIA) {
        return;
    }
    put_name(b, in, "Via", "v");
    put(b, "SIP/2.0/UDP ");
    intent_put_sent_by(b, in);
    put(b, in->rport ? ";rport" : "");
    put(b, ";branch=z9hG4bK");
    buf_put_u64(b, in->branch);
    put(b, "\r\n");
    if (in->proxied) {
        put_name(b, in, "Via", "v");
        intent_put_second_via(b, in);
        put(b, "\r\n");
    }
}

// ---- Contacts

static void put_expiry(struct buf *b, const struct expiry *expiry, const char *before)
{
    if (expiry->form == EXPIRY_ABSENT) {
        return;
    }
    put(b, before);
    if (expiry->form == EXPIRY_MALFORMED) {
        put(b, "soon");
    } else {
        buf_put_u64(b, expiry->seconds);
    }
}

static void put_contact(struct buf *b, const struct intent *in, unsigned i)
{
    const struct contact_intent *const c = &in->contacts[i];
    const bool flawed = i + 1 == in->contact_count;
    put(b, i % 2 == 1 ? "\"a, b\" <" : "<");
    put(b, flawed && in->flaw == FLAW_CONTACT_URI ? "sip:a b" : "");
    uri_spec_put(b, &c->uri);
    put(b, flawed && in->flaw == FLAW_CONTACT ? "" : ">");
    if (c->q != Q_NONE) {
        put(b, ";q=");
        buf_put_u64(b, (unsigned)c->q / 1000);
        buf_put_char(b, '.');
        buf_put_padded(b, (unsigned)c->q % 1000, 3);
    }
    put(b, flawed && in->flaw == FLAW_Q ? ";q=1.5" : "");
    put_expiry(b, &c->expiry, ";expires=");
    put(b, c->instance ? ";x-phone=\"one;two\"" : "");
}

static void put_contacts(struct buf *b, const struct intent *in)
{
    if (in->star) {
        put_name(b, in, "Contact", "m");
        put(b, "*\r\n");
    }
    for (unsigned i = 0; i < in->contact_count; i++) {
        if (i == 0 || !in->one_row) {
            put_name(b, in, "Contact", "m");
        }
        put_contact(b, in, i);
        put(b, in->one_row && i + 1 < in->contact_count ? ",\r\n " : "\r\n");
    }
    if (in->expires.form != EXPIRY_ABSENT) {
        put_expiry(b, &in->expires, "Expires: ");
        put(b, "\r\n");
    }
}

// ---- The whole

static void put_start_line(struct buf *b, const struct intent *in)
{
    if (in->flaw == FLAW_RESPONSE) {
        put(b, "SIP/2.0 200 OK\r\n");
        return;
    }
    put(b, intent_method(in));
    buf_put_char(b, ' ');
    if (in->flaw == FLAW_SCHEME) {
        put(b, "http://example.com/");
    } else if (in->flaw == FLAW_REQUEST_URI) {
        put(b, "sip:bob@exam_ple..com:x");
    } else {
        uri_spec_put(b, &in->target);
    }
    put(b, in->flaw == FLAW_VERSION ? " SIP/7.0\r\n" : " SIP/2.0\r\n");
}

static void put_mandatory(struct buf *b, const struct intent *in)
{
    if (in->flaw != FLAW_NO_FROM) {
        put_name(b, in, "From", "f");
        intent_put_from(b, in);
        put(b, "\r\n");
    }
    if (in->flaw != FLAW_NO_TO) {
        put_name(b, in, "To", "t");
        intent_put_to(b, in);
        put(b, in->to_tag[0] != '\0' ? ";tag=" : "");
        put(b, in->to_tag);
        put(b, "\r\n");
    }
    if (in->flaw != FLAW_NO_CALL_ID) {
        put_name(b, in, "Call-ID", "i");
        intent_put_call_id(b, in);
        put(b, "\r\n");
    }
    if (in->flaw != FLAW_NO_CSEQ) {
        put(b, "CSeq: ");
        intent_put_cseq(b, in);
        put(b, "\r\n");
    }
    put(b, "Max-Forwards: 70\r\n");
}

void intent_put(struct buf *b, const struct intent *in)
{
    if (in->flaw == FLAW_KEEPALIVE) {
        put(b, "\r\n\r\n");
        return;
    }
    if (in->flaw == FLAW_GARBAGE) {
        put(b, "What is this?\r\n\r\n");
        return;
    }
    put_start_line(b, in);
    put_vias(b, in);
    put_mandatory(b, in);
    put(b, in->requires ? "Require: teleport\r\n" : "");
    put_contacts(b, in);
    put_name(b, in, "Content-Length", "l");
    put(b, in->flaw == FLAW_CONTENT_LENGTH ? "12\r\n\r\nshort" : "0\r\n\r\n");
}
