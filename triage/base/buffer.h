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
/* Forgets the content, keeps the memory. */
void buffer_clear(struct buffer *buffer);
void buffer_add(struct buffer *buffer, struct slice bytes);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_byte(struct buffer *buffer, uint8_t byte);
/* In decimal digits; many times faster than buffer_format. */
void buffer_add_number(struct buffer *buffer, uint64_t number);
void buffer_format(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for `size` more bytes at the end, not yet counted in size; NULL when memory is out. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t size);
struct slice buffer_slice(const struct buffer *buffer);
/* The content with a NUL behind, which size does not count; "" when memory is out. */
const char *buffer_text(struct buffer *buffer);
bool buffer_failed(const struct buffer *buffer);

#endif
