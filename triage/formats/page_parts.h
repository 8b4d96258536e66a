/* The steps of page_text, for page_text.c alone. Each appends to `out`. */
#ifndef TRIAGE_FORMATS_PAGE_PARTS_H
#define TRIAGE_FORMATS_PAGE_PARTS_H

#include "triage/base/buffer.h"

/* page_encoding.c: the page in UTF-8 or a code page of single bytes; false when it was that
 * already. */
bool page_decode(struct slice bytes, struct buffer *out);
bool page_is_utf7(struct slice bytes);
bool page_is_utf16(struct slice bytes, bool *big);
/* UTF-16 as UTF-8. */
void page_add_units(struct buffer *out, struct slice units, bool big);

/* page_characters.c: without comments, shapeless characters and escapes; calls and lists that stand
 * for characters become texts. Whether anything changed. */
bool page_uncover_characters(struct slice in, struct buffer *out);

/* page_literals.c: texts made of parts become one; what they hold is appended to `held`, decoded.
 * Whether anything changed. */
bool page_join_texts(struct slice in, struct buffer *out, struct buffer *held);

/* page_held.c: appends what the text holds in hexadecimal, base64, percent form or backwards. */
bool page_held(struct slice text, struct buffer *held);
void page_reverse(struct buffer *text);

#endif
