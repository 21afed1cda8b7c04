// SPDX-License-Identifier: Apache-2.0
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "micro/group.h"
#include "micro/kind.h"
#include "signpost/sip/fields.h"

enum {
    OPS = 256,   // datagrams of which a batch stays in the caches beside the table
    BRIEF_S = 1, // of bindings that are to expire
    OUTLIVE_MS = 2000,
    FOR_AN_HOUR_S = 3600,
    TICK_MS = 100, // between two batches; all rows together take less than an hour
};

// One user's part in a batch on the table itself.
struct subject {
    uint32_t user;
    struct slice aor;
    struct slice call_id;
    struct contact_update update;
    char aor_bytes[PHONE_BYTES_MAX];
    char call_id_bytes[PHONE_BYTES_MAX];
    char contact_bytes[PHONE_BYTES_MAX];
};

struct stage {
    struct bed *bed;
    struct kind_batch datagrams;
    struct subject subjects[OPS];
    struct binding_list list; // room for one answer
};

static void destroy(void *stage)
{
    struct stage *const s = stage;
    bed_destroy(s->bed);
    free(s);
}

static void *create(uint32_t users)
{
    struct stage *const s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return NULL;
    }
    s->bed = bed_create();
    if (s->bed == NULL || !bed_fill(s->bed, users)) {
        destroy(s);
        return NULL;
    }
    return s;
}

// --- the table itself -----------------------------------------------------------------------

static bool cast(struct stage *s, bool strangers, uint32_t expires_s)
{
    for (uint32_t i = 0; i < OPS; i++) {
        struct subject *const who = &s->subjects[i];
        const uint64_t number = s->bed->next++;
        who->user = strangers ? bed_stranger(s->bed, number) : bed_user(s->bed, number);
        who->aor = phone_aor(who->user, who->aor_bytes);
        who->call_id = phone_call_id(who->user, who->call_id_bytes);
        who->update = (struct contact_update){.q = Q_ABSENT, .expires_s = expires_s};
        if (uri_parse(phone_contact_uri(who->user, who->contact_bytes), &who->update.uri) !=
            ERR_OK) {
            return false;
        }
    }
    return true;
}

// Every subject registers. Returns how many of them have `bound` bindings afterwards.
static size_t register_all(struct stage *s, size_t bound)
{
    size_t right = 0;
    for (size_t i = 0; i < OPS; i++) {
        const struct subject *const who = &s->subjects[i];
        const uint64_t number = s->bed->next++;
        const struct registration r = {.aor = who->aor,
                                       .call_id = who->call_id,
                                       .cseq = bed_cseq(number),
                                       .request_id = number,
                                       .updates = &who->update,
                                       .update_count = 1};
        struct registration_effect effect;
        right +=
            location_register(s->bed->uas.location, &r, s->bed->now, &s->list, &effect) == ERR_OK &&
            s->list.count == bound;
    }
    return right;
}

static bool cast_users(void *stage, const struct micro_row *row)
{
    (void)row;
    return cast(stage, false, FOR_AN_HOUR_S);
}

static bool cast_strangers(void *stage, const struct micro_row *row)
{
    (void)row;
    return cast(stage, true, FOR_AN_HOUR_S);
}

static bool bind_strangers(void *stage, const struct micro_row *row)
{
    return cast_strangers(stage, row) && register_all(stage, 1) == OPS;
}

static size_t expire_all(const struct stage *s)
{
    size_t removed = 0;
    (void)location_expire(s->bed->uas.location, s->bed->now, UINT_MAX, &removed);
    return removed;
}

// Their time is over, and so far nothing else is due.
static bool outlive_strangers(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    if (!cast(s, true, BRIEF_S) || register_all(s, 1) != OPS || expire_all(s) != 0) {
        return false;
    }
    bed_advance(s->bed, OUTLIVE_MS);
    return true;
}

static size_t look_up(struct stage *s, size_t bound)
{
    size_t right = 0;
    for (size_t i = 0; i < OPS; i++) {
        location_lookup(s->bed->uas.location, s->subjects[i].aor, s->bed->now, &s->list);
        right += s->list.count == bound;
    }
    return right;
}

static size_t hit(void *stage, const struct micro_row *row)
{
    (void)row;
    return look_up(stage, 1);
}

static size_t miss(void *stage, const struct micro_row *row)
{
    (void)row;
    return look_up(stage, 0);
}

static size_t bind_all(void *stage, const struct micro_row *row)
{
    (void)row;
    return register_all(stage, 1);
}

static size_t remove_all(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    for (size_t i = 0; i < OPS; i++) {
        s->subjects[i].update.expires_s = 0;
    }
    return register_all(s, 0);
}

static bool clean_up(void *stage, const struct micro_row *row)
{
    return remove_all(stage, row) == OPS;
}

static size_t expire(void *stage, const struct micro_row *row)
{
    (void)row;
    const struct stage *const s = stage;
    return expire_all(s);
}

// --- the whole of uas_handle ----------------------------------------------------------------

static bool prepare(void *stage, const struct micro_row *row)
{
    struct stage *const s = stage;
    bed_stateful(s->bed, row->stateful);
    return kind_prepare(row->arg, s->bed, row->ops, &s->datagrams);
}

static size_t handle(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    return kind_handle(s->bed, &s->datagrams);
}

static size_t handle_ahead(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    return kind_handle_ahead(s->bed, &s->datagrams);
}

static bool finish(void *stage, const struct micro_row *row)
{
    (void)row;
    struct stage *const s = stage;
    bed_advance(s->bed, TICK_MS);
    return kind_finish(s->bed, &s->datagrams);
}

// Every kind stateless and stateful, and both one datagram at a time and as a batch.
static bool handle_row_at(size_t i, struct micro_row *row)
{
    const struct kind *const kind = kind_at(i / 4);
    const bool ahead = i % 4 >= 2;
    if (kind == NULL) {
        return false;
    }
    *row = (struct micro_row){.ops = OPS,
                              .arg = kind,
                              .stateful = i % 2 == 1,
                              .before = prepare,
                              .batch = ahead ? handle_ahead : handle,
                              .after = finish};
    const int len = snprintf(row->name, sizeof(row->name), "%s/%s/%s", ahead ? "batch" : "handle",
                             kind->name, row->stateful ? "stateful" : "stateless");
    assert(len > 0 && (size_t)len < sizeof(row->name));
    return true;
}

static bool row_at(size_t i, struct micro_row *row)
{
    static const struct micro_row rows[] = {
        {.name = "table/hit", .ops = OPS, .before = cast_users, .batch = hit},
        {.name = "table/miss", .ops = OPS, .before = cast_strangers, .batch = miss},
        {.name = "table/refresh", .ops = OPS, .before = cast_users, .batch = bind_all},
        {.name = "table/insert",
         .ops = OPS,
         .before = cast_strangers,
         .batch = bind_all,
         .after = clean_up},
        {.name = "table/remove", .ops = OPS, .before = bind_strangers, .batch = remove_all},
        {.name = "table/expire", .ops = OPS, .before = outlive_strangers, .batch = expire},
    };
    const size_t count = sizeof(rows) / sizeof(rows[0]);
    if (i >= count) {
        return handle_row_at(i - count, row);
    }
    *row = rows[i];
    return true;
}

const struct micro_group table_group = {
    .sized = true, .create = create, .destroy = destroy, .row_at = row_at};
