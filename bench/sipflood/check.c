// SPDX-License-Identifier: Apache-2.0
#include "sipflood/check.h"

static bool complain(struct complaint *why, const char *what, struct slice expected,
                     struct slice found)
{
    *why = (struct complaint){.what = what, .expected = expected, .found = found};
    return false;
}

static bool check_equal(struct slice expected, struct slice found, const char *what,
                        struct complaint *why)
{
    return slice_equal(expected, found) || complain(why, what, expected, found);
}

// RFC 3261 8.2.6.2: the request's To, and a tag that the server adds.
static bool check_to(struct slice expected, struct slice found, struct complaint *why)
{
    if (found.len < expected.len || !slice_equal(slice_of(found.at, expected.len), expected)) {
        return complain(why, "To is not the request's", expected, found);
    }
    const struct slice params = slice_trim(slice_from(found, expected.len));
    if (slice_empty(answer_param(params, SLICE("tag")))) {
        return complain(why, "To has no tag", expected, found);
    }
    return true;
}

struct contacts_seen {
    unsigned own;
    unsigned other;
    struct contact own_last;
    struct contact other_last;
};

static bool see_contacts(const struct answer *a, struct slice own, struct contacts_seen *seen)
{
    *seen = (struct contacts_seen){0};
    for (unsigned i = 0; i < a->contact_fields; i++) {
        struct slice rest = a->contacts[i];
        struct contact one;
        while (answer_contact_next(&rest, &one)) {
            const bool is_own = slice_equal(one.uri, own);
            seen->own += is_own ? 1 : 0;
            seen->other += is_own ? 0 : 1;
            *(is_own ? &seen->own_last : &seen->other_last) = one;
        }
        if (!slice_empty(rest)) {
            return false;
        }
    }
    return true;
}

static bool check_bound(const struct expectation *e, const struct contacts_seen *seen,
                        struct complaint *why)
{
    uint64_t expires_s = 0;
    if (seen->own == 0) {
        return complain(why, "the phone's own Contact is missing", e->contact,
                        seen->other_last.uri);
    }
    if (seen->own > 1) {
        return complain(why, "the phone's own Contact is listed twice", e->contact,
                        seen->own_last.uri);
    }
    const struct slice text = answer_param(seen->own_last.params, SLICE("expires"));
    if (!slice_to_u64(text, e->expires_s, &expires_s) || expires_s == 0) {
        return complain(why, "expires of the Contact is not above 0 and at most as asked for",
                        e->contact, seen->own_last.params);
    }
    return true;
}

static bool check_contacts(const struct expectation *e, const struct answer *a,
                           struct complaint *why)
{
    struct contacts_seen seen;
    const enum contact_rule rule = e->scenario->contact;
    if (rule == CONTACT_IGNORED) {
        return true;
    }
    if (!see_contacts(a, e->contact, &seen)) {
        return complain(why, "a Contact field is malformed", e->contact, a->contacts[0]);
    }
    if (rule == CONTACT_BOUND) {
        return check_bound(e, &seen, why);
    }
    if (rule == CONTACT_GONE) {
        return seen.own == 0 ||
               complain(why, "the Contact is still bound", SLICE("not listed"), seen.own_last.uri);
    }
    if (seen.other > 0) {
        return complain(why, "a Contact is not the callee's own", e->contact, seen.other_last.uri);
    }
    return seen.own == 1 || complain(why, "the callee's Contact is not there exactly once",
                                     e->contact, seen.own_last.uri);
}

// What every answer repeats of its request (RFC 3261 8.2.6.2).
static bool check_repeated(const struct expectation *e, const struct answer *a,
                           struct complaint *why)
{
    return check_equal(e->call_id, a->call_id, "Call-ID is not the request's", why) &&
           check_equal(e->cseq, a->cseq, "CSeq is not the request's", why) &&
           check_equal(e->from, a->from, "From is not the request's", why) &&
           check_to(e->to, a->to, why);
}

// RFC 3261 20.33: a number of seconds, which a comment and parameters may follow.
static bool refuses(const struct answer *a)
{
    return a->status == 503 && !slice_empty(a->retry_after) && ascii_digit(a->retry_after.at[0]);
}

enum verdict check_answer(const struct expectation *e, const struct answer *a,
                          struct complaint *why)
{
    if (refuses(a)) {
        return check_repeated(e, a, why) ? VERDICT_REFUSED : VERDICT_WRONG_CONTENT;
    }
    if (a->status != e->scenario->status) {
        complain(why, "wrong status", e->scenario->status_text, a->start_line);
        return VERDICT_WRONG_STATUS;
    }
    const bool right = check_repeated(e, a, why) && check_contacts(e, a, why);
    return right ? VERDICT_RIGHT : VERDICT_WRONG_CONTENT;
}
