// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/export.h"

#include "signpost/sip/fields.h"
#include "signpostctl/newest.h"
#include "tests/unit/signpostctl/bed.h"

static struct bed bed;
static char bytes[MEMORY_BLOCK_BYTES_MAX];

static struct buf begin_block(void)
{
    return buf_over(bytes, sizeof(bytes));
}

static void init(void)
{
    bed_init(&bed);
}

static void fini(void)
{
    bed_clear(&bed);
}

TestSuite(export, .init = init, .fini = fini);

Test(export, line_says_all_that_a_record_does)
{
    struct buf b = begin_block();
    struct record_state state;
    state.aor = SLICE("b\xfc@h");
    state.revision = 42;
    state.count = 1;
    state.bindings[0] = (struct record_binding){
        .uri = SLICE("sip:b@h"),
        .params = SLICE(";x=\"\\\"\""),
        .call_id = SLICE("id@h"),
        .extra = SLICE("\x09\x02\0ab"),
        .expires_wall_ms = NOW_MS + 1500,
        .request_id = 0xabc,
        .cseq = 7,
        .q = 500,
    };
    record_put(&b, &state);
    memory_engine_add(&bed.memory, buf_slice(&b));
    cr_assert_eq(bed_export(&bed, false), ERR_OK);
    cr_expect_str_eq(bed.told,
                     "{\"aor\":\"b\xef\xbf\xbd@h\",\"contact\":\"sip:b@h\","
                     "\"params\":\";x=\\\"\\\\\\\"\\\"\",\"q\":0.500,\"expires\":2,"
                     "\"call_id\":\"id@h\",\"cseq\":7,\"expires_at\":\"2026-11-22T17:00:01.500Z\","
                     "\"revision\":42,\"request_id\":\"0000000000000abc\","
                     "\"extra\":\"0902006162\",\"aor_hex\":\"62fc4068\"}\n");
}

Test(export, newest_record_of_an_aor_counts_and_counts_once)
{
    struct buf b = begin_block();
    bed_put(&b, "bob@h", 5, "x");
    bed_put(&b, "bob@h", 7, "yz");
    bed_put(&b, "ann@h", 1, "a");
    memory_engine_add(&bed.memory, buf_slice(&b));
    b.len = 0;
    bed_put(&b, "bob@h", 7, "yz");
    bed_put(&b, "bob@h", 6, "x");
    bed_put(&b, "ann@h", 2, "");
    memory_engine_add(&bed.memory, buf_slice(&b));
    cr_assert_eq(bed_export(&bed, false), ERR_OK);
    const char *const y = strstr(bed.told, "sip:y@h");
    const char *const z = strstr(bed.told, "sip:z@h");
    cr_expect(y != NULL && z != NULL && y < z, "%s", bed.told);
    cr_expect(strstr(bed.told, "sip:x@h") == NULL && strstr(bed.told, "ann") == NULL);
    cr_expect_eq(bed.exported.bindings, 2);
    cr_expect_eq(bed.exported.aors, 1);
    cr_expect_eq(bed.exported.walk.records, 6);
    cr_expect_eq(bed.exported.walk.highest_revision, 7);
}

Test(export, expired_bindings_are_left_out_unless_asked_for)
{
    struct buf b = begin_block();
    bed_put(&b, "bob@h", 1, "Xa");
    bed_put(&b, "ann@h", 1, "Y");
    memory_engine_add(&bed.memory, buf_slice(&b));
    cr_assert_eq(bed_export(&bed, false), ERR_OK);
    cr_expect_eq(bed.exported.bindings, 1);
    cr_expect_eq(bed.exported.aors, 1);
    cr_expect_eq(bed.exported.expired, 2);
    cr_assert_eq(bed_export(&bed, true), ERR_OK);
    cr_expect_eq(bed.exported.bindings, 3);
    cr_expect(strstr(bed.told, "sip:Y@h") != NULL && strstr(bed.told, "\"expires\":0") != NULL);
}

Test(export, what_is_damaged_is_counted_and_the_rest_told)
{
    struct buf b = begin_block();
    bed_put(&b, "bob@h", 1, "a");
    const size_t first = b.len;
    bed_put(&b, "ann@h", 1, "b");
    bytes[first - 1] ^= 1;
    memory_engine_add(&bed.memory, buf_slice(&b));
    bed.memory.blocks[bed.memory.count++] = slice_of(NULL, 0);
    b.len = 0;
    bed_put(&b, "eve@h", UINT64_MAX, "c"); // nobody has drawn so many
    bed_put(&b, "cid@h", 1, "d");
    memory_engine_add(&bed.memory, buf_slice(&b));
    cr_assert_eq(bed_export(&bed, false), ERR_OK);
    cr_expect_eq(bed.exported.walk.damaged_records, 2);
    cr_expect_eq(bed.exported.walk.damaged_blocks, 1);
    cr_expect_eq(bed.exported.bindings, 2);
    cr_expect(strstr(bed.told, "ann@h") != NULL && strstr(bed.told, "cid@h") != NULL);
}

// ---- Of many

enum { AORS = 5000 };

struct seen {
    unsigned count[AORS];
    bool wrong;
};

static enum err see(void *context, const struct record_state *state)
{
    struct seen *const seen = context;
    uint64_t number = 0;
    if (!slice_to_u64(slice_of(state->aor.at, state->aor.len - 2), AORS - 1, &number) ||
        state->revision != 10 + number) {
        seen->wrong = true;
    }
    seen->count[number]++;
    return ERR_OK;
}

// Each address of record three times, with its highest revision in the middle.
static void fill(void)
{
    for (unsigned round = 0; round < 3; round++) {
        struct buf b = begin_block();
        for (unsigned i = 0; i < AORS; i++) {
            char aor[16];
            (void)snprintf(aor, sizeof(aor), "%u@h", i);
            bed_put(&b, aor, (round == 1 ? 10 : round) + i, "a");
        }
        memory_engine_add(&bed.memory, buf_slice(&b));
    }
}

Test(export, memory_for_revisions_is_bounded_by_reading_several_times)
{
    static const size_t maxima[] = {AORS * 2, AORS, 1000};
    static struct seen seen;
    const struct walker walker = {see, &seen};
    fill();
    for (size_t m = 0; m < LENGTH_OF(maxima); m++) {
        struct walk_report report;
        memset(&seen, 0, sizeof(seen));
        cr_assert_eq(walk_newest(&bed.memory.engine, maxima[m], &walker, &report, &bed.fault),
                     ERR_OK);
        cr_expect(!seen.wrong);
        cr_expect_eq(report.records, 3 * AORS);
        for (size_t i = 0; i < AORS; i++) {
            cr_assert_eq(seen.count[i], 1, "%zu of %zu", i, maxima[m]);
        }
    }
}

Test(newest, only_the_highest_revision_is_taken_and_once)
{
    struct newest *const newest = newest_create();
    newest_clear(newest, 2);
    cr_expect_eq(newest_note(newest, 0, 3), ERR_OK);
    cr_expect_eq(newest_note(newest, 9, 1), ERR_OK);
    cr_expect_eq(newest_note(newest, 0, 2), ERR_OK);
    cr_expect_eq(newest_note(newest, 8, 1), ERR_FULL);
    cr_expect(!newest_take(newest, 0, 2));
    cr_expect(newest_take(newest, 0, 3));
    cr_expect(!newest_take(newest, 0, 3));
    cr_expect(!newest_take(newest, 8, 1));
    newest_clear(newest, 2);
    cr_expect(!newest_take(newest, 9, 1));
    newest_destroy(newest);
}
