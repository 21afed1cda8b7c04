// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/state/bed.h"

#include <criterion/criterion.h>
#include <limits.h>
#include <stdio.h>

#include "signpost/sip/fields.h"

struct bed bed;

void bed_start(void)
{
    const struct location_config config = {.shards = 4,
                                           .contacts_max = BED_CONTACTS_MAX,
                                           .bindings_max = 1000000,
                                           .key = {.bytes = "a fixed test key"}};
    bed.location = location_create(&config);
    bed.now = (struct now){.mono_ms = BED_START_MS, .wall_ms = 0};
    bed.request_id = 0;
    cr_assert_not_null(bed.location);
}

void bed_stop(void)
{
    location_destroy(bed.location);
}

void bed_advance_ms(uint64_t ms)
{
    bed.now.mono_ms += ms;
}

static struct slice text(const char *s)
{
    return slice_of(s, s == NULL ? 0 : strlen(s));
}

static enum err send(struct registration *r, const char *aor, const char *call_id, uint32_t cseq)
{
    r->aor = text(aor);
    r->call_id = text(call_id);
    r->cseq = cseq;
    r->request_id = ++bed.request_id;
    return location_register(bed.location, r, bed.now, &bed.list, &bed.effect);
}

static uint16_t q_of(int q)
{
    if (q == 0) {
        return Q_ABSENT;
    }
    return q == BED_Q_NOUGHT ? 0 : (uint16_t)q;
}

enum err bed_register_all(const char *aor, const char *call_id, uint32_t cseq,
                          const struct want *wants, size_t count)
{
    struct contact_update updates[CONTACTS_PER_AOR_MAX];
    for (size_t i = 0; i < count; i++) {
        updates[i] = (struct contact_update){.params = text(wants[i].params),
                                             .q = q_of(wants[i].q),
                                             .expires_s = wants[i].expires_s};
        cr_assert_eq(uri_parse(text(wants[i].uri), &updates[i].uri), ERR_OK, "%s", wants[i].uri);
    }
    struct registration r = {.updates = updates, .update_count = count};
    return send(&r, aor, call_id, cseq);
}

enum err bed_register(const char *aor, const char *call_id, uint32_t cseq, struct want want)
{
    return bed_register_all(aor, call_id, cseq, &want, 1);
}

enum err bed_remove_all(const char *aor, const char *call_id, uint32_t cseq)
{
    struct registration r = {.remove_all = true};
    return send(&r, aor, call_id, cseq);
}

void bed_retransmit(void)
{
    bed.request_id--;
}

static void put_text(struct buf *b, const char *s)
{
    buf_put(b, text(s));
}

const char *bed_list(void)
{
    static char shown[2 * AOR_STATE_BYTES_MAX];
    struct buf b = buf_over(shown, sizeof(shown));
    for (size_t i = 0; i < bed.list.count; i++) {
        const struct binding *const row = &bed.list.rows[i];
        put_text(&b, i > 0 ? " | " : "");
        buf_put(&b, row->uri);
        buf_put(&b, row->params);
        if (row->q != Q_ABSENT) {
            put_text(&b, " q=");
            buf_put_u64(&b, row->q);
        }
        put_text(&b, " ");
        buf_put_u64(&b, row->remaining_s);
    }
    buf_put_char(&b, '\0');
    cr_assert(buf_ok(&b));
    return shown;
}

const char *bed_lookup(const char *aor)
{
    location_lookup(bed.location, text(aor), bed.now, &bed.list);
    return bed_list();
}

size_t bed_expire(void)
{
    size_t removed = 0;
    cr_assert_not(location_expire(bed.location, bed.now, UINT_MAX, &removed));
    return removed;
}
