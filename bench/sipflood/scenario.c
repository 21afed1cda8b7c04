// SPDX-License-Identifier: Apache-2.0
#include "sipflood/scenario.h"

static const struct scenario scenarios[] = {
    {
        .name = "register",
        .help = "every user registers a Contact of its own; expects 200 that lists it",
        .method = SLICE_INIT("REGISTER"),
        .status = 200,
        .status_text = SLICE_INIT("200"),
        .contact = CONTACT_BOUND,
        .binds = true,
    },
    {
        .name = "refresh",
        .help = "the same users again: same Contact and Call-ID, higher CSeq",
        .method = SLICE_INIT("REGISTER"),
        .status = 200,
        .status_text = SLICE_INIT("200"),
        .contact = CONTACT_BOUND,
        .binds = true,
    },
    {
        .name = "deregister",
        .help = "every user removes its Contact; expects 200 without it",
        .method = SLICE_INIT("REGISTER"),
        .status = 200,
        .status_text = SLICE_INIT("200"),
        .contact = CONTACT_GONE,
    },
    {
        .name = "invite",
        .help = "users call users; expects 302 with the callee's own Contact, and sends ACK",
        .method = SLICE_INIT("INVITE"),
        .status = 302,
        .status_text = SLICE_INIT("302"),
        .contact = CONTACT_CALLEE,
        .invite = true,
    },
    {
        .name = "options",
        .help = "users ask the server what it can do; expects 200",
        .method = SLICE_INIT("OPTIONS"),
        .status = 200,
        .status_text = SLICE_INIT("200"),
        .contact = CONTACT_IGNORED,
    },
};

enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

const struct scenario *scenario_at(size_t i)
{
    return i < SCENARIOS ? &scenarios[i] : NULL;
}

const struct scenario *scenario_find(const char *name)
{
    for (size_t i = 0; i < SCENARIOS; i++) {
        if (strcmp(scenarios[i].name, name) == 0) {
            return &scenarios[i];
        }
    }
    return NULL;
}
