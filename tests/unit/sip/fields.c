// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/fields.h"

#include "signpost/base/limits.h"
#include "signpost/sip/uri.h"
#include "tests/unit/support.h"

static const struct {
    const char *value;
    const char *uri;
    const char *params;
    const char *tag;
} addresses[] = {
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com", "", ""},
    {"<sip:bob@biloxi.com>", "sip:bob@biloxi.com", "", ""},
    {"Bob <sip:bob@biloxi.com>;tag=a6c85cf", "sip:bob@biloxi.com", ";tag=a6c85cf", "a6c85cf"},
    {"The Operator <sip:operator@cs.columbia.edu>;TAG=287447", "sip:operator@cs.columbia.edu",
     ";TAG=287447", "287447"},
    // without brackets the parameters are the field's (RFC 3261 20)
    {"sip:+12125551212@server.phone2net.com;tag=887s", "sip:+12125551212@server.phone2net.com",
     ";tag=887s", "887s"},
    {"<sip:bob@biloxi.com;tag=uri>;x", "sip:bob@biloxi.com;tag=uri", ";x", ""},
    {"\"A. G. Bell\" <sip:agb@bell-telephone.com> ;tag=a48s", "sip:agb@bell-telephone.com",
     ";tag=a48s", "a48s"},
    {"\"Bob, <not> \\\"here\\\";tag=1\" <sip:bob@biloxi.com>", "sip:bob@biloxi.com", "", ""},
    {"\"\" <sip:bob@biloxi.com>", "sip:bob@biloxi.com", "", ""},
    {"\"Bob\"<sip:bob@biloxi.com>", "sip:bob@biloxi.com", "", ""},
    {"caller<sip:caller@example.com>;tag=323", "sip:caller@example.com", ";tag=323",
     "323"}, // RFC 4475 3.1.1.6
    {"sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n",
     "sip:vivekg@chair-dnrc.example.com", ";   tag    = 1918181833n", "1918181833n"},
    {"\"J Rosenberg \\\\\\\"\"       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8",
     "sip:jdrosen@example.com", ";\r\n  tag = 98asjd8", "98asjd8"},
    {" <sip:bob@biloxi.com>\r\n ", "sip:bob@biloxi.com", "", ""},
    {"<tel:+358-555-1234567>;tag=1", "tel:+358-555-1234567", ";tag=1", "1"},
    {"<sip:a@b?x=y/z>", "sip:a@b?x=y/z", "", ""},
    {"<sip:a,b@c>", "sip:a,b@c", "", ""},
    {"isbn:2983792873", "isbn:2983792873", "", ""}, // RFC 4475 3.3.4
    {"<http://www.example.com>;tag=3234233", "http://www.example.com", ";tag=3234233", "3234233"},
    {"<sip:a@b>;tag=1;x;y=2;z=\"tag=3\"", "sip:a@b", ";tag=1;x;y=2;z=\"tag=3\"", "1"},
    {"\"\xc3\x9c\" <sip:a@b>", "sip:a@b", "", ""},
};

Test(addr, uri_parameters_and_tag_are_found)
{
    for (size_t i = 0; i < LENGTH_OF(addresses); i++) {
        struct addr addr = {0};
        struct slice tag = {0};
        cr_expect_eq(addr_parse(text_slice(addresses[i].value), NULL, &addr, &tag), ERR_OK, "%s",
                     addresses[i].value);
        cr_expect(slice_is(addr.uri, addresses[i].uri), "%s", addresses[i].value);
        cr_expect(slice_is(addr.params, addresses[i].params), "%s", addresses[i].value);
        cr_expect(slice_is(tag, addresses[i].tag), "%s", addresses[i].value);
    }
}

