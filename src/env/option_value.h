// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_OPTION_VALUE_H
#define SIGNPOST_ENV_OPTION_VALUE_H

#include "env/config.h"
#include "env/option.h"
#include "signpost/base/err.h"

enum { OPTION_EXPECTED_BYTES_MAX = 256 };

// Parses one text into the option's field of *config; for a list it appends. On failure `expected`
// holds what would have been right ("expected 1..86400 (seconds)"), and ERR_SYNTAX, ERR_RANGE or
// ERR_TOO_LONG says in which way it was not. The text is not kept. A list has at
// most its row's max of items: both sources see to that.
ERR_CHECKED enum err option_value_parse(enum option_id id, struct slice text, struct config *config,
                                        struct buf *expected);

#endif
