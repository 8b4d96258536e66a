/* GUIDs as Microsoft stores them: three little-endian numbers, then eight bytes (MS-DTYP 2.3.4). */
#ifndef TRIAGE_BASE_GUID_H
#define TRIAGE_BASE_GUID_H

#include "triage/base/cursor.h"

enum { GUID_SIZE = 16, GUID_TEXT_SIZE = 39 };

/* The first 16 bytes as "f81d4fae-7dec-11d0-a765-00a0c91e6bf6", as GPT tools print it; "" when
 * there are fewer. Gives `text` back. */
const char *guid_plain(struct slice bytes, char text[GUID_TEXT_SIZE]);

/* The same as Windows prints it: in braces and capitals. */
const char *guid_braced(struct slice bytes, char text[GUID_TEXT_SIZE]);

#endif
