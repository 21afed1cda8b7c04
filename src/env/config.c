// SPDX-License-Identifier: Apache-2.0
#include "env/config.h"

#include <inttypes.h>
#include <stdlib.h>

#include "env/command_line.h"
#include "env/config_file.h"
#include "env/option_value.h"

// The sources of one load, and what results from them.
struct load {
    struct command_line line;
    struct config_file *file; // NULL without --config
    struct option_texts defaults;
    struct option_texts effective; // each option's texts, borrowed from the source that wins
    FILE *err;
};

static enum config_action load_and_act(struct load *load, const struct config_streams *streams,
                                       struct config **out);
static enum config_action print_if_asked(enum command command, FILE *out);
static void choose_sources(struct load *load);
static enum err parse_all(const struct load *load, struct config *config);
static enum err check_relations(const struct load *load, const struct config *config);
static enum config_action act(const struct load *load, FILE *out);

enum config_action config_load(int argc, char *const argv[], const struct config_streams *streams,
                               struct config **out)
{
    *out = NULL;
    struct load *load = calloc(1, sizeof(*load));
    if (load == NULL) {
        (void)fprintf(streams->err, "signpostd: %s\n", err_text(ERR_NO_MEMORY));
        return CONFIG_REFUSED;
    }
    load->err = streams->err;
    enum config_action action = CONFIG_REFUSED;
    if (command_line_parse(argc, argv, &load->line, streams->err) == ERR_OK) {
        action = load_and_act(load, streams, out);
    }
    if (action == CONFIG_DONE && (fflush(streams->out) != 0 || ferror(streams->out) != 0)) {
        (void)fputs("signpostd: standard output: cannot write\n", streams->err);
        action = CONFIG_REFUSED;
    }
    config_file_destroy(load->file);
    free(load);
    return action;
}

void config_destroy(struct config *config)
{
    free(config);
}

void config_put_addresses(const struct config *config, struct buf *out)
{
    for (size_t i = 0; i < config->listen.count; i++) {
        buf_put(out, i == 0 ? SLICE("udp:") : SLICE(", udp:"));
        endpoint_put(out, &config->listen.at[i]);
    }
    if (config->admin.enabled) {
        buf_put(out, SLICE(", admin http://"));
        endpoint_put(out, &config->admin.address);
        buf_put_char(out, '/');
    }
}

static enum config_action load_and_act(struct load *load, const struct config_streams *streams,
                                       struct config **out)
{
    if (print_if_asked(load->line.command, streams->out) == CONFIG_DONE) {
        return CONFIG_DONE;
    }
    const char *path = load->line.config_path;
    if (path != NULL && config_file_load(path, &load->file, load->err) != ERR_OK) {
        return CONFIG_REFUSED;
    }
    load->defaults = option_defaults();
    choose_sources(load);
    struct config *config = calloc(1, sizeof(*config));
    if (config == NULL) {
        (void)fprintf(load->err, "signpostd: %s\n", err_text(ERR_NO_MEMORY));
        return CONFIG_REFUSED;
    }
    enum config_action action = CONFIG_REFUSED;
    if (parse_all(load, config) == ERR_OK && check_relations(load, config) == ERR_OK) {
        action = act(load, streams->out);
    }
    if (action != CONFIG_RUN) {
        config_destroy(config);
        return action;
    }
    *out = config;
    return CONFIG_RUN;
}

// What needs no configuration, so that --help works beside a broken file.
static enum config_action print_if_asked(enum command command, FILE *out)
{
    switch (command) {
    case COMMAND_VERSION: (void)fputs("signpostd " SIGNPOST_VERSION "\n", out); return CONFIG_DONE;
    case COMMAND_HELP: command_line_print_help(out); return CONFIG_DONE;
    case COMMAND_PRINT_EXAMPLE: config_file_print_example(out); return CONFIG_DONE;
    case COMMAND_RUN:
    case COMMAND_CHECK_CONFIG:
    case COMMAND_PRINT_CONFIG: return CONFIG_RUN;
    }
    assert(false && "a command without a case");
    return CONFIG_REFUSED;
}

static bool is_from_line(const struct load *load, enum option_id id)
{
    return option_is_given(&load->line.texts.at[id]);
}

static bool is_from_file(const struct load *load, enum option_id id)
{
    return load->file != NULL && !is_from_line(load, id) &&
           option_is_given(&config_file_texts(load->file)->at[id]);
}

static void choose_sources(struct load *load)
{
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const enum option_id id = (enum option_id)i;
        const struct option_texts *source = &load->defaults;
        if (is_from_line(load, id)) {
            source = &load->line.texts;
        } else if (is_from_file(load, id)) {
            source = config_file_texts(load->file);
        }
        load->effective.at[id] = source->at[id];
    }
}

// Says where the i-th text of the option comes from, and the option's name as it is written there.
static void print_origin(const struct load *load, enum option_id id, unsigned i)
{
    const char *name = option_row(id)->name;
    if (is_from_file(load, id)) {
        (void)fprintf(load->err, "%s:%u: %s: ", config_file_path(load->file),
                      config_file_line(load->file, id, i), name);
    } else {
        (void)fprintf(load->err, "signpostd: --%s: ", name);
    }
}

enum { SHOWN_BYTES_MAX = 80 };

// A value may be anything; it is shown cut and without control characters.
static void print_value(const char *value, FILE *err)
{
    const size_t len = strnlen(value, SHOWN_BYTES_MAX);
    (void)fputs(", got '", err);
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)value[i];
        (void)fputc(c < ' ' || c == 0x7f ? '?' : c, err);
    }
    (void)fputs(value[len] == '\0' ? "'\n" : "...'\n", err);
}

