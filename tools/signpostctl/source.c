// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/source.h"

#include <errno.h>
#include <unistd.h>

void source_over(struct source *source, struct slice text)
{
    source->at = text.at;
    source->end = slice_end(text);
    source->fd = -1;
    source->failed = false;
    source->in_line = !slice_empty(text) && text.at[text.len - 1] != '\n';
    source->line = 1;
}

void source_from(struct source *source, int fd)
{
    source_over(source, slice_of(source->bytes, 0));
    source->fd = fd;
}

bool source_fill(struct source *source)
{
    assert(source->at == source->end);
    if (source->fd < 0 || source->failed) {
        return false;
    }
    ssize_t n;
    do {
        n = read(source->fd, source->bytes, sizeof(source->bytes));
    } while (n < 0 && errno == EINTR);
    source->failed = n < 0;
    source->at = source->bytes;
    source->end = source->bytes + (n > 0 ? n : 0);
    source->in_line = n > 0 ? source->bytes[n - 1] != '\n' : source->in_line;
    return n > 0;
}

struct slice source_ahead(struct source *source)
{
    return source_peek(source) == SOURCE_END ? slice_of(NULL, 0)
                                             : slice_between(source->at, source->end);
}

enum err source_line(struct source *source, struct buf *line)
{
    int c = source_take(source);
    if (c == SOURCE_END) {
        return ERR_NOT_FOUND;
    }
    for (; c != SOURCE_END && c != '\n'; c = source_take(source)) {
        buf_put_char(line, (char)c);
    }
    if (buf_ok(line) && line->len > 0 && line->at[line->len - 1] == '\r') {
        line->len--;
    }
    return buf_ok(line) ? ERR_OK : ERR_TOO_LONG;
}
