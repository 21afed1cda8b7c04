// SPDX-License-Identifier: Apache-2.0
#include "sipflood/inflight.h"

#include <assert.h>
#include <stdlib.h>

#include "sipflood/pace.h"

// RFC 3261 17.1.1.1.
static const uint64_t t1_ns = UINT64_C(500) * NS_PER_MS;
static const uint64_t t2_ns = UINT64_C(4000) * NS_PER_MS;

enum row_state {
    ROW_WAITING,
    ROW_ANSWERED,
    ROW_LOST,
};

struct row {
    uint64_t n; // which request the row belongs to
    struct step step;
    uint64_t intended_ns;
    uint64_t sent_ns;
    enum row_state state;
    unsigned sends;
};

// Every timer runs for the same time after the sending, and requests are sent in the order of
// their numbers: so each timer also fires in that order, and one cursor per timer over the ring
// replaces a timer queue. `oldest` is the cursor of the timeout.
struct inflight {
    struct inflight_timers timers;
    uint64_t next;
    uint64_t oldest; // all requests before it are settled
    uint64_t waiting;
    uint64_t resend_next[INFLIGHT_RESENDS_MAX];
    size_t mask;
    struct row rows[];
};

struct inflight_timers inflight_timers_of(uint64_t timeout_ns, bool resend, bool invite)
{
    struct inflight_timers t = {.timeout_ns = timeout_ns};
    uint64_t interval_ns = t1_ns;
    uint64_t at_ns = t1_ns;
    while (resend && at_ns < timeout_ns && t.resends < INFLIGHT_RESENDS_MAX) {
        t.resend_ns[t.resends++] = at_ns;
        interval_ns *= 2;
        if (!invite && interval_ns > t2_ns) {
            interval_ns = t2_ns;
        }
        at_ns += interval_ns;
    }
    return t;
}

struct inflight *inflight_create(size_t rows, const struct inflight_timers *timers)
{
    assert(rows > 0 && (rows & (rows - 1)) == 0);
    assert(timers->timeout_ns > 0);
    struct inflight *f = calloc(1, sizeof(*f) + rows * sizeof(f->rows[0]));
    if (f != NULL) {
        f->timers = *timers;
        f->mask = rows - 1;
    }
    return f;
}

void inflight_destroy(struct inflight *f)
{
    free(f);
}

bool inflight_full(const struct inflight *f)
{
    return f->next - f->oldest > f->mask;
}

uint64_t inflight_next(const struct inflight *f)
{
    return f->next;
}

uint64_t inflight_waiting(const struct inflight *f)
{
    return f->waiting;
}

static struct row *row_at(struct inflight *f, uint64_t n)
{
    return &f->rows[n & f->mask];
}

void inflight_begin(struct inflight *f, const struct step *step, uint64_t intended_ns,
                    uint64_t sent_ns)
{
    assert(!inflight_full(f));
    *row_at(f, f->next) = (struct row){
        .n = f->next,
        .step = *step,
        .intended_ns = intended_ns,
        .sent_ns = sent_ns,
        .state = ROW_WAITING,
        .sends = 1,
    };
    f->next++;
    f->waiting++;
}

const struct step *inflight_step(const struct inflight *f, uint64_t n)
{
    const struct row *row = &f->rows[n & f->mask];
    return n < f->next && row->n == n ? &row->step : NULL;
}

// Keeps `oldest` at a request that waits, so that one answered long ago holds no room.
static void pass_settled(struct inflight *f)
{
    while (f->oldest < f->next && row_at(f, f->oldest)->state != ROW_WAITING) {
        f->oldest++;
    }
}

enum inflight_match inflight_answer(struct inflight *f, uint64_t n, uint64_t *intended_ns)
{
    if (n >= f->next) {
        return INFLIGHT_UNKNOWN;
    }
    struct row *row = row_at(f, n);
    if (row->n != n || row->state == ROW_LOST) {
        return INFLIGHT_LATE;
    }
    if (row->state == ROW_ANSWERED) {
        return row->sends > 1 ? INFLIGHT_AGAIN : INFLIGHT_TWICE;
    }
    row->state = ROW_ANSWERED;
    *intended_ns = row->intended_ns;
    assert(f->waiting > 0);
    f->waiting--;
    pass_settled(f);
    return INFLIGHT_FIRST;
}

bool inflight_resend(struct inflight *f, uint64_t now_ns, uint64_t *n)
{
    for (unsigned i = 0; i < f->timers.resends; i++) {
        uint64_t *cursor = &f->resend_next[i];
        *cursor = *cursor > f->oldest ? *cursor : f->oldest;
        while (*cursor < f->next) {
            struct row *row = row_at(f, *cursor);
            if (row->sent_ns + f->timers.resend_ns[i] > now_ns) {
                break;
            }
            *n = (*cursor)++;
            if (row->state == ROW_WAITING) {
                row->sends++;
                return true;
            }
        }
    }
    return false;
}

uint64_t inflight_expire(struct inflight *f, uint64_t now_ns)
{
    uint64_t lost = 0;
    while (f->oldest < f->next) {
        struct row *row = row_at(f, f->oldest);
        if (row->sent_ns + f->timers.timeout_ns > now_ns) {
            break;
        }
        assert(row->state == ROW_WAITING);
        row->state = ROW_LOST;
        f->waiting--;
        lost++;
        pass_settled(f);
    }
    return lost;
}

uint64_t inflight_wake_ns(const struct inflight *f)
{
    if (f->oldest == f->next) {
        return UINT64_MAX;
    }
    uint64_t wake_ns = f->rows[f->oldest & f->mask].sent_ns + f->timers.timeout_ns;
    for (unsigned i = 0; i < f->timers.resends; i++) {
        const uint64_t n = f->resend_next[i] > f->oldest ? f->resend_next[i] : f->oldest;
        if (n < f->next) {
            const uint64_t at_ns = f->rows[n & f->mask].sent_ns + f->timers.resend_ns[i];
            wake_ns = at_ns < wake_ns ? at_ns : wake_ns;
        }
    }
    return wake_ns;
}
