// SPDX-License-Identifier: Apache-2.0
#include "signpost/sip/params.h"

#include "tests/unit/support.h"

// Writes what an iteration finds as "name=value|name|...", and "!" at a fault.
static void put_list(struct buf *b, bool (*next)(struct slice *, struct param *), const char *text)
{
    struct slice rest = text_slice(text);
    struct param param;
    while (next(&rest, &param)) {
        buf_put(b, param.name);
        buf_put(b, param.has_value ? SLICE("=") : SLICE(""));
        buf_put(b, param.value);
        buf_put(b, SLICE("|"));
        cr_assert(slice_within(param.whole, text_slice(text)));
        cr_assert_eq(param.whole.at[0], ';');
    }
    buf_put(b, slice_empty(rest) ? SLICE("") : SLICE("!"));
    cr_assert(buf_ok(b));
}

static const struct {
    const char *text;
    const char *list;
} uri_lists[] = {
    {"", ""},
    {";a", "a|"},
    {";lr", "lr|"},
    {";transport=tcp;lr", "transport=tcp|lr|"},
    {";maddr=[2001:db8::1]", "maddr=[2001:db8::1]|"},
    {";maddr=239.255.255.1;ttl=15", "maddr=239.255.255.1|ttl=15|"},
    {";a=b:c/d&e+f$g", "a=b:c/d&e+f$g|"},
    {";%6c%72=%00", "%6c%72=%00|"},
    {";a-_.!~*'()=1", "a-_.!~*'()=1|"},
    {"lr", "!"},
    {";", "!"},
    {";;lr", "!"},
    {";lr;", "lr|!"},
    {";lr=", "!"},
    {";=x", "!"},
    {";a=b=c", "!"},
    {";a b", "!"},
    {"; lr", "!"},
    {";lr ;x", "!"},
    {";a=\"q\"", "!"},
    {";a=%4", "!"},
    {";a=%zz", "!"},
    {";a=b?c", "!"},
    {";a=b@c", "!"},
    {";a=b,c", "!"},
    {";a=\xc3\xa9", "!"},
};

Test(params, of_uris_know_escapes_and_no_white_space)
{
    for (size_t i = 0; i < LENGTH_OF(uri_lists); i++) {
        char memory[128];
        struct buf b = buf_over(memory, sizeof(memory));
        put_list(&b, params_next_uri, uri_lists[i].text);
        cr_expect(slice_is(buf_slice(&b), uri_lists[i].list), "\"%s\" gives \"%.*s\"",
                  uri_lists[i].text, PRINTED(buf_slice(&b)));
    }
}

static const struct {
    const char *text;
    const char *list;
} header_lists[] = {
    {"", ""},
    {" \t\r\n ", ""},
    {";tag=456248", "tag=456248|"},
    {";rport;branch=z9hG4bK776", "rport|branch=z9hG4bK776|"},
    {" ;\r\n  branch  =   z9hG4bK9ikj8", "branch=z9hG4bK9ikj8|"},
    {"; newparam =\r\n      newvalue ;\r\n  secondparam ; q = 0.33",
     "newparam=newvalue|secondparam|q=0.33|"},
    {";lr \r\n ", "lr|"},
    {";+sip.instance=\"<urn:uuid:0-0>\";reg-id=1", "+sip.instance=\"<urn:uuid:0-0>\"|reg-id=1|"},
    {";x=\"a;b=\\\"c\\\\\";y", "x=\"a;b=\\\"c\\\\\"|y|"},
    {";received=2001:db8::1", "received=2001:db8::1|"}, // RFC 5118 4.5
    {";received=[2001:db8::1];rport=5060", "received=[2001:db8::1]|rport=5060|"},
    {";maddr=[::ffff:192.0.2.1]", "maddr=[::ffff:192.0.2.1]|"},
    {";x=\"\"", "x=\"\"|"},
    {"tag=1", "!"},
    {";", "!"},
    {"; ", "!"},
    {";;tag=1", "!"},
    {";tag=1;", "tag=1|!"},
    {";tag=", "!"},
    {";tag= ;x", "!"},
    {";=1", "!"},
    {";tag==1", "!"},
    {";tag=1 2", "tag=1|!"},
    {";tag 1", "tag|!"},
    {";tag=\"open", "!"},
    {";tag=\"open\\\"", "!"},
    {";x=[2001:db8::1", "!"},
    {";x=[]", "!"},
    {";x=[not;an,address]", "!"}, // host, of which only an IPv6reference has brackets
    {";x=[192.0.2.1]", "!"},
    {";x=a@b", "x=a|!"},
    {";t\xc3\xa9=1", "t|!"},
    {";lr,x", "lr|!"},
    // RFC 3581: a client asks without a number, and some leave the "=" behind
    {";rport=;branch=1", "rport=|branch=1|"},
    {";RPORT = ", "RPORT=|"},
    {";xrport=", "!"},
};

