// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_YAML_PLACE_H
#define SIGNPOST_ENV_YAML_PLACE_H

#include "env/option.h"

// Where something stands in the text of a configuration file. libcyaml loads values and forgets
// their lines, so a message about a value asks here, with a second reading that only an error pays.

enum { YAML_FAULT_BYTES_MAX = 192 };

struct yaml_fault {
    unsigned line; // from 1
    char text[YAML_FAULT_BYTES_MAX];
};

// The first thing that makes the text no mapping of known options, each once, to a text or to a
// list of as many texts as its row says. False when there is none.
bool yaml_place_fault(struct slice yaml, struct yaml_fault *out);

// The line, from 1, of the option's i-th text, or of the option itself when it has no i-th; 0 when
// the text does not have the option.
unsigned yaml_place_line(struct slice yaml, enum option_id id, unsigned i);

#endif
