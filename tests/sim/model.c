// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/model.h"

enum { HOUR_S = 3600, S = 1000 };

void verdict_allow(struct verdict *verdict, unsigned status)
{
    if (!verdict_allows(verdict, status)) {
        assert(verdict->count < VERDICT_STATUSES_MAX);
        verdict->statuses[verdict->count++] = status;
    }
}

bool verdict_allows(const struct verdict *verdict, unsigned status)
{
    for (unsigned i = 0; i < verdict->count; i++) {
        if (verdict->statuses[i] == status) {
            return true;
        }
    }
    return false;
}

// ---- Bindings

static bool live(const struct model_row *row, uint64_t mono_ms)
{
    return row->expires_ms > mono_ms;
}

static bool of_aor(const struct model_row *row, uint8_t user, uint8_t domain)
{
    return row->user == user && row->domain == domain;
}

static void delete_row(struct model_bindings *b, unsigned i)
{
    b->rows[i] = b->rows[--b->count];
}

static struct model_row *find(struct model_bindings *b, const struct intent *in,
                              const struct uri_spec *uri)
{
    for (unsigned i = 0; i < b->count; i++) {
        if (of_aor(&b->rows[i], in->to.user, in->to.host) && uri_spec_same(&b->rows[i].uri, uri)) {
            return &b->rows[i];
        }
    }
    return NULL;
}

uint32_t model_remaining_s(const struct model_row *row, uint64_t mono_ms)
{
    return (uint32_t)((row->expires_ms - mono_ms + S - 1) / S);
}

int model_rank(const struct model_row *row)
{
    return row->q == Q_NONE ? 1000 : row->q;
}

unsigned model_lookup(const struct model *model, uint8_t user, uint8_t domain, uint64_t mono_ms,
                      const struct model_row *rows[MODEL_ROWS_MAX])
{
    unsigned count = 0;
    for (unsigned i = 0; i < model->bindings.count; i++) {
        const struct model_row *const row = &model->bindings.rows[i];
        if (!of_aor(row, user, domain) || !live(row, mono_ms)) {
            continue;
        }
        unsigned at = count++;
        for (; at > 0 && model_rank(rows[at - 1]) < model_rank(row); at--) {
            rows[at] = rows[at - 1];
        }
        rows[at] = row;
    }
    return count;
}

bool model_grant(const struct model *model, struct model_row *row, uint64_t seconds,
                 uint64_t mono_ms)
{
    const uint64_t longest = row->granted_s;
    const uint64_t cut = longest * model->config.expires_jitter_percent / 100;
    const uint32_t min_s = model->config.expires_min_s;
    const uint64_t shortest = longest <= min_s         ? longest
                              : longest - cut >= min_s ? longest - cut
                                                       : min_s;
    row->granted_now = false;
    row->expires_ms = mono_ms + seconds * S;
    return seconds >= shortest && seconds <= longest;
}

void model_sweep(struct model *model, uint64_t mono_ms)
{
    for (unsigned i = model->bindings.count; i-- > 0;) {
        if (model->bindings.rows[i].expires_ms + S <= mono_ms) {
            delete_row(&model->bindings, i);
        }
    }
}

// ---- RFC 3261 10.3: REGISTER

static uint64_t asked_s(const struct model_config *config, const struct intent *in, unsigned i)
{
    const struct expiry *const own = &in->contacts[i].expiry;
    const struct expiry *const expiry = own->form == EXPIRY_ABSENT ? &in->expires : own;
    if (expiry->form == EXPIRY_ABSENT) {
        return config->expires_default_s;
    }
    // 20.19: between 0 and 2**32 - 1, and 20.10: else as if it were an hour.
    const bool malformed = expiry->form == EXPIRY_MALFORMED || expiry->seconds > UINT32_MAX;
    return malformed ? HOUR_S : expiry->seconds;
}

// Of equal Contacts in one request the last counts, in the place of the first.
static bool named_before(const struct intent *in, unsigned i)
{
    for (unsigned j = 0; j < i; j++) {
        if (uri_spec_same(&in->contacts[i].uri, &in->contacts[j].uri)) {
            return true;
        }
    }
    return false;
}

static unsigned last_named(const struct intent *in, unsigned i)
{
    unsigned last = i;
    for (unsigned j = i + 1; j < in->contact_count; j++) {
        last = uri_spec_same(&in->contacts[i].uri, &in->contacts[j].uri) ? j : last;
    }
    return last;
}

