// SPDX-License-Identifier: Apache-2.0
// One block of records, and the same bytes as what one record tells: what is accepted is within the
// block and the limits, and written again it is the same bytes.
#include "signpost/sip/fields.h"
#include "store/crc32c.h"
#include "store/record.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

static void check_limits(const struct record_state *state, struct slice bytes)
{
    size_t sum = 0;
    assert(state->aor.len > 0 && state->aor.len <= AOR_BYTES_MAX && within(state->aor, bytes));
    assert(state->count <= CONTACTS_PER_AOR_MAX);
    for (size_t i = 0; i < state->count; i++) {
        const struct record_binding *const b = &state->bindings[i];
        assert(b->uri.len > 0 && b->uri.len + b->params.len <= CONTACT_BYTES_MAX);
        assert(b->call_id.len > 0 && b->call_id.len <= CALL_ID_BYTES_MAX);
        assert(b->extra.len <= RECORD_EXTRA_BYTES_MAX && b->cseq <= RECORD_CSEQ_MAX);
        assert(b->q <= Q_ONE || b->q == Q_ABSENT);
        assert(within(b->uri, bytes) && within(b->params, bytes));
        assert(within(b->call_id, bytes) && within(b->extra, bytes));
        sum += b->uri.len + b->params.len;
    }
    assert(sum <= AOR_STATE_BYTES_MAX);
}

// There is one way only to write a state, so that what was read is what is written.
static void check_again(const struct record_state *state, struct slice bytes)
{
    static char room[RECORD_BYTES_MAX];
    assert(record_bytes(state) == bytes.len);
    struct buf b = buf_over(room, bytes.len);
    record_put(&b, state);
    assert(buf_ok(&b) && slice_equal(buf_slice(&b), bytes));
}

static void check_block(struct slice block)
{
    static struct record_state state;
    for (;;) {
        const struct slice before = block;
        const enum err e = record_next(&block, &state);
        assert(within(block, before) && slice_end(block) == slice_end(before));
        if (e == ERR_NOT_FOUND) {
            assert(before.len == 0);
            return;
        }
        assert(e == ERR_OK || e == ERR_DAMAGED || e == ERR_NEWER);
        assert(block.len < before.len);
        if (e == ERR_OK) {
            const struct slice record = slice_of(before.at, before.len - block.len);
            check_limits(&state, record);
            check_again(&state, record);
        }
    }
}

static void write_u32(char *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (char)(value >> 8 * i & 0xff);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_block(guarded(0, data, size));
    // A checksum is not easily guessed: with one that fits, the fuzzer comes to what is behind it.
    static char sealed[MESSAGE_BYTES_MAX];
    const size_t most = sizeof(sealed) - RECORD_HEAD_BYTES;
    const size_t len = size < most ? size : most;
    if (len > 0) {
        memcpy(sealed + RECORD_HEAD_BYTES, data, len);
    }
    write_u32(sealed, (uint32_t)len);
    write_u32(sealed + 4, crc32c_bytes(slice_of(sealed + RECORD_HEAD_BYTES, len)));
    check_block(guarded(0, sealed, RECORD_HEAD_BYTES + len));
    return 0;
}
