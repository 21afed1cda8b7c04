// SPDX-License-Identifier: Apache-2.0
#include "micro/kind.h"

enum {
    CSEQ_FIRST = 1000000000,
    CSEQ_SPAN = 1000000000,
    STRANGERS = 100000, // user numbers after those of the registered, used in turn
};

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

// Users are visited far apart from each other, so that requests do not run through the table's
// memory in the order it was filled: an odd prime stride is as good as a permutation for any
// number of users that it does not divide.
static uint32_t scattered(uint64_t n, uint32_t users)
{
    const uint64_t stride = 6180341; // prime, and about the golden section of ten million
    return (uint32_t)(n * stride % users);
}

static struct phone_words words_of(const struct bed *bed, const struct kind *kind, uint64_t n,
                                   enum phase phase)
{
    const uint64_t number = n * PHASES + phase;
    const uint32_t user =
        kind->stranger ? bed->users + (uint32_t)(n % STRANGERS) : scattered(n, bed->users);
    return (struct phone_words){
        .user = user,
        .callee = bed->users - 1 - scattered(n, bed->users),
        .cseq = (uint32_t)(CSEQ_FIRST + number % CSEQ_SPAN),
        .call = number,
        .branch = number,
    };
}

static void write_batch(const struct bed *bed, struct kind_batch *batch, enum phase phase)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct phone_words words = words_of(bed, batch->kind, batch->first + i, phase);
        batch->datagrams[i] =
            slice_of(batch->bytes[i], phone_write(batch->kind->text, &words, batch->bytes[i]));
    }
}

bool kind_prepare(const struct kind *kind, struct bed *bed, size_t count, struct kind_batch *batch)
{
    assert(count <= BED_BATCH_MAX && bed->users > 0);
    batch->first = bed->next;
    batch->count = count;
    bed->next += count;
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

bool kind_finish(struct bed *bed, struct kind_batch *batch)
{
    if (batch->kind->after == NULL) {
        return true;
    }
    batch->kind = batch->kind->after;
    write_batch(bed, batch, AFTER);
    return kind_handle(bed, batch) == batch->count;
}
