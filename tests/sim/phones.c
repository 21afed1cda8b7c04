// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/phones.h"

enum { PEERS = 8 };

static unsigned new_number(struct phones *p)
{
    return ++p->next_number;
}

static unsigned domains_of(const struct phones *p)
{
    return p->config->domain_count == 0 ? SPEC_DOMAINS : p->config->domain_count;
}

// ---- Who there is

static struct uri_spec make_contact(struct phones *p, const struct phone *phone)
{
    static const uint16_t ports[] = {0, 0, 5060, 5061, 5070};

    static const enum uri_spec_transport transports[] = {SPEC_NO_TRANSPORT, SPEC_NO_TRANSPORT,
                                                         SPEC_UDP, SPEC_TCP};

    const unsigned scheme = rng_below(p->rng, 10);
    if (rng_chance(p->rng, 12)) {
        // itself, which a caller must not be sent to
        return (struct uri_spec){.user = phone->user, .host = phone->domain};
    }
    return (struct uri_spec){
        .scheme = scheme < 7   ? SPEC_SIP
                  : scheme < 9 ? SPEC_SIPS
                               : SPEC_TEL,
        .transport = RNG_PICK(p->rng, transports),
        .user = (uint8_t)rng_below(p->rng, SPEC_USERS),
        .host = (uint8_t)(SPEC_FOREIGN + 1 + rng_below(p->rng, SPEC_HOSTS - SPEC_FOREIGN - 1)),
        .phone = rng_chance(p->rng, 10),
        .port = RNG_PICK(p->rng, ports),
    };
}

// Another of a phone's Contacts with one thing about it changed: nearly equal.
static struct uri_spec vary(struct phones *p, struct uri_spec uri)
{
    switch (rng_below(p->rng, 5)) {
    case 0: uri.port = uri.port == 0 ? 5060 : 0; break;
    case 1: uri.transport = uri.transport == SPEC_UDP ? SPEC_NO_TRANSPORT : SPEC_UDP; break;
    case 2: uri.phone = !uri.phone; break;
    case 3: uri.scheme = uri.scheme == SPEC_SIP ? SPEC_SIPS : SPEC_SIP; break;
    default: uri.user = (uint8_t)((uri.user + 1) % SPEC_USERS); break;
    }
    return uri;
}

static struct uri_spec choose_contact(struct phones *p, unsigned phone, unsigned contact)
{
    const struct phone *const own = &p->phones[phone];
    if (phone > 0 && rng_chance(p->rng, 40)) {
        return p->phones[phone - 1].contacts[contact];
    }
    return contact > 0 && rng_chance(p->rng, 40) ? vary(p, own->contacts[contact - 1])
                                                 : make_contact(p, own);
}

void phones_start(struct phones *phones, struct rng *rng, const struct model_config *config)
{
    *phones = (struct phones){.rng = rng, .config = config, .count = 2 + rng_below(rng, 4)};
    const unsigned users = 1 + rng_below(rng, 3);
    for (unsigned i = 0; i < phones->count; i++) {
        struct phone *const phone = &phones->phones[i];
        phone->user = (uint8_t)rng_below(rng, users);
        phone->domain = (uint8_t)rng_below(rng, domains_of(phones));
        phone->call = new_number(phones);
        phone->cseq = rng_below(rng, 1000);
        for (unsigned c = 0; c < PHONE_CONTACTS; c++) {
            phone->contacts[c] = choose_contact(phones, i, c);
        }
    }
}

// ---- Of any request

static void begin(struct phones *p, struct intent *out, enum intent_kind kind)
{
    *out = (struct intent){
        .kind = kind,
        .call = new_number(p),
        .from_tag = new_number(p),
        .branch = new_number(p),
        .cseq = 1 + rng_below(p->rng, 100),
        .peer = rng_below(p->rng, PEERS),
        .rport = rng_chance(p->rng, 40),
        .natted = rng_chance(p->rng, 20),
        .no_port = rng_chance(p->rng, 10),
        .proxied = rng_chance(p->rng, 20),
        .compact = rng_chance(p->rng, 20),
        .one_row = rng_chance(p->rng, 40),
    };
}

static struct uri_spec spelled(struct phones *p, struct uri_spec uri)
{
    uri.spelling = (uint8_t)(rng_chance(p->rng, 50) ? 0 : rng_below(p->rng, SPELLINGS));
    uri.extra = uri.user != SPEC_NO_USER && rng_chance(p->rng, 15);
    return uri;
}

static struct uri_spec address_of(struct phones *p, const struct phone *phone)
{
    return spelled(p, (struct uri_spec){.user = phone->user, .host = phone->domain});
}

