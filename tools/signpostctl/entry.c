// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/entry.h"

#include "signpost/sip/fields.h"
#include "signpost/sip/params.h"

bool entry_put_aor(struct buf *b, struct slice user, struct slice host)
{
    enum { SCHEME = 4 };

    char bytes[SCHEME + AOR_BYTES_MAX];
    struct buf text = buf_over(bytes, sizeof(bytes));
    struct uri uri;
    buf_put(&text, SLICE("sip:"));
    buf_put(&text, host);
    if (!buf_ok(&text) || uri_parse(buf_slice(&text), &uri) != ERR_OK || uri.host.len != host.len) {
        return false; // it has a port, or other things
    }
    buf_put(b, user);
    uri_put_aor(b, &uri);
    return true;
}

static bool has_control(struct slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if ((unsigned char)text.at[i] < ' ' || text.at[i] == '\x7f') {
            return true;
        }
    }
    return false;
}

// Parameters as a Contact has them, each once.
static bool params_well_formed(struct slice params)
{
    struct param_names names = {.count = 0};
    struct param param;
    while (params_next(&params, &param)) {
        if (!params_name_is_new(&names, param.name)) {
            return false;
        }
    }
    return slice_empty(params);
}

// Fields as a record has them, of tags that are not known here: what a record gives back as it was.
static bool extra_well_formed(struct slice extra)
{
    char bytes[RECORD_EXTRA_BYTES_MAX + 256];
    struct buf b = buf_over(bytes, sizeof(bytes));
    struct record_state state;
    state.aor = SLICE("x@x");
    state.revision = 1;
    state.count = 1;
    state.bindings[0] = (struct record_binding){
        .uri = SLICE("sip:x"), .call_id = SLICE("x"), .q = Q_ABSENT, .extra = extra};
    record_put(&b, &state);
    struct slice block = buf_slice(&b);
    return record_next(&block, &state) == ERR_OK && slice_equal(state.bindings[0].extra, extra);
}

const char *entry_fault(const struct entry *entry)
{
    const struct record_binding *const b = &entry->binding;
    struct uri uri;
    if (entry->aor.len > AOR_BYTES_MAX) {
        return "has an address of record that is too long";
    }
    if (uri_parse(b->uri, &uri) != ERR_OK) {
        return "has a Contact that is no URI";
    }
    if (has_control(b->params) || !params_well_formed(b->params)) {
        return "has Contact parameters that are none";
    }
    if (b->uri.len + b->params.len > CONTACT_BYTES_MAX) {
        return "has a Contact that is too long";
    }
    if (b->call_id.len > CALL_ID_BYTES_MAX || !call_id_well_formed(b->call_id)) {
        return "has a Call-ID that is none";
    }
    if (b->extra.len > RECORD_EXTRA_BYTES_MAX ||
        (b->extra.len > 0 && !extra_well_formed(b->extra))) {
        return "has an extra that no release writes";
    }
    return NULL;
}
