// SPDX-License-Identifier: Apache-2.0
#include "store/record.h"

#include "signpost/sip/fields.h"
#include "store/crc32c.h"

enum tag {
    TAG_URI = 1,
    TAG_PARAMS,
    TAG_CALL_ID,
    TAG_CSEQ,
    TAG_EXPIRES,
    TAG_Q,
    TAG_REQUEST_ID,
    TAG_LAST = TAG_REQUEST_ID,
};

enum {
    TAGS_REQUIRED = 1 << TAG_URI | 1 << TAG_CALL_ID | 1 << TAG_CSEQ | 1 << TAG_EXPIRES,

    FIELD_HEAD_BYTES = 1 + 2,
    BINDING_HEAD_BYTES = 4,

    // Where things stand behind the head; behind the address of record comes the number of
    // bindings.
    REVISION_AT = 1,
    AOR_LEN_AT = REVISION_AT + 8,
    AOR_AT = AOR_LEN_AT + 2,
    STATE_BYTES = AOR_AT + 1, // all but for the address of record and the bindings

    // The required fields, but for the bytes of URI and Call-ID.
    REQUIRED_BYTES = 4 * FIELD_HEAD_BYTES + 4 + 8,

    // A binding with all fields, but for the bytes of URI and parameters.
    BINDING_BYTES_MAX = BINDING_HEAD_BYTES + TAG_LAST * FIELD_HEAD_BYTES + CALL_ID_BYTES_MAX + 4 +
                        8 + 2 + 8 + RECORD_EXTRA_BYTES_MAX,
};

static_assert(RECORD_HEAD_BYTES + STATE_BYTES + AOR_BYTES_MAX +
                      CONTACTS_PER_AOR_MAX * BINDING_BYTES_MAX + AOR_STATE_BYTES_MAX <=
                  RECORD_BYTES_MAX,
              "a record holds whatever may be bound");
static_assert(CONTACTS_PER_AOR_MAX <= UINT8_MAX && AOR_BYTES_MAX <= UINT16_MAX &&
                  CONTACT_BYTES_MAX <= UINT16_MAX && CALL_ID_BYTES_MAX <= UINT16_MAX,
              "numbers and lengths fit their places");

// ---- Numbers, from the order of this processor to that of a record, and back

static uint16_t swap16(uint16_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap16(value);
}

static uint32_t swap32(uint32_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap32(value);
}

static uint64_t swap64(uint64_t value)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? value : __builtin_bswap64(value);
}

static char *write_u8(char *at, unsigned value)
{
    *at = (char)value;
    return at + 1;
}

static char *write_u16(char *at, uint16_t value)
{
    const uint16_t bytes = swap16(value);
    memcpy(at, &bytes, sizeof(bytes));
    return at + sizeof(bytes);
}

static char *write_u32(char *at, uint32_t value)
{
    const uint32_t bytes = swap32(value);
    memcpy(at, &bytes, sizeof(bytes));
    return at + sizeof(bytes);
}

static char *write_u64(char *at, uint64_t value)
{
    const uint64_t bytes = swap64(value);
    memcpy(at, &bytes, sizeof(bytes));
    return at + sizeof(bytes);
}

static uint16_t read_u16(const char *at)
{
    uint16_t bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return swap16(bytes);
}

static uint32_t read_u32(const char *at)
{
    uint32_t bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return swap32(bytes);
}

static uint64_t read_u64(const char *at)
{
    uint64_t bytes;
    memcpy(&bytes, at, sizeof(bytes));
    return swap64(bytes);
}

// ---- Writing

static size_t optional_bytes(bool there, size_t bytes)
{
    return there ? FIELD_HEAD_BYTES + bytes : 0;
}

static size_t field_bytes(const struct record_binding *binding)
{
    return REQUIRED_BYTES + binding->uri.len + binding->call_id.len +
           optional_bytes(binding->params.len > 0, binding->params.len) +
           optional_bytes(binding->q != Q_ABSENT, 2) + optional_bytes(binding->request_id != 0, 8) +
           binding->extra.len;
}

size_t record_bytes(const struct record_state *state)
{
    assert(state->count <= CONTACTS_PER_AOR_MAX);
    size_t bytes = RECORD_HEAD_BYTES + STATE_BYTES + state->aor.len;
    for (size_t i = 0; i < state->count; i++) {
        bytes += BINDING_HEAD_BYTES + field_bytes(&state->bindings[i]);
    }
    return bytes;
}

