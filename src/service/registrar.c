// SPDX-License-Identifier: Apache-2.0
#include "service/registrar.h"

#include "signpost/sip/chars.h"
#include "signpost/sip/params.h"

enum {
    // RFC 3261 20.10: a malformed expiry counts as an hour; 10.3 step 7: nothing from an hour up
    // may be refused as too brief.
    HOUR_S = 3600,
};

// The steps answer the request themselves when they refuse it, and then return false.
static bool fits(struct request *r);
static bool step1_domain(struct request *r);
static bool step2_extensions(struct request *r);
static bool step4_authorization(struct request *r);
static bool step5_address_of_record(struct request *r);
static bool step6_contacts(struct request *r, struct registration *registration);
static void step7_update(struct request *r, const struct registration *registration);
static void step8_answer(struct request *r);

void registrar_register(struct request *r)
{
    struct registration registration = {
        .call_id = r->call_id,
        .cseq = r->cseq.number,
        .request_id = r->id,
        .updates = r->updates,
    };
    // Step 3, authentication, belongs between the second and the fourth.
    if (fits(r) && step1_domain(r) && step2_extensions(r) && step4_authorization(r) &&
        step5_address_of_record(r) && step6_contacts(r, &registration)) {
        registration.aor = buf_slice(&r->aor);
        if (r->done_before) {
            // What it asked for is done, and may have been undone since by a later request, which
            // a late copy of this one is not to bring back.
            registration.update_count = 0;
            registration.remove_all = false;
        }
        step7_update(r, &registration);
    }
}

static bool fits(struct request *r)
{
    if (r->in->bytes.len > REGISTER_BYTES_MAX) {
        request_answer(r, STATUS_MESSAGE_TOO_LARGE, SLICE(""));
        return false;
    }
    return true;
}

static bool step1_domain(struct request *r)
{
    if (!request_domain_served(r, &r->uri) && !r->names_server) {
        request_answer(r, STATUS_NOT_FOUND, SLICE("Domain Not Served Here"));
        return false;
    }
    return true;
}

static bool step2_extensions(struct request *r)
{
    return !request_refuse_extensions(r) && !request_refuse_content(r);
}

static bool step4_authorization(struct request *r)
{
    if (!admission_may_register(&r->uas->config.admission, r->in->peer)) {
        metrics_add(r->metrics, METRIC_REGISTER_NOT_ADMITTED, 1);
        request_answer(r, STATUS_FORBIDDEN, SLICE("Registration Not Allowed From Here"));
        return false;
    }
    return true;
}

static bool step5_address_of_record(struct request *r)
{
    if (r->to.scheme == URI_OTHER) {
        // RFC 3261 10.2, RFC 4475 3.3.4
        request_answer(r, STATUS_BAD_REQUEST, SLICE("To Is No SIP or SIPS URI"));
        return false;
    }
    if (!request_domain_served(r, &r->to)) {
        request_answer(r, STATUS_NOT_FOUND, SLICE("No Such Address of Record Here"));
        return false;
    }
    assert(r->has_subject);
    if (!buf_ok(&r->aor)) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Address of Record Too Long"));
        return false;
    }
    return true;
}

// ---- Step 6: what the Contact header fields ask for

static bool read_star(struct request *r, struct registration *registration);
static bool read_contacts(struct request *r, struct registration *registration);

static bool step6_contacts(struct request *r, struct registration *registration)
{
    if (r->call_id.len > CALL_ID_BYTES_MAX) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Call-ID Too Long"));
        return false;
    }
    for (const struct message_row *row = message_first(r->message, HEADER_CONTACT); row != NULL;
         row = message_next(r->message, row)) {
        if (contact_is_star(row->value)) {
            return read_star(r, registration);
        }
    }
    return read_contacts(r, registration);
}

// "*" stands alone, and with an expiry of zero.
static bool read_star(struct request *r, struct registration *registration)
{
    const struct message_row *const contact = message_first(r->message, HEADER_CONTACT);
    const struct message_row *const expires = message_first(r->message, HEADER_EXPIRES);
    uint32_t seconds;
    if (message_next(r->message, contact) != NULL) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Contact * With Other Contacts"));
        return false;
    }
    if (expires == NULL || expires_parse(expires->value, &seconds) != ERR_OK || seconds != 0) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Contact * Without Expires 0"));
        return false;
    }
    registration->remove_all = true;
    return true;
}

