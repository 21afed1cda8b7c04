// SPDX-License-Identifier: Apache-2.0
#include "store/record.h"

#include "signpost/sip/fields.h"
#include "store/crc32c.h"
#include "tests/unit/support.h"

enum { ROOM = 2 * RECORD_BYTES_MAX, BODY_AT = RECORD_HEAD_BYTES };

static char room[ROOM];
static char room_again[ROOM];
static char filler[CONTACT_BYTES_MAX + 1];
static struct record_state told;
static struct record_state state;

// ---- States, and what is written of them

static struct record_binding phone(void)
{
    return (struct record_binding){
        .uri = SLICE("sip:bob@192.0.2.4:5060;ob"),
        .params = SLICE(";+sip.instance=\"<urn:uuid:1>\""),
        .call_id = SLICE("843817637684230@998sdasdh09"),
        .expires_wall_ms = UINT64_C(0x0123456789abcdef),
        .request_id = UINT64_C(0xfedcba9876543210),
        .cseq = 1826,
        .q = 700,
    };
}

static struct record_binding bare(void)
{
    return (struct record_binding){
        .uri = SLICE("a:"), .call_id = SLICE("c"), .expires_wall_ms = 5, .cseq = 0, .q = Q_ABSENT};
}

static void set_state(size_t count)
{
    state.aor = SLICE("bob@biloxi.com");
    state.revision = UINT64_C(0x1122334455667788);
    state.count = count;
    for (size_t i = 0; i < count; i++) {
        state.bindings[i] = i % 2 == 0 ? phone() : bare();
        state.bindings[i].cseq += (uint32_t)i;
    }
}

static struct slice put_into(char *at, const struct record_state *from)
{
    struct buf b = buf_over(at, ROOM);
    record_put(&b, from);
    cr_assert(buf_ok(&b));
    cr_assert_eq(b.len, record_bytes(from));
    return buf_slice(&b);
}

static struct slice put(void)
{
    return put_into(room, &state);
}

static void expect_same_binding(const struct record_binding *a, const struct record_binding *b)
{
    cr_expect(slice_equal(a->uri, b->uri));
    cr_expect(slice_equal(a->params, b->params));
    cr_expect(slice_equal(a->call_id, b->call_id));
    cr_expect(slice_equal(a->extra, b->extra));
    cr_expect_eq(a->expires_wall_ms, b->expires_wall_ms);
    cr_expect_eq(a->request_id, b->request_id);
    cr_expect_eq(a->cseq, b->cseq);
    cr_expect_eq(a->q, b->q);
}

static void expect_round_trip(void)
{
    const struct slice written = put();
    struct slice block = guard_copy(guard_create(written.len), written);
    const struct slice whole = block;
    cr_expect(slice_equal(record_aor(block), state.aor));
    cr_expect_eq(record_revision(block), state.revision);
    cr_assert_eq(record_next(&block, &told), ERR_OK);
    cr_expect_eq(told.revision, state.revision);
    cr_expect(slice_equal(told.aor, state.aor));
    cr_expect(slice_within(told.aor, whole));
    cr_assert_eq(told.count, state.count);
    for (size_t i = 0; i < told.count; i++) {
        expect_same_binding(&told.bindings[i], &state.bindings[i]);
        cr_expect(slice_within(told.bindings[i].uri, whole));
    }
    cr_expect_eq(record_next(&block, &told), ERR_NOT_FOUND);
}

static void write_number(char *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        at[i] = (char)(value >> 8 * i & 0xff);
    }
}

// The body with a head that fits it.
static struct slice seal(struct slice body)
{
    memcpy(room_again + BODY_AT, body.at, body.len);
    write_number(room_again, body.len, 4);
    write_number(room_again + 4, crc32c_bytes(body), 4);
    return slice_of(room_again, BODY_AT + body.len);
}

// What a record tells that has one binding with these fields.
static enum err next_of_fields(struct slice fields)
{
    char bytes[4096];
    struct buf b = buf_over(bytes, sizeof(bytes));
    buf_put(&b, SLICE("\x01"
                      "revision"
                      "\x03\0a@b"
                      "\x01"));
    char len[4];
    write_number(len, fields.len, 4);
    buf_put(&b, slice_of(len, 4));
    buf_put(&b, fields);
    struct slice block = seal(buf_slice(&b));
    const enum err e = record_next(&block, &told);
    cr_assert(slice_empty(block));
    return e;
}