static const struct phone *some_phone(struct phones *p)
{
    return &p->phones[rng_below(p->rng, p->count)];
}

// ---- REGISTER

static struct expiry some_expiry(struct phones *p)
{
    const struct model_config *const c = p->config;
    const uint64_t usual[] = {c->expires_min_s, c->expires_min_s + 1, c->expires_max_s,
                              c->expires_max_s + 1, c->expires_default_s};
    const uint64_t odd[] = {
        0,    1,    2,          c->expires_min_s - 1, c->expires_max_s - 1,       3599,
        3600, 3601, UINT32_MAX, UINT64_C(4294967296), UINT64_C(99999999999999999)};
    struct expiry expiry = {.form = EXPIRY_NUMBER};
    if (rng_chance(p->rng, 5)) {
        expiry.form = EXPIRY_MALFORMED;
    } else {
        expiry.seconds = rng_chance(p->rng, 75) ? RNG_PICK(p->rng, usual) : RNG_PICK(p->rng, odd);
    }
    return expiry;
}

static void add_contact(struct phones *p, const struct phone *phone, struct intent *out)
{
    static const int qs[] = {Q_NONE, Q_NONE, 1000, 900, 500, 501, 1, 0};
    struct contact_intent *const c = &out->contacts[out->contact_count++];
    *c = (struct contact_intent){
        .uri = spelled(p, phone->contacts[rng_below(p->rng, PHONE_CONTACTS)]),
        .q = RNG_PICK(p->rng, qs),
        .instance = rng_chance(p->rng, 30),
    };
    if (c->uri.scheme == SPEC_TEL) {
        c->uri.spelling = 0;
        c->uri.extra = false;
    }
    if (rng_chance(p->rng, 15)) {
        c->expiry = (struct expiry){.form = EXPIRY_NUMBER, .seconds = 0};
    } else if (rng_chance(p->rng, 60)) {
        c->expiry = some_expiry(p);
    }
}

static void add_contacts(struct phones *p, const struct phone *phone, struct intent *out)
{
    const unsigned count = rng_chance(p->rng, 50) ? 1 : 1 + rng_below(p->rng, INTENT_CONTACTS_MAX);
    for (unsigned i = 0; i < count; i++) {
        add_contact(p, phone, out);
    }
    if (rng_chance(p->rng, 50)) {
        out->expires = some_expiry(p);
    }
}

static void set_star(struct intent *out)
{
    out->star = true;
    out->expires = (struct expiry){.form = EXPIRY_NUMBER, .seconds = 0};
}

// A REGISTER from a phone whose clocks and counters are in order, and which asks for what it may.
static void begin_register(struct phones *p, struct phone *phone, struct intent *out)
{
    begin(p, out, INTENT_REGISTER);
    out->call = phone->call;
    out->cseq = phone->cseq += 1 + rng_below(p->rng, 2);
    out->target = (struct uri_spec){.user = SPEC_NO_USER, .host = phone->domain};
    out->to = address_of(p, phone);
}

static void spoil_order(struct phones *p, struct phone *phone, struct intent *out)
{
    switch (rng_below(p->rng, 5)) {
    case 0: // an old number, or the last one once more
    case 1: out->cseq -= rng_below(p->rng, out->cseq < 5 ? out->cseq : 5); break;
    case 2: // started anew
        out->call = phone->call = new_number(p);
        out->cseq = phone->cseq = 1 + rng_below(p->rng, 5);
        break;
    case 3: // on behalf of another phone
        out->call = some_phone(p)->call;
        break;
    default: out->to = address_of(p, some_phone(p)); break;
    }
}

// Of several Contacts one is out of order: then nothing may come of the others either.
static void make_half_register(struct phones *p, struct intent *out)
{
    struct phone *const phone = &p->phones[rng_below(p->rng, p->count)];
    begin_register(p, phone, out);
    out->cseq -= rng_below(p->rng, out->cseq < 5 ? out->cseq : 5);
    while (out->contact_count < INTENT_CONTACTS_MAX) {
        add_contact(p, phone, out);
        if (rng_chance(p->rng, 50)) {
            struct expiry *const expiry = &out->contacts[out->contact_count - 1].expiry;
            *expiry = (struct expiry){.form = EXPIRY_NUMBER, .seconds = 0};
        }
    }
}

static void make_register(struct phones *p, struct intent *out)
{
    struct phone *const phone = &p->phones[rng_below(p->rng, p->count)];
    const unsigned what = rng_below(p->rng, 100);
    begin_register(p, phone, out);
    if (what < 15) {
        spoil_order(p, phone, out);
    }
    if (what >= 92) {
        set_star(out);
    } else if (what < 87) {
        add_contacts(p, phone, out); // otherwise it asks what there is
    }
    if (what >= 70 && what < 78) {
        out->expires = (struct expiry){.form = EXPIRY_NUMBER, .seconds = 0};
        for (unsigned i = 0; i < out->contact_count; i++) {
            out->contacts[i].expiry = out->expires;
        }
    }
    out->requires = rng_chance(p->rng, 3);
}