Test(addr, malformed_ones_are_refused)
{
    static const char *const values[] = {
        "", " ", ";tag=1", "<>", "<sip:bob@biloxi.com", "Bob sip:bob@biloxi.com",
        "Bob <sip:bob@biloxi.com", "Bob sip:bob@biloxi.com>", "\"Bob <sip:bob@biloxi.com>",
        "Bob\" <sip:bob@biloxi.com>", // RFC 4475 3.1.2.6
        "\"Bob\" Smith <sip:bob@biloxi.com>", "Bob, Smith <sip:bob@biloxi.com>",
        "Bob (home) <sip:bob@biloxi.com>", "Bell, Alexander <sip:a.g.bell@example.com>;tag=43",
        "J\xc3\xbcrgen <sip:bob@biloxi.com>",
        "<sip:bob@biloxi.com>;tag=", "<sip:bob@biloxi.com>;tag", "<sip:bob@biloxi.com>;",
        "<sip:bob@biloxi.com>;;tag=1", "<sip:bob@biloxi.com>;tag=\"1\"", "<sip:bob@biloxi.com> x",
        "<sip:bob@biloxi.com>;tag=a:b", "<sip:bob@biloxi.com>;tag=1 x",
        // exactly one, and what would need brackets (RFC 4475 3.1.2.13)
        "<sip:bob@biloxi.com>, <sip:c@biloxi.com>", "<sip:bob@biloxi.com> ,<sip:c@biloxi.com>",
        "sip:a@b,sip:c@d", "<sip:bob@biloxi.com>,",
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E", "sip:a\"b@c"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct addr addr;
        struct slice tag;
        cr_expect_eq(addr_parse(text_slice(values[i]), NULL, &addr, &tag), ERR_SYNTAX, "\"%s\"",
                     values[i]);
        cr_expect(slice_empty(tag), "\"%s\"", values[i]);
    }
    struct addr addr;
    struct slice tag;
    cr_assert_eq(addr_parse(slice_of(NULL, 0), NULL, &addr, &tag), ERR_SYNTAX);
}

// The URI is looked into, whatever its scheme.
Test(addr, uri_parsed_before_makes_no_difference)
{
    static const char *const values[] = {"<sip:a@h>;tag=1", "<sip:b@h>;tag=1", "<sip:a@h",
                                         "<sip:a@h>;tag=",  "sip:a@h;tag=1",   "<sip:a b>;tag=1"};
    struct uri known;
    cr_assert_eq(uri_parse(SLICE("sip:a@h"), &known), ERR_OK);
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct addr addr;
        struct addr other;
        struct slice tag;
        struct slice other_tag;
        const enum err e = addr_parse(text_slice(values[i]), NULL, &addr, &tag);
        cr_expect_eq(addr_parse(text_slice(values[i]), &known, &other, &other_tag), e, "%s",
                     values[i]);
        cr_expect(slice_equal(tag, other_tag), "%s", values[i]);
        cr_expect(e != ERR_OK || slice_equal(addr.uri, other.uri), "%s", values[i]);
    }
}

Test(addr, uri_must_be_one)
{
    static const char *const values[] = {"Bob",
                                         "<Bob>",
                                         "sip:bob@biloxi.com>",
                                         "*",
                                         "sip:b\\b@biloxi.com",
                                         "< sip:t.watson@example.org >", // RFC 4475 3.1.2.14
                                         "<sip:bob@biloxi..com>;tag=1",
                                         "<sip:bob@biloxi.com;lr;lr>",
                                         "<sip:a@b?x=y,z>",
                                         "<tel:+>",
                                         "<1x:y>"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct addr addr;
        struct slice tag;
        cr_expect_eq(addr_parse(text_slice(values[i]), NULL, &addr, &tag), ERR_SYNTAX, "%s",
                     values[i]);
        cr_expect(slice_empty(tag), "%s", values[i]);
    }
}

Test(addr, uri_is_handed_out)
{
    struct addr addr;
    struct slice tag;
    struct uri uri;
    cr_assert_eq(addr_parse_uri(SLICE("<sip:bob@biloxi.com;lr>;tag=1"), &addr, &tag, &uri), ERR_OK);
    ASSERT_TEXT(uri.user, "bob");
    ASSERT_TEXT(uri.params, ";lr");
    ASSERT_TEXT(tag, "1");
}

