// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/uri.h"

#include <signal.h>

#include "tests/unit/support.h"

static struct uri uri_of(const char *text)
{
    struct uri uri;
    cr_assert_eq(uri_parse(text_slice(text), &uri), ERR_OK, "%s", text);
    return uri;
}

static bool part_is(struct slice part, const char *text)
{
    return slice_is(part, text == NULL ? "" : text);
}

static const struct {
    const char *text;
    const char *user; // NULL: none
    const char *password;
    const char *host;
    unsigned port;
    const char *params;
    const char *headers;
} parts[] = {
    // RFC 3261 19.1.3
    {"sip:alice@atlanta.com", "alice", NULL, "atlanta.com", 0, NULL, NULL},
    {"sip:alice:secretword@atlanta.com;transport=tcp", "alice", "secretword", "atlanta.com", 0,
     ";transport=tcp", NULL},
    {"sips:alice@atlanta.com?subject=project%20x&priority=urgent", "alice", NULL, "atlanta.com", 0,
     NULL, "subject=project%20x&priority=urgent"},
    {"sip:+1-212-555-1212:1234@gateway.com;user=phone", "+1-212-555-1212", "1234", "gateway.com", 0,
     ";user=phone", NULL},
    {"sips:1212@gateway.com", "1212", NULL, "gateway.com", 0, NULL, NULL},
    {"sip:alice@192.0.2.4", "alice", NULL, "192.0.2.4", 0, NULL, NULL},
    {"sip:atlanta.com;method=REGISTER?to=alice%40atlanta.com", NULL, NULL, "atlanta.com", 0,
     ";method=REGISTER", "to=alice%40atlanta.com"},
    {"sip:alice;day=tuesday@atlanta.com", "alice;day=tuesday", NULL, "atlanta.com", 0, NULL, NULL},
    // RFC 4475 3.1.1.3, 3.1.1.4
    {"sip:sips%3Auser%40example.com@example.net", "sips%3Auser%40example.com", NULL, "example.net",
     0, NULL, NULL},
    {"sip:null-%00-null@example.com", "null-%00-null", NULL, "example.com", 0, NULL, NULL},
    {"sip:user;par=u%40example.net@example.com", "user;par=u%40example.net", NULL, "example.com", 0,
     NULL, NULL},
    {"sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/"
     ";;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
     "@example.com",
     "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*",
     "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)", "example.com", 0, NULL, NULL},
    // RFC 5118 4.1, 4.4, 4.10
    {"sip:[2001:db8::10]", NULL, NULL, "[2001:db8::10]", 0, NULL, NULL},
    {"sip:[2001:db8::10]:5070", NULL, NULL, "[2001:db8::10]", 5070, NULL, NULL},
    {"sip:bob@[::ffff:192.0.2.10]:19823;lr", "bob", NULL, "[::ffff:192.0.2.10]", 19823, ";lr",
     NULL},
    // a user may hold what looks like parameters and headers
    {"sip:biloxi.com;a=b@c", "biloxi.com;a=b", NULL, "c", 0, NULL, NULL},
    {"sip:biloxi.com?to=bob@biloxi.com", "biloxi.com?to=bob", NULL, "biloxi.com", 0, NULL, NULL},
    {"SIP:bob@biloxi.com", "bob", NULL, "biloxi.com", 0, NULL, NULL},
    {"sIpS:bob@biloxi.com:1", "bob", NULL, "biloxi.com", 1, NULL, NULL},
    {"sip:bob@biloxi.com:65535", "bob", NULL, "biloxi.com", 65535, NULL, NULL},
    {"sip:bob@biloxi.com:05060", "bob", NULL, "biloxi.com", 5060, NULL, NULL},
    {"sip:bob:@biloxi.com", "bob", "", "biloxi.com", 0, NULL, NULL},
    {"sip:bob@my_host", "bob", NULL, "my_host", 0, NULL, NULL},
    {"sip:biloxi.com.", NULL, NULL, "biloxi.com.", 0, NULL, NULL},
    // RFC 5118 4.10
    {"sip:user@[2001:db8:::192.0.2.1]:5070", "user", NULL, "[2001:db8:::192.0.2.1]", 5070, NULL,
     NULL},
    {"sip:user@h;lr;transport=udp;x=1;xx=1", "user", NULL, "h", 0, ";lr;transport=udp;x=1;xx=1",
     NULL},
    {"sip:h?a=", NULL, NULL, "h", 0, NULL, "a="},
    {"sip:h?a=[]/?:+$&b=1", NULL, NULL, "h", 0, NULL, "a=[]/?:+$&b=1"},
};