// Contacts without an expiry, which is never too brief; for what has another flaw.
static void make_flawed_register(struct phones *p, struct intent *out)
{
    struct phone *const phone = &p->phones[rng_below(p->rng, p->count)];
    begin_register(p, phone, out);
    out->flaw = (enum flaw)(FLAW_NONE + 1 + rng_below(p->rng, FLAW_COUNT - FLAW_NONE - 1));
    if (out->flaw == FLAW_FOREIGN_URI || out->flaw == FLAW_FOREIGN_TO) {
        if (p->config->domain_count == 0) {
            out->flaw = FLAW_STRANGER; // no domain is foreign
        } else if (out->flaw == FLAW_FOREIGN_URI) {
            out->target.host = SPEC_FOREIGN;
        } else {
            out->to.host = SPEC_FOREIGN;
        }
    }
    out->star = out->flaw == FLAW_STAR_EXPIRES || out->flaw == FLAW_STAR_NO_EXPIRES ||
                out->flaw == FLAW_STAR_MIXED;
    if (out->star && out->flaw != FLAW_STAR_NO_EXPIRES) {
        out->expires.form = EXPIRY_NUMBER;
        out->expires.seconds = out->flaw == FLAW_STAR_EXPIRES ? p->config->expires_max_s : 0;
    }
    if (!out->star || out->flaw == FLAW_STAR_MIXED) {
        add_contact(p, phone, out);
        add_contact(p, phone, out);
        out->contacts[0].expiry.form = EXPIRY_ABSENT;
        out->contacts[1].expiry.form = EXPIRY_ABSENT;
    }
}

// ---- Everything else

static void make_call(struct phones *p, struct intent *out)
{
    static const enum intent_kind kinds[] = {INTENT_INVITE,  INTENT_INVITE,    INTENT_INVITE,
                                             INTENT_OPTIONS, INTENT_MESSAGE,   INTENT_MESSAGE,
                                             INTENT_BYE,     INTENT_SUBSCRIBE, INTENT_FOO};
    const struct phone *const phone = some_phone(p);
    begin(p, out, RNG_PICK(p->rng, kinds));
    out->target = address_of(p, phone);
    out->to = address_of(p, phone);
    out->in_dialog = out->kind == INTENT_BYE || rng_chance(p->rng, 5);
    out->requires = rng_chance(p->rng, 5);
    if (rng_chance(p->rng, 20)) {
        out->target.scheme = SPEC_SIPS;
    }
    if (rng_chance(p->rng, 10)) {
        out->target.user = (uint8_t)rng_below(p->rng, SPEC_USERS); // perhaps nobody
    }
    if (rng_chance(p->rng, 5)) {
        out->target.host = SPEC_FOREIGN;
        // A domain that is served, though nobody registers there.
    } else if (rng_chance(p->rng, 12) && out->kind != INTENT_INVITE) {
        out->target.user = SPEC_NO_USER;
    }
    if (!out->in_dialog && out->kind != INTENT_INVITE && rng_chance(p->rng, 8)) {
        out->flaw = (enum flaw)(FLAW_NONE + 1 + rng_below(p->rng, FLAW_FIRST_OF_REGISTER - 1));
    }
}

static void keep(struct phones *p, const struct intent *out)
{
    if (out->kind == INTENT_INVITE) {
        p->last_invite = *out;
        p->has_invite = true;
    }
    if (out->flaw == FLAW_NONE && !out->in_dialog && out->kind != INTENT_CANCEL) {
        p->last_other = *out;
        p->has_other = true;
    }
}

void phones_next(struct phones *phones, struct intent *out)
{
    const unsigned what = rng_below(phones->rng, 100);
    if (what < 5 && phones->has_invite) {
        *out = phones->last_invite;
        out->kind = INTENT_CANCEL;
    } else if (what < 9 && phones->has_other) {
        *out = phones->last_other; // by way of another proxy, or from one that forgets its tags
        out->branch = new_number(phones);
        out->from_tag = rng_chance(phones->rng, 30) ? new_number(phones) : out->from_tag;
    } else if (what < 17) {
        make_flawed_register(phones, out);
    } else if (what < 21) {
        make_half_register(phones, out);
    } else if (what < 60) {
        make_register(phones, out);
    } else {
        make_call(phones, out);
    }
    keep(phones, out);
}
