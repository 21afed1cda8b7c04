// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_SIP_VIA_H
#define SIGNPOST_SIP_VIA_H

#include "signpost/base/endpoint.h"
#include "signpost/base/err.h"

enum { SIP_PORT = 5060 };

// One via-parm (RFC 3261 20.42, 25.1).
struct via {
    struct slice text;      // the whole via-parm as it came
    struct slice sent_by;   // up to and including sent-by, where the parameters begin
    struct slice transport; // "UDP"
    struct slice host;      // of sent-by; an IPv6 reference with its brackets
    struct ip host_ip;      // IP_NONE when the host is a name
    uint16_t port;          // of sent-by, 0 when none is given
    bool rport;             // the parameter is there, with or without a value (RFC 3581)
    struct slice branch;    // empty when absent, as in RFC 2543
    struct ip maddr;        // IP_NONE when absent or a name
    struct slice params;    // all parameters, from the first ";"
    bool spaced;            // white space stands between them, which a response leaves out
    struct slice claims[2]; // those of them that a response says anew, in their order: rport, and
                            // received; empty when absent
    bool faulty;            // behind sent_by, which says enough for an answer: see via_parse
};

// Parses the first via-parm of a Via row's value. The list may go on behind a comma; that is not
// looked at. After ERR_SYNTAX `faulty` says whether a response will find its way nevertheless: then
// the fault is behind sent_by, and `out` is what could be read up to there, so that the client can
// be told (RFC 4475 3.1.2.1).
ERR_CHECKED enum err via_parse(struct slice value, struct via *out);

// Where a response goes (RFC 3261 18.2.2, RFC 3581 4) when the request came from `peer` over an
// unreliable transport. A maddr is not followed to a multicast, broadcast or unspecified address,
// nor to a loopback address unless the peer has one.
struct endpoint via_response_target(const struct via *via, const struct endpoint *peer);

// Writes the via-parm as it stands in a response: with `received`, and `rport` filled in, saying
// where the request really came from (RFC 3261 18.2.1, RFC 3581 4). What the client may have
// claimed there is dropped.
void via_put_response(struct buf *b, const struct via *via, const struct endpoint *peer);

#endif
