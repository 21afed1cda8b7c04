// SPDX-License-Identifier: Apache-2.0
#include "run/server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#include "env/clock.h"
#include "env/log.h"
#include "env/memory.h"
#include "env/state_directory.h"
#include "env/thread.h"
#include "net/receiver.h"
#include "run/persister.h"
#include "run/ticker.h"
#include "run/worker.h"

enum {
    SHARDS_PER_WORKER = 16, // two workers seldom want the same lock
    SHARDS_AUTO_MIN = 64,
    SOCKETS_MAX = LISTENERS_MAX * RECEIVERS_MAX,
    AWAIT_PAUSE_NS = 5000000,
    // Reserved for each that there may be, of address space only. Those that need more get it from
    // malloc.
    TABLE_BYTES_PER_BINDING = 320,
};

struct server {
    struct log log;
    struct now started;
    struct uas uas; // points into the fields below
    char *table;    // memory of the location table, or NULL
    size_t table_bytes;
    struct cidr register_from[2 * OPTION_NETWORKS_MAX];
    struct option_domains domains;
    struct option_text server_header;
    struct persister *persister; // NULL: bindings are not kept
    struct ticker *ticker;
    unsigned lanes; // a ring, its receivers and its share of the workers: side by side
    struct ring *rings[RECEIVERS_MAX];
    size_t socket_count; // for each address one in each lane: socket i is in lane i % lanes
    struct udp_socket sockets[SOCKETS_MAX];
    struct receiver *receivers[SOCKETS_MAX]; // one a socket
    unsigned worker_count;                   // worker i is in lane i % lanes
    struct worker *workers[WORKERS_MAX];
    struct metrics *metrics; // persister's, ticker's, then each worker's, then each receiver's
};

static enum err count_threads(struct server *server, const struct config *config);
static enum err open_sockets(struct server *server, const struct config *config);
static enum err create_state(struct server *server, const struct config *config);
static enum err open_store(struct server *server, const struct config *config);
static enum err start_threads(struct server *server, const struct config *config);
static void warn_of_nobody(const struct server *server);

// The address as text, in memory of the caller.
struct endpoint_text {
    char bytes[64];
};

static const char *text_of(const struct endpoint *e, struct endpoint_text *text)
{
    struct buf b = buf_over(text->bytes, sizeof(text->bytes) - 1);
    endpoint_put(&b, e);
    text->bytes[b.len] = '\0';
    return text->bytes;
}

static enum err fail(const struct server *server, enum err e, const char *what)
{
    log_write(&server->log, LOG_LEVEL_ERROR, "%s: %s%s%s", what, err_text(e),
              e == ERR_SYSTEM ? ": " : "", e == ERR_SYSTEM ? strerror(errno) : "");
    return e;
}

enum err server_start(const struct config *config, struct server **out)
{
    struct server *const server = calloc(1, sizeof(*server));
    const struct log log = log_to_stderr(config->log_level);
    *out = NULL;
    if (server == NULL) {
        log_write(&log, LOG_LEVEL_ERROR, "server: %s", err_text(ERR_NO_MEMORY));
        return ERR_NO_MEMORY;
    }
    server->log = log;
    server->started = clock_now();
    enum err e = count_threads(server, config);
    if (e == ERR_OK) {
        e = open_sockets(server, config);
    }
    if (e == ERR_OK) {
        e = create_state(server, config);
    }
    if (e == ERR_OK) {
        e = open_store(server, config);
    }
    if (e == ERR_OK) {
        e = start_threads(server, config);
    }
    if (e != ERR_OK) {
        (void)server_stop(server);
        return e;
    }
    warn_of_nobody(server);
    *out = server;
    return ERR_OK;
}

// ---- How many threads, and where

static enum err check_cpus(const struct server *server, const struct option_cpus *cpus,
                           const char *option)
{
    for (size_t i = 0; i < cpus->count; i++) {
        if (!thread_may_use(cpus->at[i])) {
            log_write(&server->log, LOG_LEVEL_ERROR,
                      "CPU %u is not there, or not for this process: change --%s",
                      (unsigned)cpus->at[i], option);
            return ERR_RANGE;
        }
    }
    return ERR_OK;
}

