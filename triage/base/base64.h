/* Base64 (RFC 4648, sections 4 and 5). */
#ifndef TRIAGE_BASE_BASE64_H
#define TRIAGE_BASE_BASE64_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"

/* What a digit stands for, 0 to 63; -1 for any other byte, the padding too. */
int base64_digit(uint8_t byte);
/* The same for names of files and URLs, where - and _ stand for + and /, which count too. */
int base64url_digit(uint8_t byte);
/* Appends the bytes as digits, with padding. */
void base64_add(struct buffer *out, struct slice bytes);
/* Appends the bytes that the digits stand for, by one of the functions above, passing over all
 * else. */
void base64_read(struct buffer *out, struct slice text, int (*digit_of)(uint8_t byte));
/* The digits that stay the same whatever stands around the bytes, when `before` bytes, at most two,
 * stand in front in their group of three. In the arena; empty when there are none or it is full. */
struct slice base64_within(struct arena *arena, struct slice bytes, size_t before);

#endif
