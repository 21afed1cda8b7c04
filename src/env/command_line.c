// SPDX-License-Identifier: Apache-2.0
#include "env/command_line.h"

#include <getopt.h>
#include <inttypes.h>

enum { SWITCH_CONFIG, SWITCH_CHECK, SWITCH_PRINT, SWITCH_EXAMPLE, SWITCH_VERSION, SWITCH_HELP };

static const struct {
    const char *name;
    char letter;
    enum command command;
    const char *metavar; // NULL when it takes no value
    const char *help;
} switches[] = {
    [SWITCH_CONFIG] = {"config", 'c', COMMAND_RUN, "FILE",
                       "Read options from this YAML file; the command line overrides it."},
    [SWITCH_CHECK] = {"check-config", 0, COMMAND_CHECK_CONFIG, NULL,
                      "Check the configuration, say what is wrong with it, and exit."},
    [SWITCH_PRINT] = {"print-config", 0, COMMAND_PRINT_CONFIG, NULL,
                      "Print the configuration in effect as YAML, and exit."},
    [SWITCH_EXAMPLE] = {"print-example", 0, COMMAND_PRINT_EXAMPLE, NULL,
                        "Print a configuration file that explains every option, and exit."},
    [SWITCH_VERSION] = {"version", 'V', COMMAND_VERSION, NULL, "Print the version, and exit."},
    [SWITCH_HELP] = {"help", 'h', COMMAND_HELP, NULL, "Print this, and exit."},
};

enum {
    SWITCH_COUNT = sizeof(switches) / sizeof(switches[0]),
    ARGUMENT_COUNT = SWITCH_COUNT + OPTION_COUNT, // switches first
    // What getopt_long returns for the i-th argument, out of the way of letters, '?' and ':'.
    CODE_FIRST = 1000,
};

// The arguments as getopt_long wants them.
struct grammar {
    struct option longs[ARGUMENT_COUNT + 1];
    char letters[2 * ARGUMENT_COUNT + 3];
};

static void grammar_init(struct grammar *g);
static unsigned argument_of(int code);
static enum err take(struct command_line *line, unsigned argument, const char *value, FILE *err);
static enum err refuse(int code, char *const argv[], FILE *err);

enum err command_line_parse(int argc, char *const argv[], struct command_line *out, FILE *err)
{
    *out = (struct command_line){.command = COMMAND_RUN};
    struct grammar grammar;
    grammar_init(&grammar);
    optind = 0; // glibc: forget what an earlier call has read
    opterr = 0; // our own lines name the fix
    enum err e = ERR_OK;
    while (e == ERR_OK) {
        const int code = getopt_long(argc, argv, grammar.letters, grammar.longs, NULL);
        if (code == -1) {
            break;
        }
        e = code == '?' || code == ':' ? refuse(code, argv, err)
                                       : take(out, argument_of(code), optarg, err);
    }
    if (e == ERR_OK && optind < argc) {
        (void)fprintf(err, "signpostd: %s: expected options only, see --help\n", argv[optind]);
        e = ERR_SYNTAX;
    }
    return e;
}

static char letter_of(unsigned argument)
{
    return argument < SWITCH_COUNT ? switches[argument].letter
                                   : option_row((enum option_id)(argument - SWITCH_COUNT))->letter;
}

static const char *name_of(unsigned argument)
{
    return argument < SWITCH_COUNT ? switches[argument].name
                                   : option_row((enum option_id)(argument - SWITCH_COUNT))->name;
}

static void grammar_init(struct grammar *g)
{
    *g = (struct grammar){0};
    struct buf letters = buf_over(g->letters, sizeof(g->letters) - 1);
    // '+': stop at the first argument that is no option, so argv is not reordered;
    // ':': tell a missing value from an unknown option.
    buf_put(&letters, SLICE("+:"));
    for (unsigned i = 0; i < ARGUMENT_COUNT; i++) {
        const bool has_value = i >= SWITCH_COUNT || switches[i].metavar != NULL;
        g->longs[i] = (struct option){
            .name = name_of(i),
            .has_arg = has_value ? required_argument : no_argument,
            .val = CODE_FIRST + (int)i,
        };
        if (letter_of(i) != 0) {
            buf_put_char(&letters, letter_of(i));
            buf_put(&letters, has_value ? SLICE(":") : SLICE(""));
        }
    }
    assert(buf_ok(&letters));
}

static unsigned argument_of(int code)
{
    for (unsigned i = 0; i < ARGUMENT_COUNT; i++) {
        if (code == CODE_FIRST + (int)i || code == letter_of(i)) {
            return i;
        }
    }
    assert(false && "getopt_long knows an argument that no row declares");
    return 0;
}

static enum err take(struct command_line *line, unsigned argument, const char *value, FILE *err)
{
    if (argument == SWITCH_CONFIG) {
        line->config_path = value;
        return ERR_OK;
    }
    if (argument < SWITCH_COUNT) {
        line->command = switches[argument].command;
        return ERR_OK;
    }
    const enum option_id id = (enum option_id)(argument - SWITCH_COUNT);
    struct option_given *given = &line->texts.at[id];
    const struct option_row *row = option_row(id);
    if (row->shape == OPTION_ONE) {
        given->one = value;
        return ERR_OK;
    }
    assert(row->max <= COMMAND_LINE_ITEMS_MAX);
    if (given->items_count == row->max) {
        (void)fprintf(err, "signpostd: --%s: expected at most %" PRIu32 " times\n", row->name,
                      row->max);
        return ERR_TOO_MANY;
    }
    line->items[id][given->items_count++] = value;
    given->items = line->items[id];
    return ERR_OK;
}

static enum err refuse(int code, char *const argv[], FILE *err)
{
    // A short option may stand in the middle of its argument ("-Vx"); getopt_long names it in
    // optopt, and a long one only by having just passed its argument.
    const bool is_short = optopt > 0 && optopt < CODE_FIRST;
    const char letter[] = {'-', (char)(is_short ? optopt : 0), '\0'};
    const char *name = is_short ? letter : argv[optind - 1];
    const char *fix = "unknown or ambiguous option, see --help";
    if (code == ':') {
        fix = "expected a value after it, see --help";
    } else if (optopt >= CODE_FIRST) {
        fix = "takes no value";
    }
    (void)fprintf(err, "signpostd: %s: %s\n", name, fix);
    return ERR_SYNTAX;
}

static void print_row(FILE *out, char letter, const char *name, const char *metavar,
                      const char *help)
{
    const char short_name[] = {'-', letter, ',', '\0'};
    (void)fprintf(out, "  %s --%s%s%s\n        %s\n", letter != 0 ? short_name : "   ", name,
                  metavar != NULL ? " " : "", metavar != NULL ? metavar : "", help);
}

void command_line_print_help(FILE *out)
{
    (void)fputs("usage: signpostd [OPTION]...\n"
                "SIP registrar and redirect server. Runs in the foreground and logs to standard "
                "error.\n\n",
                out);
    for (unsigned i = 0; i < SWITCH_COUNT; i++) {
        print_row(out, switches[i].letter, switches[i].name, switches[i].metavar, switches[i].help);
    }
    (void)fputs("\nOptions, also of the configuration file:\n", out);
    for (unsigned id = 0; id < OPTION_COUNT; id++) {
        const struct option_row *row = option_row((enum option_id)id);
        print_row(out, row->letter, row->name, row->metavar, row->help);
        (void)fputs("        ", out);
        option_print_facts(row, out);
    }
}
