// SPDX-License-Identifier: Apache-2.0
// The value of a To or From row: what is parsed, that it can be written and parsed again, and that
// the tag which an answer appends is what the next request is known by.
#include "signpost/sip/chars.h"
#include "signpost/sip/fields.h"
#include "signpost/sip/params.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

struct parsed {
    struct addr addr;
    struct slice tag;
    struct uri uri;
};

static enum err parse(struct slice value, struct parsed *out)
{
    struct addr addr;
    struct slice tag;
    memset(out, 0xa5, sizeof(*out));
    const enum err e = addr_parse_uri(value, &out->addr, &out->tag, &out->uri);
    const enum err other = addr_parse(value, NULL, &addr, &tag);
    assert(other == e && same(tag, out->tag));
    if (e == ERR_OK) {
        assert(same(addr.uri, out->addr.uri) && same(addr.params, out->addr.params));
    } else {
        assert(slice_empty(tag));
    }
    return e;
}

// Returns how many parameters there are.
static unsigned check_parts(const struct parsed *p, struct slice input)
{
    assert(within(p->addr.uri, input) && within(p->addr.params, input));
    assert(within(p->tag, p->addr.params) && chars_all(CHARS_TOKEN, p->tag));
    assert(same(p->uri.text, p->addr.uri) && p->addr.uri.len > 0);
    struct slice params = p->addr.params;
    struct param param;
    unsigned n = 0;
    unsigned tags = 0;
    assert(slice_empty(params) || params.at[0] == ';');
    while (params_next(&params, &param)) {
        n++;
        if (slice_equal_nocase(param.name, SLICE("tag"))) {
            assert(same(param.value, p->tag) && p->tag.len > 0);
            tags++;
        }
    }
    assert(slice_empty(params) && n <= HEADER_PARAMS_MAX && tags == (p->tag.len > 0 ? 1 : 0));
    return n;
}

static void check_same(const struct parsed *p, struct slice text, struct slice tag)
{
    struct parsed again;
    const enum err e = parse(text, &again);
    assert(e == ERR_OK);
    (void)e;
    assert(slice_equal(again.addr.uri, p->addr.uri) && slice_equal(again.tag, tag));
    assert(again.addr.params.len >= p->addr.params.len);
    assert(uri_equal(&again.uri, &p->uri));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char bytes[MESSAGE_BYTES_MAX + 64];
    const struct slice input = guarded(0, data, size);
    struct parsed p;
    if (parse(input, &p) != ERR_OK) {
        return 0;
    }
    const unsigned count = check_parts(&p, input);
    struct buf b = buf_over(bytes, sizeof(bytes));
    buf_put_char(&b, '<');
    buf_put(&b, p.addr.uri);
    buf_put_char(&b, '>');
    buf_put(&b, p.addr.params);
    check_same(&p, buf_slice(&b), p.tag);
    if (p.tag.len == 0 && count < URI_PARTS_MAX) {
        // as a response has it (RFC 3261 8.2.6.2)
        b.len = 0;
        buf_put(&b, input);
        buf_put(&b, SLICE(";tag=0123456789abcdef"));
        check_same(&p, buf_slice(&b), SLICE("0123456789abcdef"));
    }
    assert(buf_ok(&b));
    return 0;
}