// The Expires header field, which holds for Contacts without an expiry of their own.
static uint32_t expires_of_request(const struct request *r)
{
    const struct message_row *const row = message_first(r->message, HEADER_EXPIRES);
    uint32_t seconds;
    if (row == NULL) {
        return r->uas->config.expires_default_s;
    }
    return expires_parse(row->value, &seconds) == ERR_OK ? seconds : HOUR_S;
}

static bool too_brief(const struct request *r, uint32_t seconds)
{
    return seconds > 0 && seconds < HOUR_S && seconds < r->uas->config.expires_min_s;
}

// RFC 3261 10.2.1.1 lets a registrar shorten. It shortens to the maximum, and then by as much of
// the jitter as the request's identity says: phones that all came back at once will not do so
// again, and a retransmission is granted the same.
static uint32_t grant(const struct request *r, uint32_t seconds)
{
    const struct uas_config *const config = &r->uas->config;
    const uint32_t granted = seconds < config->expires_max_s ? seconds : config->expires_max_s;
    if (granted <= config->expires_min_s) {
        return granted;
    }
    const uint64_t jitter = (uint64_t)granted * config->expires_jitter_percent / 100;
    const uint32_t shortened = granted - (uint32_t)(r->id % (jitter + 1));
    return shortened > config->expires_min_s ? shortened : config->expires_min_s;
}

static bool refuse_too_brief(struct request *r)
{
    metrics_add(r->metrics, METRIC_REGISTER_TOO_BRIEF, 1);
    request_answer_begin(r, STATUS_INTERVAL_TOO_BRIEF, SLICE(""));
    buf_put(r->out, SLICE("Min-Expires: "));
    buf_put_u64(r->out, r->uas->config.expires_min_s);
    buf_put(r->out, SLICE("\r\n"));
    request_answer_end(r);
    return false;
}

static bool refuse_too_many(struct request *r)
{
    metrics_add(r->metrics, METRIC_REGISTER_TOO_MANY, 1);
    request_answer(r, STATUS_FORBIDDEN, SLICE("Too Many Contacts"));
    return false;
}

// What is told again must not look like the end of a line: a fold inside quotes becomes a space.
static void put_unfolded(struct buf *b, struct slice value)
{
    for (size_t lf; (lf = slice_find(value, '\n')) < value.len;) {
        buf_put(b, slice_trim(slice_of(value.at, lf)));
        buf_put_char(b, ' ');
        value = chars_skip_lws(slice_from(value, lf));
    }
    buf_put(b, value);
}

// Keeps the parameters that are the phone's own, without the white space around them.
static struct slice keep_params(struct request *r, struct slice params)
{
    const size_t from = r->params.len;
    struct param param;
    while (params_next(&params, &param)) {
        if (slice_equal_nocase(param.name, SLICE("q")) ||
            slice_equal_nocase(param.name, SLICE("expires"))) {
            continue;
        }
        buf_put_char(&r->params, ';');
        buf_put(&r->params, param.name);
        if (param.has_value) {
            buf_put_char(&r->params, '=');
            put_unfolded(&r->params, param.value);
        }
    }
    return slice_from(buf_slice(&r->params), from);
}

// Of two Contacts with equal URIs in one request the later counts.
static struct contact_update *place_for(struct request *r, struct registration *registration,
                                        const struct uri *uri)
{
    for (size_t i = 0; i < registration->update_count; i++) {
        if (uri_equal(&r->updates[i].uri, uri)) {
            return &r->updates[i];
        }
    }
    return registration->update_count == r->uas->config.register_contacts_max
               ? NULL
               : &r->updates[registration->update_count++];
}

