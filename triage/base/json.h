/*
 * Writing JSON by hand (RFC 8259): commas and nesting are kept by the writer, text is escaped,
 * bytes that are not UTF-8 become U+FFFD, so that a line is valid JSON whatever the evidence holds.
 */
#ifndef TRIAGE_BASE_JSON_H
#define TRIAGE_BASE_JSON_H

#include "triage/base/buffer.h"

enum { JSON_DEPTH = 32 };

struct json {
    struct buffer *out; /* borrowed */
    unsigned depth;
    bool filled[JSON_DEPTH]; /* something stands at this depth already */
    bool after_key;
    bool pretty; /* indented by two blanks */
};

struct json json_over(struct buffer *out, bool pretty);
void json_object(struct json *json);
void json_object_end(struct json *json);
void json_array(struct json *json);
void json_array_end(struct json *json);
void json_key(struct json *json, const char *key);
void json_key_slice(struct json *json, struct slice key);
/* NULL is written as null. */
void json_text(struct json *json, const char *text);
void json_slice(struct json *json, struct slice text);
void json_integer(struct json *json, int64_t value);
void json_unsigned(struct json *json, uint64_t value);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
/* Text that is JSON already, as it is. */
void json_raw(struct json *json, struct slice text);
/* One value of JSON without a control byte, nested less than JSON_DEPTH. */
bool json_is_line(struct slice text);
/* Text that ought to be such a value, from a database that may come from anybody: as it is, or,
 * when it is none, as a string. */
void json_line(struct json *json, struct slice text);
/* A key with its value, for the common cases. */
void json_pair(struct json *json, const char *key, const char *text);
void json_pair_slice(struct json *json, const char *key, struct slice text);
void json_pair_integer(struct json *json, const char *key, int64_t value);
void json_pair_unsigned(struct json *json, const char *key, uint64_t value);
void json_pair_bool(struct json *json, const char *key, bool value);

#endif
