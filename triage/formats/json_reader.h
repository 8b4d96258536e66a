/* Reading JSON (RFC 8259) into a plain tree in an arena, and finding the objects of a file that
 * holds many. */
#ifndef TRIAGE_FORMATS_JSON_READER_H
#define TRIAGE_FORMATS_JSON_READER_H

#include "triage/base/arena.h"

enum { JSON_NESTED_MOST = 48 };

enum json_type { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
    struct slice name; /* of a member of an object; UTF-8, a NUL behind it */
    enum json_type type;
    struct slice text; /* of a string without its escapes; of numbers and words as they are; a NUL
                          behind it */
    struct json_value *first, *next; /* members or items; the next of the same parent */
};

enum json_find { JSON_FOUND, JSON_BROKEN, JSON_PARTIAL, JSON_NONE };

/* The tree lives in the arena. -1 with error_text when the bytes are not one value. */
int json_read(struct slice bytes, struct arena *arena, struct json_value **root);
/* NULL when there is no such member, or when `parent` is NULL or no object. Names compare with
 * case. */
const struct json_value *json_member(const struct json_value *parent, const char *name);
/* The escape at the start of the text, from its backslash on: the bytes that it takes, 0 when it is
 * none. What it stands for is UTF-8; a surrogate without its other half is U+FFFD. */
size_t json_read_escape(struct slice text, uint8_t out[4], size_t *size);
/*
 * The next object of the outermost level at or behind `from`, whatever stands between them.
 * JSON_BROKEN: it does not end before another one begins at the start of a line. JSON_PARTIAL: it
 * does not end within the bytes. `start` and `end` are set but for JSON_NONE.
 */
enum json_find json_find_object(struct slice bytes, size_t from, size_t *start, size_t *end);

#endif
