// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/command.h"

#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

void command_say(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("signpostctl: ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
}

// ---- Help

static void print_groups(const struct command_group *groups, size_t count)
{
    (void)fputs("usage: signpostctl GROUP COMMAND [OPTION...] [OPERAND...]\n"
                "\n"
                "looks after a Signpost registrar.\n\n",
                stdout);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < groups[i].count; j++) {
            const struct command *const command = &groups[i].commands[j];
            (void)printf("  %s %-8s %s\n", command->group, command->name, command->summary);
        }
    }
    (void)fputs("\n  -h, --help     after a group or a command: more of it\n"
                "  -V, --version  print the version\n"
                "\n" COMMAND_EXIT_STATUSES,
                stdout);
}

static void print_group(const struct command_group *group)
{
    (void)printf("usage: signpostctl %s COMMAND [OPTION...] [OPERAND...]\n\n%s\n", group->name,
                 group->summary);
    for (size_t i = 0; i < group->count; i++) {
        const struct command *const command = &group->commands[i];
        (void)printf("  %-6s %-10s  %s\n", command->name, command->operands, command->summary);
    }
    (void)printf("\n%s", group->text);
}

static void print_command(const struct command *command)
{
    (void)printf("usage: signpostctl %s %s [OPTION...] %s\n\n%s\n", command->group, command->name,
                 command->operands, command->text);
    for (size_t i = 0; i < COMMAND_OPTIONS_MAX && command->options[i].name != NULL; i++) {
        const struct command_option *const option = &command->options[i];
        char left[40];
        (void)snprintf(left, sizeof(left), "--%s%s%s", option->name,
                       option->value == NULL ? "" : " ",
                       option->value == NULL ? "" : option->value);
        const char letter[] = {'-', option->letter, ',', '\0'};
        (void)printf("  %3s %-18s %s\n", option->letter == '\0' ? "" : letter, left, option->help);
    }
    (void)printf("  -h, %-18s %s\n", "--help", "print this");
}

// ---- The command line

static bool is_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0;
}

static bool is_version(const char *word)
{
    return strcmp(word, "--version") == 0 || strcmp(word, "-V") == 0;
}

static int print_version(void)
{
    (void)printf("signpostctl %s\n", SIGNPOST_VERSION);
    return STATUS_OK;
}

// An option of the command by its word, "--name", "--name=value" or "-n"; its place, or
// COMMAND_OPTIONS_MAX.
static size_t find_option(const struct command *command, const char *word)
{
    size_t i = 0;
    for (; i < COMMAND_OPTIONS_MAX && command->options[i].name != NULL; i++) {
        const struct command_option *const option = &command->options[i];
        const size_t len = strcspn(word, "=");
        const bool is_long = strncmp(word, "--", 2) == 0 && len == strlen(option->name) + 2 &&
                             strncmp(word + 2, option->name, len - 2) == 0;
        const bool is_short =
            option->letter != '\0' && word[1] == option->letter && word[2] == '\0';
        if (is_long || is_short) {
            return i;
        }
    }
    return COMMAND_OPTIONS_MAX;
}

// Takes the option at argv[*at], and moves *at to the last word of it.
static bool take_option(const struct command *command, int argc, char *const argv[], int *at,
                        struct invocation *invocation)
{
    const char *const word = argv[*at];
    const size_t i = find_option(command, word);
    if (i == COMMAND_OPTIONS_MAX) {
        command_say("unknown option %s; signpostctl %s %s --help tells those there are", word,
                    command->group, command->name);
        return false;
    }
    const struct command_option *const option = &command->options[i];
    const char *const equals = word[1] == '-' ? strchr(word, '=') : NULL;
    if (option->value == NULL) {
        invocation->values[i] = option->name;
        if (equals != NULL) {
            command_say("--%s takes no value", option->name);
        }
        return equals == NULL;
    }
    if (equals == NULL && *at + 1 == argc) {
        command_say("--%s needs a value: %s", option->name, option->value);
        return false;
    }
    invocation->values[i] = equals != NULL ? equals + 1 : argv[++*at];
    return true;
}

static bool take_operand(const struct command *command, const char *word,
                         struct invocation *invocation)
{
    if (invocation->operand_count == command->operands_max) {
        command_say("\"%s\" is too much; usage: signpostctl %s %s [OPTION...] %s", word,
                    command->group, command->name, command->operands);
        return false;
    }
    invocation->operands[invocation->operand_count++] = word;
    return true;
}

static int run_command(const struct command *command, int argc, char *const argv[])
{
    struct invocation invocation = {.operand_count = 0};
    bool options = true;
    for (int i = 0; i < argc; i++) {
        const char *const word = argv[i];
        const bool is_option = options && word[0] == '-' && word[1] != '\0';
        if (is_option && is_help(word)) {
            print_command(command);
            return STATUS_OK;
        }
        if (is_option && is_version(word)) {
            return print_version();
        }
        if (is_option && strcmp(word, "--") == 0) {
            options = false;
        } else if (!(is_option ? take_option(command, argc, argv, &i, &invocation)
                               : take_operand(command, word, &invocation))) {
            return STATUS_BROKEN;
        }
    }
    if (invocation.operand_count < command->operands_min) {
        command_say("something is missing; usage: signpostctl %s %s [OPTION...] %s", command->group,
                    command->name, command->operands);
        return STATUS_BROKEN;
    }
    return command->run(&invocation);
}

static int run_group(const struct command_group *group, int argc, char *const argv[])
{
    if (argc > 0 && is_help(argv[0])) {
        print_group(group);
        return STATUS_OK;
    }
    if (argc > 0 && is_version(argv[0])) {
        return print_version();
    }
    for (size_t i = 0; argc > 0 && i < group->count; i++) {
        if (strcmp(argv[0], group->commands[i].name) == 0) {
            return run_command(&group->commands[i], argc - 1, argv + 1);
        }
    }
    if (argc == 0) {
        command_say("%s needs a command; signpostctl %s --help tells them", group->name,
                    group->name);
    } else {
        command_say("unknown command %s %s; signpostctl %s --help tells those there are",
                    group->name, argv[0], group->name);
    }
    return STATUS_BROKEN;
}

int command_main(const struct command_group *groups, size_t count, int argc, char *const argv[])
{
    if (argc < 2) {
        command_say("needs a command; signpostctl --help tells them");
        return STATUS_BROKEN;
    }
    if (is_help(argv[1])) {
        print_groups(groups, count);
        return STATUS_OK;
    }
    if (is_version(argv[1])) {
        return print_version();
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(argv[1], groups[i].name) == 0) {
            return run_group(&groups[i], argc - 2, argv + 2);
        }
    }
    command_say("unknown command %s; signpostctl --help tells those there are", argv[1]);
    return STATUS_BROKEN;
}
