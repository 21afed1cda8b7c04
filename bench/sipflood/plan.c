// SPDX-License-Identifier: Apache-2.0
#include "sipflood/plan.h"

#include "sipflood/random.h"

// A newcomer stays until so many others came after it: long enough to have been answered.
enum { NEWCOMER_STAY = 4096 };

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        const uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

// A step that visits every user once in a round, far apart from each other (the golden section),
// so that lookups do not run through the server's memory in the order it was filled.
static uint32_t stride_over(uint32_t users)
{
    uint32_t stride = (uint32_t)((uint64_t)users * 618 / 1000) + 1;
    while (common_divisor(stride, users) != 1) {
        stride++;
    }
    return stride;
}

struct plan plan_of(const struct plan_config *config)
{
    const uint32_t known = share_users(&config->share, config->users);
    assert(config->users > 0 && config->users <= SCRIPT_USERS_MAX && known > 0);
    return (struct plan){
        .config = *config,
        .stride = stride_over(config->users),
        .own_stride = config->scatter ? stride_over(known) : 1,
        .known = known,
        .newcomers = share_users(&config->share, SCRIPT_USERS_MAX) - known,
        .mixed = mix_kinds(&config->mix) > 1,
    };
}

void plan_begin(struct plan *p, const struct pace *pace)
{
    p->pace = *pace;
    p->first = p->taken;
    p->allowed = 0;
}

// The n-th registration brings newcomer n; it goes with deregistration n + NEWCOMER_STAY. There are
// only so many: then they come again, with a higher CSeq each time.
static struct step newcomer(const struct plan *p, struct mix_turn turn)
{
    const bool leaves = turn.kind == SCENARIO_DEREGISTER;
    const uint64_t stay = NEWCOMER_STAY < p->newcomers ? NEWCOMER_STAY : p->newcomers / 2;
    const uint64_t n = turn.n + (leaves ? p->newcomers - stay : 0);
    const uint32_t i = p->known + (uint32_t)(n % p->newcomers);
    const uint64_t turns = n / p->newcomers * 2 + (leaves ? 0 : 1);
    const uint32_t user = share_user(&p->config.share, i);
    return (struct step){
        .kind = turn.kind, .caller = user, .callee = user, .turn = (uint32_t)turns};
}

static struct step step_at(const struct plan *p, uint64_t n)
{
    const struct mix_turn turn = mix_turn(&p->config.mix, n);
    const uint32_t users = p->config.users;
    if (p->mixed && (turn.kind == SCENARIO_REGISTER || turn.kind == SCENARIO_DEREGISTER)) {
        return newcomer(p, turn);
    }
    const uint64_t place = turn.n % p->known * p->own_stride % p->known;
    const uint32_t caller = share_user(&p->config.share, (uint32_t)place);
    struct step step = {
        .kind = turn.kind,
        .caller = caller,
        .callee = caller,
        .turn = (uint32_t)(turn.n / p->known),
    };
    if (turn.kind == SCENARIO_INVITE) {
        // Anybody, or each once in a round.
        const bool anybody = p->mixed || p->config.roster != NULL;
        step.callee = anybody ? random_below(p->config.run ^ turn.n, users)
                              : (uint32_t)((uint64_t)caller * p->stride % users);
    }
    return step;
}

static uint64_t refresh_due_ns(const struct plan *p)
{
    return p->config.roster != NULL ? roster_due_ns(p->config.roster) : UINT64_MAX;
}

static struct step next_refresh(struct plan *p)
{
    const struct refresh refresh = roster_take(p->config.roster);
    const uint32_t user = share_user(&p->config.share, refresh.user);
    return (struct step){
        .kind = SCENARIO_REFRESH, .caller = user, .callee = user, .turn = refresh.turn};
}

bool plan_take(struct plan *p, uint64_t now_ns, uint64_t settled, struct step *out,
               uint64_t *intended_ns)
{
    const uint64_t n = p->taken - p->first;
    const uint64_t refresh_ns = refresh_due_ns(p);
    if (n >= p->allowed) {
        p->allowed = pace_allowed(&p->pace, now_ns, settled);
    }
    if (refresh_ns <= now_ns) {
        // Before anything else: who refreshes late may be gone.
        *out = next_refresh(p);
        *intended_ns = refresh_ns;
    } else if (n < p->allowed) {
        *out = step_at(p, p->taken++);
        *intended_ns = pace_intended_ns(&p->pace, n, now_ns);
    } else {
        return false;
    }
    out->call = p->calls++;
    return true;
}

static uint64_t pace_wake_ns(const struct plan *p, uint64_t now_ns, uint64_t settled)
{
    const uint64_t n = p->taken - p->first;
    if (pace_over(&p->pace, n, now_ns)) {
        return UINT64_MAX;
    }
    if (p->pace.rate_per_s > 0) {
        return pace_intended_ns(&p->pace, n, now_ns);
    }
    return n < pace_allowed(&p->pace, now_ns, settled) ? now_ns : UINT64_MAX;
}

uint64_t plan_wake_ns(const struct plan *p, uint64_t now_ns, uint64_t settled)
{
    const uint64_t wake_ns = pace_wake_ns(p, now_ns, settled);
    const uint64_t refresh_ns = refresh_due_ns(p);
    return refresh_ns < wake_ns ? refresh_ns : wake_ns;
}

bool plan_over(const struct plan *p, uint64_t now_ns)
{
    return pace_over(&p->pace, p->taken - p->first, now_ns) && refresh_due_ns(p) == UINT64_MAX;
}
