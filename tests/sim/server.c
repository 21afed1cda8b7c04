// SPDX-License-Identifier: Apache-2.0
#include "tests/sim/server.h"

#include <limits.h>
#include <stdlib.h>

static void configure(struct server *server, const struct server_config *config)
{
    const bool v4 = cidr_parse(SLICE("192.0.2.0/24"), &server->register_from[0]);
    const bool v6 = cidr_parse(SLICE("2001:db8::/32"), &server->register_from[1]);
    assert(v4 && v6);
    server->domains[0] = SLICE("example.com");
    server->domains[1] = SLICE("example.net");
    server->uas.config = (struct uas_config){
        .domains = server->domains,
        .domain_count = config->policy.domain_count,
        .admission = {server->register_from, 2},
        .expires_default_s = config->policy.expires_default_s,
        .expires_min_s = config->policy.expires_min_s,
        .expires_max_s = config->policy.expires_max_s,
        .expires_jitter_percent = config->policy.expires_jitter_percent,
        .register_contacts_max = CONTACTS_PER_AOR_MAX,
        .redirect_bytes_max = config->policy.redirect_bytes_max,
    };
    memcpy(server->uas.config.key.bytes, &config->key, sizeof(config->key));
}

bool server_start(struct server *server, const struct server_config *config)
{
    struct location_config table = {
        .shards = config->shards,
        .contacts_max = config->policy.contacts_max,
        .replace_oldest = config->policy.replace_oldest,
        .bindings_max = config->policy.bindings_max,
    };
    const struct transactions_config memory = {
        .shards = config->shards,
        .budget_bytes = config->transaction_bytes,
    };
    memset(server, 0, offsetof(struct server, bytes));
    configure(server, config);
    memcpy(table.key.bytes, &config->key, sizeof(config->key));
    server->uas.location = location_create(&table);
    server->uas.transactions = config->stateful ? transactions_create(&memory) : NULL;
    server->scratch = uas_scratch_create();
    return server->uas.location != NULL && server->scratch != NULL &&
           (server->uas.transactions != NULL) == config->stateful;
}

void server_stop(struct server *server)
{
    location_destroy(server->uas.location);
    transactions_destroy(server->uas.transactions);
    uas_scratch_destroy(server->scratch);
}

bool server_handle(struct server *server, struct slice bytes, const struct endpoint *peer,
                   struct now now)
{
    struct endpoint local = {.port = 5060};
    // Memory of its very own, so that the sanitizer sees whoever reads beside it, or later.
    char *const copy = malloc(bytes.len);
    const bool ok = ip_parse(SLICE("192.0.2.200"), &local.ip) && copy != NULL;
    assert(ok);
    memcpy(copy, bytes.at, bytes.len);
    const struct uas_input in = {
        .bytes = slice_of(copy, bytes.len), .peer = peer, .local = &local, .now = now};
    struct uas_output out = {.answer = buf_over(server->bytes, sizeof(server->bytes))};
    const struct metric_counter *const repeats = &server->metrics.rows[METRIC_RETRANSMISSIONS];
    const uint64_t before = metric_read(repeats);
    const bool answered = uas_handle(&server->uas, server->scratch, &server->metrics, &in, &out);
    free(copy);
    server->repeated = metric_read(repeats) != before;
    server->answer = answered ? buf_slice(&out.answer) : slice_of(NULL, 0);
    server->target = out.target;
    server->due_shard = 0;
    return answered;
}

void server_expire(struct server *server, struct now now)
{
    size_t removed = 0;
    (void)location_expire(server->uas.location, now, UINT_MAX, &removed);
    server->due_shard = 0;
}

bool server_repeat(struct server *server, struct now now)
{
    struct buf answer = buf_over(server->bytes, sizeof(server->bytes));
    struct transaction_path path;
    if (server->uas.transactions == NULL ||
        !transactions_next_due(server->uas.transactions, &server->due_shard, now, &answer, &path)) {
        return false;
    }
    server->answer = buf_slice(&answer);
    server->target = path.target;
    return true;
}

void server_lookup(struct server *server, struct slice aor, struct now now)
{
    location_lookup(server->uas.location, aor, now, &server->list);
}
