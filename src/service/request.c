// SPDX-License-Identifier: Apache-2.0
#include "service/request.h"

static bool names_host(const struct uri *uri, struct slice domain)
{
    struct ip ip;
    if (uri->host_ip.family != IP_NONE) {
        return ip_parse(domain, &ip) && ip_equal(&uri->host_ip, &ip);
    }
    return slice_equal_nocase(uri_host(uri), domain);
}

bool request_domain_served(const struct request *r, const struct uri *uri)
{
    const struct uas_config *const config = &r->uas->config;
    if (uri->scheme == URI_OTHER) {
        return false;
    }
    for (size_t i = 0; i < config->domain_count; i++) {
        if (names_host(uri, config->domains[i])) {
            return true;
        }
    }
    return config->domain_count == 0;
}

bool request_names_server(const struct request *r)
{
    return !r->uri.has_user &&
           (request_domain_served(r, &r->uri) || ip_equal(&r->uri.host_ip, &r->in->local->ip));
}

void request_answer_begin(struct request *r, enum status status, struct slice phrase)
{
    const struct response_head head = {
        .request = r->message,
        .via = &r->via,
        .peer = r->in->peer,
        .status = status,
        .phrase = phrase,
        .server = r->uas->config.server,
        .to_tag = r->tag_to ? &r->id : NULL,
    };
    r->status = status;
    response_begin(r->out, &head);
}

void request_answer_end(struct request *r)
{
    response_end(r->out);
}

void request_answer(struct request *r, enum status status, struct slice phrase)
{
    request_answer_begin(r, status, phrase);
    request_answer_end(r);
}

// The header field, if it is there, is a list of tokens that all pass.
static bool all_tokens(const struct request *r, enum header id, bool (*passes)(struct slice token))
{
    const struct message_row *row = message_first(r->message, id);
    for (; row != NULL; row = message_next(r->message, row)) {
        struct slice rest = row->value;
        struct slice token;
        do {
            if (token_next(&rest, &token) != ERR_OK || (passes != NULL && !passes(token))) {
                return false;
            }
        } while (!slice_empty(rest));
    }
    return true;
}

bool request_refuse_extensions(struct request *r)
{
    const struct message_row *row = message_first(r->message, HEADER_REQUIRE);
    if (row == NULL) {
        return false;
    }
    if (!all_tokens(r, HEADER_REQUIRE, NULL)) {
        request_answer(r, STATUS_BAD_REQUEST, SLICE("Malformed Require"));
        return true;
    }
    request_answer_begin(r, STATUS_BAD_EXTENSION, SLICE(""));
    for (; row != NULL; row = message_next(r->message, row)) {
        response_header(r->out, SLICE("Unsupported"), row->value);
    }
    request_answer_end(r);
    return true;
}

static bool encoding_known(struct slice coding)
{
    return slice_equal_nocase(coding, SLICE("identity"));
}

// English of any country, as Accept-Language has it.
static bool language_known(struct slice tag)
{
    return slice_equal_nocase(slice_of(tag.at, slice_find(tag, '-')), SLICE("en"));
}

static bool type_known(const struct request *r)
{
    const struct message_row *const row = message_first(r->message, HEADER_CONTENT_TYPE);
    struct media_type type;
    return row != NULL && media_type_parse(row->value, &type) == ERR_OK &&
           slice_equal_nocase(type.type, SLICE("application")) &&
           slice_equal_nocase(type.subtype, SLICE("sdp"));
}

static bool content_optional(const struct request *r)
{
    const struct message_row *const row = message_first(r->message, HEADER_CONTENT_DISPOSITION);
    bool optional;
    return row != NULL && disposition_parse(row->value, &optional) == ERR_OK && optional;
}

bool request_refuse_content(struct request *r)
{
    if (slice_empty(slice_trim(r->message->body)) || content_optional(r) ||
        (type_known(r) && all_tokens(r, HEADER_CONTENT_ENCODING, encoding_known) &&
         all_tokens(r, HEADER_CONTENT_LANGUAGE, language_known))) {
        return false;
    }
    request_answer_begin(r, STATUS_UNSUPPORTED_MEDIA_TYPE, SLICE(""));
    request_put_accept(r);
    request_answer_end(r);
    return true;
}

void request_put_accept(struct request *r)
{
    response_header(r->out, SLICE("Accept"), SLICE("application/sdp"));
    response_header(r->out, SLICE("Accept-Encoding"), SLICE("identity"));
    response_header(r->out, SLICE("Accept-Language"), SLICE("en"));
}

static void put_q(struct buf *b, uint16_t q)
{
    unsigned thousandths = q;
    unsigned digits = 3;
    if (q >= Q_ONE) {
        buf_put_char(b, '1');
        return;
    }
    buf_put_char(b, '0');
    while (digits > 0 && thousandths % 10 == 0) {
        thousandths /= 10;
        digits--;
    }
    if (digits > 0) {
        buf_put_char(b, '.');
        buf_put_padded(b, thousandths, digits);
    }
}

void request_put_binding(struct buf *b, const struct binding *binding)
{
    char *at = buf_room(b, binding->uri.len + 2);
    if (at != NULL) {
        *at++ = '<';
        at = buf_write(at, binding->uri);
        *at = '>';
    }
    if (binding->q != Q_ABSENT) {
        buf_put(b, SLICE(";q="));
        put_q(b, binding->q);
    }
    buf_put(b, SLICE(";expires="));
    buf_put_u64(b, binding->remaining_s);
}
