// SPDX-License-Identifier: Apache-2.0
// Random operations on the table and on a model of it that is too simple to be wrong: one array,
// searched from end to end, time compared and nothing scheduled.
#include <criterion/criterion.h>
#include <stdio.h>

#include "tests/unit/state/bed.h"

enum {
    MODEL_ROWS_MAX = 256,
    OPERATIONS = 10000,
    SEEDS = 4,
    UPDATES_MAX = 4,
};

static const char *const aors[] = {"a@x", "b@x", "c@x", "d@y", "e@y", "@z"};
static const char *const call_ids[] = {"1@c", "2@c", "a-much-longer-call-id-than-the-others@c"};
static const char *const uris[] = {"sip:b@h",      "sip:%62@H",       "sip:b@h;x=1", "sip:b@h;x=2",
                                   "sip:b@h:5060", "sips:b@h",        "tel:+12",     "sip:h",
                                   "sip:b@h2",     "sip:b@h2;q=long", "sip:B@h2",    "sip:c@[::1]"};
static const char *const params[] = {"", ";p", ";token=0123456789abcdef0123456789abcdef"};
static const uint32_t expiries_s[] = {0, 0, 1, 2, 30, 4095, 4096, 4097, 9000};
static const uint64_t steps_ms[] = {0, 0, 1, 10, 500, 999, 1000, 1001, 30000, 4096000, 20000000};

static const int q_values[] = {0, 0, 500, BED_Q_NOUGHT, 1000, 999};

enum { RANKS = 4 };

static const int ranks[RANKS] = {1000, 999, 500, 0}; // all that stand in q_values, best first

struct model_row {
    const char *aor;
    const char *uri;
    const char *params;
    const char *call_id;
    int q;
    uint32_t cseq;
    uint64_t request_id;
    uint64_t expires_ms;
    bool taken; // by an earlier Contact of the request at hand
};

// Newest first.
struct model {
    struct model_row rows[MODEL_ROWS_MAX];
    size_t count;
};

struct request {
    const char *aor;
    const char *call_id;
    uint32_t cseq;
    uint64_t id;
    bool remove_all;
    struct want wants[UPDATES_MAX];
    size_t count;
};

static struct model model;
static uint64_t seed;
static uint64_t state;

// splitmix64
static unsigned pick(unsigned n)
{
    state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = state;
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) % n);
}

#define PICK(array) (array)[pick(sizeof(array) / sizeof((array)[0]))]

static bool equal(const char *a, const char *b, bool exactly)
{
    struct uri ua;
    struct uri ub;
    if (exactly) {
        return strcmp(a, b) == 0;
    }
    return uri_parse(slice_of(a, strlen(a)), &ua) == ERR_OK &&
           uri_parse(slice_of(b, strlen(b)), &ub) == ERR_OK && uri_equal(&ua, &ub);
}

static void model_delete(size_t i)
{
    memmove(&model.rows[i], &model.rows[i + 1], (--model.count - i) * sizeof(model.rows[0]));
}

static size_t model_expire(void)
{
    const size_t before = model.count;
    for (size_t i = model.count; i-- > 0;) {
        if (model.rows[i].expires_ms <= bed.now.mono_ms) {
            model_delete(i);
        }
    }
    return before - model.count;
}

static struct model_row *model_find(const char *aor, const char *uri)
{
    for (int exactly = 1; exactly >= 0; exactly--) {
        for (size_t i = 0; i < model.count; i++) {
            struct model_row *const row = &model.rows[i];
            if (row->aor == aor && !row->taken && equal(row->uri, uri, exactly != 0)) {
                return row;
            }
        }
    }
    return NULL;
}

static bool in_order(const struct model_row *row, const struct request *r)
{
    return row->call_id != r->call_id || r->cseq > row->cseq;
}

static bool apply_one(const struct request *r, const struct want *want)
{
    struct model_row *row = model_find(r->aor, want->uri);
    if (row != NULL && row->request_id == r->id) {
        row->taken = true;
        return true;
    }
    if (row != NULL && !in_order(row, r)) {
        return false;
    }
    if (want->expires_s == 0) {
        if (row != NULL) {
            model_delete((size_t)(row - model.rows));
        }
        return true;
    }
    if (row == NULL) {
        memmove(&model.rows[1], &model.rows[0], model.count++ * sizeof(model.rows[0]));
        row = &model.rows[0];
    }
    *row = (struct model_row){
        r->aor,  want->uri, want->params, r->call_id,
        want->q, r->cseq,   r->id,        bed.now.mono_ms + UINT64_C(1000) * want->expires_s,
        true};
    return true;
}

static size_t model_count(const char *aor)
{
    size_t n = 0;
    for (size_t i = 0; i < model.count; i++) {
        n += model.rows[i].aor == aor;
    }
    return n;
}

