// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_ENV_CONFIG_FILE_H
#define SIGNPOST_ENV_CONFIG_FILE_H

#include <stdio.h>

#include "env/option.h"
#include "signpost/base/err.h"

// The configuration file: a YAML mapping of option names to a text, or to a list of texts. Its
// schema is made from the rows of env/options.h; what the texts mean is not looked at here.
struct config_file;

enum { CONFIG_FILE_BYTES_MAX = 1 << 20 };

// Reads the file. On failure one line "PATH:LINE: option: what was expected" stands on `err`, and
// *out is NULL. The caller destroys *out. `path` is kept as it is, not copied.
ERR_CHECKED enum err config_file_load(const char *path, struct config_file **out, FILE *err);

// config_file_destroy(NULL) is legal.
void config_file_destroy(struct config_file *file);

// What the file gives; lives as long as the file.
const struct option_texts *config_file_texts(const struct config_file *file);

const char *config_file_path(const struct config_file *file);

// The line, from 1, on which the i-th text of the option stands (or the option itself, when it has
// no i-th); 0 when the file does not give the option.
unsigned config_file_line(const struct config_file *file, enum option_id id, unsigned i);

// Writes the texts as a file that loads to the same.
ERR_CHECKED enum err config_file_print(const struct option_texts *texts, FILE *out);

// Writes a file in which every option stands, explained, and commented out with its default.
void config_file_print_example(FILE *out);

#endif