// RFC 3261 7.3.1
Test(addr, no_parameter_stands_twice)
{
    static const char *const values[] = {"<sip:a@b>;tag=1;tag=1", "<sip:a@b>;tag=1;TAG=2",
                                         "sip:a@b;x;y;x=1"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct addr addr;
        struct slice tag;
        cr_expect_eq(addr_parse(text_slice(values[i]), NULL, &addr, &tag), ERR_SYNTAX, "%s",
                     values[i]);
    }
}

// Writes what a Contact row holds as "uri q expires|", and "!" at a fault.
static void put_contacts(struct buf *b, struct slice value)
{
    struct slice rest = value;
    struct contact c;
    while (!slice_empty(rest)) {
        const size_t left = rest.len;
        if (contact_next(&rest, &c) != ERR_OK) {
            buf_put(b, SLICE("!"));
            return;
        }
        cr_assert(rest.len < left && slice_within(c.addr.uri, value) &&
                  slice_within(c.addr.params, value));
        buf_put(b, c.addr.uri);
        buf_put_char(b, ' ');
        if (c.q != Q_ABSENT) {
            buf_put_u64(b, c.q);
        }
        buf_put_char(b, ' ');
        if (c.expires_valid) {
            cr_assert(c.has_expires);
            buf_put_u64(b, c.expires_s);
        } else if (c.has_expires) {
            buf_put_char(b, '?');
        }
        buf_put_char(b, '|');
    }
}

static const struct {
    const char *value;
    const char *list;
} contacts[] = {
    {"<sip:bob@192.0.2.4>", "sip:bob@192.0.2.4  |"},
    {"<sip:bob@192.0.2.4>;expires=60;q=0.7", "sip:bob@192.0.2.4 700 60|"},
    // RFC 3261 20.10
    {"\"Mr. Watson\" <sip:watson@worcester.bell-telephone.com>\r\n   ;q=0.7; expires=3600,\r\n"
     " \"Mr. Watson\" <mailto:watson@bell-telephone.com> ;q=0.1",
     "sip:watson@worcester.bell-telephone.com 700 3600|mailto:watson@bell-telephone.com 100 |"},
    {"<sip:a@b>,<sip:c@d>", "sip:a@b  |sip:c@d  |"},
    // COMMA = SWS "," SWS
    {"<sip:a@b> , <sip:c@d>", "sip:a@b  |sip:c@d  |"},
    {"<sip:a@b>;q=1 \t, \r\n <sip:c@d>", "sip:a@b 1000 |sip:c@d  |"},
    {"sip:a@b , sip:c@d;q=0", "sip:a@b  |sip:c@d 0 |"},
    {"sip:a@b,sip:c@d", "sip:a@b  |sip:c@d  |"},
    {"\"a, b\" <sip:a@b>, \"c\\\", <x>\" <sip:c,d@e>", "sip:a@b  |sip:c,d@e  |"},
    {"<sip:a@b>;x=\"1,2;q=0\";q=0.5,<sip:c@d>", "sip:a@b 500 |sip:c@d  |"},
    {"<sip:a@b;q=0.1;expires=5>", "sip:a@b;q=0.1;expires=5  |"},
    {"sip:a@b;q=0.1;expires=5", "sip:a@b 100 5|"}, // RFC 4475 3.1.1.8
    {"\"Quoted string \\\"\\\"\" <sip:jdrosen@example.com> ; newparam =\r\n"
     "      newvalue ;\r\n  secondparam ; q = 0.33",
     "sip:jdrosen@example.com 330 |"},
    {"<sip:a@b>;EXPIRES=7;Q=1.000", "sip:a@b 1000 7|"},
    // a malformed expires is for the registrar to judge (10.2.1.1)
    {"<sip:a@b>;expires=never", "sip:a@b  ?|"},
    {"<sip:a@b>;expires", "sip:a@b  ?|"},
    {"<sip:a@b>;expires=", "sip:a@b  ?|"},
    {"<sip:a@b>;q=", "!"},
    {"<sip:a@b>;expires=\"60\"", "sip:a@b  ?|"},
    {"<sip:a@b>;expires=-1", "sip:a@b  ?|"},
    {"<sip:a@b>;expires=0", "sip:a@b  0|"},
    {"<sip:a@b>;expires=2147483647", "sip:a@b  2147483647|"},
    {"<sip:a@b>;expires=2147483648", "sip:a@b  2147483647|"},
    {"<sip:a@b>;expires=4294967295", "sip:a@b  2147483647|"},
    {"<sip:a@b>;expires=4294967296", "sip:a@b  ?|"}, // no number of seconds: RFC 3261 20.19
    {"<sip:a@b>;expires=99999999999999999999", "sip:a@b  ?|"},
    {"<sip:a@b>;q=1;expires=5;Q=1", "!"},
    {"<sip:a@b>;expires=5;expires=5", "!"},
    {"<sip:a@b>,<sip:c@d>;x;X", "sip:a@b  |!"},
    {"<sip:a@b>;x,<sip:c@d>;x", "sip:a@b  |sip:c@d  |"},
    {"<sip:a@b>;+sip.instance=\"<urn:uuid:1>\";reg-id=1;pub-gruu=\"sip:a@b;gr=x\"", "sip:a@b  |"},
    // faults
    {",", "!"},
    {"<sip:a@b>,", "!"},
    {"<sip:a@b> , ", "!"},
    {"<sip:a@b>,,<sip:c@d>", "sip:a@b  |!"},
    {",<sip:a@b>", "!"},
    {"<sip:a@b> <sip:c@d>", "!"},
    {"<sip:a@b>;", "!"},
    {"<sip:a@b", "!"},
    {"sip:user@example.com?Route=%3Csip:sip.example.com%3E", "!"}, // RFC 4475 3.1.2.13
};

