/* A growing run of bytes. An allocation that fails marks the buffer; check buffer_failed() once at
 * the end. */
#ifndef TRIAGE_BASE_BUFFER_H
#define TRIAGE_BASE_BUFFER_H

#include "triage/base/cursor.h"

struct buffer {
    uint8_t *data;
    size_t size, room;
    bool failed;
};

#define BUFFER_EMPTY                                                                               \
    {                                                                                              \
        0                                                                                          \
    }

void buffer_release(struct buffer *buffer);
/* Makes room for `size` more bytes; NULL when memory is out. */
uint8_t *buffer_grow(struct buffer *buffer, size_t size);

/* Room for `size` more bytes at the end, not yet counted in size; NULL when memory is out. */
static inline uint8_t *buffer_reserve(struct buffer *buffer, size_t size)
{
    if (!buffer->failed && size < buffer->room - buffer->size)
        return buffer->data + buffer->size;
    return buffer_grow(buffer, size);
}

/* Forgets the content, keeps the memory. */
void buffer_clear(struct buffer *buffer);

static inline void buffer_add(struct buffer *buffer, struct slice bytes)
{
    uint8_t *end = bytes.size ? buffer_reserve(buffer, bytes.size) : NULL;

    if (!end)
        return;
    memcpy(end, bytes.data, bytes.size);
    buffer->size += bytes.size;
}

static inline void buffer_add_text(struct buffer *buffer, const char *text)
{
    buffer_add(buffer, slice_of_text(text));
}

static inline void buffer_add_byte(struct buffer *buffer, uint8_t byte)
{
    uint8_t *end = buffer_reserve(buffer, 1);

    if (end) {
        *end = byte;
        buffer->size++;
    }
}

/* In decimal digits; many times faster than buffer_format. */
void buffer_add_number(struct buffer *buffer, uint64_t number);
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
struct slice buffer_slice(const struct buffer *buffer);
/* The content with a NUL behind, which size does not count; "" when memory is out. */
const char *buffer_text(struct buffer *buffer);
bool buffer_failed(const struct buffer *buffer);

#endif
