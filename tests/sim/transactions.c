// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/transactions.h"

#include "tests/sim/trace.h"

enum { T1_MS = 500, T2_MS = 4000, T4_MS = 5000 };

static bool alive(const struct tx *tx, uint64_t mono_ms)
{
    return mono_ms < tx->over_ms;
}

static struct tx *find(struct tx_table *table, const struct intent *in, enum intent_kind kind,
                       uint64_t mono_ms)
{
    for (unsigned i = 0; i < table->count; i++) {
        struct tx *const tx = &table->rows[i];
        if (alive(tx, mono_ms) && tx->kind == kind && tx->branch == in->branch &&
            tx->peer == in->peer) {
            return tx;
        }
    }
    return NULL;
}

struct tx *tx_find(struct tx_table *table, const struct intent *in, uint64_t mono_ms)
{
    // RFC 3261 17.2.3: the methods are the same, but for an ACK's, which is of its INVITE.
    const enum intent_kind kind = in->kind == INTENT_ACK ? INTENT_INVITE : in->kind;
    return find(table, in, kind, mono_ms);
}

struct tx *tx_find_invite(struct tx_table *table, const struct intent *in, uint64_t mono_ms)
{
    return find(table, in, INTENT_INVITE, mono_ms);
}

const struct tx *tx_find_merged(const struct tx_table *table, const struct intent *in,
                                uint64_t mono_ms)
{
    const struct tx *found = NULL;
    if (in->in_dialog || in->kind == INTENT_CANCEL || in->kind == INTENT_ACK) {
        return NULL;
    }
    for (unsigned i = 0; i < table->count; i++) {
        const struct tx *const tx = &table->rows[i];
        if (alive(tx, mono_ms) && tx->kind == in->kind && tx->call == in->call &&
            tx->from_tag == in->from_tag && tx->cseq == in->cseq && tx->branch != in->branch) {
            found = tx->certain || found == NULL ? tx : found;
        }
    }
    return found;
}

struct tx *tx_add(struct tx_table *table, const struct intent *in, struct slice answer,
                  uint64_t mono_ms)
{
    for (unsigned i = table->count; i-- > 0;) {
        if (!alive(&table->rows[i], mono_ms)) {
            table->rows[i] = table->rows[--table->count];
        }
    }
    struct tx *tx = tx_find(table, in, mono_ms); // one that was not certain is written anew
    if (tx == NULL) {
        assert(table->count < TX_MAX);
        tx = &table->rows[table->count++];
    }
    *tx = (struct tx){
        .certain = true,
        .request = in->id,
        .kind = in->kind,
        .branch = in->branch,
        .peer = in->peer,
        .call = in->call,
        .from_tag = in->from_tag,
        .cseq = in->cseq,
        .answer_len = answer.len,
        .answer_hash = trace_hash(0, answer),
        .over_ms = mono_ms + UINT64_C(64) * T1_MS, // timers H and J
        .repeat_ms = in->kind == INTENT_INVITE ? mono_ms + T1_MS : UINT64_MAX,
        .interval_ms = T1_MS,
    };
    return tx;
}

bool tx_same_answer(const struct tx *tx, struct slice answer)
{
    return tx->answer_len == answer.len && tx->answer_hash == trace_hash(0, answer);
}

void tx_acknowledge(struct tx *tx, uint64_t mono_ms)
{
    if (!tx->acknowledged) {
        tx->acknowledged = true;
        tx->over_ms = mono_ms + T4_MS; // timer I
        tx->repeat_ms = UINT64_MAX;
    }
}

void tx_repeated(struct tx *tx, uint64_t mono_ms)
{
    tx->interval_ms = 2 * tx->interval_ms < T2_MS ? 2 * tx->interval_ms : T2_MS;
    tx->repeat_ms = mono_ms + tx->interval_ms;
}

struct tx *tx_find_due(struct tx_table *table, struct slice answer, uint64_t mono_ms)
{
    for (unsigned i = 0; i < table->count; i++) {
        struct tx *const tx = &table->rows[i];
        if (alive(tx, mono_ms) && tx->repeat_ms <= mono_ms && tx_same_answer(tx, answer)) {
            return tx;
        }
    }
    return NULL;
}

const struct tx *tx_overdue(const struct tx_table *table, uint64_t mono_ms, uint64_t late_ms)
{
    for (unsigned i = 0; i < table->count; i++) {
        const struct tx *const tx = &table->rows[i];
        if (alive(tx, mono_ms) && tx->certain && tx->repeat_ms < UINT64_MAX &&
            tx->repeat_ms + late_ms <= mono_ms) {
            return tx;
        }
    }
    return NULL;
}

bool tx_waiting(const struct tx_table *table, uint64_t mono_ms)
{
    for (unsigned i = 0; i < table->count; i++) {
        if (alive(&table->rows[i], mono_ms) && table->rows[i].repeat_ms != UINT64_MAX) {
            return true;
        }
    }
    return false;
}
