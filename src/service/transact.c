// SPDX-License-Identifier: Apache-2.0
#include "service/transact.h"

// RFC 3261 8.1.1.7: a branch that begins so is unique by itself.
static const struct slice magic_cookie = SLICE_INIT("z9hG4bK");

// Between the fields of a key; no field can contain it.
enum { SEPARATOR = '\n' };

static bool has_cookie(struct slice branch)
{
    return branch.len > magic_cookie.len &&
           slice_equal_nocase(slice_of(branch.at, magic_cookie.len), magic_cookie);
}

static void put_field(struct buf *b, struct slice field)
{
    buf_put(b, field);
    buf_put_char(b, SEPARATOR);
}

static void put_lower(struct buf *b, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        buf_put_char(b, ascii_lower(s.at[i]));
    }
}

// ACK and CANCEL have the branch of the INVITE that they are about (RFC 3261 17.1.1.3, 9.1), and
// the answer to a CANCEL has the INVITE's tag (9.2).
static bool belongs_to_invite(enum method method)
{
    return method == METHOD_INVITE || method == METHOD_ACK || method == METHOD_CANCEL;
}

// RFC 3261 17.2.3, its two cases, without the To tag of the second. The method is told apart by
// set_key. The CSeq number stands in both: a client that uses a branch again is served all the
// same.
static void put_text(struct request *r)
{
    struct buf *const b = &r->key_text;
    buf_put_u64(b, r->cseq.number);
    buf_put_char(b, SEPARATOR);
    if (has_cookie(r->via.branch)) {
        put_field(b, r->via.branch);
        if (r->via.host_ip.family != IP_NONE) {
            ip_put(b, &r->via.host_ip);
        } else {
            put_lower(b, r->via.host);
        }
        buf_put_char(b, ':');
        buf_put_u64(b, r->via.port != 0 ? r->via.port : SIP_PORT);
        buf_put_char(b, SEPARATOR);
        return;
    }
    r->rfc2543 = true;
    put_field(b, r->message->uri);
    put_field(b, r->from_tag);
    put_field(b, r->call_id);
    put_field(b, r->via.text);
}

// The To tag that answers to the request have when it has none.
static bool has_our_tag(const struct request *r)
{
    char bytes[16];
    struct buf tag = buf_over(bytes, sizeof(bytes));
    buf_put_hex64(&tag, r->id);
    return slice_equal(r->to_tag, buf_slice(&tag));
}

// Before there were branches of RFC 3261, To tags told requests apart too, and an ACK had the one
// of the answer: that of the INVITE, or ours if it had none.
static void put_to_tag(struct request *r)
{
    const bool ours = r->message->method == METHOD_ACK && has_our_tag(r);
    put_field(&r->key_text, ours ? slice_of(NULL, 0) : r->to_tag);
}

// INVITE and ACK have the text as it is for their key, each other method appends its name.
static void set_key(struct request *r, enum method method, struct slice name)
{
    struct buf text = r->key_text;
    if (method != METHOD_INVITE && method != METHOD_ACK) {
        buf_put(&text, name);
    }
    r->key.text = buf_ok(&text) ? buf_slice(&text) : slice_of(NULL, 0);
}

// The methods whose copies are looked for. A request that is redirected may come by as many ways as
// it likes: each copy gets the same Contacts.
static bool may_merge(const struct request *r)
{
    const enum method method = r->message->method;
    return slice_empty(r->to_tag) &&
           (method == METHOD_REGISTER || method == METHOD_OPTIONS || method == METHOD_BYE);
}

// Bijective, so that nothing of the hash is lost, and so well mixed that who chooses the number
// cannot choose the place in a table.
static uint64_t mix(uint64_t hash, uint64_t number)
{
    uint64_t x = hash + number * 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return x ^ x >> 31;
}

// What tells requests apart that have all but the method in common. INVITE's id is the plain one.
static uint64_t id_of(uint64_t plain, enum method method)
{
    return belongs_to_invite(method) ? plain : plain ^ (uint64_t)method << 56;
}

