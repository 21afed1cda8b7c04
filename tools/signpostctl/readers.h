// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOSTCTL_READERS_H
#define SIGNPOSTCTL_READERS_H

#include "signpostctl/table.h"

// One reader for each format of a table. They are called by table_open and table_next and do what
// these promise.

// CSV as RFC 4180 has it, separated by "," or ";", and what "mysql --batch" writes, separated by
// tabs and with backslashes. The first line names the columns.
ERR_CHECKED enum err csv_open(struct table *table);
ERR_CHECKED enum err csv_next(struct table *table);

// The file of a table of Kamailio's db_text: "name(type,...) ..." in the first line, then values
// separated by ":" and escaped with backslashes. A value without a character is none.
ERR_CHECKED enum err dbtext_open(struct table *table);
ERR_CHECKED enum err dbtext_next(struct table *table);

// What mysqldump, pg_dump (COPY or --inserts) and sqlite3's .dump write: the rows of the one table,
// whatever else there is.
ERR_CHECKED enum err sql_next(struct table *table);

#endif
