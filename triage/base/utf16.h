/* UTF-16LE to UTF-8 and checks of UTF-8. Lone surrogates become U+FFFD: the result is always valid
 * UTF-8. */
#ifndef TRIAGE_BASE_UTF16_H
#define TRIAGE_BASE_UTF16_H

#include "triage/base/arena.h"
#include "triage/base/buffer.h"

/* Appends the text of `utf16` (an odd last byte is left out); stops at a NUL unit when
 * `stop_at_nul`. */
void utf16_append(struct buffer *buffer, struct slice utf16, bool stop_at_nul);
/* The same in the arena, NUL-terminated; NULL past the arena's ceiling. */
char *utf16_to_text(struct arena *arena, struct slice utf16, bool stop_at_nul);
/* Writes a code point as UTF-8; gives its bytes, 1 to 4. */
size_t utf8_encode(uint32_t point, uint8_t out[4]);
/* Bytes of the valid UTF-8 sequence at the start of `bytes` (1 to 4), 0 when there is none. */
size_t utf8_sequence(struct slice bytes);
/* Bytes at the start that are ASCII, no control characters and neither of two special ones. */
size_t utf8_plain_run(struct slice bytes, uint8_t special, uint8_t other);
bool utf8_valid(struct slice bytes);
/* Appends `bytes` with each byte that is not UTF-8 as U+FFFD. */
void utf8_append_repaired(struct buffer *buffer, struct slice bytes);
/* The same, and nothing is left that a terminal obeys or that turns the direction of writing:
 * controls become blanks, marks of direction and separators of lines U+FFFD. */
void utf8_append_tame(struct buffer *buffer, struct slice bytes);

#endif
