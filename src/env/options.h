// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_OPTIONS_H
#define SIGNPOST_ENV_OPTIONS_H

#include "env/log.h"
#include "signpost/base/endpoint.h"
#include "signpost/base/limits.h"

// Every option of signpostd, declared once: struct config, the schema of the file, the command
// line, --help, --print-config and tools/signpost.yaml.example all come from these rows. A new
// option is one row here, and a new kind of value one case in option_value.c.
//
// The table is X(type, id, field, name, letter, unit, min, max, defaults, metavar, help):
// - type     kind of value: its C type and shape stand below
// - letter   of the short option, or 0
// - unit     for numbers, or ""
// - min, max of the number; of the items of a list; of the bytes of a text; else 0
// - defaults in parentheses the texts that stand for the option when nobody gives it; (NULL) for
//            an empty list

enum {
    OPTION_DOMAINS_MAX = 256,
    OPTION_DOMAIN_BYTES_MAX = 253, // RFC 1035 2.3.4, without the length bytes
    OPTION_NETWORKS_MAX = 256,
    OPTION_TEXT_BYTES_MAX = 128,
    OPTION_PATH_BYTES_MAX = 1024,
    OPTION_CPUS_MAX = 1024, // as many as cpu_set_t has, and numbers below it
    OPTION_DEFAULTS_MAX = 2,
};

