// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_OUTPUT_H
#define SIGNPOSTCTL_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

// A file that is there when it is whole: until then it is written beside its place, under the same
// name and a suffix, for its owner's eyes only (0600). What stood in its place before stands there
// until all is on disk, and for good when anything fails. What is no ordinary file (standard
// output, a pipe, a device) is written directly.

struct output {
    FILE *file;
    const char *name; // for people; borrowed
    char *path;       // where it is to stand; NULL: it is written directly
    char *partial;    // where it stands until it is whole
};

// The path is borrowed; NULL: standard output. False with errno, and nothing is to be closed.
bool output_open(struct output *output, const char *path);

// It has been written: false with errno when it could not be brought to disk or to its place.
bool output_finish(struct output *output);

// It is not to be.
void output_drop(struct output *output);

#endif
