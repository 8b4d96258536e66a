/*
 * What YARA rules ask of a file besides its content, in the words of LOKI and THOR: its type by its
 * first bytes (signature-base, misc/file-type-signatures.txt), the name of its owner.
 */
#ifndef TRIAGE_ENGINE_FILE_TYPE_H
#define TRIAGE_ENGINE_FILE_TYPE_H

#include "triage/base/cursor.h"

/* "EXE", "ZIP", "PDF" ...; "UNKNOWN" for all else. */
const char *file_type(struct slice content);
/* "NT AUTHORITY\SYSTEM" for a well-known SID; any other stays as it is. */
const char *owner_name(const char *sid);

#endif
