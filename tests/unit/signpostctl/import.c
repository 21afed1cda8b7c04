// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/import.h"

#include "tests/unit/signpostctl/bed.h"

static struct bed bed;

static void init(void)
{
    bed_init(&bed);
}

static void fini(void)
{
    bed_clear(&bed);
}

TestSuite(import, .init = init, .fini = fini);

#define HEAD                                                                                       \
    "id,username,domain,contact,received,path,expires,q,callid,cseq,last_modified,instance,reg_id" \
    "\n"
#define LATER "2026-11-22 17:01:00"

// Imports the rows of a CSV file and exports the store.
static void import_rows(const char *rows)
{
    static char text[64 * 1024];
    (void)snprintf(text, sizeof(text), HEAD "%s", rows);
    cr_assert_eq(bed_import(&bed, text_slice(text)), ERR_OK, "%s", bed.fault.text);
    cr_assert_eq(bed_export(&bed, false), ERR_OK);
}

static bool told(const char *text)
{
    return strstr(bed.told, text) != NULL;
}

Test(import, row_becomes_a_binding)
{
    import_rows("1,bob,Example.COM,sip:b@192.0.2.1,,," LATER ",0.25,id@h,7," LATER
                ",<urn:uuid:1>,2\n");
    cr_expect_str_eq(bed.told,
                     "{\"aor\":\"bob@example.com\",\"contact\":\"sip:b@192.0.2.1\",\"params\":"
                     "\";+sip.instance=\\\"<urn:uuid:1>\\\";reg-id=2\",\"q\":0.250,\"expires\":60,"
                     "\"call_id\":\"id@h\",\"cseq\":7,\"expires_at\":\"2026-11-22T17:01:00.000Z\","
                     "\"revision\":1}\n");
    cr_expect_eq(bed.imported.rows, 1);
    cr_expect_eq(bed.imported.spool.bindings, 1);
    cr_expect_str_eq(bed.complaints, "");
}

Test(import, expiries_are_dates_or_seconds_or_julian_days)
{
    import_rows("1,a,h,sip:1@h,,," LATER ",,id,1,,,0\n"
                "2,b,h,sip:1@h,,,1795366860,,id,1,,,0\n"
                "3,c,h,sip:1@h,,,2461367.2090277777778,,id,1,,,0\n"
                "4,d,h,sip:1@h,,,2026-11-22 18:01:00+01,,id,1,,,0\n");
    cr_expect_eq(bed.exported.bindings, 4);
    const char *at = bed.told;
    for (unsigned i = 0; i < 4; i++) {
        at = strstr(at, "\"expires_at\":\"2026-11-22T17:01:00.000Z\"");
        cr_assert(at != NULL, "%s", bed.told);
        at++;
    }
}

Test(import, permanent_bindings_get_the_longest_expiry)
{
    import_rows("1,a,h,sip:1@h,,,1970-01-01 00:00:00,,id,1,,,0\n"
                "2,b,h,sip:1@h,,,0,,id,1,,,0\n"
                "3,c,h,sip:1@h,,,1969-12-31 19:00:00,,id,1,,,0\n"
                "4,d,h,sip:1@h,,,2440587.5,,id,1,,,0\n"
                "5,e,h,sip:1@h,,,9999-12-31 23:59:59,,id,1,,,0\n");
    cr_expect_eq(bed.imported.permanent, 4);
    cr_expect_eq(bed.exported.bindings, 5);
    cr_expect(told("\"expires\":2147483647"));
}

Test(import, what_has_expired_is_left_out)
{
    import_rows("1,a,h,sip:1@h,,,2026-11-22 17:00:00,,id,1,,,0\n"
                "2,b,h,sip:1@h,,," LATER ",,id,1,,,0\n");
    cr_expect_eq(bed.imported.expired, 1);
    cr_expect_eq(bed.exported.bindings, 1);
}

Test(import, what_cannot_be_kept_is_counted)
{
    import_rows("1,a,h,sip:1@h,sip:192.0.2.7:999,," LATER ",,id,1,,,0\n"
                "2,b,h,sip:1@h,,<sip:edge;lr>," LATER ",,id,1,,,0\n");
    cr_expect_eq(bed.imported.by_nat, 1);
    cr_expect_eq(bed.imported.by_path, 1);
    cr_expect_eq(bed.exported.bindings, 2);
}