static char *write_field(char *at, enum tag tag, size_t bytes)
{
    return write_u16(write_u8(at, tag), (uint16_t)bytes);
}

static char *write_binding(char *at, const struct record_binding *binding)
{
    assert(binding->uri.len > 0 && binding->uri.len + binding->params.len <= CONTACT_BYTES_MAX);
    assert(binding->call_id.len > 0 && binding->call_id.len <= CALL_ID_BYTES_MAX);
    assert(binding->cseq <= RECORD_CSEQ_MAX && binding->extra.len <= RECORD_EXTRA_BYTES_MAX);
    assert(binding->q <= Q_ONE || binding->q == Q_ABSENT);
    at = write_u32(at, (uint32_t)field_bytes(binding));
    at = buf_write(write_field(at, TAG_URI, binding->uri.len), binding->uri);
    if (binding->params.len > 0) {
        at = buf_write(write_field(at, TAG_PARAMS, binding->params.len), binding->params);
    }
    at = buf_write(write_field(at, TAG_CALL_ID, binding->call_id.len), binding->call_id);
    at = write_u32(write_field(at, TAG_CSEQ, 4), binding->cseq);
    at = write_u64(write_field(at, TAG_EXPIRES, 8), binding->expires_wall_ms);
    if (binding->q != Q_ABSENT) {
        at = write_u16(write_field(at, TAG_Q, 2), binding->q);
    }
    if (binding->request_id != 0) {
        at = write_u64(write_field(at, TAG_REQUEST_ID, 8), binding->request_id);
    }
    return buf_write(at, binding->extra);
}

void record_put(struct buf *b, const struct record_state *state)
{
    assert(state->aor.len > 0 && state->aor.len <= AOR_BYTES_MAX);
    const size_t bytes = record_bytes(state);
    char *const head = buf_room(b, bytes);
    if (head == NULL) {
        return;
    }
    char *const body = head + RECORD_HEAD_BYTES;
    char *at = write_u64(write_u8(body, RECORD_VERSION), state->revision);
    at = buf_write(write_u16(at, (uint16_t)state->aor.len), state->aor);
    at = write_u8(at, (unsigned)state->count);
    for (size_t i = 0; i < state->count; i++) {
        at = write_binding(at, &state->bindings[i]);
    }
    assert(at == head + bytes);
    const struct slice told = slice_between(body, at);
    (void)write_u32(write_u32(head, (uint32_t)told.len), crc32c_bytes(told));
}

// ---- Reading

struct slice record_aor(struct slice record)
{
    const char *const body = record.at + RECORD_HEAD_BYTES;
    assert(record.len >= RECORD_HEAD_BYTES + STATE_BYTES);
    return slice_of(body + AOR_AT, read_u16(body + AOR_LEN_AT));
}

uint64_t record_revision(struct slice record)
{
    assert(record.len >= RECORD_HEAD_BYTES + STATE_BYTES);
    return read_u64(record.at + RECORD_HEAD_BYTES + REVISION_AT);
}

static bool take_u16(struct slice value, uint16_t *out)
{
    if (value.len != sizeof(*out)) {
        return false;
    }
    *out = read_u16(value.at);
    return true;
}

static bool take_u32(struct slice value, uint32_t *out)
{
    if (value.len != sizeof(*out)) {
        return false;
    }
    *out = read_u32(value.at);
    return true;
}

static bool take_u64(struct slice value, uint64_t *out)
{
    if (value.len != sizeof(*out)) {
        return false;
    }
    *out = read_u64(value.at);
    return true;
}

static bool take_bytes(struct slice value, size_t max, struct slice *out)
{
    *out = value;
    return value.len > 0 && value.len <= max;
}

static bool read_field(enum tag tag, struct slice value, struct record_binding *out)
{
    switch (tag) {
    case TAG_URI: return take_bytes(value, CONTACT_BYTES_MAX, &out->uri);
    case TAG_PARAMS: return take_bytes(value, CONTACT_BYTES_MAX, &out->params);
    case TAG_CALL_ID: return take_bytes(value, CALL_ID_BYTES_MAX, &out->call_id);
    case TAG_CSEQ: return take_u32(value, &out->cseq) && out->cseq <= RECORD_CSEQ_MAX;
    case TAG_EXPIRES: return take_u64(value, &out->expires_wall_ms);
    case TAG_Q: return take_u16(value, &out->q) && out->q <= Q_ONE;
    case TAG_REQUEST_ID: return take_u64(value, &out->request_id) && out->request_id != 0;
    }
    return false;
}

