/* Hashing beside the work: large outputs get their SHA-256 while they are written or read by
 * others, in a thread of their own. */
#ifndef TRIAGE_CASE_HASHED_FILE_H
#define TRIAGE_CASE_HASHED_FILE_H

#include "triage/base/hash.h"

#include <stdio.h>

struct hashed_file;

/* A new file; what is written to `*stream` is hashed and written by the thread. */
int hashed_file_create(const char *path, struct hashed_file **out, FILE **stream);
/* Closes the stream and gives the hash of all that was written; -1 with error_text when some of it
 * could not be. Frees the rest in any case. */
int hashed_file_close(struct hashed_file *file, FILE *stream, char sha256[SHA256_TEXT_SIZE]);

struct hash_job;

/* Hashes a file that is there and will not change. */
int hash_job_start(const char *path, struct hash_job **out);
/* Waits for it; NULL is done at once. */
int hash_job_end(struct hash_job *job, char sha256[SHA256_TEXT_SIZE]);

#endif
