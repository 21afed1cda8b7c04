// SPDX-License-Identifier: Apache-2.0
#include <criterion/criterion.h>
#include <stdlib.h>
#include <unistd.h>

#include "env/config.h"

// One run of config_load on a command line and, when `yaml` is set, a file given as --config. The
// paths in messages are cut to "FILE" to be comparable.
struct run {
    enum config_action action;
    struct config *config;
    char *out;
    char *err;
};

enum { ARGS_MAX = 16 };

static void replace_path(char *text, const char *path)
{
    static const char name[] = "FILE";
    char *at = strstr(text, path);
    if (at != NULL) {
        const char *rest = at + strlen(path);
        at = stpncpy(at, name, strlen(name));
        memmove(at, rest, strlen(rest) + 1);
    }
}

static void write_all(int fd, const char *text)
{
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static struct run load(const char *yaml, const char *const *args)
{
    struct run r = {0};
    char path[] = "/tmp/signpost-config-XXXXXX";
    char name[] = "signpostd";
    char config[] = "--config";
    char *argv[ARGS_MAX + 4] = {name};
    int argc = 1;
    if (yaml != NULL) {
        const int fd = mkstemp(path);
        cr_assert(fd >= 0);
        write_all(fd, yaml);
        (void)close(fd);
        argv[argc++] = config;
        argv[argc++] = path;
    }
    char *copies[ARGS_MAX] = {NULL};
    for (size_t i = 0; args[i] != NULL; i++) {
        cr_assert(i < ARGS_MAX);
        copies[i] = strdup(args[i]);
        argv[argc++] = copies[i];
    }
    size_t len;
    struct config_streams streams = {.out = open_memstream(&r.out, &len)};
    size_t err_len;
    streams.err = open_memstream(&r.err, &err_len);
    r.action = config_load(argc, argv, &streams, &r.config);
    (void)fclose(streams.out);
    (void)fclose(streams.err);
    for (size_t i = 0; i < ARGS_MAX; i++) {
        free(copies[i]);
    }
    if (yaml != NULL) {
        (void)unlink(path);
        replace_path(r.err, path);
        replace_path(r.out, path);
    }
    return r;
}

static void end(struct run *r)
{
    config_destroy(r->config);
    free(r->out);
    free(r->err);
}

#define ARGS(...)                                                                                  \
    (const char *const[])                                                                          \
    {                                                                                              \
        __VA_ARGS__, NULL                                                                          \
    }
#define NO_ARGS ((const char *const[]){NULL})

static void expect_refused(const char *yaml, const char *const *args, const char *line)
{
    struct run r = load(yaml, args);
    cr_expect_eq(r.action, CONFIG_REFUSED, "not refused, expected: %s", line);
    cr_expect_null(r.config);
    cr_expect_str_eq(r.err, line);
    cr_expect_str_empty(r.out);
    end(&r);
}

static struct run expect_run(const char *yaml, const char *const *args)
{
    const struct run r = load(yaml, args);
    cr_assert_eq(r.action, CONFIG_RUN, "%s", r.err);
    cr_assert_not_null(r.config);
    cr_expect_str_empty(r.err);
    return r;
}

static void expect_endpoint(const struct endpoint *e, const char *text)
{
    char bytes[64];
    struct buf b = buf_over(bytes, sizeof(bytes));
    endpoint_put(&b, e);
    cr_expect(slice_equal(buf_slice(&b), slice_of(text, strlen(text))), "%.*s", (int)b.len, b.at);
}

static bool may_register(const struct config *c, const char *peer)
{
    struct ip ip;
    cr_assert(ip_parse(slice_of(peer, strlen(peer)), &ip));
    bool may = false;
    for (size_t i = 0; i < c->register_from.count; i++) {
        may = may || cidr_contains(&c->register_from.at[i], &ip);
    }
    return may;
}

Test(config, without_options_is_safe_and_local)
{
    struct run r = expect_run(NULL, NO_ARGS);
    const struct config *c = r.config;
    cr_assert_eq(c->listen.count, 1);
    expect_endpoint(&c->listen.at[0], "127.0.0.1:5060");
    cr_expect_eq(c->domain.count, 0);
    cr_expect_eq(c->workers, 0);
    cr_expect(c->admin.enabled);
    expect_endpoint(&c->admin.address, "127.0.0.1:8060");
    cr_expect(may_register(c, "127.0.0.9"));
    cr_expect(may_register(c, "::1"));
    cr_expect_not(may_register(c, "192.0.2.1"));
    cr_expect_not(may_register(c, "2001:db8::1"));
    cr_expect_eq(c->expires_default_s, 3600);
    cr_expect_eq(c->expires_min_s, 60);
    cr_expect_eq(c->expires_max_s, 86400);
    cr_expect_eq(c->contacts_per_aor_max, 10);
    cr_expect_eq(c->shards, 0);
    cr_expect_eq(c->ring_slots, 1024);
    cr_expect_eq(c->receive_buffer_bytes, 8388608);
    cr_expect(slice_equal(c->server_header.slice, SLICE("Signpost")));
    cr_expect_eq(c->log_level, LOG_LEVEL_INFO);
    end(&r);
}

Test(config, file_is_read)
{
    struct run r = expect_run("listen:\n  - udp:[2001:db8::1]:5062\n  - udp:0.0.0.0:5060\n"
                              "domain: [Example.ORG, 192.0.2.7]\n"
                              "admin: off\nserver-header: ''\nshards: 64\nlog-level: debug\n",
                              NO_ARGS);
    const struct config *c = r.config;
    cr_assert_eq(c->listen.count, 2);
    expect_endpoint(&c->listen.at[0], "[2001:db8::1]:5062");
    expect_endpoint(&c->listen.at[1], "0.0.0.0:5060");
    cr_assert_eq(c->domain.count, 2);
    cr_expect(slice_equal(c->domain.at[0], SLICE("example.org")));
    cr_expect(slice_equal(c->domain.at[1], SLICE("192.0.2.7")));
    cr_expect_not(c->admin.enabled);
    cr_expect(slice_empty(c->server_header.slice));
    cr_expect_eq(c->shards, 64);
    cr_expect_eq(c->log_level, LOG_LEVEL_DEBUG);
    end(&r);
}

Test(config, command_line_replaces_the_files_list_and_adds_to_itself)
{
    struct run r = expect_run("listen:\n  - udp:127.0.0.1:1\n  - udp:127.0.0.1:2\n",
                              ARGS("-l", "udp:127.0.0.1:3", "--listen=udp:127.0.0.1:4"));
    cr_assert_eq(r.config->listen.count, 2);
    expect_endpoint(&r.config->listen.at[0], "127.0.0.1:3");
    expect_endpoint(&r.config->listen.at[1], "127.0.0.1:4");
    end(&r);
}

Test(config, command_line_overrides_the_file)
{
    struct run r = expect_run("workers: 2\nring-slots: 128\n", ARGS("-w5"));
    cr_expect_eq(r.config->workers, 5);
    cr_expect_eq(r.config->ring_slots, 128);
    end(&r);
}

Test(config, any_admits_both_families)
{
    struct run r = expect_run(NULL, ARGS("--register-from", "any"));
    cr_expect(may_register(r.config, "203.0.113.9"));
    cr_expect(may_register(r.config, "2001:db8::9"));
    end(&r);
}

Test(config, addresses_are_put_for_people)
{
    struct run r = expect_run(NULL, ARGS("-l", "udp:127.0.0.1:1", "-l", "udp:[::1]:2"));
    char bytes[CONFIG_ADDRESSES_BYTES_MAX];
    struct buf b = buf_over(bytes, sizeof(bytes));
    config_put_addresses(r.config, &b);
    cr_expect(slice_equal(buf_slice(&b), SLICE("udp:127.0.0.1:1, udp:[::1]:2, "
                                               "admin http://127.0.0.1:8060/")));
    end(&r);
}

Test(config, value_of_the_command_line_is_refused_by_name)
{
    static const struct {
        const char *option;
        const char *value;
        const char *line;
    } cases[] = {
        {"--expires-min-s", "abc", "expected 1..86400 (seconds), got 'abc'"},
        {"--expires-min-s", "0", "expected 1..86400 (seconds), got '0'"},
        {"--workers", "257", "expected 0..256 (threads), got '257'"},
        {"--workers", "-1", "expected 0..256 (threads), got '-1'"},
        {"--workers", "", "expected 0..256 (threads), got ''"},
        {"--ring-slots", "100", "expected a power of two in 64..65536 (datagrams), got '100'"},
        {"--shards", "3", "expected 0 or a power of two in 1..65536 (shards), got '3'"},
        {"--listen", "tcp:127.0.0.1:1",
         "tcp: is not supported by this version, expected udp:HOST:PORT, got 'tcp:127.0.0.1:1'"},
        {"--store", "rocksdb:", "expected memory, rocksdb or rocksdb:DIR, got 'rocksdb:'"},
        {"--store", "floppy", "expected memory, rocksdb or rocksdb:DIR, got 'floppy'"},
        {"--durability", "fsync", "expected none|async|sync, got 'fsync'"},
        {"--store-queue-bytes", "1000000",
         "expected a power of two in 1048576..1073741824 (bytes), got '1000000'"},
        {"--domain", "a..b", "expected a domain name or an IP address, got 'a..b'"},
        {"--domain", "-a", "expected a domain name or an IP address, got '-a'"},
        {"--log-level", "loud", "expected error, warning, info or debug, got 'loud'"},
        {"--server-header", "a\r\nb",
         "expected printable ASCII without line ends, at most 128 bytes, got 'a??b'"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[256];
        (void)snprintf(line, sizeof(line), "signpostd: %s: %s\n", cases[i].option, cases[i].line);
        expect_refused(NULL, ARGS(cases[i].option, cases[i].value), line);
    }
}

Test(config, address_that_is_none_is_refused)
{
    static const char *const texts[] = {
        "udp:localhost:5060",  "udp:127.0.0.1",        "udp:127.0.0.1:0",
        "udp:127.0.0.1:65536", "udp:::1:5060",         "127.0.0.1:5060",
        "udp:[::1]5060",       "udp:[127.0.0.1]:5060", "",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct run r = load(NULL, ARGS("-l", texts[i]));
        cr_expect_eq(r.action, CONFIG_REFUSED, "%s", texts[i]);
        cr_expect_not_null(strstr(r.err, "--listen: expected udp:HOST:PORT"), "%s", r.err);
        end(&r);
    }
}

Test(config, network_with_bits_after_its_prefix_is_refused)
{
    struct run r = load("register-from:\n  - 10.0.0.0/8\n  - 10.0.0.1/8\n", NO_ARGS);
    cr_expect_eq(r.action, CONFIG_REFUSED);
    cr_expect_eq(strncmp(r.err, "FILE:3: register-from: expected", 31), 0, "%s", r.err);
    end(&r);
}

Test(config, argument_that_is_no_option_is_refused)
{
    expect_refused(NULL, ARGS("--nope"),
                   "signpostd: --nope: unknown or ambiguous option, see --help\n");
    expect_refused(NULL, ARGS("-x"), "signpostd: -x: unknown or ambiguous option, see --help\n");
    expect_refused(NULL, ARGS("-w"), "signpostd: -w: expected a value after it, see --help\n");
    expect_refused(NULL, ARGS("--help=3"), "signpostd: --help=3: takes no value\n");
    expect_refused(NULL, ARGS("-w1", "file"),
                   "signpostd: file: expected options only, see --help\n");
}

Test(config, fault_of_the_file_is_shown_with_its_line)
{
    static const struct {
        const char *yaml;
        const char *line;
    } cases[] = {
        {"workers: 1\n\nbogus: 3\n", "FILE:3: bogus: no such option, see --help\n"},
        {"\"a\\nb\": 3\n", "FILE:1: a?b: no such option, see --help\n"},
        {"[a]: 3\n", "FILE:1: expected an option's name before the ':'\n"},
        {"# c\nworkers: 1\nworkers: 2\n", "FILE:3: workers: given twice, expected once\n"},
        {"workers: [1]\n", "FILE:1: workers: expected one value, N\n"},
        {"workers: 1\nlisten: udp:127.0.0.1:1\n",
         "FILE:2: listen: expected a list of udp:HOST:PORT\n"},
        {"listen:\n- udp:127.0.0.1:1\n- [a]\n",
         "FILE:3: listen: expected a list of udp:HOST:PORT\n"},
        {"- a\n", "FILE:1: expected lines of the form 'option: value'\n"},
        {"workers: 1\n---\nworkers: 2\n", "FILE:2: a second YAML document, expected one only\n"},
        {"workers: 1\nstore: \"abc\n", "FILE:3: not YAML: found unexpected end of stream\n"},
        {"workers: 1\nstore: \xff\n", "FILE:1: not YAML: invalid leading UTF-8 octet\n"},
        {"workers: 1\nshards: many\n", "FILE:2: shards: expected 0 or a power of two in 1..65536 "
                                       "(shards), got 'many'\n"},
        {"listen:\n  - udp:127.0.0.1:1\n  - tls:127.0.0.1:2\n",
         "FILE:3: listen: tls: is not supported by this version, expected udp:HOST:PORT, got "
         "'tls:127.0.0.1:2'\n"},
        {"workers: 1\nlisten: []\n", "FILE:2: listen: expected 1..64 items, got 0\n"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_refused(cases[i].yaml, NO_ARGS, cases[i].line);
    }
}

Test(config, file_cut_at_any_byte_gives_one_line_or_a_configuration)
{
    static const char yaml[] = "listen:\n  - udp:127.0.0.1:5061\ndomain: [a.example, 'b']\n"
                               "server-header: \"x\"\nexpires-min-s: 70\n";
    for (size_t len = 0; len < sizeof(yaml); len++) {
        char cut[sizeof(yaml)] = {0};
        memcpy(cut, yaml, len);
        struct run r = load(cut, NO_ARGS);
        const char *line_end = strchr(r.err, '\n');
        cr_expect_eq(r.action == CONFIG_REFUSED, line_end != NULL && line_end[1] == '\0', "%s",
                     cut);
        end(&r);
    }
}

Test(config, missing_file_is_refused)
{
    expect_refused(NULL, ARGS("-c", "/nonexistent/signpost.yaml"),
                   "signpostd: --config: cannot read /nonexistent/signpost.yaml: "
                   "No such file or directory\n");
}

Test(config, empty_file_gives_the_defaults)
{
    struct run r = expect_run("# nothing\n", NO_ARGS);
    cr_expect_eq(r.config->ring_slots, 1024);
    end(&r);
}

Test(config, minimum_above_default_is_refused)
{
    expect_refused("workers: 1\nexpires-min-s: 7200\n", NO_ARGS,
                   "FILE:2: expires-min-s: expected at most 3600 (expires-default-s), got "
                   "'7200'\n");
}

Test(config, busy_later_than_dropped_is_refused)
{
    expect_refused(NULL, ARGS("--busy-after-ms", "401"),
                   "signpostd: --busy-after-ms: expected at most 400 (drop-after-ms), got '401'\n");
}

Test(config, listeners_that_overlap_are_refused)
{
    expect_refused(NULL, ARGS("-l", "udp:127.0.0.1:5060", "-l", "udp:0.0.0.0:5060"),
                   "signpostd: --listen: expected each address once, got 'udp:0.0.0.0:5060'\n");
    expect_refused(NULL, ARGS("-l", "udp:[::]:5060", "-l", "udp:[::1]:5060"),
                   "signpostd: --listen: expected each address once, got 'udp:[::1]:5060'\n");
    struct run r = expect_run(NULL, ARGS("-l", "udp:[::]:5060", "-l", "udp:0.0.0.0:5060"));
    cr_expect_eq(r.config->listen.count, 2);
    end(&r);
}

Test(config, answers_that_wait_for_a_disk_need_one)
{
    expect_refused(NULL, ARGS("--store", "memory", "--durability", "sync"),
                   "signpostd: --durability: expected a store that is kept (not store: memory), "
                   "got 'sync'\n");
    expect_refused("store: memory\ndurability: sync\n", NO_ARGS,
                   "FILE:2: durability: expected a store that is kept (not store: memory), got "
                   "'sync'\n");
    struct run r = expect_run("store: memory\n", ARGS("--durability", "async"));
    end(&r);
}

Test(config, maximum_below_default_is_refused)
{
    expect_refused(NULL, ARGS("--expires-max-s", "1800"),
                   "signpostd: --expires-max-s: expected at least 3600 (expires-default-s), got "
                   "'1800'\n");
}

Test(config, more_listeners_than_the_limit_are_refused)
{
    char yaml[64 * (LISTENERS_MAX + 2)] = "listen:\n";
    for (int i = 0; i <= LISTENERS_MAX; i++) {
        (void)snprintf(yaml + strlen(yaml), sizeof(yaml) - strlen(yaml), "- udp:127.0.0.1:%d\n",
                       5060 + i);
    }
    expect_refused(yaml, NO_ARGS, "FILE:2: listen: expected 1..64 items, got 65\n");
}

static void expect_cpus(const char *text, const uint16_t *cpus, size_t count)
{
    struct run r = expect_run("", ARGS("--cpus-workers", text));
    const struct option_cpus *const got = &r.config->cpus_workers;
    cr_assert_eq(got->count, count, "%s: %zu", text, got->count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(got->at[i], cpus[i], "%s", text);
    }
    end(&r);
}

Test(config, cpus_are_numbers_and_ranges_in_the_order_given)
{
    expect_cpus("any", NULL, 0);
    expect_cpus("0", (const uint16_t[]){0}, 1);
    expect_cpus("2-5", (const uint16_t[]){2, 3, 4, 5}, 4);
    expect_cpus("7,0-1,3", (const uint16_t[]){7, 0, 1, 3}, 4);
    expect_cpus("1023-1023", (const uint16_t[]){1023}, 1);
    static const char *const bad[] = {"",     ",",      "1,", ",1",  "-1",  "1-",   "2-1",
                                      "1024", "0-1024", "a",  "0 1", "0;1", "1--2", "anything"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char said[256];
        (void)snprintf(said, sizeof(said),
                       "signpostd: --cpus-receivers: expected any, or CPUs by their numbers, such "
                       "as 0 or 2-7 or 0,2-3, got '%s'\n",
                       bad[i]);
        expect_refused("", ARGS("--cpus-receivers", bad[i]), said);
    }
}

Test(config, more_cpus_than_can_be_are_cut)
{
    struct run r = expect_run("cpus-workers: 0-1023,0-1023\n", NO_ARGS);
    cr_expect_eq(r.config->cpus_workers.count, OPTION_CPUS_MAX);
    end(&r);
}

Test(config, check_says_that_a_good_file_is_fine)
{
    struct run r = load("workers: 2\n", ARGS("--check-config"));
    cr_expect_eq(r.action, CONFIG_DONE);
    cr_expect_str_eq(r.out, "FILE: the configuration is fine\n");
    cr_expect_null(r.config);
    end(&r);
    expect_refused("workers: x\n", ARGS("--check-config"),
                   "FILE:1: workers: expected 0..256 (threads), got 'x'\n");
}

Test(config, printed_configuration_loads_to_the_same)
{
    struct run first =
        load("server-header: '# a: b'\nworkers: 3\n",
             ARGS("--print-config", "-l", "udp:[::1]:5070", "-d", "a.example", "--admin", "off"));
    cr_assert_eq(first.action, CONFIG_DONE, "%s", first.err);
    struct run second = load(first.out, ARGS("--print-config"));
    cr_expect_str_eq(second.out, first.out);
    struct run loaded = expect_run(first.out, NO_ARGS);
    cr_expect_eq(loaded.config->workers, 3);
    cr_expect(slice_equal(loaded.config->server_header.slice, SLICE("# a: b")));
    cr_expect_not(loaded.config->admin.enabled);
    cr_expect_eq(loaded.config->domain.count, 1);
    expect_endpoint(&loaded.config->listen.at[0], "[::1]:5070");
    end(&first);
    end(&second);
    end(&loaded);
}

Test(config, help_names_every_option)
{
    struct run r = load(NULL, ARGS("--help"));
    cr_expect_eq(r.action, CONFIG_DONE);
#define X(type, id, field, name, ...) cr_expect_not_null(strstr(r.out, "--" name " "));
    OPTIONS(X)
#undef X
    end(&r);
}

Test(config, version_is_printed)
{
    struct run r = load(NULL, ARGS("-V"));
    cr_expect_eq(r.action, CONFIG_DONE);
    cr_expect_str_eq(r.out, "signpostd " SIGNPOST_VERSION "\n");
    end(&r);
}

// The file lies at a fixed place from this one, whose path the compiler gives.
static char *read_example_of_tree(void)
{
    char path[4096];
    static const char here[] = "tests/unit/env/config.c";
    const size_t root_len = strlen(__FILE__) - strlen(here);
    cr_assert_str_eq(&__FILE__[root_len], here);
    (void)snprintf(path, sizeof(path), "%.*stools/signpost.yaml.example", (int)root_len, __FILE__);
    FILE *in = fopen(path, "re");
    cr_assert_not_null(in, "%s", path);
    char *text = NULL;
    size_t cap = 0;
    cr_assert(getdelim(&text, &cap, '\0', in) > 0);
    (void)fclose(in);
    return text;
}

Test(config, example_in_the_tree_is_the_printed_one)
{
    struct run r = load(NULL, ARGS("--print-example"));
    char *example = read_example_of_tree();
    cr_expect_str_eq(example, r.out,
                     "run: signpostd --print-example > tools/signpost.yaml.example");
    free(example);
    end(&r);
}

// "#name:" and "#  - item" are commented out, "# text" is a comment.
static void uncomment(char *text)
{
    char *to = text;
    bool at_line_start = true;
    for (const char *from = text; *from != '\0'; from++) {
        const bool drop = at_line_start && *from == '#' &&
                          (from[1] != ' ' || strncmp(from, "#  -", 4) == 0) && from[1] != '\n';
        at_line_start = *from == '\n';
        if (!drop) {
            *to++ = *from;
        }
    }
    *to = '\0';
}

Test(config, example_uncommented_is_the_default)
{
    char *example = read_example_of_tree();
    uncomment(example);
    struct run from_example = load(example, ARGS("--print-config"));
    struct run from_defaults = load(NULL, ARGS("--print-config"));
    cr_expect_str_eq(from_example.out, from_defaults.out, "%s", from_example.err);
    cr_expect_not_null(strstr(from_example.out, "workers: 0\n"));
    end(&from_example);
    end(&from_defaults);
    free(example);
}
