// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STATE_ADMISSION_H
#define SIGNPOST_STATE_ADMISSION_H

#include "signpost/base/endpoint.h"

// Who may change bindings. As long as nobody can prove who he is, only peers of the networks that
// the operator has named may, and without a word of his only those on this machine.
struct admission {
    const struct cidr *register_from; // borrowed
    size_t count;
};

bool admission_may_register(const struct admission *admission, const struct endpoint *peer);

#endif