// One Contact of a row. False when the request is answered.
static bool read_contact(struct request *r, struct registration *registration,
                         const struct contact *contact, uint32_t expires_s)
{
    struct uri uri;
    if (uri_parse(contact->addr.uri, &uri) != ERR_OK) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Malformed Contact URI"));
        return false;
    }
    if (uri.text.len + contact->addr.params.len > CONTACT_BYTES_MAX) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Contact Too Long"));
        return false;
    }
    if (contact->has_expires) {
        expires_s = contact->expires_valid ? contact->expires_s : HOUR_S;
    }
    if (too_brief(r, expires_s)) {
        return refuse_too_brief(r);
    }
    struct contact_update *const update = place_for(r, registration, &uri);
    const struct slice params = keep_params(r, contact->addr.params);
    if (update == NULL || !buf_ok(&r->params)) {
        return refuse_too_many(r);
    }
    *update = (struct contact_update){
        .uri = uri, .params = params, .q = contact->q, .expires_s = grant(r, expires_s)};
    return true;
}

static bool read_contacts(struct request *r, struct registration *registration)
{
    const uint32_t expires_s = expires_of_request(r);
    for (const struct message_row *row = message_first(r->message, HEADER_CONTACT); row != NULL;
         row = message_next(r->message, row)) {
        struct slice rest = row->value;
        do {
            struct contact contact;
            if (contact_next(&rest, &contact) != ERR_OK) {
                request_answer(r, STATUS_BAD_REQUEST, SLICE("Malformed Contact"));
                return false;
            }
            if (!read_contact(r, registration, &contact, expires_s)) {
                return false;
            }
        } while (!slice_empty(rest));
    }
    return true;
}

// ---- Steps 7 and 8

static void count_effect(struct request *r, const struct registration_effect *effect)
{
    metrics_add(r->metrics, METRIC_BINDINGS_ADDED, effect->added);
    metrics_add(r->metrics, METRIC_BINDINGS_REFRESHED, effect->refreshed);
    metrics_add(r->metrics, METRIC_BINDINGS_REMOVED, effect->removed);
    metrics_add(r->metrics, METRIC_BINDINGS_REPLACED, effect->replaced);
    metrics_add(r->metrics, METRIC_BINDINGS_EXPIRED, effect->expired);
    metrics_add(r->metrics, METRIC_REGISTER_REPEATED, effect->repeated > 0 ? 1 : 0);
}

static bool changes(const struct registration_effect *effect)
{
    return effect->added + effect->refreshed + effect->removed + effect->replaced > 0;
}

static void step7_update(struct request *r, const struct registration *registration)
{
    struct registration_effect effect;
    const enum err e =
        location_register(r->uas->location, registration, r->in->now, r->list, &effect);
    count_effect(r, &effect);
    if (e == ERR_OK) {
        r->leaves_state = changes(&effect) || r->uas->config.answers_wait;
        step8_answer(r);
    } else if (e == ERR_STALE) {
        metrics_add(r->metrics, METRIC_REGISTER_OUT_OF_ORDER, 1);
        request_answer(r, STATUS_BAD_REQUEST, SLICE("CSeq Out of Order"));
    } else if (e == ERR_TOO_MANY) {
        (void)refuse_too_many(r);
    } else if (e == ERR_FULL) {
        metrics_add(r->metrics, METRIC_REGISTER_FULL, 1);
        request_answer(r, STATUS_SERVICE_UNAVAILABLE, SLICE("No Room for Bindings"));
    } else {
        metrics_add(r->metrics, METRIC_REGISTER_NO_MEMORY, 1);
        request_answer(r, STATUS_SERVER_ERROR, SLICE("Out of Memory"));
    }
}

static void step8_answer(struct request *r)
{
    request_answer_begin(r, STATUS_OK, SLICE(""));
    for (size_t i = 0; i < r->list->count; i++) {
        const struct binding *const binding = &r->list->rows[i];
        buf_put(r->out, SLICE("Contact: "));
        request_put_binding(r->out, binding);
        buf_put(r->out, binding->params);
        buf_put(r->out, SLICE("\r\n"));
    }
    buf_put(r->out, SLICE("Date: "));
    now_put_date(r->out, r->in->now);
    buf_put(r->out, SLICE("\r\n"));
    request_answer_end(r);
}
