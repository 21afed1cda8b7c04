// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_SOURCE_H
#define SIGNPOSTCTL_SOURCE_H

#include "signpost/base/buf.h"
#include "signpost/base/err.h"

// What is imported: bytes of a file, a pipe or memory, one behind the other and never all of them
// at once, with the number of the line they stand in.

enum {
    SOURCE_BYTES = 64 * 1024,
    SOURCE_END = -1,
};

struct source {
    const char *at; // what has been read and not been taken
    const char *end;
    int fd;        // -1: there is nothing more than that
    bool failed;   // the file could not be read to its end
    bool in_line;  // what has been read does not end with a line's end
    uint64_t line; // of the next byte, from 1 on
    char bytes[SOURCE_BYTES];
};

// The text is borrowed as long as the source is used.
void source_over(struct source *source, struct slice text);

// The file remains the caller's.
void source_from(struct source *source, int fd);

// Reads on when everything has been taken; false at the end. For what is below.
bool source_fill(struct source *source);

// The next byte without taking it, or SOURCE_END.
static inline int source_peek(struct source *source)
{
    if (source->at == source->end && !source_fill(source)) {
        return SOURCE_END;
    }
    return (unsigned char)*source->at;
}

// Takes the next byte, or SOURCE_END.
static inline int source_take(struct source *source)
{
    const int c = source_peek(source);
    if (c != SOURCE_END) {
        source->at++;
        source->line += c == '\n' ? 1 : 0;
    }
    return c;
}

// Takes the byte if it is this one.
static inline bool source_take_if(struct source *source, char c)
{
    const bool is = source_peek(source) == (unsigned char)c;
    if (is) {
        (void)source_take(source);
    }
    return is;
}

// All has been taken, and the last line has no end: it may have been cut off in its middle.
static inline bool source_ends_in_line(struct source *source)
{
    return source_peek(source) == SOURCE_END && source->in_line;
}

// What is at the front, without taking it: up to SOURCE_BYTES, and of a file at least what one read
// gives.
struct slice source_ahead(struct source *source);

// Takes a line into *line, without its end (LF or CR LF). ERR_NOT_FOUND: there is none any more.
// ERR_TOO_LONG: it does not fit, and is taken nevertheless.
ERR_CHECKED enum err source_line(struct source *source, struct buf *line);

#endif
