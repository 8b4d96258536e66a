#include "triage/record/wire.h"

#include "triage/base/error.h"

#include <string.h>

enum {
    NO_TEXT = 0xFFFFFFFF, /* size that stands for NULL */
    VALUE_ALIAS = 1,      /* bits of a value */
    VALUE_NAMED = 2,      /* the name is spelled out, as it is not the vocabulary's */
    VALUE_SIZE_LEAST = 1 + 4 + 4,
    VALUES_MOST = 8192, /* of an event: more than any artifact makes */
};

static void put_little_endian(struct buffer *out, uint64_t value, size_t size)
{
    uint8_t *end = buffer_reserve(out, size);

    if (!end)
        return;
    for (size_t i = 0; i < size; i++)
        end[i] = (uint8_t)(value >> (8 * i));
    out->size += size;
}

void wire_put_u8(struct buffer *out, uint8_t value)
{
    put_little_endian(out, value, 1);
}

void wire_put_u32(struct buffer *out, uint32_t value)
{
    put_little_endian(out, value, 4);
}

void wire_put_u64(struct buffer *out, uint64_t value)
{
    put_little_endian(out, value, 8);
}

void wire_put_slice(struct buffer *out, struct slice bytes)
{
    if (bytes.size >= NO_TEXT) {
        out->failed = true;
        return;
    }
    wire_put_u32(out, (uint32_t)bytes.size);
    buffer_add(out, bytes);
}

void wire_put_text(struct buffer *out, const char *text)
{
    if (text)
        wire_put_slice(out, slice_of_text(text));
    else
        wire_put_u32(out, NO_TEXT);
}

static void put_instant(struct buffer *out, struct instant instant)
{
    wire_put_u64(out, (uint64_t)instant.ticks);
}

static void put_macb(struct buffer *out, const struct macb *times)
{
    put_instant(out, times->modified);
    put_instant(out, times->accessed);
    put_instant(out, times->changed);
    put_instant(out, times->created);
}

void wire_put_file(struct buffer *out, const struct file *file)
{
    wire_put_text(out, file->path);
    wire_put_text(out, file->stream);
    wire_put_u32(out, file->evidence);
    wire_put_u32(out, file->volume);
    wire_put_u32(out, file->snapshot);
    wire_put_u64(out, file->address);
    put_little_endian(out, file->sequence, 2);
    put_little_endian(out, file->attribute, 2);
    wire_put_u64(out, file->size);
    wire_put_u64(out, file->place);
    wire_put_u32(out, file->flags);
    wire_put_u32(out, file->attributes);
    put_macb(out, &file->si);
    put_macb(out, &file->fn);
}

static void put_value(struct buffer *out, const struct value *value)
{
    const char *known = field_name(value->field);
    const bool named = !known || !value->name || strcmp(known, value->name) != 0;

    wire_put_u8(out, (value->alias ? VALUE_ALIAS : 0) | (named ? VALUE_NAMED : 0));
    wire_put_u32(out, value->field);
    if (named)
        wire_put_text(out, value->name);
    wire_put_slice(out, value->text);
}

void wire_put_event(struct buffer *out, const struct event *event, size_t raw_ceiling)
{
    wire_put_u32(out, event->kind);
    put_instant(out, event->when);
    wire_put_u8(out, (uint8_t)event->basis);
    wire_put_slice(out, event->time_text);
    wire_put_u64(out, event->offset);
    wire_put_u64(out, event->number);
    wire_put_u32(out, event->marks);
    wire_put_slice(out, slice_part(event->raw, 0, raw_ceiling));
    wire_put_u32(out, (uint32_t)event->value_count);
    for (size_t i = 0; i < event->value_count; i++)
        put_value(out, &event->values[i]);
}

uint8_t wire_get_u8(struct cursor *in)
{
    return cursor_u8(in);
}

uint32_t wire_get_u32(struct cursor *in)
{
    return cursor_u32le(in);
}

uint64_t wire_get_u64(struct cursor *in)
{
    return cursor_u64le(in);
}

struct slice wire_get_slice(struct cursor *in)
{
    return cursor_take(in, cursor_u32le(in));
}

char *wire_get_text(struct cursor *in, struct arena *arena)
{
    const uint32_t size = cursor_u32le(in);

    if (cursor_failed(in) || size == NO_TEXT)
        return NULL;
    const struct slice bytes = cursor_take(in, size);
    if (cursor_failed(in))
        return NULL;
    char *text = arena_text(arena, bytes);
    if (!text)
        in->failed = true;
    return text;
}

static struct instant get_instant(struct cursor *in)
{
    return (struct instant){(int64_t)cursor_u64le(in)};
}

static void get_macb(struct cursor *in, struct macb *times)
{
    times->modified = get_instant(in);
    times->accessed = get_instant(in);
    times->changed = get_instant(in);
    times->created = get_instant(in);
}

int wire_get_file(struct cursor *in, struct arena *arena, struct file *file)
{
    struct file read = {0};

    read.path = wire_get_text(in, arena);
    read.stream = wire_get_text(in, arena);
    read.evidence = cursor_u32le(in);
    read.volume = cursor_u32le(in);
    read.snapshot = cursor_u32le(in);
    read.address = cursor_u64le(in);
    read.sequence = cursor_u16le(in);
    read.attribute = cursor_u16le(in);
    read.size = cursor_u64le(in);
    read.place = cursor_u64le(in);
    read.flags = cursor_u32le(in);
    read.attributes = cursor_u32le(in);
    get_macb(in, &read.si);
    get_macb(in, &read.fn);
    if (cursor_failed(in))
        return error_set("a file's description is cut short");
    *file = read;
    return 0;
}

static void get_value(struct cursor *in, struct arena *arena, struct value *value)
{
    const uint8_t bits = cursor_u8(in);
    const uint32_t field = cursor_u32le(in);

    if (field >= FIELD_COUNT || bits > (VALUE_ALIAS | VALUE_NAMED)) {
        in->failed = true;
        return;
    }
    value->alias = bits & VALUE_ALIAS;
    value->field = (enum field)field;
    value->name = bits & VALUE_NAMED ? wire_get_text(in, arena) : field_name(value->field);
    value->text = wire_get_slice(in);
    if (!value->name)
        in->failed = true;
}

/* The values in the arena; the cursor fails when they are not `count` well-formed ones. */
static struct value *get_values(struct cursor *in, struct arena *arena, uint32_t count)
{
    if (cursor_failed(in) || count > VALUES_MOST || count > cursor_left(in) / VALUE_SIZE_LEAST) {
        in->failed = true;
        return NULL;
    }
    struct value *values = arena_array(arena, count, sizeof *values);
    if (!values)
        in->failed = true;
    for (uint32_t i = 0; i < count && !in->failed; i++)
        get_value(in, arena, &values[i]);
    return values;
}

int wire_get_event(struct cursor *in, struct arena *arena, struct event *event)
{
    struct event read = *event;
    const uint32_t kind = cursor_u32le(in);

    read.when = get_instant(in);
    const uint8_t basis = cursor_u8(in);
    read.time_text = wire_get_slice(in);
    read.offset = cursor_u64le(in);
    read.number = cursor_u64le(in);
    read.marks = cursor_u32le(in);
    read.raw = wire_get_slice(in);
    read.value_count = cursor_u32le(in);
    read.values = get_values(in, arena, (uint32_t)read.value_count);
    if (cursor_failed(in) || kind >= KIND_COUNT || basis > BASIS_LOCAL)
        return error_set("an event is malformed or cut short");
    read.kind = (enum kind)kind;
    read.basis = (enum time_basis)basis;
    *event = read;
    return 0;
}
