// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/jsonl.h"

#include <math.h>

#include "signpost/base/json.h"
#include "signpost/sip/fields.h"
#include "signpostctl/moment.h"

// ---- Writing

static void put_member(struct buf *b, struct slice name, struct slice text)
{
    buf_put(b, name);
    json_put_text(b, text);
}

static void put_hex(struct buf *b, struct slice name, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    buf_put(b, name);
    buf_put_char(b, '"');
    for (size_t i = 0; i < bytes.len; i++) {
        const unsigned char c = (unsigned char)bytes.at[i];
        buf_put_char(b, digits[c >> 4]);
        buf_put_char(b, digits[c & 0xf]);
    }
    buf_put_char(b, '"');
}

static uint64_t remaining_s(uint64_t expires_ms, uint64_t now_ms)
{
    return expires_ms <= now_ms ? 0 : (expires_ms - now_ms + MS_PER_S - 1) / MS_PER_S;
}

// What /bindings does not tell.
static void put_rest(struct buf *b, const struct record_state *state,
                     const struct record_binding *binding)
{
    buf_put(b, SLICE(",\"expires_at\":\""));
    moment_put(b, binding->expires_wall_ms);
    buf_put(b, SLICE("\",\"revision\":"));
    buf_put_u64(b, state->revision);
    if (binding->request_id != 0) {
        buf_put(b, SLICE(",\"request_id\":\""));
        buf_put_hex64(b, binding->request_id);
        buf_put_char(b, '"');
    }
    if (!slice_empty(binding->extra)) {
        put_hex(b, SLICE(",\"extra\":"), binding->extra);
    }
    if (!json_is_text(state->aor)) {
        put_hex(b, SLICE(",\"aor_hex\":"), state->aor);
    }
    if (!json_is_text(binding->params)) {
        put_hex(b, SLICE(",\"params_hex\":"), binding->params);
    }
}

void jsonl_put(struct buf *b, const struct record_state *state, size_t i, uint64_t now_ms)
{
    const struct record_binding *const binding = &state->bindings[i];
    put_member(b, SLICE("{\"aor\":"), state->aor);
    put_member(b, SLICE(",\"contact\":"), binding->uri);
    put_member(b, SLICE(",\"params\":"), binding->params);
    if (binding->q != Q_ABSENT) {
        buf_put(b, binding->q == Q_ONE ? SLICE(",\"q\":1.") : SLICE(",\"q\":0."));
        buf_put_padded(b, binding->q % Q_ONE, 3);
    }
    buf_put(b, SLICE(",\"expires\":"));
    buf_put_u64(b, remaining_s(binding->expires_wall_ms, now_ms));
    put_member(b, SLICE(",\"call_id\":"), binding->call_id);
    buf_put(b, SLICE(",\"cseq\":"));
    buf_put_u64(b, binding->cseq);
    put_rest(b, state, binding);
    buf_put(b, SLICE("}\n"));
}

// ---- Reading

void jsonl_open(struct jsonl *jsonl, struct source *source, uint64_t now_ms)
{
    jsonl->source = source;
    jsonl->now_ms = now_ms;
    jsonl->lines = 0;
    jsonl->object = NULL;
}

void jsonl_close(struct jsonl *jsonl)
{
    json_decref(jsonl->object);
    jsonl->object = NULL;
}

static bool fault(struct jsonl *jsonl, const char *why)
{
    jsonl->why = why;
    return false;
}

// Reads a text, if there is one by that name; *out remains as it is if not.
static bool take_text(struct jsonl *jsonl, const char *name, struct slice *out)
{
    const json_t *const value = json_object_get(jsonl->object, name);
    if (value == NULL) {
        return true;
    }
    if (!json_is_string(value)) {
        return fault(jsonl, "has a number where a text belongs, or the like");
    }
    *out = slice_of(json_string_value(value), json_string_length(value));
    return true;
}

static bool take_number(struct jsonl *jsonl, const char *name, uint64_t max, uint64_t *out)
{
    const json_t *const value = json_object_get(jsonl->object, name);
    if (value == NULL) {
        return true;
    }
    if (!json_is_integer(value) || json_integer_value(value) < 0 ||
        (uint64_t)json_integer_value(value) > max) {
        return fault(jsonl, "has a number that is none, or too high");
    }
    *out = (uint64_t)json_integer_value(value);
    return true;
}

// Bytes in hexadecimal digits, if they are there by that name.
static bool take_hex(struct jsonl *jsonl, const char *name, struct slice *out)
{
    struct slice digits = {NULL, 0};
    const size_t from = jsonl->text.len;
    if (!take_text(jsonl, name, &digits)) {
        return false;
    }
    if (digits.at == NULL) {
        return true;
    }
    for (size_t i = 0; i + 1 < digits.len; i += 2) {
        const int high = ascii_hex(digits.at[i]);
        const int low = ascii_hex(digits.at[i + 1]);
        if (high < 0 || low < 0) {
            return fault(jsonl, "has hexadecimal digits that are none");
        }
        buf_put_char(&jsonl->text, (char)(high << 4 | low));
    }
    if (digits.len % 2 != 0 || !buf_ok(&jsonl->text)) {
        return fault(jsonl, "has too many hexadecimal digits, or one too few");
    }
    *out = slice_from(buf_slice(&jsonl->text), from);
    return true;
}

