// SPDX-License-Identifier: Apache-2.0
#include "sipflood/cli.h"

#include <math.h>
#include <stdlib.h>

#include "sipflood/ports.h"
#include "sipflood/script.h"
#include "sipflood/search.h"
#include "sipflood/steps.h"
#include "sipflood/tally.h"

enum { THREADS_MAX = 256 };

// Of what the help says about a name.
#define INDENT "                        "

#define MIX_DEFAULT "refresh=70,invite=25,register=5"

// A scenario of several kinds of requests.
static const char mixed[] = "mixed";
static const char population[] = "population";

enum kind {
    KIND_FLAG,
    KIND_NUMBER,
    KIND_REAL,
    KIND_TEXT,
};

struct option_row {
    const char *name;
    const char *value; // how the help names it
    enum kind kind;
    size_t offset; // of the member in struct cli
    double min;
    double max;
    const char *help;
};

#define AT(member) offsetof(struct cli, member)

// clang-format off
static const struct option_row rows[] = {
    {"target", "HOST:PORT", KIND_TEXT, AT(target), 0, 0,
     "where to send to; IPv6 as [::1]:5060; required"},
    {"users", "N", KIND_NUMBER, AT(users), 1, SCRIPT_USERS_MAX,
     "who asks: u0000000 .. u<N-1>; default 1000"},
    {"domain", "NAME", KIND_TEXT, AT(domain), 0, 0, "their domain; default sip.test"},
    {"password", "TEXT", KIND_TEXT, AT(password), 0, 0,
     "everybody's, for digest challenges; the user name is u<number>"},
    {"expires", "S", KIND_NUMBER, AT(expires_s), 1, INT32_MAX,
     "Expires of a REGISTER; default 3600"},
    {"ports", "N", KIND_NUMBER, AT(ports), 1, PORTS_MAX,
     "source ports that share the users; default 64"},
    {"local-port", "P", KIND_NUMBER, AT(local_port), SCRIPT_LOCAL_PORT_MIN, UINT16_MAX,
     "the first of them; default 20000"},
    {"scatter", NULL, KIND_FLAG, AT(scatter), 0, 0,
     "ask in no order, as phones do; else those who share a port form trains"},
    {"threads", "N", KIND_NUMBER, AT(threads), 1, THREADS_MAX,
     "each with its own ports and users; default 1"},
    {"count", "N", KIND_NUMBER, AT(count), 1, 1e15,
     "requests; default one per user, unless --duration"},
    {"duration", "S", KIND_REAL, AT(duration_s), 0.001, 1e6,
     "seconds to send for; beside --count, what comes first ends the run"},
    {"rate", "R", KIND_NUMBER, AT(rate_per_s), 1, 1e7,
     "open loop: so many a second, come what may; default 1000"},
    {"window", "W", KIND_NUMBER, AT(window), 1, 1 << 20,
     "closed loop instead: at most W without an answer"},
    {"ramp", "FROM:TO:STEP:S", KIND_TEXT, AT(ramp_text), 0, 0,
     "open loop at rates FROM to TO by STEP, each for S seconds"},
    {"find-max", NULL, KIND_FLAG, AT(find_max), 0, 0,
     "look from --rate on for the highest that goes well; a minute or two"},
    {"p99-max", "MS", KIND_REAL, AT(p99_max_ms), 0.001, 60000,
     "find-max: highest p99 latency that is well; default 10"},
    {"step", "S", KIND_REAL, AT(step_s), 0.1, 3600, "find-max: seconds for each rate; default 3"},
    {"loss-max", "PERCENT", KIND_REAL, AT(loss_max_percent), 0, 100,
     "lost and refused together that are well; default 0,\n" INDENT "with --find-max 0.1"},
    {"timeout", "S", KIND_REAL, AT(timeout_s), 0.001, 64,
     "then a request is lost; default 2, with --retransmit 32"},
    {"retransmit", NULL, KIND_FLAG, AT(retransmit), 0, 0,
     "send again by RFC 3261's timers (T1 500 ms)"},
    {"no-ack", NULL, KIND_FLAG, AT(no_ack), 0, 0,
     "do not acknowledge the final answers to INVITEs"},
    {"mix", "KIND=W,...", KIND_TEXT, AT(weights), 0, 0,
     "mixed: default " MIX_DEFAULT},
    {"interval", "S", KIND_REAL, AT(interval_s), 0.001, 1e6,
     "population: a user's refreshes; default half of --expires"},
    {"jitter", "PERCENT", KIND_REAL, AT(jitter_percent), 0, 90,
     "population: may be so much earlier; default 10"},
    {"calls", "R", KIND_NUMBER, AT(calls_per_s), 1, 1e7,
     "population: calls per second to anybody; default none"},
    {"echo", NULL, KIND_FLAG, AT(echo), 0, 0,
     "the target is udpecho: only the branch is checked"},
    {"busy", NULL, KIND_FLAG, AT(busy), 0, 0, "never sleep: steadier latencies for a whole core"},
    {"gso", NULL, KIND_FLAG, AT(gso), 0, 0,
     "send trains that the kernel cuts up: cheap, not like phones"},
    {"gro", NULL, KIND_FLAG, AT(gro), 0, 0,
     "take answers that came as trains in one piece"},
    {"show", "N", KIND_NUMBER, AT(shown), 0, TALLY_SAMPLES_MAX, "wrong answers to show; default 3"},
    {"json", NULL, KIND_FLAG, AT(json), 0, 0, "print the report as one JSON object"},
    {"csv", "FILE", KIND_TEXT, AT(csv), 0, 0, "write a line of figures each second"},
    {"help", NULL, KIND_FLAG, AT(help), 0, 0, "print this"},
    {"version", NULL, KIND_FLAG, AT(version), 0, 0, "print the version"},
};