static unsigned worker_count(const struct config *config)
{
    unsigned count = config->workers;
    if (count == 0) {
        count = config->cpus_workers.count != 0 ? (unsigned)config->cpus_workers.count
                                                : thread_cpu_count();
        count = count < config->receivers ? config->receivers : count;
    }
    return count < WORKERS_MAX ? count : WORKERS_MAX;
}

static enum err count_threads(struct server *server, const struct config *config)
{
    server->lanes = config->receivers;
    server->worker_count = worker_count(config);
    if (server->worker_count < server->lanes) {
        log_write(&server->log, LOG_LEVEL_ERROR,
                  "%u receivers need a worker each: raise --workers from %u, or lower --receivers",
                  server->lanes, server->worker_count);
        return ERR_RANGE;
    }
    const enum err e = check_cpus(server, &config->cpus_receivers, "cpus-receivers");
    return e == ERR_OK ? check_cpus(server, &config->cpus_workers, "cpus-workers") : e;
}

// The i-th thread's.
static int cpu_of(const struct option_cpus *cpus, size_t i)
{
    return cpus->count == 0 ? THREAD_ANY_CPU : cpus->at[i % cpus->count];
}

// ---- Sockets

static enum err refuse_socket(const struct server *server, const struct endpoint *at, enum err e)
{
    struct endpoint_text text;
    const char *const address = text_of(at, &text);
    if (e == ERR_IN_USE) {
        log_write(&server->log, LOG_LEVEL_ERROR,
                  "udp:%s is in use by another program: stop it, or choose another address with "
                  "--listen udp:HOST:PORT",
                  address);
    } else if (e == ERR_RANGE && errno == EACCES) {
        log_write(&server->log, LOG_LEVEL_ERROR,
                  "udp:%s is not for this user: ports below 1024 need root or "
                  "CAP_NET_BIND_SERVICE; choose another with --listen udp:HOST:PORT",
                  address);
    } else if (e == ERR_RANGE) {
        log_write(&server->log, LOG_LEVEL_ERROR,
                  "udp:%s is no address of this machine: choose another with --listen "
                  "udp:HOST:PORT",
                  address);
    } else {
        log_write(&server->log, LOG_LEVEL_ERROR, "udp:%s: cannot listen: %s", address,
                  strerror(errno));
    }
    return e;
}

static void warn_of_buffer(const struct server *server, const struct udp_socket *socket,
                           const char *which, const char *limit, int granted, uint32_t wanted)
{
    struct endpoint_text text;
    if (granted < (int)wanted) {
        log_write(&server->log, LOG_LEVEL_WARNING,
                  "udp:%s: the kernel grants %d of the %u bytes of %s buffer asked for: raise "
                  "net.core.%s, or set %s-buffer-bytes",
                  text_of(&socket->local, &text), granted, wanted, which, limit, which);
    }
}

static enum err open_sockets(struct server *server, const struct config *config)
{
    const struct udp_config udp = {.receive_bytes = config->receive_buffer_bytes,
                                   .send_bytes = config->send_buffer_bytes,
                                   .trains = config->udp_trains == OPTION_UDP_TRAINS_ON};
    for (size_t i = 0; i < config->listen.count; i++) {
        struct udp_socket *const sockets = &server->sockets[server->socket_count];
        const enum err e = udp_open_shared(&config->listen.at[i], &udp, sockets, server->lanes);
        if (e != ERR_OK) {
            return refuse_socket(server, &config->listen.at[i], e);
        }
        for (unsigned k = 0; k < server->lanes; k++) {
            sockets[k].number = (uint32_t)server->socket_count++;
        }
        warn_of_buffer(server, sockets, "receive", "rmem_max", sockets->receive_buffer,
                       udp.receive_bytes);
        if (udp.trains && !sockets->takes_trains) {
            struct endpoint_text text;
            log_write(&server->log, LOG_LEVEL_WARNING,
                      "udp:%s: this kernel hands over no trains: udp-trains has no effect",
                      text_of(&sockets->local, &text));
        }
        warn_of_buffer(server, sockets, "send", "wmem_max", sockets->send_buffer, udp.send_bytes);
    }
    return ERR_OK;
}