// Takes the next field off the front.
static bool take_field(struct slice *fields, unsigned *tag, struct slice *value)
{
    if (fields->len < FIELD_HEAD_BYTES) {
        return false;
    }
    const size_t len = read_u16(fields->at + 1);
    if (len > fields->len - FIELD_HEAD_BYTES) {
        return false;
    }
    *tag = (unsigned char)fields->at[0];
    *value = slice_of(fields->at + FIELD_HEAD_BYTES, len);
    *fields = slice_from(*fields, FIELD_HEAD_BYTES + len);
    return true;
}

static bool read_fields(struct slice fields, struct record_binding *out)
{
    unsigned seen = 0;
    unsigned last = 0;
    *out = (struct record_binding){.q = Q_ABSENT};
    while (!slice_empty(fields)) {
        const struct slice here = fields;
        struct slice value;
        unsigned tag;
        if (!take_field(&fields, &tag, &value) || tag <= last) {
            return false;
        }
        last = tag;
        if (tag > TAG_LAST) {
            out->extra = slice_empty(out->extra) ? here : out->extra;
        } else if (read_field((enum tag)tag, value, out)) {
            seen |= 1U << tag;
        } else {
            return false;
        }
    }
    return (seen & TAGS_REQUIRED) == TAGS_REQUIRED &&
           out->uri.len + out->params.len <= CONTACT_BYTES_MAX &&
           out->extra.len <= RECORD_EXTRA_BYTES_MAX;
}

// Takes the next binding off the front.
static bool take_binding(struct slice *rest, struct record_binding *out)
{
    if (rest->len < BINDING_HEAD_BYTES) {
        return false;
    }
    const size_t len = read_u32(rest->at);
    if (len > rest->len - BINDING_HEAD_BYTES) {
        return false;
    }
    const struct slice fields = slice_of(rest->at + BINDING_HEAD_BYTES, len);
    *rest = slice_from(*rest, BINDING_HEAD_BYTES + len);
    return read_fields(fields, out);
}

static bool read_state(struct slice body, struct record_state *out)
{
    if (body.len < STATE_BYTES) {
        return false;
    }
    const size_t aor_len = read_u16(body.at + AOR_LEN_AT);
    if (aor_len == 0 || aor_len > AOR_BYTES_MAX || aor_len > body.len - STATE_BYTES) {
        return false;
    }
    out->revision = read_u64(body.at + REVISION_AT);
    out->aor = slice_of(body.at + AOR_AT, aor_len);
    out->count = (unsigned char)body.at[AOR_AT + aor_len];
    if (out->count > CONTACTS_PER_AOR_MAX) {
        return false;
    }
    struct slice rest = slice_from(body, STATE_BYTES + aor_len);
    size_t bytes = 0;
    for (size_t i = 0; i < out->count; i++) {
        if (!take_binding(&rest, &out->bindings[i])) {
            return false;
        }
        bytes += out->bindings[i].uri.len + out->bindings[i].params.len;
    }
    return slice_empty(rest) && bytes <= AOR_STATE_BYTES_MAX;
}

// A record is taken to be as long as it says: that its checksum is wrong is no reason not to go on
// behind it. Where it cannot be so long, the rest of the block is lost. Who searched it for the
// next checksum that is right could find one that a client has put into an address.
enum err record_next(struct slice *block, struct record_state *state)
{
    const struct slice here = *block;
    *block = slice_of(slice_end(here), 0);
    if (slice_empty(here)) {
        return ERR_NOT_FOUND;
    }
    if (here.len <= RECORD_HEAD_BYTES) {
        return ERR_DAMAGED;
    }
    const size_t len = read_u32(here.at);
    if (len == 0 || len > here.len - RECORD_HEAD_BYTES) {
        return ERR_DAMAGED;
    }
    const struct slice body = slice_of(here.at + RECORD_HEAD_BYTES, len);
    *block = slice_from(here, RECORD_HEAD_BYTES + len);
    const unsigned version = (unsigned char)body.at[0];
    if (crc32c_bytes(body) != read_u32(here.at + 4) || version == 0) {
        return ERR_DAMAGED;
    }
    if (version > RECORD_VERSION) {
        return ERR_NEWER;
    }
    return read_state(body, state) ? ERR_OK : ERR_DAMAGED;
}
