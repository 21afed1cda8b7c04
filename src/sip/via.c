// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/via.h"

#include "signpost/sip/chars.h"
#include "signpost/sip/host.h"
#include "signpost/sip/params.h"

static enum err parse_sent_by(struct slice *rest, struct via *via);
static enum err parse_params(struct slice *rest, struct via *via);

// Takes a token, and then `separator` with white space around it unless that is 0.
static bool take_token(struct slice *rest, char separator, struct slice *out)
{
    *out = slice_of(rest->at, chars_span(CHARS_TOKEN, *rest));
    *rest = slice_from(*rest, out->len);
    if (separator != '\0') {
        *rest = chars_skip_lws(*rest);
        if (rest->len == 0 || rest->at[0] != separator) {
            return false;
        }
        *rest = chars_skip_lws(slice_from(*rest, 1));
    }
    return out->len > 0;
}

// sent-protocol = "SIP" SLASH protocol-version SLASH transport, and the white space behind it.
static bool take_protocol(struct slice *rest, struct via *out)
{
    static const struct slice usual = SLICE_INIT("SIP/2.0/UDP ");

    struct slice name;
    struct slice version;
    if (rest->len > usual.len && slice_same(rest->at, usual.at, usual.len)) {
        out->transport = slice_of(rest->at + sizeof("SIP/2.0/") - 1, 3);
        *rest = chars_skip_lws(slice_from(*rest, usual.len));
        return true;
    }
    if (!take_token(rest, '/', &name) || !take_token(rest, '/', &version) ||
        !take_token(rest, '\0', &out->transport)) {
        return false;
    }
    // A request of another version is to be answered too, with 505.
    if (!slice_equal_nocase(name, SLICE("SIP")) || rest->len == 0 || !chars_lws(rest->at[0])) {
        return false;
    }
    *rest = chars_skip_lws(*rest);
    return true;
}

enum err via_parse(struct slice value, struct via *out)
{
    struct slice rest = value;
    *out = (struct via){.maddr = {.family = IP_NONE}};
    if (!take_protocol(&rest, out)) {
        return ERR_SYNTAX;
    }
    if (parse_sent_by(&rest, out) != ERR_OK) {
        return ERR_SYNTAX;
    }
    out->sent_by = slice_between(value.at, rest.at);
    const enum err e = parse_params(&rest, out);
    out->text = slice_between(value.at, slice_end(out->params));
    rest = chars_skip_lws(rest);
    out->faulty = e != ERR_OK || (rest.len > 0 && rest.at[0] != ',');
    return out->faulty ? ERR_SYNTAX : ERR_OK;
}

// host [ COLON port ], where COLON allows white space around it.
static enum err parse_sent_by(struct slice *rest, struct via *via)
{
    if (host_take(rest, &via->host, &via->host_ip) != ERR_OK) {
        return ERR_SYNTAX;
    }
    const struct slice after = chars_skip_lws(*rest);
    if (after.len > 0 && after.at[0] == ':') {
        *rest = chars_skip_lws(slice_from(after, 1));
        return host_take_port(rest, &via->port);
    }
    return ERR_OK;
}

// What a response says anew, whatever the client has claimed there.
static void note_claim(struct via *via, struct slice whole)
{
    via->claims[slice_empty(via->claims[0]) ? 0 : 1] = whole;
}

// Those parameters that mean something here; any other passes.
static enum err read_param(struct via *via, const struct param *param)
{
    if (slice_equal_nocase(param->name, SLICE("branch"))) {
        if (!param->value_is_token) {
            return ERR_SYNTAX;
        }
        via->branch = param->value;
    } else if (slice_equal_nocase(param->name, SLICE("rport"))) {
        via->rport = true;
        note_claim(via, param->whole);
    } else if (slice_equal_nocase(param->name, SLICE("received"))) {
        note_claim(via, param->whole);
    } else if (slice_equal_nocase(param->name, SLICE("maddr"))) {
        // A name would have to be resolved, which no worker waits for: then it is as if the
        // parameter were absent.
        (void)ip_parse(param->value, &via->maddr);
    } else if (param->has_value && slice_empty(param->value)) {
        return ERR_SYNTAX; // what a Contact may have (params.h)
    }
    return ERR_OK;
}

// Takes off what can be read; that nothing else than a comma follows is for the caller to see. The
// parameters before the first faulty one are in via->params.
static enum err parse_params(struct slice *rest, struct via *via)
{
    struct param_names names;
    struct param param;
    names.count = 0;
    via->params = slice_of(rest->at, 0);
    while (params_next(rest, &param)) {
        if (!params_name_is_new(&names, param.name) || read_param(via, &param) != ERR_OK) {
            return ERR_SYNTAX;
        }
        if (slice_empty(via->params)) {
            via->params = param.whole;
            continue;
        }
        via->spaced = via->spaced || param.whole.at != slice_end(via->params);
        via->params = slice_between(via->params.at, slice_end(param.whole));
    }
    return ERR_OK;
}

// RFC 3261 18.2.2 lets a client name another host for the answer. A stranger must not reach by this
// what he cannot reach himself: no group of hosts, and not this machine's own from outside.
static bool maddr_obeyed(const struct via *via, const struct endpoint *peer)
{
    const struct ip *const maddr = &via->maddr;
    return maddr->family == peer->ip.family && !ip_is_group(maddr) &&
           (!ip_is_loopback(maddr) || ip_is_loopback(&peer->ip));
}

struct endpoint via_response_target(const struct via *via, const struct endpoint *peer)
{
    struct endpoint to = *peer;
    if (maddr_obeyed(via, peer)) {
        to.ip = via->maddr;
    } else if (via->rport) {
        return to;
    }
    to.port = via->port != 0 ? via->port : SIP_PORT;
    return to;
}

static bool is_claim(const struct via *via, struct slice whole)
{
    return whole.at == via->claims[0].at || whole.at == via->claims[1].at;
}

static void put_params_one_by_one(struct buf *b, const struct via *via)
{
    struct slice params = via->params;
    struct param param;
    while (params_next(&params, &param)) {
        if (!is_claim(via, param.whole)) {
            buf_put(b, param.whole);
        }
    }
}

// The parameters but for the claims.
static void put_params(struct buf *b, const struct via *via)
{
    const char *at = via->params.at;
    if (via->spaced) {
        put_params_one_by_one(b, via);
        return;
    }
    for (unsigned i = 0; i < 2 && !slice_empty(via->claims[i]); i++) {
        buf_put(b, slice_between(at, via->claims[i].at));
        at = slice_end(via->claims[i]);
    }
    buf_put(b, slice_between(at, slice_end(via->params)));
}

void via_put_response(struct buf *b, const struct via *via, const struct endpoint *peer)
{
    buf_put(b, via->sent_by);
    put_params(b, via);
    if (via->rport || !ip_equal(&via->host_ip, &peer->ip)) {
        buf_put(b, SLICE(";received="));
        ip_put(b, &peer->ip);
    }
    if (via->rport) {
        buf_put(b, SLICE(";rport="));
        buf_put_u64(b, peer->port);
    }
}
