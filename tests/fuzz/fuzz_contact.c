// SPDX-License-Identifier: Apache-2.0
// The value of a Contact row: the walk over its list ends, each contact says what it had, and the
// list written anew, with the first one again at its end, is that list.
#include "signpost/sip/fields.h"
#include "signpost/sip/params.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

enum { CONTACTS_MAX = 256 }; // a list of more is walked over only

struct list {
    size_t count;
    struct contact at[CONTACTS_MAX + 1];
};

static void check_expires(const struct contact *c, struct slice value)
{
    uint32_t seconds = 0;
    const bool valid = expires_parse(value, &seconds) == ERR_OK;
    assert(c->has_expires && c->expires_valid == valid);
    assert(!valid || c->expires_s == seconds);
}

// The two parameters that mean something, read anew.
static void check_params(const struct contact *c)
{
    struct slice params = c->addr.params;
    struct param param;
    unsigned expires = 0;
    unsigned q = 0;
    unsigned n = 0;
    assert(slice_empty(params) || params.at[0] == ';');
    for (; params_next(&params, &param); n++) {
        if (slice_equal_nocase(param.name, SLICE("expires"))) {
            check_expires(c, param.value);
            expires++;
        } else if (slice_equal_nocase(param.name, SLICE("q"))) {
            assert(c->q <= Q_ONE && param.value.len > 0);
            assert((param.value.at[0] == '1') == (c->q == Q_ONE));
            q++;
        }
    }
    assert(slice_empty(params) && n <= HEADER_PARAMS_MAX);
    assert(expires == (c->has_expires ? 1 : 0) && q == (c->q != Q_ABSENT ? 1 : 0));
    assert(c->expires_s <= EXPIRES_S_LIMIT && (c->has_expires || !c->expires_valid));
}

static void check_contact(const struct contact *c, struct slice before, struct slice rest)
{
    // what has been taken off, and nothing else
    assert(slice_end(rest) == slice_end(before) && rest.len < before.len);
    const struct slice taken = slice_of(before.at, before.len - rest.len);
    assert(c->addr.uri.len > 0 && within(c->addr.uri, taken) && within(c->addr.params, taken));
    check_params(c);
}

static bool walk(struct slice rest, struct list *list)
{
    list->count = 0;
    do {
        const struct slice before = rest;
        struct contact c;
        memset(&c, 0xa5, sizeof(c));
        const enum err e = contact_next(&rest, &c);
        assert(within(rest, before));
        if (e != ERR_OK) {
            return false;
        }
        check_contact(&c, before, rest);
        if (list->count <= CONTACTS_MAX) {
            list->at[list->count++] = c;
        }
    } while (!slice_empty(rest));
    return true;
}

static void put_list(struct buf *b, const struct list *list)
{
    for (size_t i = 0; i <= list->count; i++) {
        const struct contact *const c = &list->at[i % list->count];
        buf_put(b, i > 0 ? SLICE(" , \"a , <\\\" b\" <") : SLICE("<"));
        buf_put(b, c->addr.uri);
        buf_put(b, SLICE(">"));
        buf_put(b, c->addr.params);
    }
}

static void check_written(const struct list *list)
{
    static struct list again;
    static char bytes[2 * MESSAGE_BYTES_MAX + CONTACTS_MAX * 32];
    struct buf b = buf_over(bytes, sizeof(bytes));
    put_list(&b, list);
    assert(buf_ok(&b));
    const bool ok = walk(buf_slice(&b), &again);
    assert(ok && again.count == list->count + 1);
    (void)ok;
    for (size_t i = 0; i < list->count; i++) {
        const struct contact *const mine = &list->at[i];
        const struct contact *const theirs = &again.at[i];
        assert(slice_equal(mine->addr.uri, theirs->addr.uri) && mine->q == theirs->q);
        assert(slice_equal(mine->addr.params, theirs->addr.params));
        assert(mine->has_expires == theirs->has_expires && mine->expires_s == theirs->expires_s);
        assert(mine->expires_valid == theirs->expires_valid);
    }
}

// Whether each of them is a URI, for a row is read as a list of whatever stands there.
static bool all_uris(const struct list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct uri uri;
        if (uri_parse(list->at[i].addr.uri, &uri) != ERR_OK) {
            return false;
        }
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct list list;
    const struct slice input = guarded(0, data, size);
    assert(contact_is_star(input) == (input.len == 1 && input.at[0] == '*'));
    if (input.len > 0 && walk(input, &list) && list.count <= CONTACTS_MAX && all_uris(&list)) {
        check_written(&list);
    }
    return 0;
}
