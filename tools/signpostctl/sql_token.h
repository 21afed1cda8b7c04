// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_SQL_TOKEN_H
#define SIGNPOSTCTL_SQL_TOKEN_H

#include "signpostctl/source.h"

// The words of an SQL dump, in the dialects of MySQL, PostgreSQL and SQLite.

enum sql_kind {
    SQL_END,    // of the dump
    SQL_WORD,   // a keyword, a name, a number
    SQL_NAME,   // a name in "", `` or []
    SQL_STRING, // a value in ''
    SQL_MARK,   // any other character
    SQL_BROKEN, // a quote that does not end
};

struct sql_token {
    enum sql_kind kind;
    char mark;
};

// Takes the next token, its text behind what is in *text (without quotes and escapes). Comments are
// passed over. *backslash: "\" escapes in every string; becomes true where the dump is MySQL's.
struct sql_token sql_token_next(struct source *source, bool *backslash, struct buf *text);

#endif
