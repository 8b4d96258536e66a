/* The chain of custody: hashes of what a case holds. */
#ifndef TRIAGE_CASE_CUSTODY_H
#define TRIAGE_CASE_CUSTODY_H

#include "triage/case/case.h"

/* Writes SHA256SUMS (`sha256sum -c` format, sorted by path): all files of the case folder but
 * itself; the hashes of extracted files are those that were computed while copying them. */
int custody_write_sums(struct case_file *file);
/* SHA-256 of a file on disk; -1 with error_text. */
int custody_hash_file(const char *path, char text[65]);

#endif