// clang-format on

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct option_row *find_row(struct slice name)
{
    for (size_t i = 0; i < ROWS; i++) {
        if (slice_equal(name, slice_of(rows[i].name, strlen(rows[i].name)))) {
            return &rows[i];
        }
    }
    return NULL;
}

static enum err out_of_bounds(const struct option_row *row, const char *value, FILE *why)
{
    (void)fprintf(why, "--%s %s: expected a%s number from %.15g to %.15g\n", row->name, value,
                  row->kind == KIND_NUMBER ? " whole" : "", row->min, row->max);
    return ERR_SYNTAX;
}

static enum err set_value(struct cli *cli, const struct option_row *row, const char *value,
                          FILE *why)
{
    char *member = (char *)cli + row->offset;
    uint64_t number;
    double real;
    char *end;
    switch (row->kind) {
    case KIND_FLAG: memcpy(member, &(bool){true}, sizeof(bool)); return ERR_OK;
    case KIND_TEXT: memcpy(member, &value, sizeof(value)); return ERR_OK;
    case KIND_NUMBER:
        if (!slice_to_u64(slice_of(value, strlen(value)), (uint64_t)row->max, &number) ||
            (double)number < row->min) {
            return out_of_bounds(row, value, why);
        }
        memcpy(member, &number, sizeof(number));
        return ERR_OK;
    case KIND_REAL:
        real = strtod(value, &end);
        if (end == value || *end != '\0' || !isfinite(real) || real < row->min || real > row->max) {
            return out_of_bounds(row, value, why);
        }
        memcpy(member, &real, sizeof(real));
        return ERR_OK;
    }
    return ERR_SYNTAX;
}

// Takes one option and its value, "--name=value" or "--name value", and moves *i on to the last
// argument used.
static enum err take_option(int argc, char *const argv[], int *i, struct cli *cli, FILE *why)
{
    const char *text = argv[*i] + 2;
    const struct slice all = slice_of(text, strlen(text));
    const size_t name_len = slice_find(all, '=');
    const bool attached = name_len < all.len;
    const struct option_row *row = find_row(slice_of(text, name_len));
    if (row == NULL) {
        (void)fprintf(why, "unknown option %s (see --help)\n", argv[*i]);
        return ERR_SYNTAX;
    }
    const char *value = attached ? text + name_len + 1 : NULL;
    if (row->kind == KIND_FLAG && attached) {
        (void)fprintf(why, "--%s takes no value\n", row->name);
        return ERR_SYNTAX;
    }
    if (row->kind != KIND_FLAG && !attached) {
        if (*i + 1 == argc) {
            (void)fprintf(why, "--%s needs a value: %s\n", row->name, row->value);
            return ERR_SYNTAX;
        }
        value = argv[++*i];
    }
    return set_value(cli, row, value, why);
}