// clang-format off
#define OPTIONS(X)                                                                                 \
    X(LISTENERS, LISTEN, listen, "listen", 'l', "", 1, LISTENERS_MAX,                              \
      ("udp:127.0.0.1:5060"), "udp:HOST:PORT",                                                     \
      "Where SIP is served. HOST is an IP address, an IPv6 one in brackets.")                      \
    X(DOMAINS, DOMAIN, domain, "domain", 'd', "", 0, OPTION_DOMAINS_MAX,                           \
      (NULL), "NAME",                                                                              \
      "A domain this server is responsible for. Without any, it is for every domain.")             \
    X(UINT, WORKERS, workers, "workers", 'w', "threads", 0, WORKERS_MAX,                           \
      ("0"), "N",                                                                                  \
      "Threads that parse and answer. 0: one for each CPU, or each of cpus-workers.")              \
    X(UINT, RECEIVERS, receivers, "receivers", 0, "threads", 1, RECEIVERS_MAX,                     \
      ("1"), "N",                                                                                  \
      "Lanes: a ring each with its part of the workers, a socket and thread for each address.")    \
    X(CPUS, CPUS_RECEIVERS, cpus_receivers, "cpus-receivers", 0, "", 0, 0,                         \
      ("any"), "CPU-CPU,...|any",                                                                  \
      "The CPUs of the receivers, one for each lane in turn.")                                     \
    X(CPUS, CPUS_WORKERS, cpus_workers, "cpus-workers", 0, "", 0, 0,                               \
      ("any"), "CPU-CPU,...|any",                                                                  \
      "The CPUs of the workers, one for each in turn.")                                            \
    X(STORE, STORE, store, "store", 0, "", 0, 0,                                                   \
      ("rocksdb"), "memory|rocksdb[:DIR]",                                                         \
      "Where bindings are kept. memory: gone after a restart. No DIR: the usual place for state.") \
    X(CHOICE, DURABILITY, durability, "durability", 0, "", 0, 0,                                   \
      ("async"), "none|async|sync",                                                                \
      "sync: a REGISTER's 200 leaves when its bindings are on disk. async: they follow at once.")  \
    X(UINT, STORE_FLUSH_MS, store_flush_ms, "store-flush-ms", 0, "ms",                             \
      10, 60000, ("200"), "N",                                                                     \
      "With durability async, the time within which a change is on disk.")                         \
    X(POWER_OF_TWO, STORE_QUEUE_BYTES, store_queue_bytes, "store-queue-bytes", 0, "bytes",         \
      1 << 20, 1 << 30, ("16777216"), "N",                                                         \
      "Changes that may wait for a slow disk, of each worker. More are made good by a rewrite.")   \
    X(ADMIN, ADMIN, admin, "admin", 0, "", 0, 0,                                                   \
      ("127.0.0.1:8060"), "HOST:PORT|off",                                                         \
      "Where /metrics, /healthz and /bindings (all users) are told, to anybody who reaches it.")   \
    X(NETWORKS, REGISTER_FROM, register_from, "register-from", 0, "", 1, OPTION_NETWORKS_MAX,      \
      ("127.0.0.0/8", "::1/128"), "NETWORK|any",                                                   \
      "A network (192.0.2.0/24) or address whose peers may register. any: everybody may.")         \
    X(UINT, EXPIRES_DEFAULT_S, expires_default_s, "expires-default-s", 0, "seconds",               \
      1, EXPIRES_S_LIMIT, ("3600"), "N",                                                           \
      "How long a binding lives whose REGISTER names no expiry.")                                  \
    X(UINT, EXPIRES_MIN_S, expires_min_s, "expires-min-s", 0, "seconds",                           \
      1, 86400, ("60"), "N",                                                                       \
      "The shortest expiry accepted; a shorter one is answered 423 Interval Too Brief.")           \
    X(UINT, EXPIRES_MAX_S, expires_max_s, "expires-max-s", 0, "seconds",                           \
      1, EXPIRES_S_LIMIT, ("86400"), "N",                                                          \
      "The longest expiry granted; a longer one is shortened to it.")                              \
    X(UINT, EXPIRES_JITTER_PERCENT, expires_jitter_percent, "expires-jitter-percent", 0, "percent",\
      0, 50, ("0"), "N",                                                                           \
      "Shortens what is granted by up to this part, to spread refreshes that came together.")      \
    X(UINT, CONTACTS_PER_AOR_MAX, contacts_per_aor_max, "contacts-per-aor-max", 0, "contacts",     \
      1, CONTACTS_PER_AOR_MAX, ("10"), "N",                                                        \
      "How many contacts one address of record may have at a time.")                               \
    X(CHOICE, CONTACTS_POLICY, contacts_policy, "contacts-policy", 0, "", 0, 0,                    \
      ("reject"), "reject|replace-oldest",                                                         \
      "What becomes of a contact that is one too many: refused with 403, or the oldest goes.")     \
    X(UINT, BINDINGS_MAX, bindings_max, "bindings-max", 0, "contacts",                             \
      1, 2147483647, ("20000000"), "N",                                                            \
      "How many contacts all addresses of record may have together; some 300 bytes each.")         \
    X(UINT, REDIRECT_BYTES_MAX, redirect_bytes_max, "redirect-bytes-max", 0, "bytes",              \
      512, ANSWER_BYTES_MAX, ("1452"), "N",                                                        \
      "The longest 302 with more than one contact; those of the lowest q are left out.")           \
    X(CHOICE, TRANSACTIONS, transactions, "transactions", 0, "", 0, 0,                             \
      ("stateful"), "stateful|stateless",                                                          \
      "stateful: retransmissions get the identical answer, an unacknowledged 302 is repeated.")    \
    X(UINT, TRANSACTION_BYTES_MAX, transaction_bytes_max, "transaction-bytes-max", 0, "bytes",     \
      65536, 2147483647, ("268435456"), "N",                                                       \
      "Memory for transactions; when it is used up, the oldest are forgotten early.")              \
    X(POWER_OF_TWO, SHARDS, shards, "shards", 0, "shards", 0, SHARDS_MAX,                          \
      ("0"), "N",                                                                                  \
      "Parts of the location table, each with its lock. 0: chosen from the workers.")              \
    X(POWER_OF_TWO, RING_SLOTS, ring_slots, "ring-slots", 0, "datagrams",                          \
      RING_SLOTS_MIN, RING_SLOTS_MAX, ("1024"), "N",                                               \
      "Datagrams of one lane that may wait for a worker.")                                         \
    X(UINT, DROP_AFTER_MS, drop_after_ms, "drop-after-ms", 0, "ms",                                \
      10, 60000, ("400"), "N",                                                                     \
      "A datagram that has waited longer is dropped: its sender has sent it again.")               \
    X(UINT, BUSY_AFTER_MS, busy_after_ms, "busy-after-ms", 0, "ms",                                \
      0, 60000, ("0"), "N",                                                                        \
      "A new request that has waited longer gets 503 with Retry-After. 0: never.")                 \
    X(UINT, RETRY_AFTER_S, retry_after_s, "retry-after-s", 0, "s",                                 \
      1, 3600, ("10"), "N",                                                                        \
      "Retry-After of a 503: from this to twice this, different for each request.")                \
    X(UINT, RECEIVE_BUFFER_BYTES, receive_buffer_bytes, "receive-buffer-bytes", 0, "bytes",        \
      4096, 1 << 30, ("8388608"), "N",                                                             \
      "Receive buffer asked for each socket. The kernel caps it at net.core.rmem_max.")            \
    X(UINT, SEND_BUFFER_BYTES, send_buffer_bytes, "send-buffer-bytes", 0, "bytes",                 \
      4096, 1 << 30, ("4194304"), "N",                                                             \
      "Send buffer asked for each socket. The kernel caps it at net.core.wmem_max.")               \
    X(CHOICE, UDP_TRAINS, udp_trains, "udp-trains", 0, "", 0, 0,                                   \
      ("off"), "off|on",                                                                           \
      "on: what a proxy sends in a row is read in one piece. Phones gain nothing by it.")          \
    X(TEXT, SERVER_HEADER, server_header, "server-header", 0, "", 0, OPTION_TEXT_BYTES_MAX,        \
      ("Signpost"), "TEXT",                                                                        \
      "The Server header field of answers. Empty: none.")                                          \
    X(LOG_LEVEL, LOG_LEVEL, log_level, "log-level", 0, "", 0, 0,                                   \
      ("info"), "error|warning|info|debug",                                                        \
      "The least grave lines that are logged.")