static enum err parse_option(const struct load *load, enum option_id id, struct config *config)
{
    const struct option_given *given = &load->effective.at[id];
    const unsigned count = option_given_count(given);
    for (unsigned i = 0; i < count; i++) {
        const char *text = option_given_text(given, i);
        char bytes[OPTION_EXPECTED_BYTES_MAX];
        struct buf expected = buf_over(bytes, sizeof(bytes));
        const enum err e = option_value_parse(id, slice_of(text, strlen(text)), config, &expected);
        if (e != ERR_OK) {
            assert(buf_ok(&expected));
            print_origin(load, id, i);
            (void)fprintf(load->err, "%.*s", (int)expected.len, expected.at);
            print_value(text, load->err);
            return e;
        }
    }
    return ERR_OK;
}

static enum err parse_all(const struct load *load, struct config *config)
{
    enum err e = ERR_OK;
    for (unsigned id = 0; id < OPTION_COUNT && e == ERR_OK; id++) {
        e = parse_option(load, (enum option_id)id, config);
    }
    return e;
}

// Two options of which the first must not exceed the second.
struct relation {
    enum option_id low;
    enum option_id high;
    uint32_t low_value;
    uint32_t high_value;
};

// The one to blame is the one that somebody gave: a default cannot be at fault when it need not.
static void print_relation(const struct load *load, const struct relation *r)
{
    const bool low_given = is_from_line(load, r->low) || is_from_file(load, r->low);
    const enum option_id culprit = low_given ? r->low : r->high;
    const enum option_id other = low_given ? r->high : r->low;
    print_origin(load, culprit, 0);
    (void)fprintf(load->err, "expected at %s %" PRIu32 " (%s), got '%" PRIu32 "'\n",
                  low_given ? "most" : "least", low_given ? r->high_value : r->low_value,
                  option_row(other)->name, low_given ? r->low_value : r->high_value);
}

// Also when one of them is bound to all addresses of its kind.
static bool overlap(const struct endpoint *a, const struct endpoint *b)
{
    return a->port == b->port && a->port != 0 && a->ip.family == b->ip.family &&
           (ip_equal(&a->ip, &b->ip) || ip_is_unspecified(&a->ip) || ip_is_unspecified(&b->ip));
}

// Asked for twice, a port would be in use when its turn comes, by nobody but ourselves.
static enum err check_listeners(const struct load *load, const struct config *config)
{
    for (unsigned i = 0; i < config->listen.count; i++) {
        for (unsigned j = 0; j < i; j++) {
            if (overlap(&config->listen.at[j], &config->listen.at[i])) {
                print_origin(load, OPTION_LISTEN, i);
                (void)fputs("expected each address once", load->err);
                print_value(option_given_text(&load->effective.at[OPTION_LISTEN], i), load->err);
                return ERR_RANGE;
            }
        }
    }
    return ERR_OK;
}

// Nobody who asks for it is to believe that bindings are kept.
static enum err check_durability(const struct load *load, const struct config *config)
{
    if (config->durability == OPTION_DURABILITY_SYNC && !config->store.kept) {
        print_origin(load, OPTION_DURABILITY, 0);
        (void)fputs("expected a store that is kept (not store: memory)", load->err);
        print_value(option_given_text(&load->effective.at[OPTION_DURABILITY], 0), load->err);
        return ERR_RANGE;
    }
    return ERR_OK;
}

static enum err check_relations(const struct load *load, const struct config *config)
{
    const struct relation relations[] = {
        {OPTION_EXPIRES_MIN_S, OPTION_EXPIRES_MAX_S, config->expires_min_s, config->expires_max_s},
        {OPTION_EXPIRES_MIN_S, OPTION_EXPIRES_DEFAULT_S, config->expires_min_s,
         config->expires_default_s},
        {OPTION_EXPIRES_DEFAULT_S, OPTION_EXPIRES_MAX_S, config->expires_default_s,
         config->expires_max_s},
        {OPTION_BUSY_AFTER_MS, OPTION_DROP_AFTER_MS, config->busy_after_ms, config->drop_after_ms},
    };
    for (size_t i = 0; i < sizeof(relations) / sizeof(relations[0]); i++) {
        if (relations[i].low_value > relations[i].high_value) {
            print_relation(load, &relations[i]);
            return ERR_RANGE;
        }
    }
    const enum err e = check_durability(load, config);
    return e == ERR_OK ? check_listeners(load, config) : e;
}

static enum config_action act(const struct load *load, FILE *out)
{
    const char *path = load->line.config_path;
    switch (load->line.command) {
    case COMMAND_CHECK_CONFIG:
        (void)fprintf(out, "%s: the configuration is fine\n", path == NULL ? "signpostd" : path);
        return CONFIG_DONE;
    case COMMAND_PRINT_CONFIG:
        if (config_file_print(&load->effective, out) != ERR_OK) {
            (void)fputs("signpostd: --print-config: cannot write\n", load->err);
            return CONFIG_REFUSED;
        }
        return CONFIG_DONE;
    case COMMAND_RUN:
    case COMMAND_VERSION:
    case COMMAND_HELP:
    case COMMAND_PRINT_EXAMPLE: return CONFIG_RUN;
    }
    assert(false && "a command without a case");
    return CONFIG_REFUSED;
}