// Keyed hashes that are independent of each other may be joined by exclusive or: who cannot
// foretell one of them cannot foretell the whole.
void transact_identify(struct request *r)
{
    const struct hash_key *const key = &r->uas->config.key;
    const enum method method = r->message->method;
    const uint64_t call = hash_bytes(key, r->call_id);
    const uint64_t sender = hash_bytes(key, r->from_tag) ^ (call << 1 | call >> 63);
    put_text(r);
    // Copies of a request that is too long to be remembered are told by all of their bytes.
    r->id = sender ^ hash_bytes(key, buf_ok(&r->key_text) ? buf_slice(&r->key_text) : r->in->bytes);
    r->id = id_of(r->id, method);
    if (r->rfc2543) {
        put_to_tag(r);
    }
    set_key(r, method, r->message->method_name);
    r->key.hash = r->id;
    r->key.call = call;
    r->key.merges = may_merge(r);
    r->key.merge = mix(sender, (uint64_t)r->cseq.number << 8 | (uint64_t)method);
}

static bool remembers(const struct request *r)
{
    return r->uas->transactions != NULL && !slice_empty(r->key.text);
}

// The 200 to a retransmitted REGISTER may only leave when what it promises has been kept, and
// nobody can tell here whether that is so by now. Hence it is made anew, with the state once more.
static bool answer_waits(const struct request *r)
{
    return r->uas->config.answers_wait && r->message->method == METHOD_REGISTER;
}

static bool is_success(struct slice answer)
{
    const struct slice success = SLICE("SIP/2.0 2");
    return answer.len > success.len && memcmp(answer.at, success.at, success.len) == 0;
}

bool transact_repeat(struct request *r, struct endpoint *target)
{
    struct endpoint first = *target;
    const enum transaction_found found =
        remembers(r) ? transactions_find(r->uas->transactions, &r->key, r->in->now, r->out, &first)
                     : TRANSACTION_NEW;
    r->merged = found == TRANSACTION_MERGED;
    if (found != TRANSACTION_REPEATED) {
        return false;
    }
    metrics_add(r->metrics, METRIC_RETRANSMISSIONS, 1);
    if (answer_waits(r) && is_success(buf_slice(r->out))) {
        *r->out = buf_over(r->out->at, r->out->cap);
        r->done_before = true;
        return false;
    }
    // A copy may have come in by a socket that cannot send there.
    if (first.ip.family == target->ip.family) {
        *target = first;
    }
    return true;
}

// An answer always has a To tag, and so has the ACK to it, by which those without a branch of RFC
// 3261 are told from each other.
void transact_acknowledge(struct request *r)
{
    if (remembers(r) && (!r->rfc2543 || !slice_empty(r->to_tag))) {
        (void)transactions_acknowledge(r->uas->transactions, &r->key, r->in->now);
    }
}

// RFC 3261 9.2: any method but ACK and CANCEL, INVITE first. A method that is none of ours has a
// name that the CANCEL does not tell.
bool transact_cancels(struct request *r)
{
    const uint64_t plain = r->key.hash;
    bool found = false;
    for (unsigned m = 0; !found && m < METHOD_UNKNOWN; m++) {
        const enum method method = (enum method)m;
        if (method != METHOD_ACK && method != METHOD_CANCEL) {
            r->key.hash = id_of(plain, method);
            set_key(r, method, method_name(method));
            found = remembers(r) && transactions_has(r->uas->transactions, &r->key, r->in->now);
        }
    }
    if (found) {
        r->id = r->key.hash; // the tag of the answer is that of the other (9.2)
    }
    // The methods' names have taken turns in one place.
    r->key.hash = plain;
    set_key(r, METHOD_CANCEL, r->message->method_name);
    return found;
}

void transact_remember(struct request *r, struct endpoint *target)
{
    if (!remembers(r)) {
        return;
    }
    // By maddr a stranger can have the answer sent to somebody else: once, but not a dozen times.
    const bool invite =
        r->message->method == METHOD_INVITE && ip_equal(&target->ip, &r->in->peer->ip);
    const enum transaction_kind kind = invite ? TRANSACTION_INVITE : TRANSACTION_OTHER;
    const struct transaction_path path = {
        .target = *target, .local = *r->in->local, .socket = r->in->socket};
    switch (transactions_add(r->uas->transactions, &r->key, kind, buf_slice(r->out), &path,
                             r->in->now)) {
    case TRANSACTION_ADDED: break;
    case TRANSACTION_NO_ROOM: metrics_add(r->metrics, METRIC_TRANSACTIONS_REFUSED, 1); break;
    case TRANSACTION_EXISTS:
        if (answer_waits(r)) {
            break;
        }
        *r->out = buf_over(r->out->at, r->out->cap);
        (void)transact_repeat(r, target);
        break;
    }
}
