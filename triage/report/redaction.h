/* --redact: a case whose users, mailboxes, addresses, hosts and domains are pseudonyms throughout.
 */
#ifndef TRIAGE_REPORT_REDACTION_H
#define TRIAGE_REPORT_REDACTION_H

#include "triage/case/case.h"
#include "triage/report/pseudonyms.h"

/* The document that marks a case as redacted. */
#define REDACTION_DOCUMENT "redaction"

/* Learns what the sorted case names, and puts pseudonyms into all its rows and documents; to be
 * called from case_finish. -1 with error_text. */
int redaction_apply(struct case_file *file, struct pseudonyms *names);
/* Writes what the pseudonyms stand for to a file that only its owner can read; -1 with error_text
 * when it is there already and `replace` is not set. */
int redaction_write_key(const struct pseudonyms *names, const char *path, bool replace);
/* "CASE-redaction-key.json" beside the case folder. */
void redaction_key_path(const char *folder, struct buffer *path);

#endif
