// SPDX-License-Identifier: Apache-2.0
#include "env/option_value.h"

// Every parser gets its field and writes to `expected` only when it fails.

static enum err parse_uint(const struct option_row *row, struct slice text, uint32_t *out,
                           struct buf *expected);
static enum err parse_power_of_two(const struct option_row *row, struct slice text, uint32_t *out,
                                   struct buf *expected);
static enum err parse_text(struct slice text, struct option_text *out, struct buf *expected);
static enum err parse_log_level(struct slice text, enum log_level *out, struct buf *expected);
static enum err parse_choice(const struct option_row *row, struct slice text, uint32_t *out,
                             struct buf *expected);
static enum err parse_store(struct slice text, struct option_store *out, struct buf *expected);
static enum err parse_admin(struct slice text, struct option_admin *out, struct buf *expected);
static enum err parse_cpus(struct slice text, struct option_cpus *out, struct buf *expected);
static enum err parse_listener(struct slice text, struct option_listeners *out,
                               struct buf *expected);
static enum err parse_domain(struct slice text, struct option_domains *out, struct buf *expected);
static enum err parse_network(struct slice text, struct option_networks *out, struct buf *expected);

enum err option_value_parse(enum option_id id, struct slice text, struct config *config,
                            struct buf *expected)
{
    const struct option_row *row = option_row(id);
    // The row's offset and type come from one X-row, so the field is what the parser takes it for.
    void *field = (char *)config + row->offset;
    switch (row->type) {
    case OPTION_TYPE_UINT: return parse_uint(row, text, field, expected);
    case OPTION_TYPE_POWER_OF_TWO: return parse_power_of_two(row, text, field, expected);
    case OPTION_TYPE_TEXT: return parse_text(text, field, expected);
    case OPTION_TYPE_LOG_LEVEL: return parse_log_level(text, field, expected);
    case OPTION_TYPE_CHOICE: return parse_choice(row, text, field, expected);
    case OPTION_TYPE_STORE: return parse_store(text, field, expected);
    case OPTION_TYPE_ADMIN: return parse_admin(text, field, expected);
    case OPTION_TYPE_CPUS: return parse_cpus(text, field, expected);
    case OPTION_TYPE_LISTENERS: return parse_listener(text, field, expected);
    case OPTION_TYPE_DOMAINS: return parse_domain(text, field, expected);
    case OPTION_TYPE_NETWORKS: return parse_network(text, field, expected);
    }
    assert(false && "a type of option without a parser");
    return ERR_SYNTAX;
}

static void put_text(struct buf *b, const char *text)
{
    buf_put(b, slice_of(text, strlen(text)));
}

static enum err fail(enum err e, struct buf *expected, const char *text)
{
    put_text(expected, text);
    return e;
}

static bool starts_with(struct slice text, struct slice prefix)
{
    return text.len >= prefix.len && slice_equal(slice_of(text.at, prefix.len), prefix);
}

static void put_unit(const struct option_row *row, struct buf *expected)
{
    if (row->unit[0] != '\0') {
        buf_put(expected, SLICE(" ("));
        put_text(expected, row->unit);
        buf_put_char(expected, ')');
    }
}

static enum err parse_uint(const struct option_row *row, struct slice text, uint32_t *out,
                           struct buf *expected)
{
    uint64_t value = 0;
    if (slice_to_u64(text, row->max, &value) && value >= row->min) {
        *out = (uint32_t)value;
        return ERR_OK;
    }
    buf_put(expected, SLICE("expected "));
    buf_put_u64(expected, row->min);
    buf_put(expected, SLICE(".."));
    buf_put_u64(expected, row->max);
    put_unit(row, expected);
    return ERR_RANGE;
}

// Zero, where the row's range has it, stands for a choice of the server's own.
static enum err parse_power_of_two(const struct option_row *row, struct slice text, uint32_t *out,
                                   struct buf *expected)
{
    uint64_t value = 0;
    if (slice_to_u64(text, row->max, &value) && value >= row->min && (value & (value - 1)) == 0) {
        *out = (uint32_t)value;
        return ERR_OK;
    }
    buf_put(expected, row->min == 0 ? SLICE("expected 0 or a power of two in ")
                                    : SLICE("expected a power of two in "));
    buf_put_u64(expected, row->min == 0 ? 1 : row->min);
    buf_put(expected, SLICE(".."));
    buf_put_u64(expected, row->max);
    put_unit(row, expected);
    return ERR_RANGE;
}