// Phones would get 403, and nobody would know why.
static void warn_of_nobody(const struct server *server)
{
    const struct admission *const admission = &server->uas.config.admission;
    bool others_come = false;
    bool others_may = false;
    for (size_t i = 0; i < server->socket_count; i++) {
        others_come = others_come || !ip_is_loopback(&server->sockets[i].local.ip);
    }
    for (size_t i = 0; i < admission->count; i++) {
        others_may = others_may || !ip_is_loopback(&admission->register_from[i].ip);
    }
    if (others_come && !others_may) {
        log_write(&server->log, LOG_LEVEL_WARNING,
                  "only programs on this machine may register: name the phones' networks with "
                  "--register-from");
    }
}

// ---- What the core needs

static bool draw_key(struct hash_key *key)
{
    return getrandom(key->bytes, sizeof(key->bytes), 0) == (ssize_t)sizeof(key->bytes);
}

static unsigned shard_count(const struct server *server, const struct config *config)
{
    unsigned shards = SHARDS_AUTO_MIN;
    if (config->shards != 0) {
        return config->shards;
    }
    while (shards < server->worker_count * SHARDS_PER_WORKER) {
        shards *= 2;
    }
    return shards;
}

// As many as there may be, twice: a phone that has moved removes the old ones in the same breath.
static uint32_t register_contacts_max(const struct config *config)
{
    const uint32_t twice = 2 * config->contacts_per_aor_max;
    return twice < CONTACTS_PER_AOR_MAX ? twice : CONTACTS_PER_AOR_MAX;
}

// The core's configuration borrows from copies of its own, so that the caller may drop his.
static enum err configure_uas(struct server *server, const struct config *config)
{
    struct uas_config *const uas = &server->uas.config;
    server->domains.count = config->domain.count;
    for (size_t i = 0; i < config->domain.count; i++) {
        const struct slice name = config->domain.at[i];
        memcpy(server->domains.bytes[i], name.at, name.len);
        server->domains.at[i] = slice_of(server->domains.bytes[i], name.len);
    }
    memcpy(server->register_from, config->register_from.at, sizeof(server->register_from));
    memcpy(server->server_header.bytes, config->server_header.bytes,
           sizeof(server->server_header.bytes));
    *uas = (struct uas_config){
        .domains = server->domains.at,
        .domain_count = server->domains.count,
        .admission = {.register_from = server->register_from, .count = config->register_from.count},
        .expires_default_s = config->expires_default_s,
        .expires_min_s = config->expires_min_s,
        .expires_max_s = config->expires_max_s,
        .expires_jitter_percent = config->expires_jitter_percent,
        .register_contacts_max = register_contacts_max(config),
        .redirect_bytes_max = config->redirect_bytes_max,
        .busy_after_ms = config->busy_after_ms,
        .retry_after_s = config->retry_after_s,
        .server = slice_of(server->server_header.bytes, config->server_header.slice.len),
    };
    return draw_key(&uas->key) ? ERR_OK : ERR_SYSTEM;
}

// Not so many that a shard's part of the budget is too small to remember the longest answers.
static unsigned transaction_shards(unsigned shards, uint32_t budget_bytes)
{
    enum { PART_BYTES_MIN = 1 << 20 };

    while (shards > 1 && budget_bytes / shards < PART_BYTES_MIN) {
        shards /= 2;
    }
    return shards;
}

static bool create_rings(struct server *server, uint32_t slots)
{
    const size_t spares = server->socket_count / server->lanes * RECEIVER_SPARES;
    bool ok = true;
    for (unsigned i = 0; ok && i < server->lanes; i++) {
        server->rings[i] = ring_create(slots, (unsigned)spares);
        ok = server->rings[i] != NULL;
    }
    return ok;
}

// Threads that count: the persister, the ticker, the workers, the receivers.
static size_t thread_count(const struct server *server)
{
    return 2 + server->socket_count + server->worker_count;
}

// Where the system reserves no such stretch (a limit of address space, no overcommitment), the
// table does with malloc.
static void reserve_table(struct server *server, struct location_config *location)
{
    server->table_bytes = (size_t)location->bindings_max * TABLE_BYTES_PER_BINDING;
    server->table = memory_reserve(server->table_bytes);
    location->memory = server->table;
    location->memory_bytes = server->table == NULL ? 0 : server->table_bytes;
}

