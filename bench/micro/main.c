// SPDX-License-Identifier: Apache-2.0
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

#include "micro/measure.h"
#include "micro/run.h"

enum { ROUNDS_DEFAULT = 101, USERS_DEFAULT = 1000000 };

enum option_name {
    OPTION_FILTER,
    OPTION_USERS,
    OPTION_SCALE,
    OPTION_ROUNDS,
    OPTION_JSON,
    OPTION_HELP
};

static const struct option option_rows[] = {
    {"filter", required_argument, NULL, OPTION_FILTER},
    {"users-max", required_argument, NULL, OPTION_USERS},
    {"scale", required_argument, NULL, OPTION_SCALE},
    {"rounds", required_argument, NULL, OPTION_ROUNDS},
    {"json", no_argument, NULL, OPTION_JSON},
    {"help", no_argument, NULL, OPTION_HELP},
    {NULL, 0, NULL, 0},
};

static const char help[] =
    "micro: what the parts of Signpost cost, one operation at a time\n"
    "\n"
    "Usage: micro [options]\n"
    "\n"
    "  --filter TEXT   only operations with TEXT in their name: --filter table, --filter /10k\n"
    "  --users-max N   tables of 10,000 users and of ten times more each, up to N;\n"
    "                  default 1000000; 10000000 takes some 4 GB and two minutes to fill\n"
    "  --scale N       instead: operations on a table of N users against one of 10,000, by\n"
    "                  turns, and the ratio of their costs\n"
    "  --rounds N      batches of each operation; default 101\n"
    "  --json          print one JSON object\n"
    "  --help          print this\n"
    "\n"
    "ns is the processor time of one operation (in two threads: the time), the median over the\n"
    "batches; \"half of batches\" are the quartiles around it. cycles and instructions are the\n"
    "processor's own counts in user space, \"-\" where the machine does not tell. Every result is\n"
    "checked: the exit status is 1 when an operation went wrong, 2 when there is nothing to\n"
    "measure. Nothing is asserted about time.\n"
    "\n"
    "  parse/...     a datagram taken apart into rows\n"
    "  uri/, via/    a Contact's URI parsed, compared, made an address of record; a Via\n"
    "  hash/...      SipHash of an address of record, a Call-ID\n"
    "  response/...  a 200 put together\n"
    "  ring/...      a slot from producer to consumer and back, 1 or 32 at a time\n"
    "  record/...    an address of record with one binding as it is kept: written; read and\n"
    "                checked\n"
    "  queue/...     such a record and its answer through the queue to the persister, 1 or 32 at\n"
    "                a time\n"
    "  table/...     the location table; the bindings of table/expire are found and removed\n"
    "  handle/...    uas_handle from datagram to answer, stateless and stateful; repeated: a\n"
    "                retransmitted REGISTER; brief: 423; unknown: 404\n"
    "  batch/...     the same as a worker does it, each datagram read ahead of its answer\n"
    "\n"
    "Examples:\n"
    "  micro --filter handle/refresh\n"
    "  micro --scale 10000000 --filter stateless\n";

// The value of an option. False, after saying so, when it is none.
static bool take_number(const char *option, uint64_t min, uint64_t max, uint64_t *out)
{
    if (slice_to_u64(slice_of(optarg, strlen(optarg)), max, out) && *out >= min) {
        return true;
    }
    (void)fprintf(stderr,
                  "micro: --%s %s: expected a whole number from %" PRIu64 " to %" PRIu64 "\n",
                  option, optarg, min, max);
    return false;
}

static bool take_users(const char *option, uint32_t *out)
{
    uint64_t number;
    if (!take_number(option, RUN_USERS_FEW, BED_USERS_MAX, &number)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

static bool take(int name, struct run_options *options)
{
    switch (name) {
    case OPTION_FILTER: options->filter = optarg; return true;
    case OPTION_JSON: options->json = true; return true;
    case OPTION_USERS: return take_users("users-max", &options->users_max);
    case OPTION_SCALE: return take_users("scale", &options->scale);
    case OPTION_ROUNDS: return take_number("rounds", 1, MEASURE_ROUNDS_MAX, &options->rounds);
    default: return false; // getopt has said why
    }
}

int main(int argc, char *argv[])
{
    struct run_options options = {
        .filter = "", .users_max = USERS_DEFAULT, .rounds = ROUNDS_DEFAULT};
    int name;
    while ((name = getopt_long(argc, argv, "", option_rows, NULL)) != -1) {
        if (name == OPTION_HELP) {
            return fputs(help, stdout) < 0 ? RUN_BROKEN : RUN_OK;
        }
        if (!take(name, &options)) {
            return RUN_BROKEN;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "micro: \"%s\" is no option (see --help)\n", argv[optind]);
        return RUN_BROKEN;
    }
    return (int)(options.scale > 0 ? run_scale(&options, stdout, stderr)
                                   : run_all(&options, stdout, stderr));
}