// Works on the model itself; who gets an error restores it.
static enum err model_apply(const struct request *r)
{
    for (size_t i = 0; i < r->count; i++) {
        if (!apply_one(r, &r->wants[i])) {
            return ERR_STALE;
        }
    }
    for (size_t i = model.count; r->remove_all && i-- > 0;) {
        if (model.rows[i].aor == r->aor) {
            if (!in_order(&model.rows[i], r)) {
                return ERR_STALE;
            }
            model_delete(i);
        }
    }
    return model_count(r->aor) > BED_CONTACTS_MAX ? ERR_TOO_MANY : ERR_OK;
}

static enum err model_register(const struct request *r)
{
    static struct model before;
    before = model;
    const enum err e = model_apply(r);
    if (e != ERR_OK) {
        model = before;
    }
    for (size_t i = 0; i < model.count; i++) {
        model.rows[i].taken = false;
    }
    return e;
}

static int rank_of(int q)
{
    return q == 0 ? 1000 : q == BED_Q_NOUGHT ? 0 : q;
}

// As bed_list shows it.
static const char *model_lookup(const char *aor)
{
    static char shown[8192];
    size_t used = 0;
    shown[0] = '\0';
    for (size_t rank = 0; rank < RANKS; rank++) {
        const int q = ranks[rank];
        for (size_t i = 0; i < model.count; i++) {
            const struct model_row *const row = &model.rows[i];
            if (row->aor != aor || rank_of(row->q) != q || row->expires_ms <= bed.now.mono_ms) {
                continue;
            }
            char q_text[16] = "";
            if (row->q != 0) {
                (void)snprintf(q_text, sizeof(q_text), " q=%d", q);
            }
            const uint64_t left_ms = row->expires_ms - bed.now.mono_ms;
            used += (size_t)snprintf(shown + used, sizeof(shown) - used, "%s%s%s%s %u",
                                     used > 0 ? " | " : "", row->uri, row->params, q_text,
                                     (unsigned)((left_ms + 999) / 1000));
        }
    }
    return shown;
}

static struct request make_request(uint32_t cseq)
{
    struct request r = {.aor = PICK(aors), .call_id = PICK(call_ids), .cseq = cseq};
    r.remove_all = pick(20) == 0;
    const unsigned count = r.remove_all ? 0 : pick(UPDATES_MAX + 1);
    while (r.count < count) {
        const struct want want = {PICK(uris), PICK(expiries_s), PICK(q_values), PICK(params)};
        bool twice = false;
        for (size_t i = 0; i < r.count; i++) {
            twice = twice || equal(r.wants[i].uri, want.uri, false);
        }
        if (!twice) {
            r.wants[r.count++] = want;
        } else if (pick(4) == 0) {
            break;
        }
    }
    return r;
}

static enum err send(const struct request *r)
{
    bed.request_id = r->id - 1;
    return r->remove_all ? bed_remove_all(r->aor, r->call_id, r->cseq)
                         : bed_register_all(r->aor, r->call_id, r->cseq, r->wants, r->count);
}

static void step(unsigned n)
{
    static struct request past[16];
    struct request r = make_request(pick(10) == 0 ? pick(n + 1) : n + 1);
    r.id = n + 1;
    if (pick(8) == 0 && past[n % 16].id != 0) {
        r = past[n % 16]; // a retransmission, perhaps a late one
    }
    past[pick(16)] = r;
    bed_advance_ms(pick(3) == 0 ? PICK(steps_ms) : 0);
    if (pick(10) == 0) {
        (void)bed_expire(); // some are left for the calls below to meet
    }
    (void)model_expire();
    const enum err expected = model_register(&r);
    cr_assert_eq(send(&r), expected, "seed %lu, operation %u: not %s", seed, n, err_text(expected));
    cr_assert_str_eq(bed_list(), expected == ERR_OK ? model_lookup(r.aor) : "",
                     "seed %lu, operation %u, REGISTER", seed, n);
    for (size_t i = 0; i < sizeof(aors) / sizeof(aors[0]); i++) {
        cr_assert_str_eq(bed_lookup(aors[i]), model_lookup(aors[i]),
                         "seed %lu, operation %u, lookup of %s", seed, n, aors[i]);
    }
}

// At a whole second the table holds what the model holds, to the last record.
static void compare_sizes(unsigned n)
{
    uint64_t with_bindings = 0;
    bed.now.mono_ms = (bed.now.mono_ms + 999) / 1000 * 1000;
    (void)bed_expire();
    (void)model_expire();
    for (size_t i = 0; i < sizeof(aors) / sizeof(aors[0]); i++) {
        with_bindings += model_count(aors[i]) > 0;
    }
    const struct location_size size = location_size(bed.location);
    cr_assert_eq(size.bindings, model.count, "seed %lu, operation %u", seed, n);
    cr_assert_eq(size.aors, with_bindings, "seed %lu, operation %u", seed, n);
}

Test(location_model, random_operations_do_what_the_model_does)
{
    for (seed = 1; seed <= SEEDS; seed++) {
        state = seed;
        model.count = 0;
        bed_start();
        for (unsigned n = 0; n < OPERATIONS; n++) {
            step(n);
            if (n % 64 == 0) {
                compare_sizes(n);
            }
        }
        bed_stop();
    }
}