// Step 7 for one Contact. False: "the update MUST be aborted and the request fails".
static bool update(struct model_bindings *b, const struct intent *in, unsigned i,
                   uint32_t granted_s, uint64_t mono_ms)
{
    const struct contact_intent *const c = &in->contacts[i];
    struct model_row *row = find(b, in, &c->uri);
    if (row != NULL && row->request == in->id) {
        return true; // a copy of the request that has made this binding
    }
    if (row != NULL && row->call == in->call && in->cseq <= row->cseq) {
        return false;
    }
    if (granted_s == 0) {
        if (row != NULL) {
            delete_row(b, (unsigned)(row - b->rows));
        }
        return true;
    }
    if (row == NULL) {
        assert(b->count < MODEL_ROWS_MAX);
        row = &b->rows[b->count++];
        row->age = b->age_next++;
    }
    *row = (struct model_row){
        .user = in->to.user,
        .domain = in->to.host,
        .uri = c->uri,
        .q = c->q,
        .instance = c->instance,
        .call = in->call,
        .cseq = in->cseq,
        .request = in->id,
        .age = row->age,
        .granted_s = granted_s,
        .granted_now = true,
        .expires_ms = mono_ms + (uint64_t)granted_s * S,
    };
    return true;
}

// Step 6: "*".
static bool remove_all(struct model_bindings *b, const struct intent *in)
{
    for (unsigned i = b->count; i-- > 0;) {
        const struct model_row *const row = &b->rows[i];
        if (!of_aor(row, in->to.user, in->to.host)) {
            continue;
        }
        if (row->call == in->call && in->cseq <= row->cseq) {
            return false;
        }
        delete_row(b, i);
    }
    return true;
}

static unsigned count_live(const struct model_bindings *b, uint64_t mono_ms)
{
    unsigned n = 0;
    for (unsigned i = 0; i < b->count; i++) {
        n += live(&b->rows[i], mono_ms) ? 1 : 0;
    }
    return n;
}

static unsigned count_of_aor(const struct model_bindings *b, const struct intent *in)
{
    unsigned n = 0;
    for (unsigned i = 0; i < b->count; i++) {
        n += of_aor(&b->rows[i], in->to.user, in->to.host) ? 1 : 0;
    }
    return n;
}

static bool spoken_of(const struct intent *in, const struct model_row *row)
{
    for (unsigned i = 0; i < in->contact_count; i++) {
        if (uri_spec_same(&in->contacts[i].uri, &row->uri)) {
            return true;
        }
    }
    return false;
}

// Removes the oldest binding that the request says nothing about. False when there is none.
static bool replace_oldest(struct model_bindings *b, const struct intent *in)
{
    unsigned oldest = b->count;
    for (unsigned i = 0; i < b->count; i++) {
        if (of_aor(&b->rows[i], in->to.user, in->to.host) && !spoken_of(in, &b->rows[i]) &&
            (oldest == b->count || b->rows[i].age < b->rows[oldest].age)) {
            oldest = i;
        }
    }
    if (oldest == b->count) {
        return false;
    }
    delete_row(b, oldest);
    return true;
}

// What is the operator's policy: how many bindings.
static void judge_limits(const struct model *model, const struct intent *in, unsigned before,
                         uint64_t mono_ms, struct verdict *verdict)
{
    unsigned after = count_of_aor(&verdict->after, in);
    while (model->config.replace_oldest && after > model->config.contacts_max &&
           replace_oldest(&verdict->after, in)) {
        after--;
    }
    if (after > model->config.contacts_max) {
        verdict_allow(verdict, 403);
        verdict_allow(verdict, 503);
    }
    if (after > before && count_live(&verdict->after, mono_ms) > model->config.bindings_max) {
        verdict_allow(verdict, 503);
    }
}

// No fault so far: 200, unless the table holds so much that has expired that it may be full.
static void judge_success(const struct model *model, const struct intent *in, unsigned before,
                          struct verdict *verdict)
{
    verdict_allow(verdict, 200);
    if (count_of_aor(&verdict->after, in) > before &&
        verdict->after.count > model->config.bindings_max) {
        verdict_allow(verdict, 503);
    }
}