static enum err take_scenario(struct cli *cli, const char *name, FILE *why)
{
    if (cli->scenario != NULL) {
        (void)fprintf(why, "\"%s\": there is a scenario already (%s)\n", name, cli->scenario);
        return ERR_SYNTAX;
    }
    const enum scenario_kind kind = scenario_find(slice_of(name, strlen(name)));
    if (kind < SCENARIO_KINDS) {
        cli->scenario = name;
        cli->mix = mix_of(kind);
        return ERR_OK;
    }
    if (strcmp(name, mixed) == 0) {
        cli->scenario = name;
        return ERR_OK;
    }
    if (strcmp(name, population) == 0) {
        cli->scenario = name;
        cli->population = true;
        cli->mix = mix_of(SCENARIO_INVITE);
        return ERR_OK;
    }
    (void)fprintf(why, "\"%s\" is no scenario; there are:", name);
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        (void)fprintf(why, " %s", scenario_of((enum scenario_kind)i)->name);
    }
    (void)fprintf(why, " %s %s\n", mixed, population);
    return ERR_SYNTAX;
}

// FROM:TO:STEP:SECONDS, rates as whole numbers.
static const char *take_ramp(struct cli *cli)
{
    static const char wrong[] =
        "--ramp: expected FROM:TO:STEP:SECONDS, 1 <= FROM <= TO, at most 1000 steps";
    uint64_t numbers[3];
    char *end = NULL;
    if (cli->ramp_text == NULL) {
        return NULL;
    }
    struct slice rest = slice_of(cli->ramp_text, strlen(cli->ramp_text));
    for (unsigned i = 0; i < 3; i++) {
        const size_t colon = slice_find(rest, ':');
        if (colon == rest.len ||
            !slice_to_u64(slice_of(rest.at, colon), SEARCH_RATE_MAX, &numbers[i]) ||
            numbers[i] == 0) {
            return wrong;
        }
        rest = slice_from(rest, colon + 1);
    }
    cli->step_s = strtod(rest.at, &end);
    const uint64_t from = numbers[0];
    const uint64_t to = numbers[1];
    if (end == rest.at || *end != '\0' || !isfinite(cli->step_s) || cli->step_s < 0.1 ||
        cli->step_s > 3600 || from > to || (to - from) / numbers[2] >= STEPS_MAX) {
        return wrong;
    }
    cli->ramp = (struct ramp){from, numbers[2], (unsigned)((to - from) / numbers[2]) + 1};
    return NULL;
}

static const char *take_mix(struct cli *cli)
{
    const bool is_mixed = cli->scenario != NULL && strcmp(cli->scenario, mixed) == 0;
    const char *weights = cli->weights != NULL ? cli->weights : MIX_DEFAULT;
    if (!is_mixed) {
        return cli->weights != NULL ? "--mix is for the scenario `mixed`" : NULL;
    }
    if (!mix_parse(slice_of(weights, strlen(weights)), &cli->mix)) {
        return "--mix: expected KIND=WEIGHT,... with weights of at most 1000 together";
    }
    if (cli->mix.weight[SCENARIO_DEREGISTER] > cli->mix.weight[SCENARIO_REGISTER]) {
        return "--mix: deregister lets those go whom register brought: it cannot weigh more";
    }
    return NULL;
}

static bool domain_ok(struct slice domain)
{
    if (domain.len == 0 || domain.len > SCRIPT_DOMAIN_BYTES_MAX) {
        return false;
    }
    for (size_t i = 0; i < domain.len; i++) {
        const char c = ascii_lower(domain.at[i]);
        if (!ascii_digit(c) && (c < 'a' || c > 'z') && (c == '\0' || strchr("-.:[]", c) == NULL)) {
            return false;
        }
    }
    return true;
}

