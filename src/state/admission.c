// SPDX-License-Identifier: Apache-2.0
#include "signpost/state/admission.h"

bool admission_may_register(const struct admission *admission, const struct endpoint *peer)
{
    for (size_t i = 0; i < admission->count; i++) {
        if (cidr_contains(&admission->register_from[i], &peer->ip)) {
            return true;
        }
    }
    return false;
}
