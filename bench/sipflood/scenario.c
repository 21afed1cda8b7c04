// SPDX-License-Identifier: Apache-2.0
#include "sipflood/scenario.h"

static const struct scenario scenarios[SCENARIO_KINDS] = {
    [SCENARIO_REGISTER] =
        {
            .name = "register",
            .help = "every user registers a Contact of its own; expects 200 that lists it",
            .method = SLICE_INIT("REGISTER"),
            .status = 200,
            .status_text = SLICE_INIT("200"),
            .contact = CONTACT_BOUND,
            .binds = true,
        },
    [SCENARIO_REFRESH] =
        {
            .name = "refresh",
            .help = "the same users again: same Contact and Call-ID, higher CSeq",
            .method = SLICE_INIT("REGISTER"),
            .status = 200,
            .status_text = SLICE_INIT("200"),
            .contact = CONTACT_BOUND,
            .binds = true,
        },
    [SCENARIO_DEREGISTER] =
        {
            .name = "deregister",
            .help = "every user removes its Contact; expects 200 without it",
            .method = SLICE_INIT("REGISTER"),
            .status = 200,
            .status_text = SLICE_INIT("200"),
            .contact = CONTACT_GONE,
        },
    [SCENARIO_INVITE] =
        {
            .name = "invite",
            .help = "users call users; expects 302 with the callee's own Contact, and sends ACK",
            .method = SLICE_INIT("INVITE"),
            .status = 302,
            .status_text = SLICE_INIT("302"),
            .contact = CONTACT_CALLEE,
            .invite = true,
        },
    [SCENARIO_OPTIONS] =
        {
            .name = "options",
            .help = "users ask the server what it can do; expects 200",
            .method = SLICE_INIT("OPTIONS"),
            .status = 200,
            .status_text = SLICE_INIT("200"),
            .contact = CONTACT_IGNORED,
        },
};

const struct scenario *scenario_of(enum scenario_kind kind)
{
    assert(kind < SCENARIO_KINDS);
    return &scenarios[kind];
}

enum scenario_kind scenario_find(struct slice name)
{
    unsigned kind = 0;
    while (kind < SCENARIO_KINDS &&
           !slice_equal(name, slice_of(scenarios[kind].name, strlen(scenarios[kind].name)))) {
        kind++;
    }
    return (enum scenario_kind)kind;
}