// What the options that say when to send, and what a population does, mean together.
static const char *time_contradiction(const struct cli *cli)
{
    const bool steps = cli->find_max || cli->ramp.steps > 0;
    const bool bounded = cli->count > 0 || cli->duration_s > 0;
    if (cli->rate_per_s > 0 && cli->window > 0) {
        return "--rate (open loop) and --window (closed loop) exclude each other";
    }
    if (steps && (cli->population || cli->window > 0 || bounded)) {
        return "--ramp and --find-max choose rates and durations themselves";
    }
    if (cli->ramp.steps > 0 && (cli->find_max || cli->rate_per_s > 0)) {
        return "--ramp has the rates: --rate and --find-max have no place beside it";
    }
    if (!cli->find_max && (cli->p99_max_ms > 0 || (cli->step_s > 0 && !steps))) {
        return "--p99-max and --step are for --find-max";
    }
    return NULL;
}

static const char *population_contradiction(const struct cli *cli)
{
    const bool told = cli->interval_s > 0 || cli->jitter_percent >= 0 || cli->calls_per_s > 0;
    if (!cli->population) {
        return told ? "--interval, --jitter and --calls are for the scenario `population`" : NULL;
    }
    if (cli->rate_per_s > 0 || cli->window > 0 || cli->count > 0) {
        return "a population goes by --interval, --calls and --duration, not by --rate, --window "
               "or --count";
    }
    if (cli->interval_s > (double)cli->expires_s) {
        return "--interval is longer than --expires: users would be gone before they refresh";
    }
    return NULL;
}

// What no single option can tell.
static const char *contradiction(const struct cli *cli)
{
    if (cli->scenario == NULL) {
        return "say what to do: sipflood SCENARIO --target HOST:PORT (see --help)";
    }
    if (cli->target == NULL) {
        return "--target HOST:PORT is missing";
    }
    if (cli->local_port + cli->ports - 1 > UINT16_MAX) {
        return "--local-port plus --ports goes beyond port 65535";
    }
    if (strcmp(cli->scenario, mixed) == 0 && cli->users > SCRIPT_USERS_MAX / 2) {
        return "--users: a mix has room for newcomers beside 5000000 users";
    }
    if (cli->threads > cli->ports || (cli->threads - 1) * SHARE_USERS_PER_TURN >= cli->users) {
        return "--threads: each one needs a port and users of its own (32 users share a port)";
    }
    if (!domain_ok(slice_of(cli->domain, strlen(cli->domain)))) {
        return "--domain is no host name or address of at most 64 characters";
    }
    return NULL;
}

static void set_defaults(struct cli *cli)
{
    if (cli->population) {
        cli->interval_s = cli->interval_s > 0 ? cli->interval_s : (double)cli->expires_s / 2;
        cli->jitter_percent = cli->jitter_percent >= 0 ? cli->jitter_percent : 10;
        cli->duration_s = cli->duration_s > 0 ? cli->duration_s : cli->interval_s;
        cli->rate_per_s = cli->calls_per_s;
    } else if (cli->count == 0 && cli->duration_s <= 0 && !cli->find_max && cli->ramp.steps == 0) {
        cli->count = cli->users;
    }
    if (cli->find_max) {
        cli->step_s = cli->step_s > 0 ? cli->step_s : 3;
        cli->p99_max_ms = cli->p99_max_ms > 0 ? cli->p99_max_ms : 10;
    }
    if (cli->loss_max_percent < 0) {
        cli->loss_max_percent = cli->find_max ? 0.1 : 0;
    }
    if (!cli->population && cli->ramp.steps == 0 && cli->rate_per_s == 0 && cli->window == 0) {
        cli->rate_per_s = 1000;
    }
    if (cli->timeout_s <= 0) {
        cli->timeout_s = cli->retransmit ? 32 : 2;
    }
}