Test(contact, list_is_taken_one_by_one)
{
    const struct guard guard = guard_create(512);
    for (size_t i = 0; i < LENGTH_OF(contacts); i++) {
        char memory[256];
        struct buf b = buf_over(memory, sizeof(memory));
        put_contacts(&b, guard_copy(guard, text_slice(contacts[i].value)));
        cr_expect(slice_is(buf_slice(&b), contacts[i].list), "\"%s\" gives \"%.*s\"",
                  contacts[i].value, PRINTED(buf_slice(&b)));
    }
}

static const struct {
    const char *text;
    unsigned q; // Q_ABSENT: not well-formed
} qs[] = {
    {"0", 0},
    {"1", 1000},
    {"0.", 0},
    {"1.", 1000},
    {"0.0", 0},
    {"0.5", 500},
    {"0.05", 50},
    {"0.005", 5},
    {"0.999", 999},
    {"0.33", 330},
    {"1.0", 1000},
    {"1.00", 1000},
    {"1.000", 1000},
    {"0.000", 0},
    {"1.001", Q_ABSENT},
    {"1.1", Q_ABSENT},
    {"1.0000", Q_ABSENT},
    {"0.0000", Q_ABSENT},
    {"2", Q_ABSENT},
    {"9.999", Q_ABSENT},
    {"00", Q_ABSENT},
    {"01", Q_ABSENT},
    {"10", Q_ABSENT},
    {".5", Q_ABSENT},
    {"-0.5", Q_ABSENT},
    {"+1", Q_ABSENT},
    {"0.5a", Q_ABSENT},
    {"a", Q_ABSENT},
    {"0..5", Q_ABSENT},
    {"0x1", Q_ABSENT},
    {"\"0.5\"", Q_ABSENT},
    {"1e0", Q_ABSENT},
};

Test(contact, q_is_a_number_from_0_to_1_with_three_digits)
{
    for (size_t i = 0; i < LENGTH_OF(qs); i++) {
        char memory[64];
        struct buf b = buf_over(memory, sizeof(memory));
        struct contact c;
        buf_put(&b, SLICE("<sip:a@b>;q="));
        buf_put(&b, text_slice(qs[i].text));
        struct slice rest = buf_slice(&b);
        const enum err e = contact_next(&rest, &c);
        cr_expect_eq(e, qs[i].q == Q_ABSENT ? ERR_SYNTAX : ERR_OK, "%s", qs[i].text);
        cr_expect(e != ERR_OK || c.q == qs[i].q, "%s is %u", qs[i].text, c.q);
    }
    struct slice rest = SLICE("<sip:a@b>;q");
    struct contact c;
    cr_assert_eq(contact_next(&rest, &c), ERR_SYNTAX, "q without a value");
}

