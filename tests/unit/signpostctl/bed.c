// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/signpostctl/bed.h"

#include "signpost/sip/fields.h"

void bed_init(struct bed *bed)
{
    memory_engine_init(&bed->memory);
    bed->told[0] = '\0';
    bed->complaints[0] = '\0';
    bed->fault.text[0] = '\0';
}

void bed_clear(struct bed *bed)
{
    memory_engine_clear(&bed->memory);
}

enum err bed_import(struct bed *bed, struct slice text)
{
    struct import_rules rules = {
        .kamailio = {.domain = SLICE("h"), .zone = {.local = false}, .now_ms = NOW_MS},
        .table = SLICE("location"),
        .name = "text",
        .scratch = "/tmp",
    };
    source_over(&bed->source, text);
    cr_assert(import_recognize(&bed->source, &rules.format));
    rules.complaints = fmemopen(bed->complaints, sizeof(bed->complaints), "w");
    cr_assert(rules.complaints != NULL);
    struct import *import = NULL;
    enum err e = import_read(&bed->source, &rules, &import, &bed->imported, &bed->fault);
    if (e == ERR_OK) {
        e = import_write(import, &bed->memory.engine, &bed->fault);
    }
    import_destroy(import);
    (void)fclose(rules.complaints);
    return e;
}

enum err bed_export(struct bed *bed, bool all)
{
    const struct export_rules rules = {.now_ms = NOW_MS, .all = all, .name = "told"};
    FILE *const out = fmemopen(bed->told, sizeof(bed->told), "w");
    cr_assert(out != NULL);
    const enum err e = export_all(&bed->memory.engine, &rules, out, &bed->exported, &bed->fault);
    (void)fclose(out);
    return e;
}

void bed_put(struct buf *b, const char *aor, uint64_t revision, const char *contacts)
{
    char uris[CONTACTS_PER_AOR_MAX][8];
    struct record_state state;
    state.aor = text_slice(aor);
    state.revision = revision;
    state.count = strlen(contacts);
    for (size_t i = 0; i < state.count; i++) {
        const int len = snprintf(uris[i], sizeof(uris[i]), "sip:%c@h", contacts[i]);
        const bool expired = contacts[i] >= 'A' && contacts[i] <= 'Z';
        state.bindings[i] = (struct record_binding){
            .uri = slice_of(uris[i], (size_t)len),
            .call_id = SLICE("id"),
            .cseq = 1,
            .q = Q_ABSENT,
            .expires_wall_ms = expired ? NOW_MS : NOW_MS + 60000,
        };
    }
    record_put(b, &state);
    cr_assert(buf_ok(b));
}
