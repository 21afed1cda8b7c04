// SPDX-License-Identifier: Apache-2.0
#include "micro/bed.h"

#include <stdlib.h>

#include "env/memory.h"

static const size_t table_bytes = UINT64_C(320) * 20000000;

enum {
    BINDINGS_MAX = 20000000,
    SHARDS = 64, // as the server chooses by itself for up to four workers
    CONTACTS_PER_AOR = 10,
    TRANSACTION_BYTES = 268435456,
    REGISTERED_PER_MS = 32,  // as fast as bed_fill's users come
    STRANGERS = 100000,      // user numbers after those of the registered, used in turn
    CSEQ_FIRST = 1000000000, // ten digits, and below 2^31 (RFC 3261 8.1.1.5)
    CSEQ_SPAN = 1000000000,
};

struct bed *bed_create(void)
{
    const struct hash_key key = {.bytes = "a fixed test key"};
    struct bed *const bed = calloc(1, sizeof(*bed));
    if (bed == NULL) {
        return NULL;
    }
    bed->table = memory_reserve(table_bytes);
    const struct location_config location = {.shards = SHARDS,
                                             .memory = bed->table,
                                             .memory_bytes = bed->table == NULL ? 0 : table_bytes,
                                             .contacts_max = CONTACTS_PER_AOR,
                                             .bindings_max = BINDINGS_MAX,
                                             .key = key};
    const struct transactions_config transactions = {.shards = SHARDS,
                                                     .budget_bytes = TRANSACTION_BYTES};
    bed->handle = uas_handle;
    bed->scratch = uas_scratch_create();
    bed->metrics = aligned_alloc(_Alignof(struct metrics), sizeof(struct metrics));
    bed->answer = malloc(ANSWER_BYTES_MAX);
    bed->transactions = transactions_create(&transactions);
    bed->uas = (struct uas){.config = {.admission = {.register_from = &bed->phones, .count = 1},
                                       .expires_default_s = 3600,
                                       .expires_min_s = 60,
                                       .expires_max_s = 86400,
                                       .register_contacts_max = 2 * CONTACTS_PER_AOR,
                                       .redirect_bytes_max = 1452,
                                       .server = SLICE("Signpost"),
                                       .key = key},
                            .location = location_create(&location)};
    if (bed->scratch == NULL || bed->metrics == NULL || bed->answer == NULL ||
        bed->transactions == NULL || bed->uas.location == NULL) {
        bed_destroy(bed);
        return NULL;
    }
    memset(bed->metrics, 0, sizeof(*bed->metrics));
    const bool parsed = cidr_parse(SLICE("192.0.2.0/24"), &bed->phones) &&
                        ip_parse(SLICE("192.0.2.1"), &bed->local.ip);
    assert(parsed);
    bed->local.port = 5060;
    bed->now = (struct now){.mono_ms = 5000000, .wall_ms = UINT64_C(1289690940000)};
    return bed;
}

void bed_destroy(struct bed *bed)
{
    if (bed == NULL) {
        return;
    }
    location_destroy(bed->uas.location);
    memory_release(bed->table, table_bytes);
    transactions_destroy(bed->transactions);
    uas_scratch_destroy(bed->scratch);
    free(bed->metrics);
    free(bed->answer);
    free(bed);
}

void bed_stateful(struct bed *bed, bool stateful)
{
    bed->uas.transactions = stateful ? bed->transactions : NULL;
}

bool bed_fill(struct bed *bed, uint32_t users)
{
    assert(users <= BED_USERS_MAX);
    for (; bed->users < users; bed->users++) {
        char datagram[PHONE_BYTES_MAX];
        const uint64_t number = bed->next++;
        const struct phone_words words = {
            .user = bed->users, .cseq = bed_cseq(number), .branch = number};
        const size_t len = phone_write(PHONE_REGISTER, &words, datagram);
        if (bed_handle(bed, slice_of(datagram, len)) != 200) {
            return false;
        }
        if (bed->users % REGISTERED_PER_MS == 0) {
            bed_advance(bed, 1);
        }
    }
    return true;
}

uint32_t bed_cseq(uint64_t number)
{
    return (uint32_t)(CSEQ_FIRST + number % CSEQ_SPAN);
}

uint32_t bed_user(const struct bed *bed, uint64_t number)
{
    // A prime near the golden section of ten million: any number of users that it does not divide
    // is visited whole.
    const uint64_t stride = 6180341;
    return (uint32_t)(number * stride % bed->users);
}

uint32_t bed_stranger(const struct bed *bed, uint64_t number)
{
    return bed->users + (uint32_t)(number % STRANGERS);
}

void bed_advance(struct bed *bed, uint64_t ms)
{
    struct buf answer = buf_over(bed->answer, ANSWER_BYTES_MAX);
    struct transaction_path path;
    unsigned shard = 0;
    bed->now.mono_ms += ms;
    bed->now.wall_ms += ms;
    while (transactions_next_due(bed->transactions, &shard, bed->now, &answer, &path)) {
        answer = buf_over(bed->answer, ANSWER_BYTES_MAX); // a repetition, which nobody waits for
    }
}

static unsigned status_of(struct slice answer)
{
    uint64_t status;
    const struct slice version = SLICE("SIP/2.0 ");
    if (answer.len < version.len + 3 || memcmp(answer.at, version.at, version.len) != 0 ||
        !slice_to_u64(slice_of(answer.at + version.len, 3), 699, &status)) {
        return 1;
    }
    return (unsigned)status;
}

static struct uas_input input_of(const struct bed *bed, struct slice datagram)
{
    static const struct endpoint peer = {.ip = {.family = IP_V4, .bytes = {192, 0, 2, 10}},
                                         .port = 20000};
    return (struct uas_input){
        .bytes = datagram, .peer = &peer, .local = &bed->local, .now = bed->now};
}

unsigned bed_handle(struct bed *bed, struct slice datagram)
{
    const struct uas_input in = input_of(bed, datagram);
    struct uas_output out = {.answer = buf_over(bed->answer, ANSWER_BYTES_MAX)};
    if (!bed->handle(&bed->uas, bed->scratch, bed->metrics, &in, &out)) {
        return 0;
    }
    return status_of(buf_slice(&out.answer));
}

void bed_read(struct bed *bed, struct slice datagram)
{
    const struct uas_input in = input_of(bed, datagram);
    uas_read(&bed->uas, bed->scratch, bed->metrics, &in);
}

unsigned bed_answer(struct bed *bed)
{
    struct uas_output out = {.answer = buf_over(bed->answer, ANSWER_BYTES_MAX)};
    return uas_answer(bed->scratch, UAS_SERVES, &out) ? status_of(buf_slice(&out.answer)) : 0;
}
