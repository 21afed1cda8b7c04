// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SERVICE_REGISTRAR_H
#define SIGNPOST_SERVICE_REGISTRAR_H

#include "service/request.h"

// Answers a well-formed REGISTER (RFC 3261 10.3).
void registrar_register(struct request *r);

#endif
