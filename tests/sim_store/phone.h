// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_TESTS_SIM_STORE_PHONE_H
#define SIGNPOST_TESTS_SIM_STORE_PHONE_H

#include "signpost/base/buf.h"
#include "signpost/state/location.h"

// The phones, and what they send. A Contact tells which REGISTER it comes from, so that parts of
// two states are never taken for one.

enum { PHONES_MAX = 5, PHONE_TEXT_BYTES = 8192, PHONE_PAD_BYTES_MAX = 3800, PHONE_TAG_BYTES = 32 };

enum deed_kind { DEED_BIND, DEED_REMOVE, DEED_REMOVE_ALL, DEED_ASK };

// A REGISTER.
struct deed {
    enum deed_kind kind;
    unsigned aor;
    unsigned phone;
    uint32_t cseq;
    uint32_t expires_s;
    unsigned pad_bytes; // so long are the parameters of its Contact
};

struct phone {
    uint32_t cseq;    // the last it has used
    struct deed last; // then
    size_t tag_len;   // To tag of the answer; 0: none has come
    char tag[PHONE_TAG_BYTES];
};

// The same deed is the same bytes. Good until the next call with this buffer.
struct slice phone_register(struct buf *text, const struct deed *deed);
struct slice phone_invite(struct buf *text, unsigned aor, unsigned number);
struct slice phone_aor(struct buf *text, unsigned aor);

// Which phone and REGISTER a binding is from. False when it is not as that REGISTER has made it.
bool phone_reads(const struct binding *binding, unsigned aor, unsigned pad_bytes, unsigned *phone);

#endif