Test(params, of_header_fields_know_white_space_and_quotes)
{
    for (size_t i = 0; i < LENGTH_OF(header_lists); i++) {
        char memory[128];
        struct buf b = buf_over(memory, sizeof(memory));
        put_list(&b, params_next, header_lists[i].text);
        cr_expect(slice_is(buf_slice(&b), header_lists[i].list), "\"%s\" gives \"%.*s\"",
                  header_lists[i].text, PRINTED(buf_slice(&b)));
    }
}

Test(params, whole_reaches_from_the_semicolon_to_the_value)
{
    struct slice rest = SLICE("  ; a = \"x\" ;b ");
    struct param param;
    cr_assert(params_next(&rest, &param));
    ASSERT_TEXT(param.whole, "; a = \"x\"");
    cr_assert(param.has_value);
    cr_assert(params_next(&rest, &param));
    ASSERT_TEXT(param.whole, ";b");
    cr_assert_not(param.has_value);
    cr_assert(slice_empty(param.value));
    rest = SLICE(";a=1;b");
    cr_assert(params_next_uri(&rest, &param));
    ASSERT_TEXT(param.whole, ";a=1");
    ASSERT_TEXT(rest, ";b");
}

// quoted-string = SWS DQUOTE *(qdtext / quoted-pair ) DQUOTE
static const struct {
    const char *text;
    size_t len;
} quotes[] = {
    {"", 0},
    {"a", 0},
    {"\"\"", 2},
    {"\"Bob\" <sip:bob@biloxi.com>", 5},
    {"\"a\\\"b\"c", 6},
    {"\"a\\\\\"", 5},
    {"\"\\\\\\\"\"", 6},
    {"\"a,;<>@\"", 8},
    {"\"\xc3\xa9\"", 4},
    {"\"a\r\n b\tc\"", 9}, // LWS
    {"\"", 0},
    {"\"a", 0},
    {"\"\\\"", 0},
    {"\"a\\", 0},
    {"\"a\x01\"", 0},
    {"\"a\x7f\"", 0},
    {"\"a\x1f\"", 0},
    {"\"a\\\x01\"", 5}, // quoted-pair = "\" (%x00-09 / %x0B-0C / %x0E-7F)
    {"\"a\\\x7f\"", 5},
    {"\"a\\\rb\"", 0},
    {"\"a\\\nb\"", 0},
    {"\"a\\\r\n b\"", 0},
    {" \"a\"", 0},
};

Test(params, quoted_string_ends_at_its_own_quote)
{
    const struct guard guard = guard_create(64);
    for (size_t i = 0; i < LENGTH_OF(quotes); i++) {
        const struct slice text = guard_copy(guard, text_slice(quotes[i].text));
        cr_expect_eq(quoted_length(text), quotes[i].len, "%s: %zu", quotes[i].text,
                     quoted_length(text));
    }
    cr_assert_eq(quoted_length(SLICE("\"a\\\0b\"")), 6);
    cr_assert_eq(quoted_length(SLICE("\"a\0b\"")), 0);
}

static void walk(bool (*next)(struct slice *, struct param *), struct slice bytes)
{
    struct slice rest = bytes;
    struct param param;
    size_t left = bytes.len;
    while (next(&rest, &param)) {
        if (rest.len >= left || !slice_within(param.whole, bytes) ||
            !slice_within(param.name, param.whole) || !slice_within(param.value, param.whole)) {
            cr_assert_fail("%.*s", PRINTED(bytes));
        }
        left = rest.len;
    }
}

Test(params, list_cut_anywhere_is_not_read_beyond)
{
    const struct guard guard = guard_create(256);
    const struct slice whole = SLICE(" ; a = \"b\\\"c\" ;\r\n rport;received=[2001:db8::1];"
                                     "transport=%74cp;lr;maddr=1.2.3.4;x=\"\\\\\"");
    for (size_t len = 0; len <= whole.len; len++) {
        for (size_t from = 0; from <= len; from++) {
            const struct slice cut = guard_copy(guard, slice_of(whole.at + from, len - from));
            walk(params_next, cut);
            walk(params_next_uri, cut);
        }
    }
}

Test(params, names_are_taken_down_once)
{
    struct param_names names;
    names.count = 0;
    cr_assert(params_name_is_new(&names, SLICE("tag")));
    cr_assert(params_name_is_new(&names, SLICE("tags")));
    cr_assert_not(params_name_is_new(&names, SLICE("tag")));
    cr_assert_not(params_name_is_new(&names, SLICE("TAG")));
    cr_assert_eq(names.count, 2);
    for (unsigned i = 2; i < HEADER_PARAMS_MAX; i++) {
        static const char as[HEADER_PARAMS_MAX] =
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
        cr_assert(params_name_is_new(&names, slice_of(as, i)));
    }
    cr_assert_not(params_name_is_new(&names, SLICE("one more")));
    cr_assert_eq(names.count, HEADER_PARAMS_MAX);
}
