/* Name-based UUIDs (RFC 4122, version 5): the same name in the same namespace gives the same one.
 */
#ifndef TRIAGE_BASE_UUID_H
#define TRIAGE_BASE_UUID_H

#include "triage/base/cursor.h"

enum { UUID_TEXT_SIZE = 37 };

/* `space` is the namespace as text, "00abedb4-aa42-466c-9c01-fed23315a9b7". Gives `text` back. */
const char *uuid_of_name(const char *space, struct slice name, char text[UUID_TEXT_SIZE]);

#endif