// clang-format on

enum option_id {

#define X(type, id, ...) OPTION_##id,
    OPTIONS(X)
#undef X
        OPTION_COUNT
};

// Kinds of values.

struct option_listeners {
    size_t count;
    struct endpoint at[LISTENERS_MAX]; // UDP, the only transport of this version
};

// Lower-case names; the slices point into `bytes`, hence not to be copied.
struct option_domains {
    size_t count;
    struct slice at[OPTION_DOMAINS_MAX];
    char bytes[OPTION_DOMAINS_MAX][OPTION_DOMAIN_BYTES_MAX];
};

// The item "any" is two networks: all addresses of either family.
struct option_networks {
    size_t count;
    struct cidr at[2 * OPTION_NETWORKS_MAX];
};

// Printable ASCII; the slice points into `bytes`, hence not to be copied.
struct option_text {
    struct slice slice;
    char bytes[OPTION_TEXT_BYTES_MAX];
};

struct option_admin {
    bool enabled;
    struct endpoint address; // only when enabled
};

// In the order given; none stands for any.
struct option_cpus {
    size_t count;
    uint16_t at[OPTION_CPUS_MAX];
};

struct option_store {
    bool kept;                             // on disk, not in memory alone
    char directory[OPTION_PATH_BYTES_MAX]; // a C string; empty: env/state_directory.h says
};

// Values of a CHOICE: places in its metavar.
enum {
    OPTION_TRANSACTIONS_STATEFUL,
    OPTION_TRANSACTIONS_STATELESS,
};

enum {
    OPTION_DURABILITY_NONE,
    OPTION_DURABILITY_ASYNC,
    OPTION_DURABILITY_SYNC,
};

enum {
    OPTION_UDP_TRAINS_OFF,
    OPTION_UDP_TRAINS_ON,
};

enum {
    OPTION_CONTACTS_REJECT,
    OPTION_CONTACTS_REPLACE_OLDEST,
};

// C type of each kind, and whether the option holds ONE or a LIST of texts.
#define OPTION_C_UINT         uint32_t
#define OPTION_C_POWER_OF_TWO uint32_t
#define OPTION_C_CHOICE       uint32_t
#define OPTION_C_TEXT         struct option_text
#define OPTION_C_LOG_LEVEL    enum log_level
#define OPTION_C_STORE        struct option_store
#define OPTION_C_ADMIN        struct option_admin
#define OPTION_C_CPUS         struct option_cpus
#define OPTION_C_LISTENERS    struct option_listeners
#define OPTION_C_DOMAINS      struct option_domains
#define OPTION_C_NETWORKS     struct option_networks

#define OPTION_SHAPE_UINT         ONE
#define OPTION_SHAPE_POWER_OF_TWO ONE
#define OPTION_SHAPE_CHOICE       ONE
#define OPTION_SHAPE_TEXT         ONE
#define OPTION_SHAPE_LOG_LEVEL    ONE
#define OPTION_SHAPE_STORE        ONE
#define OPTION_SHAPE_ADMIN        ONE
#define OPTION_SHAPE_CPUS         ONE
#define OPTION_SHAPE_LISTENERS    LIST
#define OPTION_SHAPE_DOMAINS      LIST
#define OPTION_SHAPE_NETWORKS     LIST

#endif
