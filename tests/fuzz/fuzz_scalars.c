// SPDX-License-Identifier: Apache-2.0
// One value through the parsers of all the small header fields, each compared with a second, slower
// reading of its grammar.
#include "signpost/sip/chars.h"
#include "signpost/sip/fields.h"
#include "signpost/sip/params.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/input.h"

// 1*DIGIT, up to 2^32: false when it is none.
static bool number_of(struct slice s, uint64_t *number)
{
    const uint64_t most = UINT64_C(1) << 32;
    *number = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9') {
            return false;
        }
        *number = *number * 10 + (uint64_t)(s.at[i] - '0');
        *number = *number > most ? most : *number;
    }
    return s.len > 0;
}

static void check_expires(struct slice input)
{
    uint32_t seconds = 0xa5a5a5a5;
    uint64_t number;
    const bool ok = number_of(input, &number) && number <= UINT32_MAX;
    assert((expires_parse(input, &seconds) == ERR_OK) == ok);
    assert(!ok || seconds == (number < EXPIRES_S_LIMIT ? number : EXPIRES_S_LIMIT));
}

static void check_max_forwards(struct slice input)
{
    uint64_t number;
    assert(max_forwards_well_formed(input) == number_of(input, &number));
}

static bool is_token(struct slice s)
{
    static const struct slice others = SLICE_INIT("-.!%*_+`'~");
    for (size_t i = 0; i < s.len; i++) {
        const char lower = ascii_lower(s.at[i]);
        if (!(lower >= 'a' && lower <= 'z') && !ascii_digit(lower) && !any_of(lower, others)) {
            return false;
        }
    }
    return s.len > 0;
}

static void check_cseq(struct slice input)
{
    struct cseq cseq;
    size_t end = 0;
    while (end < input.len && ascii_digit(input.at[end])) {
        end++;
    }
    size_t next = end;
    while (next < input.len && any_of(input.at[next], SLICE(" \t\r\n"))) {
        next++;
    }
    uint64_t number;
    const struct slice method = slice_from(input, next);
    const bool ok = number_of(slice_of(input.at, end), &number) && number <= INT32_MAX &&
                    next > end && is_token(method);
    assert((cseq_parse(input, &cseq) == ERR_OK) == ok);
    assert(!ok || (cseq.number == number && same(cseq.method, method)));
}

static void check_call_id(struct slice input)
{
    static const struct slice others = SLICE_INIT("-.!%*_+`'~()<>:\\\"/[]?{}@");
    size_t ats = 0;
    bool ok = input.len > 0 && input.at[0] != '@' && input.at[input.len - 1] != '@';
    for (size_t i = 0; i < input.len; i++) {
        const struct slice one = slice_of(input.at + i, 1);
        ok = ok && (is_token(one) || any_of(one.at[0], others));
        ats += one.at[0] == '@' ? 1 : 0;
    }
    assert(call_id_well_formed(input) == (ok && ats <= 1));
}

static void check_tokens(struct slice input)
{
    struct slice rest = input;
    struct slice token;
    while (!slice_empty(rest)) {
        const struct slice before = rest;
        const enum err e = token_next(&rest, &token);
        assert(within(rest, before));
        if (e != ERR_OK) {
            return;
        }
        assert(is_token(token) && within(token, before));
        assert(slice_end(rest) == slice_end(before) && rest.len < before.len);
        const struct slice gap = slice_between(slice_end(token), rest.at);
        assert(slice_empty(rest) || slice_find(gap, ',') < gap.len);
    }
}

static void check_media_type(struct slice input)
{
    struct media_type media;
    memset(&media, 0xa5, sizeof(media));
    if (media_type_parse(input, &media) != ERR_OK) {
        return;
    }
    assert(is_token(media.type) && is_token(media.subtype));
    assert(within(media.type, input) && within(media.subtype, input));
    assert(within(media.params, input) && (media.params.len == 0 || media.params.at[0] == ';'));
    assert(slice_find(slice_between(slice_end(media.type), media.subtype.at), '/') <
           (size_t)(media.subtype.at - slice_end(media.type)));
}

static void check_disposition(struct slice input)
{
    bool optional = true;
    const enum err e = disposition_parse(input, &optional);
    assert(e == ERR_OK || !optional);
    // the parameter and its value are there somewhere
    assert(!optional || input.len >= strlen("x;handling=optional"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct slice input = guarded(0, data, size);
    check_expires(input);
    check_max_forwards(input);
    check_cseq(input);
    check_call_id(input);
    check_tokens(input);
    check_media_type(input);
    check_disposition(input);
    return 0;
}