Test(import, rows_of_one_aor_are_joined_the_latest_first)
{
    import_rows("1,bob,H,sip:1@h,,," LATER ",,id,1,2026-11-22 16:00:01,,0\n"
                "9,ann,h,sip:1@h,,," LATER ",,id,1,2026-11-22 16:00:01,,0\n"
                "2,bob,h,sip:2@h,,," LATER ",,id,1,2026-11-22 16:00:03,,0\n"
                "4,bob,h,sip:4@h,,," LATER ",,id,1,2026-11-22 16:00:02,,0\n"
                "3,bob,h,sip:3@h,,," LATER ",,id,1,2026-11-22 16:00:02,,0\n"
                "5,bob,h,sip:1@H,,," LATER ",,newer,1,2026-11-22 16:00:04,,0\n");
    cr_expect_eq(bed.exported.aors, 2);
    cr_expect_eq(bed.exported.bindings, 5);
    cr_expect_eq(bed.imported.spool.doubled, 1);
    cr_expect_eq(bed.exported.walk.records, 2);
    const char *last = bed.told;
    static const char *const order[] = {"sip:1@H", "sip:2@h", "sip:4@h", "sip:3@h"};
    for (size_t i = 0; i < LENGTH_OF(order); i++) {
        const char *const at = strstr(bed.told, order[i]);
        cr_assert(at != NULL && at > last, "%s", bed.told);
        last = at;
    }
}

Test(import, oldest_of_too_many_are_left_out)
{
    static char rows[32 * 1024];
    size_t len = 0;
    for (unsigned i = 0; i < CONTACTS_PER_AOR_MAX + 3; i++) {
        len += (size_t)snprintf(rows + len, sizeof(rows) - len,
                                "%u,bob,h,sip:%u@h,,," LATER ",,id,1,,,0\n", i, i);
    }
    import_rows(rows);
    cr_expect_eq(bed.exported.bindings, CONTACTS_PER_AOR_MAX);
    cr_expect_eq(bed.imported.spool.crowded, 3);
    cr_expect(told("sip:66@h") && told("sip:3@h") && !told("sip:2@h"));
}

static const char *const bad_rows[] = {
    ",h,sip:1@h,,," LATER ",,id,1,,,0",
    "a,h,,,," LATER ",,id,1,,,0",
    "a,h h,sip:1@h,,," LATER ",,id,1,,,0",
    "a,h:5060,sip:1@h,,," LATER ",,id,1,,,0",
    "a,h,1@h,,," LATER ",,id,1,,,0",
    "a,h,sip:1@h>,,," LATER ",,id,1,,,0",
    "a,h,\"sip:1@h\r\nX: y\",,," LATER ",,id,1,,,0",
    "a,h,sip:1@h,,,tomorrow,,id,1,,,0",
    "a,h,sip:1@h,,,-1,,id,1,,,0",
    "a,h,sip:1@h,,,,,id,1,,,0",
    "a,h,sip:1@h,,," LATER ",1.5,id,1,,,0",
    "a,h,sip:1@h,,," LATER ",,i d,1,,,0",
    "a,h,sip:1@h,,," LATER ",,id,-1,,,0",
    "a,h,sip:1@h,,," LATER ",,id,4294967296,,,0",
    "a,h,sip:1@h,,," LATER ",,id,1,,\"x\ny\",0",
    "a,h,sip:1@h,,," LATER ",,id,1,,,0;x y",
};

Test(import, bad_rows_are_told_and_the_others_imported)
{
    for (size_t i = 0; i < LENGTH_OF(bad_rows); i++) {
        char rows[512];
        bed_clear(&bed);
        bed_init(&bed);
        (void)snprintf(rows, sizeof(rows), "1,%s\n2,z,h,sip:1@h,,," LATER ",,id,1,,,0\n",
                       bad_rows[i]);
        import_rows(rows);
        cr_expect_eq(bed.imported.bad, 1, "%s", bad_rows[i]);
        cr_expect_eq(bed.exported.bindings, 1, "%s", bad_rows[i]);
        cr_expect(strncmp(bed.complaints, "signpostctl: text:2: has ", 25) == 0, "%s: %s",
                  bad_rows[i], bed.complaints);
    }
}

Test(import, beginning_of_a_bad_row_is_told_without_what_a_terminal_obeys)
{
    import_rows(
        "1,bob\x1b[2J\xff,h,x\n"
        "1,bob,h,0123456789012345678901234567890123456789012345678901,,," LATER ",,id,1,,,0\n"
        "1,bob,h,01234567890123456789012345678901234567890123456789012,,," LATER ",,id,1,,,0\n"
        "\n1,,h,sip:1@h,,," LATER ",,id,1,,\"x\ny\",0\n");
    cr_expect_str_eq(
        bed.complaints,
        "signpostctl: text:2: has fewer values than there are columns: 1,bob\\x1b[2J\\xff,h,x\n"
        "signpostctl: text:3: has a Contact that is no URI: "
        "1,bob,h,0123456789012345678901234567890123456789012345678901...\n"
        "signpostctl: text:4: has a Contact that is no URI: "
        "1,bob,h,0123456789012345678901234567890123456789012345678901...\n"
        "signpostctl: text:6: has no username: 1,,h,sip:1@h,,," LATER ",,id,1,,x\\x0ay,0\n");
}

