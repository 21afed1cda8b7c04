// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// A part holds, one behind the other, how new a binding is (u64, as the machine has it) and its
// record (store/record.h) with nothing but this binding.
struct part {
    FILE *file;
    size_t count;
};

struct spool {
    struct part parts[SPOOL_PARTS];
    char record[sizeof(uint64_t) + RECORD_BYTES_MAX];
};

struct item {
    struct slice aor;
    uint64_t newness;
    struct slice record;
};

static enum err complain(char *why, const char *what, const char *directory)
{
    (void)snprintf(why, SPOOL_WHY_BYTES, "%s%s: %s; TMPDIR names another place", what, directory,
                   strerror(errno));
    return ERR_IO;
}

static enum err create_file(const char *directory, FILE **out, char *why)
{
    char path[4096];
    const int len = snprintf(path, sizeof(path), "%s/signpostctl-XXXXXX", directory);
    if (len < 0 || (size_t)len >= sizeof(path)) {
        errno = ENAMETOOLONG;
        return complain(why, "no temporary file in ", directory);
    }
    const int fd = mkstemp(path);
    if (fd < 0) {
        return complain(why, "no temporary file in ", directory);
    }
    (void)unlink(path);
    *out = fdopen(fd, "w+");
    if (*out == NULL) {
        (void)close(fd);
        return complain(why, "no temporary file in ", directory);
    }
    return ERR_OK;
}

enum err spool_create(const char *directory, struct spool **out, char *why)
{
    struct spool *const spool = calloc(1, sizeof(*spool));
    enum err e = spool == NULL ? complain(why, "no memory", "") : ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < SPOOL_PARTS; i++) {
        e = create_file(directory, &spool->parts[i].file, why);
    }
    if (e != ERR_OK) {
        spool_destroy(spool);
        return e;
    }
    *out = spool;
    return ERR_OK;
}

void spool_destroy(struct spool *spool)
{
    for (size_t i = 0; spool != NULL && i < SPOOL_PARTS; i++) {
        if (spool->parts[i].file != NULL) {
            (void)fclose(spool->parts[i].file);
        }
    }
    free(spool);
}

static struct part *part_of(struct spool *spool, struct slice aor)
{
    static const struct hash_key key = {{0}}; // who imports does not aim at a part
    return &spool->parts[hash_bytes(&key, aor) % SPOOL_PARTS];
}

enum err spool_add(struct spool *spool, const struct entry *entry, char *why)
{
    struct record_state state;
    state.aor = entry->aor;
    state.revision = entry->revision;
    state.count = 1;
    state.bindings[0] = entry->binding;
    struct buf b = buf_over(spool->record, sizeof(spool->record));
    buf_put(&b, slice_of((const char *)&entry->newness, sizeof(entry->newness)));
    record_put(&b, &state);
    assert(buf_ok(&b));
    struct part *const part = part_of(spool, entry->aor);
    part->count++;
    return fwrite(b.at, b.len, 1, part->file) == 1 ? ERR_OK : complain(why, "temporary file", "");
}

// ---- Joining

// By address of record, and within it by newness.
static int compare(const void *left, const void *right)
{
    const struct item *const a = left;
    const struct item *const b = right;
    const size_t len = a->aor.len < b->aor.len ? a->aor.len : b->aor.len;
    const int order = len == 0 ? 0 : memcmp(a->aor.at, b->aor.at, len);
    if (order != 0 || a->aor.len != b->aor.len) {
        return order != 0 ? order : a->aor.len < b->aor.len ? -1 : 1;
    }
    return a->newness > b->newness ? -1 : a->newness < b->newness ? 1 : 0;
}

// Finds the entries in what the part's file holds.
static bool find_items(struct slice bytes, struct item *items, size_t count)
{
    struct record_state state;
    for (size_t i = 0; i < count; i++) {
        struct item *const item = &items[i];
        if (bytes.len < sizeof(item->newness)) {
            return false;
        }
        memcpy(&item->newness, bytes.at, sizeof(item->newness));
        bytes = slice_from(bytes, sizeof(item->newness));
        item->record = bytes;
        if (record_next(&bytes, &state) != ERR_OK) {
            return false;
        }
        item->aor = state.aor;
    }
    return slice_empty(bytes);
}

static bool is_bound(const struct record_state *state, const struct uri *uri)
{
    for (size_t i = 0; i < state->count; i++) {
        struct uri other;
        if (uri_parse(state->bindings[i].uri, &other) == ERR_OK && uri_equal(&other, uri)) {
            return true;
        }
    }
    return false;
}

// Takes the entry's binding into the state, if it belongs there.
static void join_item(const struct item *item, struct record_state *state, size_t *bytes,
                      struct spool_report *report)
{
    struct record_state one;
    struct slice record = item->record;
    struct uri uri;
    if (record_next(&record, &one) != ERR_OK || one.count != 1 ||
        uri_parse(one.bindings[0].uri, &uri) != ERR_OK) {
        return; // find_items and entry_fault have seen to that
    }
    state->revision = one.revision > state->revision ? one.revision : state->revision;
    const size_t more = one.bindings[0].uri.len + one.bindings[0].params.len;
    if (is_bound(state, &uri)) {
        report->doubled++;
    } else if (state->count == CONTACTS_PER_AOR_MAX || *bytes + more > AOR_STATE_BYTES_MAX) {
        report->crowded++;
    } else {
        state->bindings[state->count++] = one.bindings[0];
        *bytes += more;
    }
}

static enum err show_all(const struct item *items, size_t count, const struct walker *walker,
                         struct spool_report *report)
{
    enum err e = ERR_OK;
    for (size_t i = 0; e == ERR_OK && i < count;) {
        struct record_state state;
        size_t bytes = 0;
        state.aor = items[i].aor;
        state.revision = 0;
        state.count = 0;
        for (; i < count && slice_equal(items[i].aor, state.aor); i++) {
            join_item(&items[i], &state, &bytes, report);
        }
        report->aors++;
        report->bindings += state.count;
        e = walker->take(walker->context, &state);
    }
    return e;
}

static enum err join_part(const struct part *part, const struct walker *walker,
                          struct spool_report *report, char *why)
{
    if (fflush(part->file) != 0) {
        return complain(why, "temporary file", "");
    }
    const long size = ftell(part->file);
    if (size <= 0) {
        return size == 0 ? ERR_OK : complain(why, "temporary file", "");
    }
    struct item *const items = calloc(part->count, sizeof(*items));
    void *const bytes = mmap(NULL, (size_t)size, PROT_READ, MAP_PRIVATE, fileno(part->file), 0);
    enum err e = ERR_OK;
    if (items == NULL || bytes == MAP_FAILED) {
        e = complain(why, "no memory", "");
    } else if (!find_items(slice_of(bytes, (size_t)size), items, part->count)) {
        errno = EIO;
        e = complain(why, "temporary file", "");
    } else {
        qsort(items, part->count, sizeof(*items), compare);
        e = show_all(items, part->count, walker, report);
    }
    if (bytes != MAP_FAILED) {
        (void)munmap(bytes, (size_t)size);
    }
    free(items);
    return e;
}

enum err spool_join(struct spool *spool, const struct walker *walker, struct spool_report *report,
                    char *why)
{
    enum err e = ERR_OK;
    *report = (struct spool_report){0};
    for (size_t i = 0; e == ERR_OK && i < SPOOL_PARTS; i++) {
        e = join_part(&spool->parts[i], walker, report, why);
    }
    return e;
}