Test(uri, parts_are_found)
{
    for (size_t i = 0; i < LENGTH_OF(parts); i++) {
        struct uri uri;
        cr_assert_eq(uri_parse(text_slice(parts[i].text), &uri), ERR_OK, "%s", parts[i].text);
        const bool sips = uri.scheme_name.len == 4;
        cr_expect_eq(uri.scheme, sips ? URI_SIPS : URI_SIP, "%s", parts[i].text);
        cr_expect_eq(uri.has_user, parts[i].user != NULL, "%s", parts[i].text);
        cr_expect_eq(uri.has_password, parts[i].password != NULL, "%s", parts[i].text);
        cr_expect_eq(uri.port, parts[i].port, "%s", parts[i].text);
        cr_expect(part_is(uri.user, parts[i].user) && part_is(uri.password, parts[i].password) &&
                      part_is(uri.host, parts[i].host) && part_is(uri.params, parts[i].params) &&
                      part_is(uri.headers, parts[i].headers) && slice_is(uri.text, parts[i].text),
                  "%s", parts[i].text);
    }
}

// Written together again, the parts are the URI.
Test(uri, parts_make_up_the_text)
{
    for (size_t i = 0; i < LENGTH_OF(parts); i++) {
        char memory[512];
        struct buf b = buf_over(memory, sizeof(memory));
        const struct uri uri = uri_of(parts[i].text);
        buf_put(&b, uri.scheme_name);
        buf_put(&b, SLICE(":"));
        buf_put(&b, uri.user);
        buf_put(&b, uri.has_password ? SLICE(":") : SLICE(""));
        buf_put(&b, uri.password);
        buf_put(&b, uri.has_user ? SLICE("@") : SLICE(""));
        buf_put(&b, uri.host);
        if (uri.port != 0) {
            buf_put(&b, SLICE(":"));
            buf_put_padded(&b, uri.port, strstr(parts[i].text, ":05060") != NULL ? 5 : 1);
        }
        buf_put(&b, uri.params);
        buf_put(&b, slice_empty(uri.headers) ? SLICE("") : SLICE("?"));
        buf_put(&b, uri.headers);
        ASSERT_TEXT(buf_slice(&b), parts[i].text);
    }
}

Test(uri, host_that_is_an_address_is_read_as_one)
{
    cr_assert_eq(uri_of("sip:a@192.0.2.4").host_ip.family, IP_V4);
    cr_assert_eq(uri_of("sip:a@[2001:db8::1]").host_ip.family, IP_V6);
    cr_assert_eq(uri_of("sip:a@biloxi.com").host_ip.family, IP_NONE);
    cr_assert_eq(uri_of("sip:a@1.2.3.4.in-addr.arpa").host_ip.family, IP_NONE);
    cr_assert_eq(uri_of("tel:+358-555-1234567").host_ip.family, IP_NONE);
}

Test(uri, other_schemes_pass_unread)
{
    static const char *const texts[] = {"tel:+358-555-1234567;postd=pp22",
                                        "tel:7042;phone-context=example.com",
                                        "tel:*21#",
                                        "tel:112",
                                        "TEL:+1-(201).555-0123;ext=%31;isub=a:b",
                                        "mailto:bob@biloxi.com",
                                        "http://www.example.com/a?b=c",
                                        "urn:service:sos",
                                        "im:bob@biloxi.com",
                                        "sipx:a",
                                        "si:p",
                                        "nobodyKnowsThisScheme:totallyopaque",
                                        "soap.beep://192.0.2.103:3002",
                                        "name:John_Smith",
                                        "h323:user@example.com",
                                        "x-+.9:%20"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        const struct uri uri = uri_of(texts[i]);
        cr_expect_eq(uri.scheme, URI_OTHER, "%s", texts[i]);
        cr_expect(slice_is(uri.text, texts[i]));
        cr_expect_eq(uri.scheme_name.len, strcspn(texts[i], ":"), "%s", texts[i]);
        cr_expect(slice_empty(uri.host) && slice_empty(uri.user), "%s", texts[i]);
    }
}

