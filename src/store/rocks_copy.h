// SPDX-License-Identifier: Apache-2.0
#ifndef SIGNPOST_STORE_ROCKS_COPY_H
#define SIGNPOST_STORE_ROCKS_COPY_H

#include <stdbool.h>

// Copies the files of a database, as they are, damaged or with some missing (where a checkpoint of
// RocksDB's would end), into the directory `to`, which is made for its owner alone; what is in it
// is removed first. Files that are never written again become hard links where that is possible.
// From `from` on, an open directory, nothing is to be deleted meanwhile; what is written meanwhile
// may be there or not. When it returns the copy is on disk. False with errno set: a part may be
// there.
bool rocks_copy(int from, const char *to);

#endif