#define URI     "\x01\x02\0a:"
#define PARAMS  "\x02\x02\0;p"
#define CALL_ID "\x03\x01\0c"
#define CSEQ    "\x04\x04\0\xff\xff\xff\x7f"
#define EXPIRES "\x05\x08\0\0\0\0\0\0\0\0\0"
#define Q       "\x06\x02\0\xe8\x03"
#define REQUEST "\x07\x08\0\x01\0\0\0\0\0\0\0"
#define UNKNOWN "\x08\x03\0abc"
#define LATER   "\xff\0\0"

// ---- Tests

// Byte by byte, as store/record.h has it; what earlier releases have written must be read for ever.
Test(record, is_written_as_the_header_says)
{
    static const char golden[] = "\x9a\0\0\0"
                                 "\x0e\xfa\x2c\xc9"
                                 "\x01"
                                 "\x88\x77\x66\x55\x44\x33\x22\x11"
                                 "\x0e\0"
                                 "bob@biloxi.com"
                                 "\x01"
                                 "\x7c\0\0\0"
                                 "\x01\x19\0sip:bob@192.0.2.4:5060;ob"
                                 "\x02\x1d\0;+sip.instance=\"<urn:uuid:1>\""
                                 "\x03\x1b\0"
                                 "843817637684230@998sdasdh09"
                                 "\x04\x04\0\x22\x07\0\0"
                                 "\x05\x08\0\xef\xcd\xab\x89\x67\x45\x23\x01"
                                 "\x06\x02\0\xbc\x02"
                                 "\x07\x08\0\x10\x32\x54\x76\x98\xba\xdc\xfe";
    const struct slice bytes = SLICE(golden);
    set_state(1);
    const struct slice written = put();
    for (size_t i = 0; i < bytes.len && i < written.len; i++) {
        cr_expect_eq((unsigned char)written.at[i], (unsigned char)bytes.at[i],
                     "byte %zu: %#x, should be %#x", i, (unsigned char)written.at[i],
                     (unsigned char)bytes.at[i]);
    }
    cr_assert_eq(written.len, bytes.len, "%zu bytes", written.len);
    struct slice block = bytes;
    cr_assert_eq(record_next(&block, &told), ERR_OK);
    expect_same_binding(&told.bindings[0], &state.bindings[0]);
}

Test(record, comes_back_as_it_was)
{
    for (size_t count = 0; count <= CONTACTS_PER_AOR_MAX; count++) {
        set_state(count);
        expect_round_trip();
    }
}

Test(record, comes_back_at_the_limits)
{
    memset(filler, 'x', sizeof(filler));
    set_state(CONTACTS_PER_AOR_MAX);
    state.aor = slice_of(filler, AOR_BYTES_MAX);
    state.revision = UINT64_MAX;
    static char extra[RECORD_EXTRA_BYTES_MAX] = {8, (char)((RECORD_EXTRA_BYTES_MAX - 3) & 0xff),
                                                 (RECORD_EXTRA_BYTES_MAX - 3) >> 8};
    for (size_t i = 0; i < state.count; i++) {
        state.bindings[i] = (struct record_binding){
            .uri = slice_of(filler, AOR_STATE_BYTES_MAX / CONTACTS_PER_AOR_MAX - 1),
            .params = slice_of(filler, 1),
            .call_id = slice_of(filler, CALL_ID_BYTES_MAX),
            .extra = slice_of(extra, sizeof(extra)),
            .expires_wall_ms = UINT64_MAX,
            .request_id = UINT64_MAX,
            .cseq = RECORD_CSEQ_MAX,
            .q = Q_ONE,
        };
    }
    cr_assert_leq(record_bytes(&state), RECORD_BYTES_MAX);
    expect_round_trip();
    set_state(1);
    state.bindings[0].params = slice_of(filler, CONTACT_BYTES_MAX - state.bindings[0].uri.len);
    expect_round_trip();
}

Test(record, that_does_not_fit_is_not_written)
{
    set_state(2);
    const size_t bytes = record_bytes(&state);
    for (size_t cap = 0; cap < bytes; cap++) {
        struct buf b = buf_over(room, cap);
        record_put(&b, &state);
        cr_assert(!buf_ok(&b) && b.len == 0);
    }
}

