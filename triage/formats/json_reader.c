#include "triage/formats/json_reader.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <string.h>

struct reader {
    struct slice bytes;
    size_t at;
    unsigned depth;
    struct arena *arena;
    const char *problem;
};

static struct json_value *read_value(struct reader *reader);

static int peek(const struct reader *reader)
{
    return reader->at < reader->bytes.size ? reader->bytes.data[reader->at] : -1;
}

static void skip_blanks(struct reader *reader)
{
    while (peek(reader) == ' ' || peek(reader) == '\t' || peek(reader) == '\r' ||
           peek(reader) == '\n')
        reader->at++;
}

static void fail(struct reader *reader, const char *problem)
{
    if (!reader->problem)
        reader->problem = problem;
}

static bool take(struct reader *reader, int byte)
{
    skip_blanks(reader);
    if (peek(reader) != byte)
        return false;
    reader->at++;
    return true;
}

static struct json_value *new_value(struct reader *reader, enum json_type type)
{
    struct json_value *value = arena_take(reader->arena, sizeof *value);

    if (value)
        value->type = type;
    else
        fail(reader, "it takes too much memory");
    return value;
}

/* --- strings --- */

static bool hex4(struct slice bytes, size_t at, uint32_t *unit)
{
    *unit = 0;
    for (size_t i = at; i < at + 4; i++) {
        const int digit = i < bytes.size ? hex_digit(bytes.data[i]) : -1;
        if (digit < 0)
            return false;
        *unit = *unit << 4 | (uint32_t)digit;
    }
    return true;
}

/* "\uXXXX", two of them for a surrogate pair. */
static size_t read_unicode(struct slice text, uint8_t out[4], size_t *size)
{
    uint32_t point, low;
    size_t taken = 6;

    if (!hex4(text, 2, &point))
        return 0;
    if (point >= 0xD800 && point < 0xDC00 && text.size >= 12 && text.data[6] == '\\' &&
        text.data[7] == 'u' && hex4(text, 8, &low) && low >= 0xDC00 && low < 0xE000) {
        point = 0x10000 + ((point - 0xD800) << 10 | (low - 0xDC00));
        taken = 12;
    } else if (point >= 0xD800 && point < 0xE000) {
        point = 0xFFFD;
    }
    *size = utf8_encode(point, out);
    return taken;
}

size_t json_read_escape(struct slice text, uint8_t out[4], size_t *size)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";

    if (text.size < 2 || text.data[0] != '\\')
        return 0;
    if (text.data[1] == 'u')
        return read_unicode(text, out, size);
    const char *known = memchr(from, text.data[1], sizeof from - 1);
    if (!known)
        return 0;
    out[0] = (uint8_t)to[known - from];
    *size = 1;
    return 2;
}

/* `text` with its escapes; what stands there takes no more bytes than before. */
static struct slice unescape(struct reader *reader, struct slice text)
{
    uint8_t *out = arena_take(reader->arena, text.size + 1);
    size_t used = 0;

    if (!out) {
        fail(reader, "it takes too much memory");
        return slice_of(NULL, 0);
    }
    for (size_t at = 0; at < text.size;) {
        size_t size;
        if (text.data[at] != '\\' || at + 1 == text.size) {
            out[used++] = text.data[at++];
            continue;
        }
        const size_t escape = json_read_escape(slice_from(text, at), out + used, &size);
        if (!escape) {
            fail(reader, "a string has an unknown escape");
            break;
        }
        used += size;
        at += escape;
    }
    return slice_of(out, used);
}

static struct slice read_string(struct reader *reader)
{
    const size_t start = ++reader->at; /* behind the quote */

    for (; peek(reader) >= 0 && peek(reader) != '"'; reader->at++)
        if (peek(reader) == '\\')
            reader->at++;
    if (peek(reader) < 0) {
        fail(reader, "a string does not end");
        return slice_of(NULL, 0);
    }
    return unescape(reader, slice_part(reader->bytes, start, reader->at++ - start));
}

/* --- values --- */

static struct json_value *read_word(struct reader *reader)
{
    const size_t start = reader->at;
    const int first = peek(reader);

