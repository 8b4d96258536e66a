/* Base64 (RFC 4648, section 4). */
#ifndef TRIAGE_BASE_BASE64_H
#define TRIAGE_BASE_BASE64_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"

/* What a digit stands for, 0 to 63; -1 for any other byte, the padding too. */
int base64_digit(uint8_t byte);
/* Appends the bytes as digits, with padding. */
void base64_add(struct buffer *out, struct slice bytes);
/* Appends the bytes that the digits stand for, passing over all else. */
void base64_read(struct buffer *out, struct slice text);
/* The digits that stay the same whatever stands around the bytes, when `before` bytes, at most two,
 * stand in front in their group of three. In the arena; empty when there are none or it is full. */
struct slice base64_within(struct arena *arena, struct slice bytes, size_t before);

#endif
