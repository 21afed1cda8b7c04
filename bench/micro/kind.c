// SPDX-License-Identifier: Apache-2.0
#include "micro/kind.h"

// A datagram, what goes before it and what comes after it are of one user, in this order.
enum phase { BEFORE, MEASURED, AFTER, PHASES };

static const struct kind refresh = {.text = PHONE_REGISTER, .status = 200};
static const struct kind forget = {.text = PHONE_REGISTER_REMOVE, .status = 200, .stranger = true};
static const struct kind call = {.text = PHONE_INVITE, .status = 302};

static const struct kind kinds[] = {
    {.name = "refresh", .text = PHONE_REGISTER, .status = 200},
    {.name = "new", .text = PHONE_REGISTER, .status = 200, .stranger = true, .after = &forget},
    {.name = "repeated", .text = PHONE_REGISTER, .status = 200, .same = true, .before = &refresh},
    {.name = "brief", .text = PHONE_REGISTER_BRIEF, .status = 423},
    {.name = "remove", .text = PHONE_REGISTER_REMOVE, .status = 200, .after = &refresh},
    {.name = "invite", .text = PHONE_INVITE, .status = 302},
    {.name = "ack", .text = PHONE_ACK, .status = 0, .same = true, .before = &call},
    {.name = "unknown", .text = PHONE_INVITE_STRANGER, .status = 404},
    {.name = "options", .text = PHONE_OPTIONS, .status = 200},
    {.name = "keepalive", .text = PHONE_KEEPALIVE, .status = 0},
    {.name = "stun", .text = PHONE_STUN, .status = 1},
};

const struct kind *kind_at(size_t i)
{
    return i < sizeof(kinds) / sizeof(kinds[0]) ? &kinds[i] : NULL;
}

// `number` is that of the BEFORE phase; all three are of the same users.
static struct phone_words words_of(const struct bed *bed, const struct kind *kind, uint64_t number,
                                   enum phase phase)
{
    return (struct phone_words){
        .user = kind->stranger ? bed_stranger(bed, number) : bed_user(bed, number),
        .callee = bed->users - 1 - bed_user(bed, number),
        .cseq = bed_cseq(number + phase),
        .call = number + phase,
        .branch = number + phase,
    };
}

static void write_batch(const struct bed *bed, struct kind_batch *batch, enum phase phase)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct phone_words words =
            words_of(bed, batch->kind, batch->first + i * PHASES, phase);
        batch->datagrams[i] =
            slice_of(batch->bytes[i], phone_write(batch->kind->text, &words, batch->bytes[i]));
    }
}

bool kind_prepare(const struct kind *kind, struct bed *bed, size_t count, struct kind_batch *batch)
{
    assert(count <= BED_BATCH_MAX && bed->users > 0);
    batch->first = bed->next;
    batch->count = count;
    bed->next += count * PHASES;
    const enum phase phase = kind->same ? BEFORE : MEASURED;
    if (kind->before != NULL) {
        batch->kind = kind->before;
        write_batch(bed, batch, BEFORE);
        if (kind_handle(bed, batch) != count) {
            return false;
        }
    }
    batch->kind = kind;
    write_batch(bed, batch, phase);
    return true;
}

size_t kind_handle(struct bed *bed, const struct kind_batch *batch)
{
    size_t right = 0;
    for (size_t i = 0; i < batch->count; i++) {
        right += bed_handle(bed, batch->datagrams[i]) == batch->kind->status;
    }
    return right;
}

size_t kind_handle_ahead(struct bed *bed, const struct kind_batch *batch)
{
    size_t right = 0;
    for (size_t i = 0; i < batch->count + UAS_AHEAD; i++) {
        if (i < batch->count) {
            bed_read(bed, batch->datagrams[i]);
        }
        if (i >= UAS_AHEAD) {
            right += bed_answer(bed) == batch->kind->status;
        }
    }
    return right;
}

bool kind_finish(struct bed *bed, struct kind_batch *batch)
{
    if (batch->kind->after == NULL) {
        return true;
    }
    batch->kind = batch->kind->after;
    write_batch(bed, batch, AFTER);
    return kind_handle(bed, batch) == batch->count;
}