Test(contact, star_stands_alone)
{
    cr_assert(contact_is_star(SLICE("*")));
    cr_assert_not(contact_is_star(SLICE("**")));
    cr_assert_not(contact_is_star(SLICE("<*>")));
    cr_assert_not(contact_is_star(SLICE("*;expires=0")));
    cr_assert_not(contact_is_star(SLICE("*, <sip:a@b>")));
    cr_assert_not(contact_is_star(SLICE("\"*\" <sip:a@b>")));
    cr_assert_not(contact_is_star(slice_of(NULL, 0)));
}

Test(expires, seconds_are_read_and_clamped)
{
    static const struct {
        const char *value;
        uint32_t seconds;
    } rows[] = {
        {"0", 0},
        {"3600", 3600},
        {"007", 7},
        {"2147483646", EXPIRES_S_LIMIT - 1},
        {"2147483647", EXPIRES_S_LIMIT},
        {"2147483648", EXPIRES_S_LIMIT},
        {"4294967295", EXPIRES_S_LIMIT}, // 20.19: up to 2**32-1
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        uint32_t seconds = 1;
        cr_expect_eq(expires_parse(text_slice(rows[i].value), &seconds), ERR_OK, "%s",
                     rows[i].value);
        cr_expect_eq(seconds, rows[i].seconds, "%s", rows[i].value);
    }
}

Test(expires, what_is_no_number_is_refused)
{
    static const char *const values[] = {"",
                                         " ",
                                         "-1",
                                         "+1",
                                         "1.5",
                                         "1s",
                                         "soon",
                                         "1 2",
                                         "0x10",
                                         "99999999999999999999s",
                                         "4294967296", // RFC 4475 3.1.2.4 and beyond
                                         "36893488147419103232",
                                         "1;x=y",
                                         "Thu, 01 Dec 1994 16:00:00 GMT"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        uint32_t seconds = 0;
        cr_expect_eq(expires_parse(text_slice(values[i]), &seconds), ERR_SYNTAX, "\"%s\"",
                     values[i]);
    }
}

Test(cseq, number_and_method_are_read)
{
    static const struct {
        const char *value;
        uint32_t number;
        const char *method;
    } rows[] = {
        {"4711 INVITE", 4711, "INVITE"},
        {"0 REGISTER", 0, "REGISTER"},
        {"0009\r\n  INVITE", 9, "INVITE"}, // RFC 4475 3.1.1.1
        {"2147483647 \t ACK", 0x7fffffff, "ACK"},
        {"000000000000000000000000000001 BYE", 1, "BYE"},
        {"1 !interesting-Method0123456789_*+`.%indeed'~", 1,
         "!interesting-Method0123456789_*+`.%indeed'~"},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        struct cseq cseq = {0};
        cr_expect_eq(cseq_parse(text_slice(rows[i].value), &cseq), ERR_OK, "%s", rows[i].value);
        cr_expect_eq(cseq.number, rows[i].number, "%s", rows[i].value);
        cr_expect(slice_is(cseq.method, rows[i].method), "%s", rows[i].value);
    }
}

