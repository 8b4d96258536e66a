#include "triage/record/helper_rows.h"

#include "triage/base/error.h"

#include <string.h>

/* --- reading --- */

static int read_name(struct cursor *c, char out[HELPER_NAME_MOST + 1])
{
    const uint32_t size = cursor_u32le(c);
    const struct slice text = cursor_take(c, size);

    if (cursor_failed(c) || size > HELPER_NAME_MOST || slice_find(text, 0, 0) != SIZE_MAX)
        return error_set("the helper named a table or column in a way that cannot be");
    if (size)
        memcpy(out, text.data, size);
    out[size] = 0;
    return 0;
}

static int read_table(struct helper_reader *reader, struct cursor *c)
{
    reader->column_count = 0;
    if (read_name(c, reader->table) < 0)
        return -1;
    const uint16_t count = cursor_u16le(c);
    if (count > HELPER_COLUMNS_MOST)
        return error_set("the helper told of %u columns", count);
    for (size_t i = 0; i < count; i++)
        if (read_name(c, reader->columns[i]) < 0)
            return -1;
    reader->column_count = count;
    return 0;
}

static int read_value(struct cursor *c, struct helper_value *value)
{
    *value = (struct helper_value){.form = cursor_u8(c)};
    switch (value->form) {
    case HELPER_NULL:
        return 0;
    case HELPER_WHOLE:
        value->whole = cursor_u64le(c);
        return 0;
    case HELPER_REAL: {
        const uint64_t bits = cursor_u64le(c);
        memcpy(&value->real, &bits, sizeof value->real);
        return 0;
    }
    case HELPER_TEXT:
    case HELPER_BYTES:
        value->bytes = cursor_take(c, cursor_u32le(c));
        if (value->bytes.size > HELPER_VALUE_MOST)
            return error_set("the helper sent a value of %zu bytes", value->bytes.size);
        return 0;
    }
    return error_set("the helper sent a value of an unknown form");
}

static int read_row(struct helper_reader *reader, struct cursor *c)
{
    reader->number = cursor_u64le(c);
    reader->offset = cursor_u64le(c);
    reader->marks = cursor_u8(c);
    const uint16_t count = cursor_u16le(c);
    if (!reader->column_count || count != reader->column_count)
        return error_set("the helper sent a row that is not of the table's columns");
    for (size_t i = 0; i < count; i++)
        if (read_value(c, &reader->values[i]) < 0)
            return -1;
    return 0;
}

static int read_body(struct helper_reader *reader, struct cursor *c)
{
    switch (reader->kind) {
    case HELPER_TABLE:
        return read_table(reader, c);
    case HELPER_ROW:
        return read_row(reader, c);
    case HELPER_NOTICE:
        reader->offset = cursor_u64le(c);
        reader->text = cursor_take(c, cursor_u32le(c));
        return 0;
    }
    return error_set("the helper sent a frame of an unknown kind");
}

int helper_read(struct helper_reader *reader, struct slice frame)
{
    struct cursor c = cursor_over(frame, 0);

    reader->kind = cursor_u8(&c);
    if (read_body(reader, &c) < 0)
        return -1;
    if (cursor_failed(&c) || cursor_left(&c))
        return error_set("the helper sent a frame of the wrong size");
    return 0;
}

const struct helper_value *helper_value(const struct helper_reader *reader, const char *column)
{
    static const struct helper_value none = {.form = HELPER_NULL};

    for (size_t i = 0; i < reader->column_count; i++)
        if (strcmp(reader->columns[i], column) == 0)
            return &reader->values[i];
    return &none;
}

/* --- writing --- */

static void add_u16(struct buffer *frame, uint16_t value)
{
    buffer_add_byte(frame, (uint8_t)value);
    buffer_add_byte(frame, (uint8_t)(value >> 8));
}

static void add_u32(struct buffer *frame, uint32_t value)
{
    add_u16(frame, (uint16_t)value);
    add_u16(frame, (uint16_t)(value >> 16));
}

static void add_u64(struct buffer *frame, uint64_t value)
{
    add_u32(frame, (uint32_t)value);
    add_u32(frame, (uint32_t)(value >> 32));
}

static void add_bytes(struct buffer *frame, struct slice bytes, size_t most)
{
    const struct slice kept = slice_part(bytes, 0, most);

    add_u32(frame, (uint32_t)kept.size);
    buffer_add(frame, kept);
}

void helper_write_table(struct buffer *frame, const char *name, const char *const *columns,
                        size_t count)
{
    buffer_add_byte(frame, HELPER_TABLE);
    add_bytes(frame, slice_of_text(name), HELPER_NAME_MOST);
    add_u16(frame, (uint16_t)count);
    for (size_t i = 0; i < count; i++)
        add_bytes(frame, slice_of_text(columns[i]), HELPER_NAME_MOST);
}

void helper_write_row(struct buffer *frame, uint64_t number, uint64_t offset, unsigned marks,
                      size_t count)
{
    buffer_add_byte(frame, HELPER_ROW);
    add_u64(frame, number);
    add_u64(frame, offset);
    buffer_add_byte(frame, (uint8_t)marks);
    add_u16(frame, (uint16_t)count);
}

void helper_write_whole(struct buffer *frame, uint64_t value)
{
    buffer_add_byte(frame, HELPER_WHOLE);
    add_u64(frame, value);
}

void helper_write_real(struct buffer *frame, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    buffer_add_byte(frame, HELPER_REAL);
    add_u64(frame, bits);
}

void helper_write_null(struct buffer *frame)
{
    buffer_add_byte(frame, HELPER_NULL);
}

void helper_write_bytes(struct buffer *frame, enum helper_form form, struct slice bytes)
{
    buffer_add_byte(frame, (uint8_t)form);
    add_bytes(frame, bytes, HELPER_VALUE_MOST);
}

void helper_write_notice(struct buffer *frame, uint64_t offset, const char *text)
{
    buffer_add_byte(frame, HELPER_NOTICE);
    add_u64(frame, offset);
    add_bytes(frame, slice_of_text(text), HELPER_VALUE_MOST);
}
