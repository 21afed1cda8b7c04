// SPDX-License-Identifier: Apache-2.0
// The value of a Via row: what is parsed, where an answer goes, and that the via-parm of a response
// can be parsed again and says the same, with received and rport put in (RFC 3261 18.2, RFC 3581).
#include "signpost/sip/chars.h"
#include "signpost/sip/params.h"
#include "signpost/sip/via.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

static bool named(const struct param *param, struct slice name)
{
    return slice_equal_nocase(param->name, name);
}

static bool about_peer(const struct param *param)
{
    return named(param, SLICE("received")) || named(param, SLICE("rport"));
}

static void check_parts(const struct via *via, enum err e, struct slice input)
{
    assert(within(via->text, input) && within(via->sent_by, input) && within(via->params, input));
    assert(within(via->transport, input) && within(via->host, input));
    assert(within(via->branch, input) && chars_all(CHARS_TOKEN, via->branch));
    if (e == ERR_OK) {
        assert(via->sent_by.len > 0);
        const struct slice rest = chars_skip_lws(slice_from(input, via->text.len));
        assert(slice_empty(rest) || rest.at[0] == ',');
    }
    if (via->sent_by.len == 0) {
        return;
    }
    assert(via->text.at == input.at && via->sent_by.at == input.at);
    assert(slice_end(via->text) == slice_end(via->params));
    assert(via->transport.len > 0 && chars_all(CHARS_TOKEN, via->transport));
    assert(within(via->host, via->sent_by) && within(via->params, via->text));
    const size_t host_end = (size_t)(slice_end(via->host) - input.at);
    const struct slice behind = chars_skip_lws(slice_from(via->sent_by, host_end));
    assert(slice_empty(behind) ? via->port == 0 : behind.at[0] == ':' && via->port != 0);
    assert((via->host.at[0] == '[') == (via->host_ip.family == IP_V6));
}

static void check_target(const struct via *via, const struct endpoint *peer)
{
    const struct endpoint to = via_response_target(via, peer);
    const bool elsewhere = !ip_equal(&to.ip, &peer->ip);
    assert(to.ip.family == peer->ip.family && to.scope == peer->scope);
    assert(!elsewhere || ip_equal(&to.ip, &via->maddr));
    assert(!elsewhere || (!ip_is_group(&to.ip) && !ip_is_loopback(&to.ip)));
    if (via->rport && via->maddr.family == IP_NONE) {
        assert(!elsewhere && to.port == peer->port);
    } else if (!via->rport || elsewhere) {
        assert(to.port == (via->port != 0 ? via->port : SIP_PORT));
    }
}

// The next parameter that is the client's own.
static bool next_own(struct slice *params, struct param *out)
{
    bool more = params_next(params, out);
    while (more && about_peer(out)) {
        more = params_next(params, out);
    }
    return more;
}

static void check_about_peer(const struct param *param, const struct endpoint *peer)
{
    uint64_t port;
    struct ip ip;
    if (named(param, SLICE("received"))) {
        assert(ip_parse(param->value, &ip) && ip_equal(&ip, &peer->ip));
    } else {
        assert(slice_to_u64(param->value, UINT16_MAX, &port) && port == peer->port);
    }
}

// The parameters of the request's via-parm stand in the response's in their order, then received
// and rport, where they are due.
static void check_params(const struct via *asked, const struct via *told,
                         const struct endpoint *peer)
{
    struct slice mine = asked->params;
    struct slice theirs = told->params;
    struct param a;
    struct param b;
    unsigned added = 0;
    while (params_next(&theirs, &b)) {
        if (about_peer(&b)) {
            check_about_peer(&b, peer);
            added++;
        } else {
            const bool more = next_own(&mine, &a);
            assert(added == 0 && more && slice_equal(a.whole, b.whole));
        }
    }
    const bool more = next_own(&mine, &a);
    assert(!more);
    // via_parse has seen that neither stands there twice
    assert(asked->rport ? added == 2 : added == (ip_equal(&asked->host_ip, &peer->ip) ? 0 : 1));
}

static unsigned count_params(struct slice params)
{
    struct param param;
    unsigned n = 0;
    while (params_next(&params, &param)) {
        n++;
    }
    return n;
}

static void check_response(const struct via *via, const struct endpoint *peer)
{
    static char bytes[MESSAGE_BYTES_MAX + 128];
    struct buf b = buf_over(bytes, sizeof(bytes));
    struct via again;
    via_put_response(&b, via, peer);
    assert(buf_ok(&b));
    // with those two it may have more parameters than are taken
    const bool many = count_params(via->params) + 2 > HEADER_PARAMS_MAX;
    const enum err e = via_parse(buf_slice(&b), &again);
    if (e != ERR_OK) {
        assert(many);
        return;
    }
    assert(same(again.text, buf_slice(&b)) && slice_equal(again.sent_by, via->sent_by));
    assert(slice_equal(again.transport, via->transport) && slice_equal(again.host, via->host));
    assert(again.port == via->port && again.rport == via->rport);
    assert(slice_equal(again.branch, via->branch) && again.maddr.family == via->maddr.family);
    check_params(via, &again, peer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct endpoint peers[] = {
        {.ip = {IP_V4, {192, 0, 2, 1}}, .port = 5070},
        {.ip = {IP_V6, {0x20, 1, 0xd, 0xb8, [15] = 1}}, .port = 65535, .scope = 2},
    };
    const struct slice input = guarded(0, data, size);
    struct via via;
    memset(&via, 0xa5, sizeof(via));
    const enum err e = via_parse(input, &via);
    check_parts(&via, e, input);
    for (size_t i = 0; via.sent_by.len > 0 && i < sizeof(peers) / sizeof(peers[0]); i++) {
        check_target(&via, &peers[i]);
        check_response(&via, &peers[i]);
    }
    return 0;
}
