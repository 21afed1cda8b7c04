// SPDX-License-Identifier: Apache-2.0
#include <stdlib.h>

#include "micro/group.h"
#include "micro/phone.h"
#include "signpost/base/hash.h"
#include "signpost/sip/fields.h"
#include "signpost/sip/message.h"
#include "signpost/sip/response.h"
#include "signpost/sip/uri.h"
#include "signpost/sip/via.h"

enum {
    TEXTS = 256, // different ones, so that no branch predictor learns one by heart
    TURNS = 4,   // over all of them in a batch
    OPS = TEXTS * TURNS,
};

struct texts {
    struct slice at[TEXTS];
    char bytes[TEXTS][PHONE_BYTES_MAX];
};

struct stage {
    struct texts registers;
    struct texts invites;
    struct texts options;
    struct texts contacts;
    struct texts aors;
    struct texts call_ids;
    struct slice vias[TEXTS];
    struct uri uris[TEXTS];
    struct texts contacts_again; // the same in other memory, to be compared
    struct uri uris_again[TEXTS];
    struct message message; // room for one
    struct message parsed;  // the first of the registers
    struct via via;         // and its topmost Via
    char answer[PHONE_BYTES_MAX];
};

static void fill_datagrams(struct texts *texts, enum phone_text text)
{
    for (uint32_t i = 0; i < TEXTS; i++) {
        const struct phone_words words = {
            .user = i, .callee = TEXTS - i, .cseq = 1000000000 + i, .call = i, .branch = i};
        texts->at[i] = slice_of(texts->bytes[i], phone_write(text, &words, texts->bytes[i]));
    }
}

static bool fill(struct stage *s)
{
    fill_datagrams(&s->registers, PHONE_REGISTER);
    fill_datagrams(&s->invites, PHONE_INVITE);
    fill_datagrams(&s->options, PHONE_OPTIONS);
    for (uint32_t i = 0; i < TEXTS; i++) {
        s->contacts.at[i] = phone_contact_uri(i, s->contacts.bytes[i]);
        s->aors.at[i] = phone_aor(i, s->aors.bytes[i]);
        s->call_ids.at[i] = phone_call_id(i, s->call_ids.bytes[i]);
        s->contacts_again.at[i] = phone_contact_uri(i, s->contacts_again.bytes[i]);
        if (uri_parse(s->contacts.at[i], &s->uris[i]) != ERR_OK ||
            uri_parse(s->contacts_again.at[i], &s->uris_again[i]) != ERR_OK ||
            message_parse(s->registers.at[i], &s->parsed) != ERR_OK) {
            return false;
        }
        s->vias[i] = message_first(&s->parsed, HEADER_VIA)->value;
    }
    return message_parse(s->registers.at[0], &s->parsed) == ERR_OK &&
           via_parse(s->vias[0], &s->via) == ERR_OK;
}

static void *create(uint32_t users)
{
    (void)users;
    struct stage *const s = calloc(1, sizeof(*s));
    if (s != NULL && !fill(s)) {
        free(s);
        return NULL;
    }
    return s;
}

static size_t parse_all(struct stage *s, const struct texts *texts)
{
    size_t right = 0;
    for (size_t i = 0; i < OPS; i++) {
        right += message_parse(texts->at[i % TEXTS], &s->message) == ERR_OK;
    }
    return right;
}

static size_t parse_register(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    return parse_all(s, &s->registers);
}

static size_t parse_invite(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    return parse_all(s, &s->invites);
}

static size_t parse_options(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    return parse_all(s, &s->options);
}

static size_t parse_uri(void *stage, const struct micro_row *row)
{
    const struct stage *const s = stage;
    struct uri uri;
    size_t right = 0;
    for (size_t i = 0; i < row->ops; i++) {
        right += uri_parse(s->contacts.at[i % TEXTS], &uri) == ERR_OK;
    }
    return right;
}

static size_t parse_via(void *stage, const struct micro_row *row)
{
    const struct stage *const s = stage;
    struct via via;
    size_t right = 0;
    for (size_t i = 0; i < row->ops; i++) {
        right += via_parse(s->vias[i % TEXTS], &via) == ERR_OK;
    }
    return right;
}

static size_t compare_uris(void *stage, const struct micro_row *row)
{
    const struct stage *const s = stage;
    size_t right = 0;
    for (size_t i = 0; i < row->ops; i++) {
        right += uri_equal(&s->uris[i % TEXTS], &s->uris_again[i % TEXTS]);
    }
    return right;
}

static size_t canonical_aor(void *stage, const struct micro_row *row)
{
    const struct stage *const s = stage;
    char aor[PHONE_BYTES_MAX];
    size_t right = 0;
    for (size_t i = 0; i < row->ops; i++) {
        struct buf b = buf_over(aor, sizeof(aor));
        uri_put_aor(&b, &s->uris[i % TEXTS]);
        right += b.len > 0;
    }
    return right;
}

static size_t hash_all(const struct texts *texts)
{
    const struct hash_key key = {.bytes = "a fixed test key"};
    size_t right = 0;
    for (size_t i = 0; i < OPS; i++) {
        right += hash_bytes(&key, texts->at[i % TEXTS]) != 0;
    }
    return right;
}

static size_t hash_aor(void *stage, const struct micro_row *row)
{
    (void)row;
    const struct stage *const s = stage;
    return hash_all(&s->aors);
}

static size_t hash_call_id(void *stage, const struct micro_row *row)
{
    (void)row;
    const struct stage *const s = stage;
    return hash_all(&s->call_ids);
}

// What a 200 to a REGISTER with one binding is made of.
static size_t build_response(void *stage, const struct micro_row *row)
{
    struct stage *const s = stage;
    const struct endpoint peer = {.ip = {.family = IP_V4, .bytes = {192, 0, 2, 10}}, .port = 20000};
    const uint64_t tag = UINT64_C(0x0123456789abcdef);
    size_t right = 0;
    for (size_t i = 0; i < row->ops; i++) {
        struct buf b = buf_over(s->answer, sizeof(s->answer));
        response_begin(&b, &(struct response_head){.request = &s->parsed,
                                                   .via = &s->via,
                                                   .peer = &peer,
                                                   .status = STATUS_OK,
                                                   .phrase = SLICE(""),
                                                   .server = SLICE("Signpost"),
                                                   .to_tag = &tag});
        response_header(&b, SLICE("Contact"), s->contacts.at[i % TEXTS]);
        response_end(&b);
        right += buf_ok(&b);
    }
    return right;
}

static bool row_at(size_t i, struct micro_row *row)
{
    static const struct micro_row rows[] = {
        {.name = "parse/register", .ops = OPS, .batch = parse_register},
        {.name = "parse/invite", .ops = OPS, .batch = parse_invite},
        {.name = "parse/options", .ops = OPS, .batch = parse_options},
        {.name = "uri/parse", .ops = OPS, .batch = parse_uri},
        {.name = "uri/equal", .ops = OPS, .batch = compare_uris},
        {.name = "uri/aor", .ops = OPS, .batch = canonical_aor},
        {.name = "via/parse", .ops = OPS, .batch = parse_via},
        {.name = "hash/aor", .ops = OPS, .batch = hash_aor},
        {.name = "hash/call-id", .ops = OPS, .batch = hash_call_id},
        {.name = "response/register", .ops = OPS, .batch = build_response},
    };
    if (i >= sizeof(rows) / sizeof(rows[0])) {
        return false;
    }
    *row = rows[i];
    return true;
}

const struct micro_group wire_group = {.create = create, .destroy = free, .row_at = row_at};
