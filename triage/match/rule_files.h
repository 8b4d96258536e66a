/* Files and folders of rules. */
#ifndef TRIAGE_MATCH_RULE_FILES_H
#define TRIAGE_MATCH_RULE_FILES_H

#include "triage/base/buffer.h"

/* Appends the whole file. -1 with error_text when it cannot be read or is too large for what its
 * name says it is. */
int rule_file_read(const char *path, struct buffer *out);

#endif
