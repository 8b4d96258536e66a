#include "triage/base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_release(struct buffer *buffer)
{
    free(buffer->data);
    *buffer = (struct buffer)BUFFER_EMPTY;
}

void buffer_clear(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->failed = false;
}

uint8_t *buffer_grow(struct buffer *buffer, size_t size)
{
    if (buffer->failed || size > SIZE_MAX / 2 - buffer->size) {
        buffer->failed = true;
        return NULL;
    }
    const size_t needed = buffer->size + size;
    if (needed > buffer->room || !buffer->data) {
        size_t room = buffer->room ? buffer->room : 256;
        while (room < needed)
            room *= 2;
        uint8_t *data = realloc(buffer->data, room);
        if (!data) {
            buffer->failed = true;
            return NULL;
        }
        buffer->data = data;
        buffer->room = room;
    }
    return buffer->data + buffer->size;
}

void buffer_add_number(struct buffer *buffer, uint64_t number)
{
    uint8_t digits[20];
    size_t at = sizeof digits;

    do
        digits[--at] = (uint8_t)('0' + number % 10);
    while (number /= 10);
    buffer_add(buffer, slice_of(digits + at, sizeof digits - at));
}

/* Mostly there is room for it, and it is printed once. */
void buffer_format(struct buffer *buffer, const char *format, ...)
{
    const size_t room = buffer->failed ? 0 : buffer->room - buffer->size;
    va_list arguments;

    va_start(arguments, format);
    const int size =
        vsnprintf(room ? (char *)buffer->data + buffer->size : NULL, room, format, arguments);
    va_end(arguments);
    if (size >= 0 && (size_t)size >= room) {
        uint8_t *end = buffer_reserve(buffer, (size_t)size + 1);
        if (!end)
            return;
        va_start(arguments, format);
        vsnprintf((char *)end, (size_t)size + 1, format, arguments);
        va_end(arguments);
    }
    if (size > 0)
        buffer->size += (size_t)size;
}

struct slice buffer_slice(const struct buffer *buffer)
{
    return slice_of(buffer->data, buffer->size);
}

const char *buffer_text(struct buffer *buffer)
{
    uint8_t *end = buffer_reserve(buffer, 1);

    if (!end)
        return "";
    *end = 0;
    return (const char *)buffer->data;
}

bool buffer_failed(const struct buffer *buffer)
{
    return buffer->failed;
}
