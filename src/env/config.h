// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_CONFIG_H
#define SIGNPOST_ENV_CONFIG_H

#include <stdio.h>

#include "env/options.h"

// The effective configuration: one field a row of env/options.h, parsed and checked, so that
// nobody parses twice. Only read after loading; not to be copied (texts point into it).
struct config {

#define X(type, id, field, ...) OPTION_C_##type field;
    OPTIONS(X)
#undef X
};

enum config_action {
    CONFIG_RUN,     // serve with *out
    CONFIG_DONE,    // what was asked for has been printed: exit with status 0
    CONFIG_REFUSED, // one line on `err` says what is wrong and what was expected: exit with 2
};

// Streams for what is asked for (--help, --print-config, ...) and for what is wrong.
struct config_streams {
    FILE *out;
    FILE *err;
};

// Takes the defaults, then the file that --config names, then the command line, of which each
// overrides the one before as a whole: a list is replaced, never extended. *out is NULL unless the
// action is CONFIG_RUN, and the caller's to destroy. Not to be called by two threads at a time
// (getopt keeps state of its own). argv is left as it was.
enum config_action config_load(int argc, char *const argv[], const struct config_streams *streams,
                               struct config **out);

// config_destroy(NULL) is legal.
void config_destroy(struct config *config);

// "udp:" and address and separator of one listener, or of the admin page, take less than 64 bytes.
enum { CONFIG_ADDRESSES_BYTES_MAX = 64 * (LISTENERS_MAX + 1) };

// Where it serves, for people: "udp:127.0.0.1:5060, admin http://127.0.0.1:8060/".
void config_put_addresses(const struct config *config, struct buf *out);

#endif
