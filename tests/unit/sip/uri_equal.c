// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include "signpost/sip/uri.h"
#include "tests/unit/support.h"

// Comparison (RFC 3261 19.1.4) and canonical addresses of record (10.3).

static struct uri uri_of(const char *text)
{
    struct uri uri;
    cr_assert_eq(uri_parse(text_slice(text), &uri), ERR_OK, "%s", text);
    return uri;
}

// Equality goes both ways, and so must the test.
static bool equal(const char *left, const char *right)
{
    const struct uri a = uri_of(left);
    const struct uri b = uri_of(right);
    const bool result = uri_equal(&a, &b);
    cr_assert_eq(uri_equal(&b, &a), result, "%s and %s", left, right);
    return result;
}

static const char *const equal_pairs[][2] = {
    // the examples of 19.1.4
    {"sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com;security=on"},
    {"sip:carol@chicago.com;newparam=5", "sip:carol@chicago.com;security=on"},
    {"sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
     "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com"},
    {"sip:alice@atlanta.com?subject=project%20x&priority=urgent",
     "sip:alice@atlanta.com?priority=urgent&subject=project%20x"},
    // the rules of 19.1.4
    {"SIP:bob@biloxi.com", "sip:bob@biloxi.com"},
    {"SIPS:bob@biloxi.com", "sips:bob@BILOXI.com"},
    {"sip:bob:pw@biloxi.com", "sip:bob:p%77@biloxi.com"},
    {"sip:b%6Fb@biloxi.com", "sip:b%6fb@biloxi.com"},
    {"sip:b%3Ab@biloxi.com", "sip:b%3ab@biloxi.com"},
    {"sip:%25@biloxi.com", "sip:%25@biloxi.com"},
    {"sip:bob@biloxi.com:5060", "sip:bob@biloxi.com:05060"},
    {"sip:biloxi.com;user=phone;lr", "sip:biloxi.com;USER=Phone"},
    {"sip:biloxi.com;tr%61nsport=tcp", "sip:biloxi.com;transport=%54CP"},
    {"sip:biloxi.com;a=1;b=2", "sip:biloxi.com;B=2;c=3;A=1"},
    {"sip:biloxi.com?Subject=x", "sip:biloxi.com?sub%6Aect=%78"},
    // addresses
    {"sip:bob@[2001:db8::1]", "sip:bob@[2001:DB8:0:0:0:0:0:1]"},
    {"sip:bob@[::ffff:192.0.2.1]:5070", "sip:bob@[::FFFF:C000:201]:5070"},
    {"sip:bob@192.0.2.4", "sip:bob@192.0.02.004"},
    // other schemes
    {"tel:+358-555-1234567", "TEL:+358-555-1234567"},
    // RFC 3966 4
    {"tel:+358-555-1234567", "tel:+3585551234567"},
    {"tel:+1.(201).555-0123-", "tel:+12015550123"},
    {"tel:7042;phone-context=Example.com", "tel:70-42;Phone-Context=example.com"},
    {"tel:+1;ext=1;isub=2", "tel:+1;isub=2;EXT=1"},
    {"tel:aF*#;x", "tel:Af*-#;X"},
    {"mailto:bob@biloxi.com", "mailto:bob@biloxi.com"},
};

Test(uri, equal_ones)
{
    for (size_t i = 0; i < LENGTH_OF(equal_pairs); i++) {
        cr_expect(equal(equal_pairs[i][0], equal_pairs[i][1]), "%s = %s", equal_pairs[i][0],
                  equal_pairs[i][1]);
    }
}

