/*
 * Proof that evidence was not changed while it was read: what its files look like to the file
 * system when a run begins, compared with what they look like when it ends.
 */
#ifndef TRIAGE_CASE_SEAL_H
#define TRIAGE_CASE_SEAL_H

#include "triage/base/json.h"

struct seal;

/* Notes device, inode, size, and times of change of what lies at `path`: of a file and of those
 * beside it that may be segments of the same image, of everything below a folder. -1 with
 * error_text. */
int seal_take(const char *path, struct seal **out);
void seal_free(struct seal *seal);
/* Compares; `segments` are the files that turned out to be the evidence (count 0: the path alone).
 * False when something changed, which `what` then tells. */
bool seal_holds(struct seal *seal, const char *const *segments, size_t count, struct buffer *what);
/* What was noted, as the value of a key that is written already; call seal_holds first. */
void seal_json(const struct seal *seal, struct json *json);

#endif