static void judge_register(const struct model *model, const struct intent *in, uint64_t mono_ms,
                           struct verdict *verdict)
{
    const struct model_config *const config = &model->config;
    struct model_bindings *const after = &verdict->after;
    bool in_order = true;
    *after = model->bindings;
    for (unsigned i = after->count; i-- > 0;) {
        if (of_aor(&after->rows[i], in->to.user, in->to.host) && !live(&after->rows[i], mono_ms)) {
            delete_row(after, i);
        }
    }
    const unsigned before = count_of_aor(after, in);
    if (in->star) {
        in_order = remove_all(after, in);
    }
    for (unsigned i = 0; i < in->contact_count; i++) {
        const uint64_t asked = asked_s(config, in, i);
        if (asked > 0 && asked < HOUR_S && asked < config->expires_min_s) {
            verdict_allow(verdict, 423);
        }
    }
    for (unsigned i = 0; i < in->contact_count; i++) {
        const unsigned last = last_named(in, i);
        const uint64_t asked = asked_s(config, in, last);
        const uint64_t granted = asked < config->expires_max_s ? asked : config->expires_max_s;
        if (!named_before(in, i) && !update(after, in, last, (uint32_t)granted, mono_ms)) {
            in_order = false;
        }
    }
    if (!in_order) {
        verdict_allow(verdict, 400);
        verdict_allow(verdict, 500);
    }
    judge_limits(model, in, before, mono_ms, verdict);
    if (verdict->count == 0) {
        judge_success(model, in, before, verdict);
    }
}

// ---- RFC 3261 8.3: everything else that is for a user

bool model_usable(const struct model_row *row, const struct uri_spec *asked)
{
    return !uri_spec_same(&row->uri, asked) &&
           !(asked->scheme == SPEC_SIPS && row->uri.scheme == SPEC_SIP);
}

static bool served(const struct model_config *config, const struct uri_spec *uri)
{
    return config->domain_count == 0 || uri->host < config->domain_count;
}

static void judge_redirect(const struct model *model, const struct intent *in, uint64_t mono_ms,
                           struct verdict *verdict)
{
    const struct model_row *rows[MODEL_ROWS_MAX];
    const unsigned count = model_lookup(model, in->target.user, in->target.host, mono_ms, rows);
    for (unsigned i = 0; i < count; i++) {
        if (model_usable(rows[i], &in->target)) {
            verdict_allow(verdict, 302);
            return;
        }
    }
    verdict_allow(verdict, 404);
    verdict_allow(verdict, 480);
}

static void judge_for_server(const struct intent *in, struct verdict *verdict)
{
    if (in->requires) {
        verdict_allow(verdict, 420);
    }
    if (in->kind == INTENT_OPTIONS) {
        if (!in->requires) {
            verdict_allow(verdict, 200);
        }
    } else if (in->kind == INTENT_BYE) {
        verdict_allow(verdict, 481);
    } else {
        verdict_allow(verdict, 405);
        if (in->kind == INTENT_FOO) {
            verdict_allow(verdict, 501);
        }
    }
}

// ---- Flaws

// The statuses that a flaw may get; none for silence.
static void judge_flaw(enum flaw flaw, struct verdict *verdict)
{
    static const unsigned usual[FLAW_COUNT] = {
        [FLAW_NO_CSEQ] = 400,      [FLAW_CSEQ_METHOD] = 400, [FLAW_NO_CALL_ID] = 400,
        [FLAW_NO_FROM] = 400,      [FLAW_NO_TO] = 400,       [FLAW_CONTENT_LENGTH] = 400,
        [FLAW_VERSION] = 505,      [FLAW_REQUEST_URI] = 400, [FLAW_SCHEME] = 416,
        [FLAW_CONTACT] = 400,      [FLAW_CONTACT_URI] = 400, [FLAW_Q] = 400,
        [FLAW_FOREIGN_URI] = 404,  [FLAW_FOREIGN_TO] = 404,  [FLAW_STRANGER] = 403,
        [FLAW_STAR_EXPIRES] = 400, [FLAW_STAR_MIXED] = 400,  [FLAW_STAR_NO_EXPIRES] = 400,
    };
    if (usual[flaw] != 0) {
        verdict_allow(verdict, usual[flaw]);
    }
    if (flaw == FLAW_FOREIGN_URI || flaw == FLAW_FOREIGN_TO) {
        verdict_allow(verdict, 403);
    }
}

void model_judge(const struct model *model, const struct intent *in, uint64_t mono_ms,
                 struct verdict *verdict)
{
    verdict->count = 0;
    if (in->kind == INTENT_ACK) {
        return;
    }
    if (in->flaw != FLAW_NONE) {
        judge_flaw(in->flaw, verdict);
    } else if (in->kind == INTENT_REGISTER && in->requires) {
        verdict_allow(verdict, 420);
    } else if (in->kind == INTENT_REGISTER) {
        judge_register(model, in, mono_ms, verdict);
    } else if (in->kind == INTENT_CANCEL || in->in_dialog) {
        verdict_allow(verdict, 481);
    } else if (in->target.user == SPEC_NO_USER) {
        judge_for_server(in, verdict);
    } else if (!served(&model->config, &in->target)) {
        verdict_allow(verdict, 403);
        verdict_allow(verdict, 404);
    } else {
        judge_redirect(model, in, mono_ms, verdict);
    }
}