static const char *const different_pairs[][2] = {
    // the examples of 19.1.4
    {"SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"},
    {"sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"},
    {"sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"},
    {"sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"},
    // the rules of 19.1.4
    {"sip:bob@biloxi.com", "sips:bob@biloxi.com"},
    {"sip:bob@biloxi.com", "sip:biloxi.com"},
    {"sip:bob@biloxi.com", "sip:bobby@biloxi.com"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.org"},
    {"sip:bob@biloxi.com", "sip:bob@biloxi.com.br"},
    {"sip:bob:pw@biloxi.com", "sip:bob:PW@biloxi.com"},
    {"sip:bob:pw@biloxi.com", "sip:bob@biloxi.com"},
    {"sip:bob:@biloxi.com", "sip:bob@biloxi.com"},
    {"sip:bob@biloxi.com:5061", "sip:bob@biloxi.com:5060"},
    {"sip:biloxi.com", "sip:biloxi.com;user=ip"},
    {"sip:biloxi.com", "sip:biloxi.com;ttl=1"},
    {"sip:biloxi.com", "sip:biloxi.com;method=INVITE"},
    {"sip:biloxi.com", "sip:biloxi.com;maddr=192.0.2.1"},
    {"sip:biloxi.com", "sip:biloxi.com;MADDR=192.0.2.1"},
    {"sip:biloxi.com", "sip:biloxi.com;m%61ddr=192.0.2.1"},
    {"sip:biloxi.com;maddr=192.0.2.2", "sip:biloxi.com;maddr=192.0.2.1"},
    {"sip:biloxi.com;transport=tcp", "sip:biloxi.com;transport=udp"},
    {"sip:biloxi.com;lr=on", "sip:biloxi.com;lr"},
    {"sip:biloxi.com?a=1", "sip:biloxi.com?a=2"},
    {"sip:biloxi.com?a=x", "sip:biloxi.com?a=X"},
    {"sip:biloxi.com?a=1", "sip:biloxi.com?a=1&b=2"},
    {"sip:biloxi.com?a=1", "sip:biloxi.com?b=1"},
    {"sip:biloxi.com?a=1&b=2", "sip:biloxi.com?a=2&b=1"},
    // what is reserved does not equal its escape
    {"sip:bob%3B@biloxi.com", "sip:bob;@biloxi.com"},
    {"sip:a%3Ab@biloxi.com", "sip:a:b@biloxi.com"},
    {"sip:a%26b@biloxi.com", "sip:a&b@biloxi.com"},
    {"sip:biloxi.com;a=%3A", "sip:biloxi.com;a=:"},
    {"sip:a%00b@biloxi.com", "sip:a@biloxi.com"},
    {"sip:a%00b@biloxi.com", "sip:a%00c@biloxi.com"},
    {"sip:a%2561@biloxi.com", "sip:a%61@biloxi.com"},
    // addresses
    {"sip:bob@[2001:db8::1]", "sip:bob@[2001:db8::2]"},
    {"sip:bob@[::ffff:192.0.2.1]", "sip:bob@192.0.2.1"},
    {"sip:bob@192.0.2.4", "sip:bob@192.0.2.5"},
    {"sip:bob@192.0.2.4", "sip:bob@192.0.2.4.in-addr.arpa"},
    // other schemes
    {"tel:+358-555-1234567", "tel:+3585551234568"},
    {"tel:+358-555-1234567", "tel:+358-555-12345678"},
    {"tel:+358-555-1234567", "tel:358-555-1234567"},
    {"tel:+3585551234567;ext=1", "tel:+3585551234567"},
    {"tel:+3585551234567;ext=1", "tel:+3585551234567;ext=2"},
    {"tel:+3585551234567;a;b", "tel:+3585551234567;a;c"},
    {"tel:358", "sip:h358"},
    {"tel:*21", "tel:#21"},
    {"http://A.example.com", "http://a.example.com"},
    {"mailto:bob@biloxi.com", "im:bob@biloxi.com"},
};

Test(uri, different_ones)
{
    for (size_t i = 0; i < LENGTH_OF(different_pairs); i++) {
        cr_expect_not(equal(different_pairs[i][0], different_pairs[i][1]), "%s != %s",
                      different_pairs[i][0], different_pairs[i][1]);
    }
}

Test(uri, ports_differ_when_one_is_absent)
{
    cr_assert_not(equal("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"));
    cr_assert_not(equal("sips:bob@[2001:db8::1]:5061", "sips:bob@[2001:db8::1]"));
}

Test(uri, every_one_equals_itself)
{
    for (size_t i = 0; i < LENGTH_OF(different_pairs); i++) {
        char copy[128];
        struct buf b = buf_over(copy, sizeof(copy) - 1);
        buf_put(&b, text_slice(different_pairs[i][1]));
        copy[b.len] = '\0';
        cr_expect(equal(different_pairs[i][1], copy), "%s", copy);
    }
}

static struct slice put_aor(const char *text, char memory[static 128])
{
    struct buf b = buf_over(memory, 128);
    const struct uri uri = uri_of(text);
    uri_put_aor(&b, &uri);
    cr_assert(buf_ok(&b));
    return buf_slice(&b);
}

static const char *const aors[][2] = {
    {"sip:bob@biloxi.com", "bob@biloxi.com"},
    {"sips:bob@BILOXI.Com", "bob@biloxi.com"},
    {"SIP:Bob@biloxi.com", "Bob@biloxi.com"}, // the user's case matters
    {"sip:bob:pw@biloxi.com:5070;transport=tcp;lr?subject=x", "bob@biloxi.com"},
    {"sip:%62o%62@biloxi.com", "bob@biloxi.com"},
    {"sip:bob%40home@biloxi.com", "bob@home@biloxi.com"},
    {"sip:sips%3Auser%40example.com@example.net", "sips:user@example.com@example.net"},
    {"sip:bob;day=tuesday@biloxi.com", "bob;day=tuesday@biloxi.com"},
    {"sip:bob@biloxi.com.", "bob@biloxi.com"},
    {"sip:biloxi.com", "@biloxi.com"},
    {"sip:bob@192.0.2.4:5070", "bob@192.0.2.4"},
    {"sip:bob@[2001:DB8:0:0::0001]:5070", "bob@2001:db8::1"},
    {"sip:bob@[::FFFF:C000:201]", "bob@::ffff:192.0.2.1"},
};

Test(uri, address_of_record_is_canonical)
{
    for (size_t i = 0; i < LENGTH_OF(aors); i++) {
        char memory[128];
        const struct slice aor = put_aor(aors[i][0], memory);
        cr_expect(slice_is(aor, aors[i][1]), "%s gives %.*s", aors[i][0], PRINTED(aor));
    }
}

Test(uri, address_of_record_may_hold_any_byte)
{
    char memory[128];
    const struct slice aor = put_aor("sip:null-%00-null@example.com", memory);
    cr_assert(slice_equal(aor, SLICE("null-\0-null@example.com")));
}

// Writing, reading and writing again changes nothing more.
Test(uri, address_of_record_is_a_fixed_point)
{
    static const char *const texts[] = {"sip:%62ob:x@Biloxi.com.:5070;lr", "sips:Bob@192.0.2.4?a=b",
                                        "sip:a;b=c@atlanta.COM"};
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        char once[128];
        char twice[128];
        char text[128] = {0};
        struct buf b = buf_over(text, sizeof(text) - 1);
        buf_put(&b, SLICE("sip:"));
        buf_put(&b, put_aor(texts[i], once));
        const struct slice again = put_aor(text, twice);
        ASSERT_TEXT(again, text + 4);
    }
}