Test(import, first_ten_complaints_are_written_and_all_are_counted)
{
    static char rows[4096];
    size_t len = 0;
    for (unsigned i = 0; i < 15; i++) {
        len += (size_t)snprintf(rows + len, sizeof(rows) - len, "x\n");
    }
    import_rows(rows);
    cr_expect_eq(bed.imported.bad, 15);
    cr_expect(strstr(bed.complaints, "text:11: ") != NULL);
    cr_expect(strstr(bed.complaints, "text:12: ") == NULL);
    cr_expect_eq(bed.memory.generations, 0, "nothing to write, nothing written");
}

Test(import, row_without_a_domain_gets_the_one_that_is_said)
{
    import_rows("1,bob,,sip:1@h,,," LATER ",,id,1,,,0\n");
    cr_expect(told("\"bob@h\""));
}

Test(import, without_a_domain_nothing_is_imported)
{
    const struct import_rules rules = {.format = IMPORT_KAMAILIO_CSV,
                                       .kamailio = {.now_ms = NOW_MS},
                                       .name = "text",
                                       .scratch = "/tmp",
                                       .complaints = stderr};
    source_over(&bed.source, SLICE(HEAD "1,ann,h,sip:1@h,,," LATER ",,id,1,,,0\n"
                                        "1,bob,,sip:1@h,,," LATER ",,id,1,,,0\n"));
    struct import *import = NULL;
    cr_expect_eq(import_read(&bed.source, &rules, &import, &bed.imported, &bed.fault),
                 ERR_NOT_FOUND);
    cr_expect_null(import);
    cr_expect_str_eq(bed.fault.text, "text:3: the row has no domain (use_domain was 0): say which "
                                     "it is with --domain NAME");
}

Test(import, into_a_store_with_others_it_replaces_what_it_names)
{
    static char bytes[4096];
    struct buf b = buf_over(bytes, sizeof(bytes));
    bed_put(&b, "bob@h", 40, "xy");
    bed_put(&b, "ann@h", 41, "z");
    memory_engine_add(&bed.memory, buf_slice(&b));
    import_rows("1,bob,h,sip:1@h,,," LATER ",,id,1,,,0\n");
    cr_expect_eq(bed.exported.bindings, 2);
    cr_expect(told("sip:1@h") && told("sip:z@h") && !told("sip:x@h"));
    cr_expect_eq(bed.exported.walk.highest_revision, 42);
    cr_expect_eq(bed.memory.synced, bed.memory.count, "it is on disk");
}

Test(import, store_that_cannot_be_written_is_told)
{
    bed.memory.full = true;
    cr_expect_eq(bed_import(&bed, SLICE("{\"aor\":\"b@h\",\"contact\":\"sip:b@h\",\"expires\":9,"
                                        "\"call_id\":\"i\",\"cseq\":1}")),
                 ERR_IO);
    cr_expect_str_eq(bed.fault.text, "no space left");
}

// ---- JSON

Test(import, export_is_imported_as_it_was)
{
    static char first[TOLD_BYTES];
    static const struct slice lines = SLICE_INIT(
        "{\"aor\":\"b\xef\xbf\xbd@h\",\"contact\":\"sip:b@h\",\"params\":\";x=\\\"\\\\\\\"\\\"\","
        "\"q\":0.499,\"expires\":2,\"call_id\":\"id@h\",\"cseq\":7,"
        "\"expires_at\":\"2026-11-22T17:00:01.500Z\",\"revision\":42,"
        "\"request_id\":\"fedcba9876543210\",\"extra\":\"0902006162\",\"aor_hex\":\"62fc4068\"}\n"
        "{\"aor\":\"b\xef\xbf\xbd@h\",\"contact\":\"sip:a@h\",\"params\":\"\",\"q\":1.000,"
        "\"expires\":60,\"call_id\":\"id\",\"cseq\":0,"
        "\"expires_at\":\"2026-11-22T17:01:00.000Z\",\"revision\":42,\"aor_hex\":\"62fc4068\"}\n");
    cr_assert_eq(bed_import(&bed, lines), ERR_OK);
    cr_expect_str_eq(bed.complaints, "");
    cr_assert_eq(bed_export(&bed, false), ERR_OK);
    cr_expect(slice_is(lines, bed.told), "%s", bed.told);
    memcpy(first, bed.told, sizeof(first));
    bed_clear(&bed);
    bed_init(&bed);
    cr_assert_eq(bed_import(&bed, text_slice(first)), ERR_OK);
    cr_assert_eq(bed_export(&bed, false), ERR_OK);
    cr_expect_str_eq(bed.told, first);
}

