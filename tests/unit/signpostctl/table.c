// SPDX-License-Identifier: Apache-2.0
#include "signpostctl/table.h"

#include "tests/unit/support.h"

// A table is told as "username|domain|contact|expires" of each row: "-" for what is not there, "!"
// for a bad row.
static void tell(struct buf *b, const struct table *table)
{
    static const enum column columns[] = {COLUMN_USERNAME, COLUMN_DOMAIN, COLUMN_CONTACT,
                                          COLUMN_EXPIRES};

    for (size_t i = 0; i < LENGTH_OF(columns); i++) {
        const struct slice *const value = table_value(table, columns[i]);
        buf_put(b, i == 0 ? SLICE("") : SLICE("|"));
        buf_put(b, value == NULL ? SLICE("-") : *value);
    }
    buf_put(b, SLICE("\n"));
}

static void read_all(struct slice text, enum table_format format, struct buf *told)
{
    static struct source source;
    static struct table table;
    source_over(&source, text);
    if (table_open(&table, &source, format, SLICE("location")) != ERR_OK) {
        buf_put(told, SLICE("?\n"));
        return;
    }
    for (enum err e; (e = table_next(&table)) != ERR_NOT_FOUND;) {
        cr_assert(e == ERR_OK || e == ERR_SYNTAX);
        cr_assert(e == ERR_OK || table.why[0] != '\0');
        if (e == ERR_OK) {
            tell(told, &table);
        } else {
            buf_put(told, SLICE("!\n"));
        }
    }
}

struct example {
    enum table_format format;
    const char *text;
    const char *rows;
};

#define HEAD "id,username,domain,contact,expires\n"
#define DBTEXT_HEAD                                                                                \
    "id(int,auto) username(string) domain(string,null) contact(string) expires(int)\n"
#define COLUMNS_LIST "(id, username, domain, contact, expires)"

// clang-format off
static const struct example examples[] = {
    {TABLE_CSV, HEAD "1,bob,h,sip:bob@h,7\n", "bob|h|sip:bob@h|7\n"},
    {TABLE_CSV, HEAD "1,bob,,sip:bob@h,7", "bob|-|sip:bob@h|7\n"},
    {TABLE_CSV, HEAD "1,bob,NULL,sip:bob@h,7\r\n\r\n", "bob|-|sip:bob@h|7\n"},
    {TABLE_CSV, "\"username\",\"contact\",\"expires\"\n\"b\"\"ob\",\"a,b\nc\",7\n",
     "b\"ob|-|a,b\nc|7\n"},
    {TABLE_CSV, "contact;expires;username\nsip:b,@h;7;bob\n", "bob|-|sip:b,@h|7\n"},
    {TABLE_CSV, HEAD "1,bob,h,sip:bob@h\n1,bob,h,c,7,8\n1,ann,h,c,7\n", "!\n!\nann|h|c|7\n"},
    {TABLE_CSV, HEAD "1,\"bob\"x,h,c,7\n1,ann,h,c,7\n", "!\nann|h|c|7\n"},
    {TABLE_CSV, HEAD "1,\"bob,h,c,7\n", "!\n"},
    {TABLE_CSV, "username\tcontact\texpires\tdomain\nb\\tob\\\\\tc\\n\t7\tNULL\n\"x\tc\t7\th\n",
     "b\tob\\|-|c\n|7\n\"x|h|c|7\n"},
    {TABLE_CSV, "Username,CONTACT, expires\nbob,c,7\n", "bob|-|c|7\n"},
    {TABLE_CSV, "user,contact,expires\nbob,c,7\n", "?\n"},
    {TABLE_CSV, "", "?\n"},

    {TABLE_DBTEXT, DBTEXT_HEAD "1:bob:h:sip\\:bob@h:7\n", "bob|h|sip:bob@h|7\n"},
    {TABLE_DBTEXT, DBTEXT_HEAD "1:b\\\\o\\nb::c:7", "b\\o\nb|-|c|7\n"},
    {TABLE_DBTEXT, DBTEXT_HEAD "1:bob:h:c\n\n2:ann:h:c:7\n", "!\nann|h|c|7\n"},
    {TABLE_DBTEXT, DBTEXT_HEAD, ""},
    {TABLE_DBTEXT, "id(int) name(string)\n1:bob\n", "?\n"},

    {TABLE_SQL, "INSERT INTO location " COLUMNS_LIST " VALUES (1,'bob',NULL,'sip:bob@h',7);",
     "bob|-|sip:bob@h|7\n"},
    {TABLE_SQL, "insert into `location` (`username`,`contact`,`expires`) values "
     "('b\\'o\"b\\\\','c''d','2026-01-01 00:00:00'),\n('ann','(,;','-1.50');\n",
     "b'o\"b\\|-|c'd|2026-01-01 00:00:00\nann|-|(,;|-1.50\n"},
    {TABLE_SQL, "-- MySQL dump 10.19\nINSERT INTO location " COLUMNS_LIST
     " VALUES (1,'b\\'b',_binary 'h','c',7);", "b'b|h|c|7\n"},
    // without MySQL's marks a backslash is one
    {TABLE_SQL, "INSERT INTO location " COLUMNS_LIST " VALUES (1,'bob\\','h',E'c\\'d',7);",
     "bob\\|h|c'd|7\n"},
    {TABLE_SQL, "PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE location (\n id "
     "INTEGER PRIMARY KEY NOT NULL,\n username VARCHAR(64) DEFAULT '' NOT NULL, contact TEXT, "
     "expires REAL,\n PRIMARY KEY (id, contact), CONSTRAINT x UNIQUE (ruid)\n);\n"
     "INSERT INTO location VALUES(1,'bob','c',2461367.25);\nCOMMIT;\n", "bob|-|c|2461367.25\n"},
    {TABLE_SQL, "INSERT INTO location VALUES (1,'r','bob','h','c',NULL,NULL,'2026-01-01 00:00:00',"
     "-1.0,'i',1,'2026-01-01 00:00:00',0,0,'ua','s',NULL,NULL,0,0,-1,0,0);",
     "bob|h|c|2026-01-01 00:00:00\n"},
    {TABLE_SQL, "INSERT INTO other VALUES (1,'it''s;(');\nINSERT INTO k.\"location\" " COLUMNS_LIST
     " VALUES (1,'bob','h','c',7) ON CONFLICT DO NOTHING;\nREPLACE INTO location " COLUMNS_LIST
     " VALUES (2,'ann','h','c',8);", "bob|h|c|7\nann|h|c|8\n"},
    {TABLE_SQL, "\\restrict abc'def\nCOPY public.other (a) FROM stdin;\nbob\n\\.\n"
     "COPY public.location " COLUMNS_LIST " FROM stdin;\n1\tbo\\tb\t\\N\tc\\\\d\t7\n2\tx\n"
     "3\tann\th\tc\t8\n\\.\n\nSELECT 1;\n", "bo\tb|-|c\\d|7\n!\nann|h|c|8\n"},
    {TABLE_SQL, "/*!40101 SET x=1 */; /* ( ' */ # INSERT '\n--x\nINSERT INTO location " COLUMNS_LIST
     " VALUES (1,'bob',replace('a\\n','\\n',char(10)),'c',7),(2,'ann','h','c',8);",
     "!\nann|h|c|8\n"},
    {TABLE_SQL, "INSERT INTO location " COLUMNS_LIST
     " VALUES (1,'bob',replace('a','n',char(10)),'c',7),(2,'ann','h','c',8),(3),();",
     "!\nann|h|c|8\n!\n!\n"},
    {TABLE_SQL, "INSERT INTO location (a, b) VALUES (1,2);INSERT INTO location " COLUMNS_LIST
     " VALUES (2,'ann','h','c',8);", "!\nann|h|c|8\n"},
    {TABLE_SQL, "INSERT INTO location " COLUMNS_LIST " VALUES (1,'bob", "!\n"},
    {TABLE_SQL, "INSERT INTO location " COLUMNS_LIST " VALUES (1,'bob'", "!\n"},
    {TABLE_SQL, "'", "!\n"},
    {TABLE_SQL, "", ""},
};