Test(record, stands_behind_another)
{
    struct buf b = buf_over(room, sizeof(room));
    for (size_t count = 0; count < 5; count++) {
        set_state(count);
        record_put(&b, &state);
    }
    struct slice block = buf_slice(&b);
    for (size_t count = 0; count < 5; count++) {
        cr_assert_eq(record_next(&block, &told), ERR_OK);
        cr_assert_eq(told.count, count);
    }
    cr_assert_eq(record_next(&block, &told), ERR_NOT_FOUND);
    block = slice_of(NULL, 0);
    cr_assert_eq(record_next(&block, &told), ERR_NOT_FOUND);
}

Test(record, that_is_cut_off_anywhere_is_damaged)
{
    set_state(2);
    const struct slice whole = put();
    const struct guard guard = guard_create(whole.len);
    for (size_t len = 1; len < whole.len; len++) {
        struct slice block = guard_copy(guard, slice_of(whole.at, len));
        cr_assert_eq(record_next(&block, &told), ERR_DAMAGED, "%zu bytes", len);
        cr_assert_eq(record_next(&block, &told), ERR_NOT_FOUND, "%zu bytes", len);
    }
}

// Also with a length and a checksum that are right for what is left.
Test(record, that_ends_early_is_damaged)
{
    set_state(2);
    const struct slice body = slice_from(put(), BODY_AT);
    const struct guard guard = guard_create(BODY_AT + body.len);
    for (size_t len = 1; len < body.len; len++) {
        struct slice block = guard_copy(guard, seal(slice_of(body.at, len)));
        cr_assert_eq(record_next(&block, &told), ERR_DAMAGED, "%zu bytes", len);
    }
    memcpy(room + BODY_AT + body.len, "", 1);
    struct slice block = seal(slice_of(body.at, body.len + 1));
    cr_assert_eq(record_next(&block, &told), ERR_DAMAGED, "a byte too many");
}

Test(record, with_any_bit_flipped_is_damaged_and_the_next_one_is_found)
{
    set_state(1);
    const struct slice first = put();
    state.revision = 9;
    const struct slice second = put_into(room + first.len, &state);
    const struct slice both = slice_of(room, first.len + second.len);
    for (size_t bit = 0; bit < 8 * first.len; bit++) {
        room[bit / 8] ^= (char)(1U << bit % 8);
        struct slice block = both;
        cr_assert_eq(record_next(&block, &told), ERR_DAMAGED, "bit %zu", bit);
        // where the length itself is wrong, nobody can say where the next one begins
        enum err e = record_next(&block, &told);
        cr_assert(bit < 32 || (e == ERR_OK && told.revision == 9), "bit %zu", bit);
        for (size_t n = 0; e != ERR_NOT_FOUND; n++) {
            cr_assert(n < both.len, "bit %zu: it ends", bit);
            cr_assert(e == ERR_DAMAGED || told.revision == 9, "bit %zu", bit);
            e = record_next(&block, &told);
        }
        room[bit / 8] ^= (char)(1U << bit % 8);
    }
}

Test(record, of_a_block_of_zeros_is_damaged_once)
{
    memset(room, 0, sizeof(room));
    struct slice block = slice_of(room, sizeof(room));
    cr_assert_eq(record_next(&block, &told), ERR_DAMAGED);
    cr_assert_eq(record_next(&block, &told), ERR_NOT_FOUND);
}

Test(record, of_a_later_version_is_told_as_such)
{
    static const enum err expected[] = {ERR_DAMAGED, ERR_OK, ERR_NEWER, ERR_NEWER};

    static const unsigned char versions[] = {0, 1, 2, 255};
    set_state(1);
    const struct slice body = slice_from(put(), BODY_AT);
    for (size_t i = 0; i < LENGTH_OF(versions); i++) {
        room[BODY_AT] = (char)versions[i];
        struct slice block = seal(body);
        cr_expect_eq(record_next(&block, &told), expected[i], "version %u", versions[i]);
        cr_expect_eq(record_next(&block, &told), ERR_NOT_FOUND);
    }
    // of which nothing else is known, but that it is whole
    struct slice block = seal(SLICE("\x02"));
    cr_expect_eq(record_next(&block, &told), ERR_NEWER);
}

