// SPDX-License-Identifier: Apache-2.0
#include "tests/sim_store/host.h"

#include <stdlib.h>

enum { TRANSACTION_BYTES = 1 << 20, CONTACTS_MAX = 10, BINDINGS_MAX = 100000 };

static void random_key(struct rng *rng, struct hash_key *key)
{
    const uint64_t bits[] = {rng_next(rng), rng_next(rng)};
    static_assert(sizeof(bits) == sizeof(key->bytes), "a key's worth");
    memcpy(key->bytes, bits, sizeof(bits));
}

// What is opened again in place of a disk that has been deleted goes on with the key of before.
static enum err open_disk(const void *context, struct engine **out, struct engine_fault *fault)
{
    const struct host *const host = context;
    return disk_open(host->disk, &host->uas.config.key, out, fault);
}

static bool create_tables(struct host *host, const struct host_config *config, struct rng *rng)
{
    struct location_config table = {
        .shards = config->shards, .contacts_max = CONTACTS_MAX, .bindings_max = BINDINGS_MAX};
    struct transactions_config memory = {.shards = config->shards,
                                         .budget_bytes = TRANSACTION_BYTES};
    random_key(rng, &table.key);
    host->uas.location = location_create(&table);
    host->uas.transactions = config->stateful ? transactions_create(&memory) : NULL;
    bool ok = host->uas.location != NULL && (host->uas.transactions != NULL) == config->stateful;
    for (unsigned i = 0; i < HOST_WORKERS; i++) {
        struct host_worker *const worker = &host->workers[i];
        worker->holds = false;
        worker->scratch = worker->scratch == NULL ? uas_scratch_create() : worker->scratch;
        ok = ok && worker->scratch != NULL;
    }
    return ok;
}

static void configure(struct host *host, const struct host_config *config)
{
    const bool ok = cidr_parse(SLICE("192.0.2.0/24"), &host->register_from);
    assert(ok);
    host->uas.config = (struct uas_config){.admission = {&host->register_from, 1},
                                           .expires_default_s = HOST_EXPIRES_MAX_S,
                                           .expires_min_s = 1,
                                           .expires_max_s = HOST_EXPIRES_MAX_S,
                                           .register_contacts_max = CONTACTS_PER_AOR_MAX,
                                           .redirect_bytes_max = ANSWER_BYTES_MAX,
                                           .retry_after_s = 5,
                                           .answers_wait = config->answers_wait};
}

bool host_start(struct host *host, const struct host_config *config, struct disk *disk,
                struct rng *rng)
{
    struct engine *engine;
    struct engine_fault fault;
    struct keeper_config keeper = {.location = NULL,
                                   .metrics = &host->store_metrics,
                                   .open = open_disk,
                                   .context = host,
                                   .name = "simulated",
                                   .producers = HOST_WORKERS,
                                   .queue_bytes = HOST_QUEUE_BYTES,
                                   .sync_ms = config->sync_ms,
                                   .answers_wait = config->answers_wait};
    host->disk = disk;
    host->keeper = NULL;
    memset(&host->metrics, 0, sizeof(host->metrics));
    memset(&host->store_metrics, 0, sizeof(host->store_metrics));
    configure(host, config);
    random_key(rng, &host->uas.config.key);
    if (!create_tables(host, config, rng) ||
        disk_open(disk, &host->uas.config.key, &engine, &fault) != ERR_OK) {
        return false;
    }
    host->uas.config.key = engine->key;
    host->engine = engine;
    random_key(rng, &keeper.key);
    keeper.location = host->uas.location;
    return keeper_create(&keeper, engine, &host->keeper) == ERR_OK;
}

bool host_load(struct host *host, struct rng *rng, uint64_t more_bytes, struct now now)
{
    const struct engine_fault fault = {.text = "read-only"};
    const struct load_into into = {
        .location = host->uas.location, .now = now, .expires_s_max = HOST_EXPIRES_MAX_S};
    struct engine_fault found;
    const unsigned first = rng_below(rng, ENGINE_STRIPES);
    memset(&host->loaded, 0, sizeof(host->loaded));
    for (unsigned i = 0; i < ENGINE_STRIPES; i++) {
        const unsigned stripe = (first + 5 * i) % ENGINE_STRIPES;
        if (load_stripe(host->engine, stripe, &into, &host->loaded, &found) != ERR_OK) {
            return false;
        }
    }
    location_restored(host->uas.location);
    struct load_count loaded = host->loaded;
    loaded.bytes += more_bytes;
    keeper_begin(host->keeper, &loaded, &fault, now);
    return true;
}

void host_end(struct host *host)
{
    keeper_destroy(host->keeper);
    location_destroy(host->uas.location);
    transactions_destroy(host->uas.transactions);
    host->keeper = NULL;
    host->uas.location = NULL;
    host->uas.transactions = NULL;
}

void host_free(struct host *host)
{
    host_end(host);
    for (unsigned i = 0; i < HOST_WORKERS; i++) {
        uas_scratch_destroy(host->workers[i].scratch);
        host->workers[i].scratch = NULL;
    }
}

void host_handle(struct host *host, unsigned worker, struct slice bytes, struct now now)
{
    struct host_worker *const w = &host->workers[worker];
    struct endpoint peer = {.port = 5070};
    struct endpoint local = {.port = 5060};
    const bool ok =
        ip_parse(SLICE("192.0.2.4"), &peer.ip) && ip_parse(SLICE("192.0.2.200"), &local.ip);
    assert(ok && !w->holds);
    w->service = keeper_service(host->keeper, worker);
    w->now = now;
    w->out = (struct uas_output){.answer = buf_over(w->bytes, sizeof(w->bytes))};
    const struct uas_input in = {
        .bytes = bytes, .peer = &peer, .local = &local, .service = w->service, .now = now};
    w->answered = uas_handle(&host->uas, w->scratch, &host->metrics, &in, &w->out);
    w->holds = w->out.state != NULL;
}

bool host_offer(struct host *host, unsigned worker)
{
    struct host_worker *const w = &host->workers[worker];
    struct keeper_answer answer = {0};
    const size_t before = keeper_waiting_bytes(host->keeper);
    assert(w->holds);
    if (host->uas.config.answers_wait && w->answered) {
        answer.ticket = slice_of((const char *)&w->ticket, sizeof(w->ticket));
        answer.answer = buf_slice(&w->out.answer);
    }
    keeper_offer(host->keeper, worker, &w->out, w->now, &answer);
    w->holds = false;
    return keeper_waiting_bytes(host->keeper) > before;
}

unsigned host_status(const struct host_worker *worker)
{
    const char *const at = worker->bytes + sizeof("SIP/2.0 ") - 1;
    return worker->answered ? (unsigned)strtoul(at, NULL, 10) : 0;
}
