/*
 * The text of a server page without its disguise, for the content rules: as its author would have
 * written it with nothing to hide. Encodings become UTF-8, comments and characters without a shape
 * go, escapes and Chr() calls become the characters, texts that are put together from parts become
 * one, and what is in base64, hexadecimal or percent form is added behind, decoded. Last come lines
 * that say which requests flow into which calls (page_flow.h).
 *
 * Nothing of this is a parser of C# or VBScript: it looks at the words only, in linear time, and
 * its result is for searching, not for reading.
 */
#ifndef TRIAGE_FORMATS_PAGE_TEXT_H
#define TRIAGE_FORMATS_PAGE_TEXT_H

#include "triage/base/buffer.h"

enum { PAGE_TEXT_MOST = 2 << 20 }; /* bytes of a page that is looked at */

/* Whether the bytes look like a page that a server would run: "<%", a script that runs at the
 * server, Razor code, or the same in UTF-16 or UTF-7. */
bool page_text_is_page(struct slice bytes);
/* Appends the plain text; false when it would say nothing that the bytes do not say, or when there
 * is no page in them or one too large. */
bool page_text_plain(struct slice bytes, struct buffer *plain);

#endif
