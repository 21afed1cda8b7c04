// SPDX-License-Identifier: Apache-2.0
#include "tests/sim_store/ordeal.h"

enum { S = 1000, HOUR_MS = 3600 * S, FROZEN_STEPS_MAX = 150, FROZEN_STEPS_MAX_BIG = 1500 };

// ---- The table

static bool read_table(struct world *w, unsigned aor, struct version *out)
{
    location_lookup(w->host.uas.location, phone_aor(&w->text, aor), w->now, &w->list);
    *out = (struct version){.count = (unsigned)w->list.count};
    for (unsigned i = 0; i < out->count; i++) {
        const struct binding *const binding = &w->list.rows[i];
        unsigned phone;
        if (out->count > PHONES_MAX || !phone_reads(binding, aor, w->pad_bytes, &phone)) {
            trace_fail(&w->trace, "aor %u has a binding that nobody has made", aor);
            return false;
        }
        out->rows[binding->age] = (struct bound){
            .phone = phone,
            .cseq = binding->cseq,
            .expires_wall_ms = w->now.wall_ms + (binding->expires_ms - w->now.mono_ms)};
    }
    return true;
}

static void print_version(struct world *w, const char *what, const struct version *version)
{
    trace_line(&w->trace, "  %s: %u bindings", what, version->count);
    for (unsigned i = 0; i < version->count; i++) {
        trace_line(&w->trace, "    phone %u cseq %u until %llu", version->rows[i].phone,
                   version->rows[i].cseq, (unsigned long long)version->rows[i].expires_wall_ms);
    }
}

void ordeal_check(struct world *w, unsigned aor)
{
    const struct version known = history_now(&w->histories[aor], w->now.wall_ms);
    struct version found;
    if (!w->trace.failed && read_table(w, aor, &found) && !version_equal(&found, &known)) {
        print_version(w, "known", &known);
        print_version(w, "found", &found);
        trace_fail(&w->trace, "aor %u is not bound as it should be", aor);
    }
}

// ---- Faults

static void disturb_calls(struct world *w)
{
    static const enum disk_call calls[] = {DISK_APPEND, DISK_SYNC, DISK_COPY,
                                           DISK_BEGIN,  DISK_DROP, DISK_OPEN};
    const enum disk_call call = RNG_PICK(&w->rng, calls);
    const enum disk_outcome outcome = (enum disk_outcome)(1 + rng_below(&w->rng, 3));
    const unsigned skip = rng_below(&w->rng, 3);
    const unsigned count = 1 + rng_below(&w->rng, 4);
    trace_line(&w->trace, "fault: call %d, %u are well, then %u end with %d", (int)call, skip,
               count, (int)outcome);
    disk_order(w->disk, call, outcome, skip, count);
}

static void delete_store(struct world *w)
{
    trace_line(&w->trace, "fault: the store is deleted");
    disk_delete(w->disk);
    w->deleted = true;
    for (unsigned aor = 0; aor < w->aor_count; aor++) {
        struct history *const history = &w->histories[aor];
        history->floor = history->written = history->offered = history->at_begin = HISTORY_NOTHING;
    }
}

void ordeal_fault(struct world *w)
{
    const unsigned dice = rng_below(&w->rng, 100);
    if (dice < 60) {
        disturb_calls(w);
    } else if (dice < 80) {
        const unsigned skip = rng_below(&w->rng, 5);
        trace_line(&w->trace, "fault: the machine dies after %u calls", skip);
        disk_kill(w->disk, (enum disk_outcome)rng_below(&w->rng, 4), skip);
    } else if (dice < 95) {
        w->frozen_steps = rng_below(&w->rng, w->big ? FROZEN_STEPS_MAX_BIG : FROZEN_STEPS_MAX);
        trace_line(&w->trace, "fault: the disk is frozen for %u steps", w->frozen_steps);
    } else {
        delete_store(w);
    }
}

// ---- Crashes

static unsigned any_percent(void *context)
{
    struct rng *const rng = context;
    static const unsigned percents[] = {0, 0, 100};
    return rng_chance(rng, 50) ? RNG_PICK(rng, percents) : rng_below(rng, 101);
}

static void refuse_while_loading(struct world *w)
{
    const struct deed deed = {.kind = DEED_BIND, .cseq = 1, .expires_s = 60};
    host_handle(&w->host, 0, phone_register(&w->text, &deed), w->now);
    if (host_status(&w->host.workers[0]) != 503 || w->host.workers[0].holds) {
        trace_fail(&w->trace, "REGISTER is served before the table has been loaded");
    }
}

// A store that has been deleted is a new one.
static void judge_key(struct world *w)
{
    const struct hash_key *const key = &w->host.uas.config.key;
    if (memcmp(key->bytes, w->key.bytes, sizeof(key->bytes)) == 0) {
        return;
    }
    if (!w->deleted) {
        trace_fail(&w->trace, "the store's key has changed");
    }
    w->key = *key;
    for (unsigned i = 0; i < w->aor_count * PHONES_MAX; i++) {
        w->phones[i / PHONES_MAX][i % PHONES_MAX].tag_len = 0;
    }
}

static void judge_loaded(struct world *w, bool power)
{
    for (unsigned aor = 0; aor < w->aor_count && !w->trace.failed; aor++) {
        struct history *const history = &w->histories[aor];
        struct version found;
        if (!read_table(w, aor, &found)) {
            return;
        }
        if (!power) {
            history_keep(history, history->written);
        }
        if (!history_allows(history, &found, w->now.wall_ms)) {
            print_version(w, "found", &found);
            for (int i = history->floor < 0 ? 0 : history->floor; i < history->count; i++) {
                print_version(w, "allowed", &history->versions[i]);
            }
            trace_fail(&w->trace, "aor %u is not as a crash may leave it (from version %d on)", aor,
                       history->floor);
        }
        history_start(history, &found);
    }
}

void ordeal_crash(struct world *w, uint64_t more_bytes)
{
    const bool power = rng_chance(&w->rng, 50);
    const uint64_t down_ms = rng_below(&w->rng, rng_chance(&w->rng, 10) ? 2 * HOUR_MS : 10 * S);
    trace_line(&w->trace, "%s, down for %llu ms", power ? "power off" : "killed",
               (unsigned long long)down_ms);
    host_end(&w->host);
    disk_revive(w->disk, power ? any_percent : NULL, &w->rng);
    if (rng_chance(&w->rng, 10)) {
        disk_order(w->disk, DISK_OPEN, DISK_HALVES, 0, 1 + rng_below(&w->rng, 2));
    }
    w->now.wall_ms += down_ms;
    w->now.mono_ms = rng_below(&w->rng, 100 * S);
    w->frozen_steps = 0;
    if (!host_start(&w->host, &w->config, w->disk, &w->rng)) {
        trace_fail(&w->trace, "no start");
        return;
    }
    refuse_while_loading(w);
    judge_key(w);
    if (!host_load(&w->host, &w->rng, more_bytes, w->now)) {
        trace_fail(&w->trace, "no loading");
        return;
    }
    trace_line(&w->trace, "loaded %llu records", (unsigned long long)w->host.loaded.records);
    judge_loaded(w, power);
}