Test(cseq, malformed_ones_are_refused)
{
    static const char *const values[] = {"",
                                         "1",
                                         "1 ",
                                         "INVITE",
                                         " INVITE",
                                         "1INVITE",
                                         "-1 INVITE",
                                         "+1 INVITE",
                                         "1.0 INVITE",
                                         "2147483648 INVITE",
                                         "4294967295 INVITE",
                                         "4294967296 INVITE",
                                         "36893488147419103232 REGISTER", // RFC 4475 3.1.2.4
                                         "1 INVITE x",
                                         "1 IN<VITE",
                                         "1 \"INVITE\"",
                                         "1 INVITE;x",
                                         "x INVITE",
                                         "0x1 INVITE",
                                         "1\vINVITE",
                                         "INVITE 1"};
    for (size_t i = 0; i < LENGTH_OF(values); i++) {
        struct cseq cseq;
        cr_expect_eq(cseq_parse(text_slice(values[i]), &cseq), ERR_SYNTAX, "\"%s\"", values[i]);
    }
    struct cseq cseq;
    cr_assert_eq(cseq_parse(slice_of(NULL, 0), &cseq), ERR_SYNTAX);
}

Test(call_id, is_a_word_or_two)
{
    static const char *const good[] = {"f81d4fae-7dec-11d0-a765-00a0c91e6bf6@biloxi.com",
                                       "a84b4c76e66710",
                                       "a@b",
                                       "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{",
                                       "\"",
                                       "1@[2001:db8::1]"};
    static const char *const bad[] = {"",        "@",        "a@",  "@b",    "a@b@c", "a b",
                                      "a;b",     "a,b",      " ",   "a@b c", "a=b",   "a&b",
                                      "a\r\n b", "\xc3\xa9", "a#b", "a@@b"};
    for (size_t i = 0; i < LENGTH_OF(good); i++) {
        cr_expect(call_id_well_formed(text_slice(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        cr_expect_not(call_id_well_formed(text_slice(bad[i])), "%s", bad[i]);
    }
    cr_assert_not(call_id_well_formed(slice_of(NULL, 0)));
    cr_assert_not(call_id_well_formed(SLICE("a\0b")));
}

Test(max_forwards, is_a_number_and_may_be_too_large)
{
    static const char *const good[] = {"0", "70", "0068", "255", "256", "99999999999999999999"};
    static const char *const bad[] = {"", "-1", "+1", "300 ", "seventy", "7 0", "255x"};
    for (size_t i = 0; i < LENGTH_OF(good); i++) {
        cr_expect(max_forwards_well_formed(text_slice(good[i])), "%s", good[i]);
    }
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        cr_expect_not(max_forwards_well_formed(text_slice(bad[i])), "%s", bad[i]);
    }
}

Test(tokens, list_is_taken_one_by_one)
{
    static const struct {
        const char *value;
        const char *list;
    } rows[] = {{"100rel", "100rel|"},
                {"nothingSupportsThis, nothingSupportsThisEither",
                 "nothingSupportsThis|nothingSupportsThisEither|"},
                {"a,b ,\r\n c", "a|b|c|"},
                {" a ", "a|"},
                {",", "!"},
                {"a,", "!"},
                {"a, ,b", "a|!"},
                {"a b", "!"},
                {"a;b", "!"},
                {"\"a\"", "!"},
                {" ", "!"}};
    const struct guard guard = guard_create(128);

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        char memory[128];
        struct buf b = buf_over(memory, sizeof(memory));
        struct slice rest = guard_copy(guard, text_slice(rows[i].value));
        struct slice token;
        while (!slice_empty(rest)) {
            if (token_next(&rest, &token) != ERR_OK) {
                buf_put_char(&b, '!');
                break;
            }
            buf_put(&b, token);
            buf_put_char(&b, '|');
        }
        cr_expect(slice_is(buf_slice(&b), rows[i].list), "\"%s\" gives \"%.*s\"", rows[i].value,
                  PRINTED(buf_slice(&b)));
    }
}

Test(media_type, type_and_subtype_are_found)
{
    static const char *const bad[] = {"",         "application", "application/", "/sdp",
                                      "a/b/c",    "a b/c",       "a/b c",        "a/b;",
                                      "a/b;;x=1", "\"a\"/b",     "a/b, c/d",     "a/b;x=1;x=2"};
    struct media_type media;
    cr_assert_eq(media_type_parse(SLICE("application/sdp"), &media), ERR_OK);
    ASSERT_TEXT(media.type, "application");
    ASSERT_TEXT(media.subtype, "sdp");
    ASSERT_TEXT(media.params, "");
    cr_assert_eq(
        media_type_parse(SLICE("multipart / mixed\r\n ; boundary=\"a b\";charset=x"), &media),
        ERR_OK);
    ASSERT_TEXT(media.type, "multipart");
    ASSERT_TEXT(media.subtype, "mixed");
    ASSERT_TEXT(media.params, "; boundary=\"a b\";charset=x");
    for (size_t i = 0; i < LENGTH_OF(bad); i++) {
        cr_expect_eq(media_type_parse(text_slice(bad[i]), &media), ERR_SYNTAX, "%s", bad[i]);
    }
}

Test(disposition, handling_is_required_unless_optional)
{
    static const struct {
        const char *value;
        enum err e;
        bool optional;
    } rows[] = {{"session", ERR_OK, false},
                {"session;handling=optional", ERR_OK, true},
                {"render ; x ; HANDLING = Optional", ERR_OK, true},
                {"session;handling=required", ERR_OK, false},
                {"session;handling=\"optional\"", ERR_OK, false},
                {"session;handling=optional;handling=optional", ERR_SYNTAX, false},
                {"session,x", ERR_SYNTAX, false},
                {"session x", ERR_SYNTAX, false},
                {";handling=optional", ERR_SYNTAX, false},
                {"", ERR_SYNTAX, false}};

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        bool optional = true;
        cr_expect_eq(disposition_parse(text_slice(rows[i].value), &optional), rows[i].e, "%s",
                     rows[i].value);
        cr_expect_eq(optional, rows[i].optional, "%s", rows[i].value);
    }
}