Test(record, keeps_fields_that_it_does_not_know)
{
    cr_assert_eq(next_of_fields(SLICE(URI CALL_ID CSEQ EXPIRES UNKNOWN LATER)), ERR_OK);
    ASSERT_TEXT(told.bindings[0].uri, "a:");
    cr_assert(slice_equal(told.bindings[0].extra, SLICE(UNKNOWN LATER)));
    const struct slice before = slice_of(room_again, record_bytes(&told));
    cr_assert(slice_equal(put_into(room, &told), before));
}

Test(record, is_damaged_by_a_field_that_cannot_be)
{
    static const struct {
        const char *why;
        struct slice fields;
        enum err err;
    } rows[] = {
        {"all of them", SLICE_INIT(URI PARAMS CALL_ID CSEQ EXPIRES Q REQUEST UNKNOWN), ERR_OK},
        {"the required", SLICE_INIT(URI CALL_ID CSEQ EXPIRES), ERR_OK},
        {"none", SLICE_INIT(""), ERR_DAMAGED},
        {"no URI", SLICE_INIT(CALL_ID CSEQ EXPIRES), ERR_DAMAGED},
        {"no Call-ID", SLICE_INIT(URI CSEQ EXPIRES), ERR_DAMAGED},
        {"no CSeq", SLICE_INIT(URI CALL_ID EXPIRES), ERR_DAMAGED},
        {"no expiry", SLICE_INIT(URI CALL_ID CSEQ), ERR_DAMAGED},
        {"tag 0", SLICE_INIT("\0\0\0" URI CALL_ID CSEQ EXPIRES), ERR_DAMAGED},
        {"twice", SLICE_INIT(URI URI CALL_ID CSEQ EXPIRES), ERR_DAMAGED},
        {"unknown twice", SLICE_INIT(URI CALL_ID CSEQ EXPIRES UNKNOWN UNKNOWN), ERR_DAMAGED},
        {"order", SLICE_INIT(URI CSEQ CALL_ID EXPIRES), ERR_DAMAGED},
        {"known behind unknown", SLICE_INIT(URI CALL_ID CSEQ UNKNOWN EXPIRES), ERR_DAMAGED},
        {"empty URI", SLICE_INIT("\x01\0\0" CALL_ID CSEQ EXPIRES), ERR_DAMAGED},
        {"empty parameters", SLICE_INIT(URI "\x02\0\0" CALL_ID CSEQ EXPIRES), ERR_DAMAGED},
        {"empty Call-ID", SLICE_INIT(URI "\x03\0\0" CSEQ EXPIRES), ERR_DAMAGED},
        {"short CSeq", SLICE_INIT(URI CALL_ID "\x04\x03\0\0\0\0" EXPIRES), ERR_DAMAGED},
        {"long CSeq", SLICE_INIT(URI CALL_ID "\x04\x05\0\0\0\0\0\0" EXPIRES), ERR_DAMAGED},
        {"high CSeq", SLICE_INIT(URI CALL_ID "\x04\x04\0\0\0\0\x80" EXPIRES), ERR_DAMAGED},
        {"short expiry", SLICE_INIT(URI CALL_ID CSEQ "\x05\x04\0\0\0\0\0"), ERR_DAMAGED},
        {"short q", SLICE_INIT(URI CALL_ID CSEQ EXPIRES "\x06\x01\0\0"), ERR_DAMAGED},
        {"q above 1", SLICE_INIT(URI CALL_ID CSEQ EXPIRES "\x06\x02\0\xe9\x03"), ERR_DAMAGED},
        {"q is absent", SLICE_INIT(URI CALL_ID CSEQ EXPIRES "\x06\x02\0\xff\xff"), ERR_DAMAGED},
        {"short identity", SLICE_INIT(URI CALL_ID CSEQ EXPIRES "\x07\x01\0\1"), ERR_DAMAGED},
        {"identity 0", SLICE_INIT(URI CALL_ID CSEQ EXPIRES "\x07\x08\0\0\0\0\0\0\0\0\0"),
         ERR_DAMAGED},
        {"half a head", SLICE_INIT(URI CALL_ID CSEQ EXPIRES "\x08\0"), ERR_DAMAGED},
        {"cut off", SLICE_INIT(URI CALL_ID CSEQ EXPIRES "\x08\x01\0"), ERR_DAMAGED},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        cr_expect_eq(next_of_fields(rows[i].fields), rows[i].err, "%s", rows[i].why);
    }
}