enum err cli_parse(int argc, char *const argv[], struct cli *out, FILE *why)
{
    *out = (struct cli){
        .domain = "sip.test",
        .users = 1000,
        .threads = 1,
        .ports = 64,
        .local_port = 20000,
        .expires_s = 3600,
        .jitter_percent = -1,
        .loss_max_percent = -1,
        .shown = 3,
    };
    for (int i = 1; i < argc; i++) {
        const bool option = strncmp(argv[i], "--", 2) == 0;
        const enum err e =
            option ? take_option(argc, argv, &i, out, why) : take_scenario(out, argv[i], why);
        if (e != ERR_OK) {
            return e;
        }
    }
    if (out->help || out->version) {
        return ERR_OK;
    }
    const char *wrong = take_mix(out);
    wrong = wrong != NULL ? wrong : take_ramp(out);
    wrong = wrong != NULL ? wrong : contradiction(out);
    wrong = wrong != NULL ? wrong : time_contradiction(out);
    wrong = wrong != NULL ? wrong : population_contradiction(out);
    if (wrong != NULL) {
        (void)fprintf(why, "%s\n", wrong);
        return ERR_SYNTAX;
    }
    set_defaults(out);
    return ERR_OK;
}

static const char examples[] =
    "\n"
    "Examples, with a server at 127.0.0.1:5060; each goes on from the one before:\n"
    "  Phones register, as fast as the server answers, then call each other:\n"
    "    sipflood register --target 127.0.0.1:5060 --users 100000 --window 256\n"
    "    sipflood invite --target 127.0.0.1:5060 --users 100000 --rate 2000 --duration 5\n"
    "  Like any day: each refreshes every half hour, and there are 200 calls a second:\n"
    "    sipflood population --target 127.0.0.1:5060 --users 100000 --calls 200 --duration 30\n"
    "  How much of everything can it do, with 99 of 100 answers within 5 ms?\n"
    "    sipflood mixed --target 127.0.0.1:5060 --users 100000 --find-max --p99-max 5\n"
    "  What the machine's sockets can do at all, with the same bytes:\n"
    "    udpecho 127.0.0.1:5999 &\n"
    "    sipflood register --target 127.0.0.1:5999 --echo --window 256 --duration 5\n"
    "\n"
    "Keep --users, --ports, --local-port and --domain from run to run: a user's Contact follows "
    "from\n"
    "them, and an INVITE is right only if the 302 carries the callee's Contact and no other.\n"
    "--users should be far above what is under way at once: nobody may register again before the\n"
    "last answer is here.\n"
    "Open loop tells the truth about latency: it counts from when a request was meant to be sent,\n"
    "so that a stall shows in all that it delayed. Closed loop finds the capacity.\n"
    "A 503 with Retry-After is a refusal, neither right nor wrong: it counts like loss. The exit\n"
    "status is 1 when an answer was wrong, or more than --loss-max lost or refused, and 2 for a "
    "bad\n"
    "command line or a system error. SIGINT stops sending, waits for answers and reports.\n";

void cli_help(FILE *out)
{
    (void)fprintf(out, "sipflood: SIP load from many users and ports, every answer checked\n\n"
                       "Usage: sipflood SCENARIO --target HOST:PORT [options]\n\nScenarios:\n");
    for (unsigned i = 0; i < SCENARIO_KINDS; i++) {
        const struct scenario *row = scenario_of((enum scenario_kind)i);
        (void)fprintf(out, "  %-22s%s\n", row->name, row->help);
    }
    (void)fprintf(out, "  %-22s%s\n", mixed,
                  "all of them by weight: calls go to any of --users, registered before;\n" INDENT
                  "register brings newcomers, deregister lets them go");
    (void)fprintf(out, "  %-22s%s\n", population,
                  "each of --users, registered before, refreshes at its own times,\n" INDENT
                  "and --calls per second go to random ones");
    (void)fprintf(out, "\nOptions:\n");
    for (size_t i = 0; i < ROWS; i++) {
        const int gap = 20 - (int)strlen(rows[i].name);
        (void)fprintf(out, "  --%s %-*s%s\n", rows[i].name, gap > 0 ? gap - 1 : 0,
                      rows[i].value != NULL ? rows[i].value : "", rows[i].help);
    }
    (void)fputs(examples, out);
}
