#include "triage/base/json.h"

#include "triage/base/utf16.h"

#include <assert.h>

struct json json_over(struct buffer *out, bool pretty)
{
    return (struct json){.out = out, .pretty = pretty};
}

static void new_line(struct json *json)
{
    if (!json->pretty)
        return;
    buffer_add_byte(json->out, '\n');
    for (unsigned i = 0; i < json->depth; i++)
        buffer_add_text(json->out, "  ");
}

/* Called before each value and key: the comma and the line break that belong there. */
static void separate(struct json *json)
{
    if (json->after_key) {
        json->after_key = false;
        return;
    }
    if (json->filled[json->depth])
        buffer_add_byte(json->out, ',');
    if (json->depth > 0)
        new_line(json);
    json->filled[json->depth] = true;
}

static void open(struct json *json, char bracket)
{
    separate(json);
    buffer_add_byte(json->out, (uint8_t)bracket);
    assert(json->depth + 1 < JSON_DEPTH);
    json->depth++;
    json->filled[json->depth] = false;
}

static void close(struct json *json, char bracket)
{
    const bool filled = json->filled[json->depth];

    assert(json->depth > 0);
    json->depth--;
    if (filled)
        new_line(json);
    buffer_add_byte(json->out, (uint8_t)bracket);
}

void json_object(struct json *json)
{
    open(json, '{');
}

void json_object_end(struct json *json)
{
    close(json, '}');
}

void json_array(struct json *json)
{
    open(json, '[');
}

void json_array_end(struct json *json)
{
    close(json, ']');
}

static void escape_byte(struct buffer *out, uint8_t byte)
{
    switch (byte) {
    case '"':
        buffer_add_text(out, "\\\"");
        break;
    case '\\':
        buffer_add_text(out, "\\\\");
        break;
    case '\n':
        buffer_add_text(out, "\\n");
        break;
    case '\r':
        buffer_add_text(out, "\\r");
        break;
    case '\t':
        buffer_add_text(out, "\\t");
        break;
    default:
        buffer_format(out, "\\u%04x", byte);
    }
}

static void quote(struct buffer *out, struct slice text)
{
    buffer_add_byte(out, '"');
    while (text.size) {
        const size_t plain = utf8_plain_run(text, '"', '\\');
        buffer_add(out, slice_part(text, 0, plain));
        text = slice_from(text, plain);
        if (text.size == 0)
            break;
        const size_t sequence = utf8_sequence(text);
        if (sequence == 2 && text.data[0] == 0xC2 && text.data[1] < 0xA0)
            escape_byte(out, text.data[1]); /* C1: what a terminal may obey */
        else if (sequence > 1)
            buffer_add(out, slice_part(text, 0, sequence));
        else if (sequence == 1)
            escape_byte(out, text.data[0]);
        else
            buffer_add_text(out, "\xEF\xBF\xBD");
        text = slice_from(text, sequence ? sequence : 1);
    }
    buffer_add_byte(out, '"');
}

void json_key_slice(struct json *json, struct slice key)
{
    separate(json);
    quote(json->out, key);
    buffer_add_text(json->out, json->pretty ? ": " : ":");
    json->after_key = true;
}

void json_key(struct json *json, const char *key)
{
    json_key_slice(json, slice_of_text(key));
}

void json_slice(struct json *json, struct slice text)
{
    separate(json);
    quote(json->out, text);
}

void json_text(struct json *json, const char *text)
{
    if (text)
        json_slice(json, slice_of_text(text));
    else
        json_null(json);
}

void json_integer(struct json *json, int64_t value)
{
    separate(json);
    if (value < 0)
        buffer_add_byte(json->out, '-');
    buffer_add_number(json->out, value < 0 ? -(uint64_t)value : (uint64_t)value);
}

void json_unsigned(struct json *json, uint64_t value)
{
    separate(json);
    buffer_add_number(json->out, value);
}

void json_bool(struct json *json, bool value)
{
    separate(json);
    buffer_add_text(json->out, value ? "true" : "false");
}

void json_null(struct json *json)
{
    separate(json);
    buffer_add_text(json->out, "null");
}

void json_raw(struct json *json, struct slice text)
{
    separate(json);
    buffer_add(json->out, text);
}

void json_pair(struct json *json, const char *key, const char *text)
{
    json_key(json, key);
    json_text(json, text);
}

void json_pair_slice(struct json *json, const char *key, struct slice text)
{
    json_key(json, key);
    json_slice(json, text);
}

void json_pair_integer(struct json *json, const char *key, int64_t value)
{
    json_key(json, key);
    json_integer(json, value);
}

void json_pair_unsigned(struct json *json, const char *key, uint64_t value)
{
    json_key(json, key);
    json_unsigned(json, value);
}

void json_pair_bool(struct json *json, const char *key, bool value)
{
    json_key(json, key);
    json_bool(json, value);
}