// Every function, on every beginning of every value, before a page that may not be touched.
Test(fields, cut_anywhere_are_not_read_beyond)
{
    const struct guard guard = guard_create(512);
    for (size_t i = 0; i < LENGTH_OF(contacts) + LENGTH_OF(addresses); i++) {
        const struct slice whole = text_slice(
            i < LENGTH_OF(contacts) ? contacts[i].value : addresses[i - LENGTH_OF(contacts)].value);
        for (size_t len = 0; len <= whole.len; len++) {
            const struct slice cut = guard_copy(guard, slice_of(whole.at, len));
            char memory[512];
            struct buf b = buf_over(memory, sizeof(memory));
            struct addr addr;
            struct slice tag;
            put_contacts(&b, cut);
            if (addr_parse(cut, NULL, &addr, &tag) == ERR_OK) {
                cr_assert(slice_within(addr.uri, cut) && slice_within(tag, cut));
            }
        }
    }
    static const char *const others[] = {"multipart / mixed ; boundary=\"a b\"",
                                         "session;handling=optional", "255"};
    for (size_t i = 0; i < LENGTH_OF(others); i++) {
        for (size_t len = 0; len <= strlen(others[i]); len++) {
            const struct slice cut = guard_copy(guard, slice_of(others[i], len));
            struct media_type media;
            bool optional;
            const enum err first = media_type_parse(cut, &media);
            const enum err second = disposition_parse(cut, &optional);
            cr_assert(first == ERR_SYNTAX || second == ERR_SYNTAX);
            cr_assert(max_forwards_well_formed(cut) == (i == 2 && len > 0));
        }
    }
    const struct slice cseq_text = SLICE("314159 \r\n INVITE");
    const struct slice call_id = SLICE("a84b4c76e66710@pc33.atlanta.com");
    for (size_t len = 0; len <= call_id.len; len++) {
        const struct slice cut = slice_of(cseq_text.at, len < cseq_text.len ? len : cseq_text.len);
        struct cseq cseq;
        uint32_t seconds;
        const enum err e = cseq_parse(guard_copy(guard, cut), &cseq);
        cr_assert_eq(e == ERR_OK, cut.len >= 11, "%zu", len);
        (void)call_id_well_formed(guard_copy(guard, slice_of(call_id.at, len)));
        cr_assert(expires_parse(guard_copy(guard, cut), &seconds) == ERR_OK || cut.len == 0 ||
                  cut.len > 6);
    }
}