Test(uri, address_of_record_that_does_not_fit_overflows)
{
    char memory[13];
    struct buf b = buf_over(memory, sizeof(memory));
    const struct uri uri = uri_of("sip:bob@biloxi.com");
    uri_put_aor(&b, &uri);
    cr_assert_not(buf_ok(&b));
}

Test(uri, other_schemes_have_no_address_of_record, .signal = SIGABRT)
{
    char memory[128];
    (void)put_aor("tel:+358-555-1234567", memory);
}

Test(uri, cut_or_changed_anywhere_is_not_read_beyond)
{
    static const char *const texts[] = {
        "sip:al%69ce:se%63ret@[2001:db8::1]:5061;transport=%74cp;lr?subject=project%20x&a=",
        "sips:b@biloxi.com:5060;maddr=192.0.2.1", "tel:+358-555%31"};
    const struct guard guard = guard_create(256);
    const struct uri other = uri_of(texts[0]);
    for (size_t i = 0; i < LENGTH_OF(texts); i++) {
        const struct slice whole = text_slice(texts[i]);
        for (size_t len = 0; len <= whole.len; len++) {
            for (unsigned change = 0; change < 2 * whole.len; change++) {
                const struct slice cut = guard_copy(guard, slice_of(whole.at, len));
                char memory[256];
                struct buf b = buf_over(memory, sizeof(memory));
                struct uri uri;
                if (change < len) {
                    guard.end[-1 - (ptrdiff_t)change] = "%:@;?[]&= \r"[(change + len) % 11];
                }
                if (uri_parse(cut, &uri) != ERR_OK) {
                    continue;
                }
                if (!uri_equal(&uri, &uri) || !slice_within(uri.params, cut) ||
                    !slice_within(uri.host, cut) || !slice_within(uri.headers, cut)) {
                    cr_assert_fail("%.*s", PRINTED(cut));
                }
                (void)uri_equal(&uri, &other);
                (void)uri_equal(&other, &uri);
                if (uri.scheme != URI_OTHER) {
                    uri_put_aor(&b, &uri);
                }
            }
        }
    }
}
