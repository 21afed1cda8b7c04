// SPDX-License-Identifier: Apache-2.0
#ifndef SIPFLOOD_JSON_H
#define SIPFLOOD_JSON_H

#include <stdio.h>

#include "signpost/base/slice.h"

// Writes one JSON value (RFC 8259) to a stream, member by member; commas are put where they
// belong. The caller opens and closes in pairs and looks at ferror of the stream at the end.

struct json {
    FILE *out;
    bool first; // nothing stands yet in the innermost object or array
};

struct json json_on(FILE *out);

// `key` names a member of an object; NULL in an array and at the top.
void json_open(struct json *j, const char *key, char bracket); // '{' or '['
void json_close(struct json *j, char bracket);                 // '}' or ']'
void json_u64(struct json *j, const char *key, uint64_t value);
void json_real(struct json *j, const char *key, double value); // finite
void json_bool(struct json *j, const char *key, bool value);
void json_null(struct json *j, const char *key);

// Bytes as text: what is no printable ASCII is escaped, byte by byte (so as if it were Latin-1).
void json_text(struct json *j, const char *key, struct slice value);

#endif