static bool take_aor(struct jsonl *jsonl, struct entry *entry)
{
    struct slice aor = {NULL, 0};
    if (!take_text(jsonl, "aor", &aor) || !take_hex(jsonl, "aor_hex", &aor)) {
        return false;
    }
    size_t at = aor.len;
    while (at > 0 && aor.at[at - 1] != '@') {
        at--;
    }
    const size_t from = jsonl->text.len;
    if (at == 0 || !entry_put_aor(&jsonl->text, slice_of(aor.at, at - 1), slice_from(aor, at)) ||
        !buf_ok(&jsonl->text)) {
        return fault(jsonl, "has no aor user@host");
    }
    entry->aor = slice_from(buf_slice(&jsonl->text), from);
    return true;
}

static bool take_q(struct jsonl *jsonl, struct record_binding *binding)
{
    const json_t *const q = json_object_get(jsonl->object, "q");
    const double value = json_number_value(q); // 0 where it is none
    binding->q =
        q == NULL ? Q_ABSENT : (uint16_t)lround(value >= 0 && value <= 1 ? value * Q_ONE : 0);
    return q == NULL || (json_is_number(q) && value >= 0 && value <= 1) ||
           fault(jsonl, "has a q that is not between 0 and 1");
}

// By the moment, which counts, or by the seconds from now on.
static bool take_expiry(struct jsonl *jsonl, struct record_binding *binding)
{
    static const struct zone utc = {.local = false, .offset_s = 0};
    const uint64_t latest_ms = jsonl->now_ms + (uint64_t)EXPIRES_S_LIMIT * MS_PER_S;
    struct slice at = {NULL, 0};
    uint64_t seconds = UINT64_MAX;
    int64_t wall_ms = 0;
    if (!take_text(jsonl, "expires_at", &at) ||
        !take_number(jsonl, "expires", EXPIRES_S_LIMIT, &seconds)) {
        return false;
    }
    if (at.at != NULL) {
        if (!moment_parse(at, &utc, &wall_ms) || wall_ms <= 0) {
            return fault(jsonl, "has an expires_at that is no moment");
        }
        binding->expires_wall_ms = (uint64_t)wall_ms < latest_ms ? (uint64_t)wall_ms : latest_ms;
        return true;
    }
    binding->expires_wall_ms = jsonl->now_ms + seconds * MS_PER_S;
    return seconds != UINT64_MAX || fault(jsonl, "has neither expires_at nor expires");
}

static bool take_request_id(struct jsonl *jsonl, struct record_binding *binding)
{
    struct slice bytes = {NULL, 0};
    if (!take_hex(jsonl, "request_id", &bytes)) {
        return false;
    }
    if (bytes.at != NULL && bytes.len != sizeof(uint64_t)) {
        return fault(jsonl, "has a request_id that is not of 16 digits");
    }
    for (size_t i = 0; i < bytes.len; i++) {
        binding->request_id = binding->request_id << 8 | (unsigned char)bytes.at[i];
    }
    return true;
}

static bool take_members(struct jsonl *jsonl, struct entry *entry)
{
    struct record_binding *const binding = &entry->binding;
    uint64_t cseq = 0;
    if (!json_is_object(jsonl->object)) {
        return fault(jsonl, "is no JSON object");
    }
    if (!take_aor(jsonl, entry) || !take_text(jsonl, "contact", &binding->uri) ||
        !take_text(jsonl, "params", &binding->params) ||
        !take_hex(jsonl, "params_hex", &binding->params) ||
        !take_text(jsonl, "call_id", &binding->call_id) ||
        !take_number(jsonl, "cseq", INT32_MAX, &cseq) || !take_q(jsonl, binding) ||
        !take_expiry(jsonl, binding) ||
        !take_number(jsonl, "revision", INT64_MAX, &entry->revision) ||
        !take_request_id(jsonl, binding) || !take_hex(jsonl, "extra", &binding->extra)) {
        return false;
    }
    binding->cseq = (uint32_t)cseq;
    jsonl->why = entry_fault(entry);
    return jsonl->why == NULL;
}

enum err jsonl_next(struct jsonl *jsonl, struct entry *entry)
{
    struct buf line;
    enum err e;
    do {
        line = buf_over(jsonl->line_bytes, sizeof(jsonl->line_bytes));
        jsonl->line = jsonl->source->line;
        e = source_line(jsonl->source, &line);
    } while (e == ERR_OK && slice_empty(slice_trim(buf_slice(&line))));
    if (e == ERR_NOT_FOUND) {
        return e;
    }
    jsonl->row = buf_slice(&line);
    jsonl_close(jsonl);
    jsonl->text = buf_over(jsonl->bytes, sizeof(jsonl->bytes));
    *entry = (struct entry){.newness = UINT64_MAX - jsonl->lines++};
    if (e == ERR_TOO_LONG) {
        jsonl->why = "is longer than a binding can be";
        return ERR_SYNTAX;
    }
    jsonl->object =
        json_loadb(line.at, line.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &jsonl->error);
    if (jsonl->object == NULL) {
        jsonl->why = "is no JSON object";
        return ERR_SYNTAX;
    }
    return take_members(jsonl, entry) ? ERR_OK : ERR_SYNTAX;
}