// clang-format on

Test(table, rows_are_read_as_their_format_has_them)
{
    static char bytes[4096];
    for (size_t i = 0; i < LENGTH_OF(examples); i++) {
        struct buf told = buf_over(bytes, sizeof(bytes));
        read_all(text_slice(examples[i].text), examples[i].format, &told);
        cr_expect(slice_is(buf_slice(&told), examples[i].rows), "%zu: %s: told %.*s", i,
                  examples[i].text, PRINTED(buf_slice(&told)));
    }
}

Test(table, reads_nothing_beyond_the_text)
{
    static char bytes[4096];
    const struct guard guard = guard_create(4096);
    for (size_t i = 0; i < LENGTH_OF(examples); i++) {
        const struct slice text = text_slice(examples[i].text);
        for (size_t len = 0; len <= text.len; len++) {
            struct buf told = buf_over(bytes, sizeof(bytes));
            read_all(guard_copy(guard, slice_of(text.at, len)), examples[i].format, &told);
            cr_assert(buf_ok(&told));
        }
    }
}

Test(table, row_that_is_too_long_or_wide_is_bad_and_the_next_one_good)
{
    enum { LONG = ROW_BYTES_MAX + 10 };

    static char text[2 * LONG + 4096];
    static char bytes[4096];
    struct buf b = buf_over(text, sizeof(text));
    struct buf told = buf_over(bytes, sizeof(bytes));
    buf_put(&b, SLICE(HEAD "1,"));
    for (size_t i = 0; i < LONG; i++) {
        buf_put_char(&b, 'x');
    }
    buf_put(&b, SLICE(",h,c,7\n1"));
    for (size_t i = 0; i < ROW_VALUES_MAX + 1; i++) {
        buf_put(&b, SLICE(",1"));
    }
    buf_put(&b, SLICE("\n1,bob,h,c,7\n"));
    cr_assert(buf_ok(&b));
    read_all(buf_slice(&b), TABLE_CSV, &told);
    ASSERT_TEXT(buf_slice(&told), "!\n!\nbob|h|c|7\n");
}

Test(table, line_of_a_row_is_known)
{
    static struct source source;
    static struct table table;
    source_over(&source, SLICE(HEAD "1,\"b\nob\",h,c,7\n\n2,ann,h,c\n"));
    cr_assert_eq(table_open(&table, &source, TABLE_CSV, SLICE("location")), ERR_OK);
    cr_assert_eq(table_next(&table), ERR_OK);
    cr_expect_eq(table.line, 2);
    cr_assert_eq(table_next(&table), ERR_SYNTAX);
    cr_expect_eq(table.line, 5);
}