// A record by its lengths.
struct shape {
    size_t aor;
    size_t count; // bindings, all alike
    size_t uri;
    size_t params;
    size_t call_id;
    size_t extra; // without its head
};

static void put_number(struct buf *b, uint64_t value, unsigned bytes)
{
    char *const at = buf_room(b, bytes);
    cr_assert(at != NULL);
    write_number(at, value, bytes);
}

static void put_field(struct buf *b, char tag, size_t len)
{
    if (len > 0) {
        buf_put_char(b, tag);
        put_number(b, len, 2);
        buf_put(b, slice_of(filler, len));
    }
}

static enum err next_of_shape(const struct shape *shape)
{
    struct buf b = buf_over(room, sizeof(room));
    buf_put(&b, SLICE("\x01revision"));
    put_number(&b, shape->aor, 2);
    buf_put(&b, slice_of(filler, shape->aor));
    put_number(&b, shape->count, 1);
    for (size_t i = 0; i < shape->count; i++) {
        char *const len = buf_room(&b, 4);
        const size_t start = b.len;
        put_field(&b, 1, shape->uri);
        put_field(&b, 2, shape->params);
        put_field(&b, 3, shape->call_id);
        buf_put(&b, SLICE(CSEQ EXPIRES));
        put_field(&b, 8, shape->extra);
        write_number(len, b.len - start, 4);
    }
    cr_assert(buf_ok(&b));
    struct slice block = seal(buf_slice(&b));
    return record_next(&block, &told);
}

Test(record, is_damaged_by_what_exceeds_a_limit)
{
    static const struct {
        struct shape shape;
        enum err err;
    } rows[] = {
        {{1, 1, 1, 0, 1, 0}, ERR_OK},
        {{0, 1, 1, 0, 1, 0}, ERR_DAMAGED},
        {{AOR_BYTES_MAX, 1, 1, 0, 1, 0}, ERR_OK},
        {{AOR_BYTES_MAX + 1, 1, 1, 0, 1, 0}, ERR_DAMAGED},
        {{1, CONTACTS_PER_AOR_MAX, 1, 0, 1, 0}, ERR_OK},
        {{1, CONTACTS_PER_AOR_MAX + 1, 1, 0, 1, 0}, ERR_DAMAGED},
        {{1, 255, 1, 0, 1, 0}, ERR_DAMAGED},
        {{1, 1, CONTACT_BYTES_MAX, 0, 1, 0}, ERR_OK},
        {{1, 1, CONTACT_BYTES_MAX + 1, 0, 1, 0}, ERR_DAMAGED},
        {{1, 1, CONTACT_BYTES_MAX - 1, 1, 1, 0}, ERR_OK},
        {{1, 1, CONTACT_BYTES_MAX - 1, 2, 1, 0}, ERR_DAMAGED},
        {{1, 1, 1, CONTACT_BYTES_MAX, 1, 0}, ERR_DAMAGED},
        {{1, 1, 1, 0, CALL_ID_BYTES_MAX, 0}, ERR_OK},
        {{1, 1, 1, 0, CALL_ID_BYTES_MAX + 1, 0}, ERR_DAMAGED},
        {{1, 1, 1, 0, 1, RECORD_EXTRA_BYTES_MAX - 3}, ERR_OK},
        {{1, 1, 1, 0, 1, RECORD_EXTRA_BYTES_MAX - 2}, ERR_DAMAGED},
        {{1, 6, CONTACT_BYTES_MAX, 0, 1, 0}, ERR_OK},
        {{1, 7, CONTACT_BYTES_MAX, 0, 1, 0}, ERR_DAMAGED},
        {{1, 64, 300, AOR_STATE_BYTES_MAX / 64 - 300, 1, 0}, ERR_OK},
        {{1, 64, 300, AOR_STATE_BYTES_MAX / 64 - 299, 1, 0}, ERR_DAMAGED},
    };

    memset(filler, 'x', sizeof(filler));
    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        cr_expect_eq(next_of_shape(&rows[i].shape), rows[i].err, "row %zu", i);
    }
}