static enum err parse_text(struct slice text, struct option_text *out, struct buf *expected)
{
    bool printable = true;
    for (size_t i = 0; i < text.len; i++) {
        printable = printable && text.at[i] >= ' ' && text.at[i] <= '~';
    }
    if (text.len > sizeof(out->bytes) || !printable) {
        buf_put(expected, SLICE("expected printable ASCII without line ends, at most "));
        buf_put_u64(expected, sizeof(out->bytes));
        buf_put(expected, SLICE(" bytes"));
        return printable ? ERR_TOO_LONG : ERR_SYNTAX;
    }
    struct buf copy = buf_over(out->bytes, sizeof(out->bytes));
    buf_put(&copy, text);
    out->slice = buf_slice(&copy);
    return ERR_OK;
}

static enum err parse_log_level(struct slice text, enum log_level *out, struct buf *expected)
{
    for (unsigned level = 0; level < LOG_LEVEL_COUNT; level++) {
        const char *name = log_level_text((enum log_level)level);
        if (slice_equal(text, slice_of(name, strlen(name)))) {
            *out = (enum log_level)level;
            return ERR_OK;
        }
    }
    return fail(ERR_SYNTAX, expected, "expected error, warning, info or debug");
}

// One of the words that the metavar lists between bars; its place is the value.
static enum err parse_choice(const struct option_row *row, struct slice text, uint32_t *out,
                             struct buf *expected)
{
    struct slice words = slice_of(row->metavar, strlen(row->metavar));
    for (uint32_t place = 0; !slice_empty(words); place++) {
        const size_t end = slice_find(words, '|');
        if (slice_equal(text, slice_of(words.at, end))) {
            *out = place;
            return ERR_OK;
        }
        words = slice_from(words, end + 1);
    }
    buf_put(expected, SLICE("expected "));
    buf_put(expected, slice_of(row->metavar, strlen(row->metavar)));
    return ERR_SYNTAX;
}

static enum err parse_store(struct slice text, struct option_store *out, struct buf *expected)
{
    *out = (struct option_store){.kept = !slice_equal(text, SLICE("memory"))};
    if (!out->kept || slice_equal(text, SLICE("rocksdb"))) {
        return ERR_OK;
    }
    const struct slice directory = slice_from(text, SLICE("rocksdb:").len);
    if (!starts_with(text, SLICE("rocksdb:")) || slice_empty(directory)) {
        return fail(ERR_SYNTAX, expected, "expected memory, rocksdb or rocksdb:DIR");
    }
    if (directory.len >= sizeof(out->directory)) {
        return fail(ERR_TOO_LONG, expected, "expected a shorter path");
    }
    memcpy(out->directory, directory.at, directory.len);
    return ERR_OK;
}

// HOST:PORT with an IP address; an IPv6 one needs its brackets, or its end could not be told.
static bool parse_endpoint(struct slice text, struct endpoint *out)
{
    const size_t bracket = slice_find(text, ']');
    const bool v6 = bracket < text.len;
    const size_t host_len = v6 ? bracket + 1 : slice_find(text, ':');
    const struct slice rest = slice_from(text, host_len);
    uint64_t port = 0;
    if (!starts_with(rest, SLICE(":")) || !slice_to_u64(slice_from(rest, 1), UINT16_MAX, &port) ||
        port == 0) {
        return false;
    }
    *out = (struct endpoint){.port = (uint16_t)port};
    return ip_parse(slice_of(text.at, host_len), &out->ip) && (out->ip.family == IP_V6) == v6;
}

static enum err parse_admin(struct slice text, struct option_admin *out, struct buf *expected)
{
    *out = (struct option_admin){.enabled = !slice_equal(text, SLICE("off"))};
    if (out->enabled && !parse_endpoint(text, &out->address)) {
        return fail(ERR_SYNTAX, expected,
                    "expected off or HOST:PORT with an IP address (IPv6 in brackets) and a "
                    "port in 1..65535");
    }
    return ERR_OK;
}

// One CPU or a range of them, "2-7".
static bool parse_cpu_range(struct slice text, struct option_cpus *out)
{
    const size_t dash = slice_find(text, '-');
    uint64_t first = 0;
    if (!slice_to_u64(slice_of(text.at, dash), OPTION_CPUS_MAX - 1, &first)) {
        return false;
    }
    uint64_t last = first;
    if (dash < text.len && !slice_to_u64(slice_from(text, dash + 1), OPTION_CPUS_MAX - 1, &last)) {
        return false;
    }
    for (uint64_t cpu = first; cpu <= last && out->count < OPTION_CPUS_MAX; cpu++) {
        out->at[out->count++] = (uint16_t)cpu;
    }
    return first <= last;
}