static enum err create_state(struct server *server, const struct config *config)
{
    struct location_config location = {.shards = shard_count(server, config),
                                       .contacts_max = config->contacts_per_aor_max,
                                       .replace_oldest = config->contacts_policy ==
                                                         OPTION_CONTACTS_REPLACE_OLDEST,
                                       .bindings_max = config->bindings_max};
    const size_t metrics_bytes = thread_count(server) * sizeof(struct metrics);
    if (configure_uas(server, config) != ERR_OK || !draw_key(&location.key)) {
        return fail(server, ERR_SYSTEM, "random numbers");
    }
    if (config->transactions == OPTION_TRANSACTIONS_STATEFUL) {
        const struct transactions_config transactions = {
            .shards = transaction_shards(location.shards, config->transaction_bytes_max),
            .budget_bytes = config->transaction_bytes_max};
        server->uas.transactions = transactions_create(&transactions);
        if (server->uas.transactions == NULL) {
            return fail(server, ERR_NO_MEMORY, "transactions (lower shards)");
        }
    }
    reserve_table(server, &location);
    server->uas.location = location_create(&location);
    server->metrics = aligned_alloc(_Alignof(struct metrics), metrics_bytes);
    if (server->uas.location == NULL || server->metrics == NULL ||
        !create_rings(server, config->ring_slots)) {
        return fail(server, ERR_NO_MEMORY,
                    "location table and rings (lower ring-slots, shards, workers or receivers)");
    }
    memset(server->metrics, 0, metrics_bytes);
    return ERR_OK;
}

// Before any thread that asks the table, for it is not yet filled; and the store has the secret of
// To tags and request identities.
static enum err open_store(struct server *server, const struct config *config)
{
    char directory[OPTION_PATH_BYTES_MAX];
    if (!config->store.kept || config->durability == OPTION_DURABILITY_NONE) {
        return ERR_OK;
    }
    if (!state_directory(config->store.directory, directory, sizeof(directory))) {
        log_write(&server->log, LOG_LEVEL_ERROR,
                  "store: no directory to keep bindings in: name one with --store rocksdb:DIR, or "
                  "do without by --store memory");
        return ERR_RANGE;
    }
    struct uas_config *const uas = &server->uas.config;
    uas->answers_wait = config->durability == OPTION_DURABILITY_SYNC;
    const struct persister_config persister = {.location = server->uas.location,
                                               .metrics = &server->metrics[0],
                                               .directory = directory,
                                               .log = server->log,
                                               .workers = server->worker_count,
                                               .load_threads = thread_cpu_count(),
                                               .expires_s_max = config->expires_max_s,
                                               .flush_ms = config->store_flush_ms,
                                               .queue_bytes = config->store_queue_bytes,
                                               .answers_wait = uas->answers_wait};
    return persister_start(&persister, &uas->key, &server->persister);
}

// ---- Threads

static enum err start_threads(struct server *server, const struct config *config)
{
    struct metrics *metrics = server->metrics + 1;
    const struct ticker_config ticker = {.location = server->uas.location,
                                         .persister = server->persister,
                                         .transactions = server->uas.transactions,
                                         .sockets = server->sockets,
                                         .metrics = metrics++};
    enum err e = ticker_create(&ticker, &server->ticker);
    if (e != ERR_OK) {
        return fail(server, e, "ticker thread");
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        const struct worker_config worker = {.uas = &server->uas,
                                             .ring = server->rings[i % server->lanes],
                                             .persister = server->persister,
                                             .metrics = metrics++,
                                             .drop_after_ms = config->drop_after_ms,
                                             .number = i,
                                             .cpu = cpu_of(&config->cpus_workers, i)};
        e = worker_create(&worker, &server->workers[i]);
        if (e != ERR_OK) {
            return fail(server, e, "worker thread");
        }
    }
    for (size_t i = 0; i < server->socket_count; i++) {
        const size_t lane = i % server->lanes;
        e = receiver_create(&server->sockets[i], server->rings[lane], metrics++,
                            cpu_of(&config->cpus_receivers, lane), &server->receivers[i]);
        if (e != ERR_OK) {
            return fail(server, e, "receiver thread");
        }
    }
    return ERR_OK;
}