Test(import, bindings_as_a_server_tells_them_are_imported)
{
    cr_assert_eq(bed_import(&bed, SLICE("{\"aor\":\"b@h\",\"contact\":\"sip:b@h\",\"params\":\"\","
                                        "\"expires\":3600,\"call_id\":\"i\",\"cseq\":1}\n")),
                 ERR_OK);
    cr_assert_eq(bed_export(&bed, false), ERR_OK);
    cr_expect(told("\"expires\":3600") && told("\"revision\":1"), "%s", bed.told);
}

#define JSON(aor, rest)                                                                            \
    "{\"aor\":\"" aor "\",\"contact\":\"sip:b@h\",\"expires\":9,\"call_id\":\"i\",\"cseq\":1" rest \
    "}"

static const char *const bad_lines[] = {
    "{",
    "{} x",
    "{}",
    "[1]",
    "{\"aor\":\"b@h\"}",
    "{\"aor\":\"b@h\",\"contact\":\"sip:b@h\",\"call_id\":\"i\",\"cseq\":1}",
    JSON("b", ""),
    JSON("b@", ""),
    JSON("b@h x", ""),
    JSON("b@h", ",\"aor\":\"b@h\""),
    JSON("b@h", ",\"q\":2"),
    JSON("b@h", ",\"q\":\"1\""),
    JSON("b@h", ",\"params\":7"),
    JSON("b@h", ",\"params\":\"x\""),
    JSON("b@h", ",\"params\":\";a;a\""),
    JSON("b@h", ",\"params\":\";a=\\\"\\r\\n\\\"\""),
    JSON("b@h", ",\"params_hex\":\"3b6\""),
    JSON("b@h", ",\"params_hex\":\"3bxx\""),
    JSON("b@h", ",\"revision\":-1"),
    JSON("b@h", ",\"revision\":1.5"),
    JSON("b@h", ",\"revision\":9223372036854775808"),
    JSON("b@h", ",\"request_id\":\"12\""),
    JSON("b@h", ",\"expires_at\":\"soon\""),
    JSON("b@h", ",\"extra\":\"0902\""),
    JSON("b@h", ",\"extra\":\"0100006162\""),
};

Test(import, bad_lines_are_told_and_the_others_imported)
{
    for (size_t i = 0; i < LENGTH_OF(bad_lines); i++) {
        char text[1024];
        bed_clear(&bed);
        bed_init(&bed);
        (void)snprintf(text, sizeof(text), JSON("z@h", "") "\n%s\n", bad_lines[i]);
        cr_assert_eq(bed_import(&bed, text_slice(text)), ERR_OK);
        cr_expect_eq(bed.imported.bad, 1, "%s", bad_lines[i]);
        cr_expect_eq(bed.imported.spool.bindings, 1);
        cr_expect(strncmp(bed.complaints, "signpostctl: text:2: ", 21) == 0, "%s", bed.complaints);
    }
}

static const struct {
    const char *line;
    unsigned bindings;
} members[] = {
    {"{\"aor\":\"b@h\",\"contact\":\"sip:b@h\",\"call_id\":\"i\",\"expires\":9}\n", 1},
    {"{\"contact\":\"sip:b@h\",\"call_id\":\"i\",\"expires\":9}\n", 0},
    {"{\"aor\":\"b@h\",\"call_id\":\"i\",\"expires\":9}\n", 0},
    {"{\"aor\":\"b@h\",\"contact\":\"sip:b@h\",\"expires\":9}\n", 0},
    {"{\"aor\":\"b@h\",\"contact\":\"sip:b@h\",\"call_id\":\"i\"}\n", 0},
    {"{\"aor\":\"b@h\",\"contact\":\"sip:b@h\",\"call_id\":\"i\","
     "\"expires_at\":\"2026-11-22T17:00:01.500Z\"}\n",
     1},
};

Test(import, line_needs_aor_and_contact_and_call_id_and_an_expiry)
{
    for (size_t i = 0; i < LENGTH_OF(members); i++) {
        bed_clear(&bed);
        bed_init(&bed);
        cr_assert_eq(bed_import(&bed, text_slice(members[i].line)), ERR_OK);
        cr_expect_eq(bed.imported.spool.bindings, members[i].bindings, "%s", members[i].line);
        cr_expect_eq(bed.complaints[0] == '\0', members[i].bindings == 1, "%s", bed.complaints);
    }
}