static enum err parse_cpus(struct slice text, struct option_cpus *out, struct buf *expected)
{
    out->count = 0;
    if (slice_equal(text, SLICE("any"))) {
        return ERR_OK;
    }
    struct slice rest = text;
    for (bool more = true; more;) {
        const size_t comma = slice_find(rest, ',');
        if (!parse_cpu_range(slice_of(rest.at, comma), out)) {
            return fail(ERR_SYNTAX, expected,
                        "expected any, or CPUs by their numbers, such as 0 or 2-7 or 0,2-3");
        }
        more = comma < rest.len;
        rest = slice_from(rest, comma + 1);
    }
    return ERR_OK;
}

static enum err parse_listener(struct slice text, struct option_listeners *out,
                               struct buf *expected)
{
    assert(out->count < sizeof(out->at) / sizeof(out->at[0]));
    static const struct slice later[] = {SLICE_INIT("tcp:"), SLICE_INIT("tls:"), SLICE_INIT("ws:"),
                                         SLICE_INIT("wss:")};
    for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++) {
        if (starts_with(text, later[i])) {
            buf_put(expected, later[i]);
            put_text(expected, " is not supported by this version, expected udp:HOST:PORT");
            return ERR_RANGE;
        }
    }
    if (!starts_with(text, SLICE("udp:")) ||
        !parse_endpoint(slice_from(text, strlen("udp:")), &out->at[out->count])) {
        return fail(ERR_SYNTAX, expected,
                    "expected udp:HOST:PORT with an IP address (IPv6 in brackets) and a "
                    "port in 1..65535");
    }
    const struct ip *const ip = &out->at[out->count].ip;
    if (ip_is_group(ip) && !ip_is_unspecified(ip)) {
        return fail(ERR_RANGE, expected, "expected the address of one host, or 0.0.0.0 or [::]");
    }
    if (ip_is_link_local(ip)) {
        return fail(ERR_RANGE, expected, "link-local addresses are not supported by this version");
    }
    out->count++;
    return ERR_OK;
}

// A host of RFC 3261 25.1: labels of letters, digits and inner hyphens, or an IP address.
static bool is_host(struct slice text)
{
    struct ip ip;
    if (text.len > 0 && text.at[0] == '[') {
        return ip_parse(text, &ip);
    }
    char before = '.';
    for (size_t i = 0; i < text.len; i++) {
        const char c = ascii_lower(text.at[i]);
        const bool alphanumeric = ascii_digit(c) || (c >= 'a' && c <= 'z');
        if (!alphanumeric &&
            (before == '.' || (c != '-' && c != '.') || (c == '.' && before == '-'))) {
            return false;
        }
        before = c;
    }
    return before != '.' && before != '-';
}

static enum err parse_domain(struct slice text, struct option_domains *out, struct buf *expected)
{
    assert(out->count < sizeof(out->at) / sizeof(out->at[0]));
    if (text.len > sizeof(out->bytes[0]) || !is_host(text)) {
        return fail(ERR_SYNTAX, expected, "expected a domain name or an IP address");
    }
    char *bytes = out->bytes[out->count];
    for (size_t i = 0; i < text.len; i++) {
        bytes[i] = ascii_lower(text.at[i]);
    }
    out->at[out->count] = slice_of(bytes, text.len);
    out->count++;
    return ERR_OK;
}

static enum err parse_network(struct slice text, struct option_networks *out, struct buf *expected)
{
    static const struct cidr everybody[] = {{.ip = {.family = IP_V4}}, {.ip = {.family = IP_V6}}};
    const bool any = slice_equal(text, SLICE("any"));
    struct cidr net;
    if (!any && !cidr_parse(text, &net)) {
        return fail(ERR_SYNTAX, expected,
                    "expected any, or a network such as 192.0.2.0/24 or 2001:db8::/32 without "
                    "bits after the prefix");
    }
    const struct cidr *nets = any ? everybody : &net;
    const size_t nets_count = any ? sizeof(everybody) / sizeof(everybody[0]) : 1;
    assert(out->count + nets_count <= sizeof(out->at) / sizeof(out->at[0]));
    for (size_t i = 0; i < nets_count; i++) {
        out->at[out->count++] = nets[i];
    }
    return ERR_OK;
}
