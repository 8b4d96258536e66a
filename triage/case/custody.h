/* The chain of custody: hashes of what a case holds. */
#ifndef TRIAGE_CASE_CUSTODY_H
#define TRIAGE_CASE_CUSTODY_H

#include "triage/base/hash.h"
#include "triage/case/case.h"

/* Writes SHA256SUMS (`sha256sum -c` format, sorted by path): all files of the case folder but
 * itself; the hashes of extracted files are those that were computed while copying them. */
int custody_write_sums(struct case_file *file);
/* The same; files of the folder whose hashes are known already are not read again. */
struct custody_known {
    const char *name;
    char sha256[SHA256_TEXT_SIZE]; /* "": not known */
};
int custody_write_sums_knowing(struct case_file *file, const struct custody_known *known,
                               size_t count);
/* SHA-256 of a file on disk; -1 with error_text. */
int custody_hash_file(const char *path, char text[65]);

#endif