// ---- Cut off

static void expect_cut(const char *text, bool cut, unsigned bindings)
{
    bed_clear(&bed);
    bed_init(&bed);
    cr_assert_eq(bed_import(&bed, text_slice(text)), ERR_OK, "%s", bed.fault.text);
    cr_expect_eq(bed.imported.cut, cut, "%s", text);
    cr_expect_eq(bed.imported.spool.bindings, bindings, "%s", text);
}

Test(import, line_that_is_cut_in_its_middle_is_told)
{
    static const char line[] = JSON("b@h", "");
    char text[3 * sizeof(line)];
    for (size_t len = 1; len < sizeof(line) - 1; len++) {
        (void)snprintf(text, sizeof(text), "%s\n%.*s", line, (int)len, line);
        expect_cut(text, true, 1);
    }
    expect_cut(JSON("a@h", "") "\n" JSON("b@h", ""), false, 2);
    expect_cut(JSON("a@h", "") "\n{\n", false, 1);
    expect_cut("{\n" JSON("b@h", ""), false, 1);
    expect_cut(JSON("a@h", "") "\n" JSON("b", ""), false, 1);
}

Test(import, table_that_is_cut_in_its_middle_is_told)
{
    expect_cut(HEAD "1,a,h,sip:1@h,,," LATER ",,id,1,,,0\n2,b,h,sip:1@", true, 1);
    expect_cut(HEAD "1,a,h,sip:1@h,,," LATER ",,id,1,,,0\n2,b,h,\"sip:1@h", true, 1);
    expect_cut(HEAD "1,a,h,sip:1@h,,," LATER ",,id,1,,,0\nx\n", false, 1);
    expect_cut("username(string) contact(string) expires(int) \na:sip\\:1@h:0\nb:sip", true, 1);
}

#define INTO "INSERT INTO location (username, contact, expires) VALUES ('a', 'sip:a@h', 0)"
#define COPY "COPY location (username, contact, expires) FROM stdin;\na\tsip:a@h\t0\n"

Test(import, dump_that_is_cut_in_its_middle_is_told)
{
    expect_cut(INTO ";", false, 1);
    expect_cut(INTO ", ('b', 'sip:b@h', 0);\n-- done", false, 2);
    expect_cut(INTO, true, 1);
    expect_cut(INTO ",\n", true, 1);
    expect_cut(INTO ",\n('b', 'si", true, 1);
    expect_cut(INTO ",\n('b', 'sip:b@h'\n,", true, 1);
    expect_cut(COPY "\\.\n", false, 1);
    expect_cut(COPY, true, 1);
    expect_cut(COPY "b\tsi", true, 1);
}

// ---- Formats

Test(import, formats_are_recognized)
{
    static const struct {
        const char *text;
        int format; // -1: none
    } rows[] = {
        {"{\"aor\":\"b@h\"}\n", IMPORT_JSON},
        {"\n {\"aor\":\"b@h\"}\n", IMPORT_JSON},
        {HEAD, IMPORT_KAMAILIO_CSV},
        {"username\tcontact\n", IMPORT_KAMAILIO_CSV},
        {"id(int,auto) ruid(string) \n1:2\n", IMPORT_KAMAILIO_DBTEXT},
        {"-- MySQL dump 10.13\n", IMPORT_KAMAILIO_SQL},
        {"/*!40101 SET x */;", IMPORT_KAMAILIO_SQL},
        {"insert into location values (1);", IMPORT_KAMAILIO_SQL},
        {"PRAGMA foreign_keys=OFF;", IMPORT_KAMAILIO_SQL},
        {"\\restrict x\n", IMPORT_KAMAILIO_SQL},
        {"", -1},
        {"hello\n", -1},
        {"\x1f\x8b\x08", -1},
    };

    for (size_t i = 0; i < LENGTH_OF(rows); i++) {
        enum import_format format = IMPORT_FORMATS;
        source_over(&bed.source, text_slice(rows[i].text));
        const bool found = import_recognize(&bed.source, &format);
        cr_expect_eq(found ? (int)format : -1, rows[i].format, "%s", rows[i].text);
    }
}

Test(import, formats_are_found_by_their_names)
{
    enum import_format format;
    for (int i = 0; i < IMPORT_FORMATS; i++) {
        cr_expect(import_format_find(import_format_name((enum import_format)i), &format));
        cr_expect_eq((int)format, i);
    }
    cr_expect(!import_format_find("xml", &format));
}