    while (peek(reader) >= 0 && !strchr(",]} \t\r\n:\"{[", peek(reader)))
        reader->at++;
    const struct slice text = slice_part(reader->bytes, start, reader->at - start);
    enum json_type type = JSON_NUMBER;
    if (slice_is(text, "null"))
        type = JSON_NULL;
    else if (slice_is(text, "true") || slice_is(text, "false"))
        type = JSON_BOOL;
    else if (first != '-' && (first < '0' || first > '9'))
        fail(reader, "a value is neither number, word nor string");
    struct json_value *value = new_value(reader, type);
    if (value && type != JSON_NULL)
        value->text = arena_copy(reader->arena, text);
    return value;
}

static struct json_value *read_member(struct reader *reader)
{
    skip_blanks(reader);
    if (peek(reader) != '"') {
        fail(reader, "a member has no name");
        return NULL;
    }
    const struct slice name = read_string(reader);
    if (!take(reader, ':'))
        fail(reader, "a member has no value");
    struct json_value *value = reader->problem ? NULL : read_value(reader);
    if (value)
        value->name = name;
    return value;
}

static struct json_value *read_list(struct reader *reader, enum json_type type)
{
    const int closing = type == JSON_OBJECT ? '}' : ']';
    struct json_value *list = new_value(reader, type);
    struct json_value **end = list ? &list->first : NULL;

    if (reader->depth == JSON_NESTED_MOST)
        fail(reader, "it is nested too deep");
    reader->at++;
    if (take(reader, closing) || reader->problem)
        return list;
    reader->depth++;
    do {
        struct json_value *item = type == JSON_OBJECT ? read_member(reader) : read_value(reader);
        if (!item || reader->problem)
            break;
        *end = item;
        end = &item->next;
    } while (take(reader, ','));
    reader->depth--;
    if (!reader->problem && !take(reader, closing))
        fail(reader, "a list does not end");
    return list;
}

static struct json_value *read_value(struct reader *reader)
{
    struct json_value *value;

    skip_blanks(reader);
    switch (peek(reader)) {
    case '{':
        return read_list(reader, JSON_OBJECT);
    case '[':
        return read_list(reader, JSON_ARRAY);
    case '"':
        value = new_value(reader, JSON_STRING);
        if (value)
            value->text = read_string(reader);
        return value;
    default:
        return read_word(reader);
    }
}

int json_read(struct slice bytes, struct arena *arena, struct json_value **root)
{
    struct reader reader = {.bytes = bytes, .arena = arena};
    struct json_value *value = read_value(&reader);

    skip_blanks(&reader);
    if (!reader.problem && reader.at != bytes.size)
        fail(&reader, "something stands behind the value");
    if (reader.problem)
        return error_set("JSON: %s", reader.problem);
    *root = value;
    return 0;
}

const struct json_value *json_member(const struct json_value *parent, const char *name)
{
    const struct json_value *member = parent && parent->type == JSON_OBJECT ? parent->first : NULL;

    while (member && !slice_is(member->name, name))
        member = member->next;
    return member;
}

/* At the start of a line only an object of the outermost level begins, unless it was written
 * without indents. */
static bool begins_another(struct slice bytes, size_t at)
{
    return bytes.data[at] == '\n' && at + 2 < bytes.size && bytes.data[at + 1] == '{' &&
           bytes.data[at + 2] == '"';
}

enum json_find json_find_object(struct slice bytes, size_t from, size_t *start, size_t *end)
{
    size_t depth = 0;
    bool quoted = false;

    *start = slice_find(bytes, from, '{');
    if (*start == SIZE_MAX)
        return JSON_NONE;
    for (size_t at = *start; at < bytes.size; at++) {
        const uint8_t byte = bytes.data[at];
        if (begins_another(bytes, at)) {
            *end = at;
            return JSON_BROKEN;
        }
        if (quoted && byte == '\\')
            at++;
        else if (byte == '"')
            quoted = !quoted;
        else if (!quoted && byte == '{')
            depth++;
        else if (!quoted && byte == '}' && --depth == 0) {
            *end = at + 1;
            return JSON_FOUND;
        }
    }
    *end = bytes.size;
    return JSON_PARTIAL;
}