// In the order in which datagrams flow, so that nothing that was read stays unanswered.
enum server_end server_stop(struct server *server)
{
    if (server == NULL) {
        return SERVER_ENDED;
    }
    for (size_t i = 0; i < server->socket_count; i++) {
        receiver_destroy(server->receivers[i]);
    }
    for (unsigned i = 0; i < server->lanes && server->rings[i] != NULL; i++) {
        ring_close(server->rings[i]);
    }
    for (unsigned i = 0; i < server->worker_count; i++) {
        worker_destroy(server->workers[i]);
    }
    ticker_destroy(server->ticker);
    const enum persister_end kept = persister_stop(server->persister);
    if (kept == PERSISTER_STUCK) {
        return SERVER_STUCK;
    }
    for (size_t i = 0; i < server->socket_count; i++) {
        udp_close(&server->sockets[i]);
    }
    for (unsigned i = 0; i < server->lanes; i++) {
        ring_destroy(server->rings[i]);
    }
    location_destroy(server->uas.location);
    memory_release(server->table, server->table_bytes);
    transactions_destroy(server->uas.transactions);
    free(server->metrics);
    free(server);
    return kept == PERSISTER_KEPT_ALL ? SERVER_ENDED : SERVER_LOST_SOME;
}

// Others that are blocked, and wait, do not end a server.
static bool told_to_end(void)
{
    sigset_t pending;
    return sigpending(&pending) == 0 &&
           (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1);
}

enum server_awaited server_await(const struct server *server)
{
    const struct timespec pause = {.tv_nsec = AWAIT_PAUSE_NS};
    if (server->persister == NULL) {
        return SERVER_SERVES;
    }
    for (;;) {
        switch (persister_state(server->persister)) {
        case PERSISTER_SERVING: return SERVER_SERVES;
        case PERSISTER_BROKEN: return SERVER_UNFILLED;
        case PERSISTER_LOADING: break;
        }
        if (told_to_end()) {
            return SERVER_TOLD_TO_END;
        }
        (void)nanosleep(&pause, NULL);
    }
}

// Datagrams waiting for a worker.
static uint64_t depth(const struct server *server)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < server->lanes; i++) {
        sum += ring_depth(server->rings[i]);
    }
    return sum;
}

static void set_row(struct metrics *metrics, enum metric id, uint64_t value)
{
    metrics_add(metrics, id, value - metric_read(&metrics->rows[id]));
}

static void snapshot(const void *context, struct metrics *out)
{
    const struct server *const server = context;
    const struct location_size size = location_size(server->uas.location);
    memset(out, 0, sizeof(*out));
    for (size_t i = 0; i < thread_count(server); i++) {
        metrics_sum(out, &server->metrics[i]);
    }
    set_row(out, METRIC_BINDINGS, size.bindings);
    set_row(out, METRIC_AORS, size.aors);
    if (server->uas.transactions != NULL) {
        const struct transactions_size transactions = transactions_size(server->uas.transactions);
        set_row(out, METRIC_TRANSACTIONS, transactions.transactions);
        set_row(out, METRIC_TRANSACTION_BYTES, transactions.bytes);
        set_row(out, METRIC_TRANSACTIONS_EVICTED, transactions.evicted);
    }
    if (server->persister != NULL) {
        set_row(out, METRIC_STORE_UP, persister_up(server->persister) ? 1 : 0);
        set_row(out, METRIC_STORE_WAITING_BYTES, persister_waiting_bytes(server->persister));
    }
    set_row(out, METRIC_RING_DEPTH, depth(server));
    set_row(out, METRIC_WORKERS, server->worker_count);
    set_row(out, METRIC_START_TIME, server->started.wall_ms / MS_PER_S);
}

static void delays(const void *context, struct histogram *out)
{
    const struct server *const server = context;
    histogram_reset(out);
    for (unsigned i = 0; i < server->worker_count; i++) {
        histogram_merge(out, worker_delays(server->workers[i]));
    }
}

static bool scan(const void *context, struct location_cursor *cursor, struct location_page *page)
{
    const struct server *const server = context;
    return location_scan(server->uas.location, cursor, clock_now(), page);
}

struct admin_source server_admin_source(const struct server *server)
{
    return (struct admin_source){
        .snapshot = snapshot, .delays = delays, .scan = scan, .context = server};
}