Test(uri, malformed_ones_are_refused)
{
    static const char *const texts[] = {
        "", ":", "sip", "sip:", "sips:", ":bob@biloxi.com", " sip:bob@biloxi.com", "sip :bob@b",
        "sip: bob@biloxi.com", "sip:bob@biloxi.com ", "sip:bob@", "sip:@biloxi.com",
        "sip::pw@biloxi.com", "sip:bob@biloxi@com", "sip:bob@bil oxi.com", "sip:bo b@biloxi.com",
        "<sip:bob@biloxi.com>", "sip:bob\"@biloxi.com", "sip:b<b@biloxi.com", "sip:b[b@biloxi.com",
        "sip:bob#1@biloxi.com", "sip:bob@biloxi.com#x", "sip:b\xc3\xb6@biloxi.com",
        "sip:bob@bil\xc3\xb6xi.com", "sip:bob@biloxi.com\r\n", "sip:bob@biloxi.com\t;lr",
        // escapes
        "sip:b%b@biloxi.com", "sip:b%4@biloxi.com", "sip:b%@biloxi.com", "sip:b%4gb@biloxi.com",
        "sip:bob:p%zz@biloxi.com", "sip:bob@bil%6fxi.com", "sip:bob@biloxi.com;a=%4",
        "sip:biloxi.com?a=%", "tel:%", "tel:%4x",
        // ports
        "sip:bob@biloxi.com:", "sip:bob@biloxi.com:0", "sip:bob@biloxi.com:65536",
        "sip:bob@biloxi.com:-1", "sip:bob@biloxi.com:5060x", "sip:bob@biloxi.com:x",
        "sip:bob@biloxi.com:99999999999999999999", "sip:bob@biloxi.com:5060:5061", "sip:bob@:5060",
        "sip:bob:5060:1",
        // hosts
        "sip:a..b", "sip:-a", "sip:bob@1.2.3.256", "sip:bob@a-", "sip:bob@biloxi.1:5060",
        // IPv6
        "sip:[2001:db8::1", "sip:2001:db8::1", "sip:bob@2001:db8::10", "sip:[]", "sip:[192.0.2.1]",
        "sip:[::1]x", "sip:[::1%25eth0]", "sip:[biloxi.com]", "sip:[[::1]]", "sip:bob@[:::1]",
        // parameters and headers
        "sip:biloxi.com;", "sip:biloxi.com;;lr", "sip:biloxi.com;lr;", "sip:biloxi.com;=x",
        "sip:biloxi.com;lr=", "sip:biloxi.com;a=b=c", "sip:biloxi.com; lr", "sip:biloxi.com?",
        "sip:biloxi.com?a", "sip:biloxi.com?=b", "sip:biloxi.com?a=b&", "sip:biloxi.com?&a=b",
        "sip:biloxi.com?a=b&&c=d", "sip:biloxi.com?a=b=c", "sip:biloxi.com?a=b;lr",
        "sip:biloxi.com/path",
        // RFC 3261 19.1.1: no parameter twice
        "sip:biloxi.com;lr;lr", "sip:biloxi.com;transport=udp;x;Transport=tcp",
        "sip:biloxi.com;lr;%6Cr", "tel:+1;ext=1;ext=2",
        // other schemes
        "tel:", "tel:+", "tel:-", "tel:+1;", "tel:+12a", "tel:12g", "tel:1;=x", "tel:+1 2",
        "tel:+1*2", "tel:1+2", "tel:1?a=b", "tel:1%32", "tel:;phone-context=+1", "1tel:1", "+x:1",
        "te_l:1", "tel:1 2", "tel:<1>", "mailto:\"bob\"@biloxi.com"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        struct uri uri;
        cr_expect_eq(uri_parse(text_slice(texts[i]), &uri), ERR_SYNTAX, "\"%s\"", texts[i]);
    }
    struct uri uri;
    cr_assert_eq(uri_parse(slice_of(NULL, 0), &uri), ERR_SYNTAX);
    cr_assert_eq(uri_parse(SLICE("sip:bob\0@biloxi.com"), &uri), ERR_SYNTAX);
    cr_assert_eq(uri_parse(SLICE("sip:bob@biloxi.com\0"), &uri), ERR_SYNTAX);
}

Test(uri, like_one_parsed_before_is_the_same)
{
    struct uri known;
    struct uri uri;
    cr_assert_eq(uri_parse(SLICE("sip:bob@biloxi.com:5070;lr"), &known), ERR_OK);
    cr_assert_eq(uri_parse_like(SLICE("sip:bob@biloxi.com:5070;lr"), &known, &uri), ERR_OK);
    cr_assert(uri_equal(&uri, &known));
    ASSERT_TEXT(uri.user, "bob");
    cr_assert_eq(uri.port, 5070);
    cr_assert_eq(uri_parse_like(SLICE("sip:eve@biloxi.com:5070;lr"), &known, &uri), ERR_OK);
    ASSERT_TEXT(uri.user, "eve");
    cr_assert_eq(uri_parse_like(SLICE("sip:bob@biloxi.com:5070;l "), &known, &uri), ERR_SYNTAX);
}
