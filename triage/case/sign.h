/* A detached signature over SHA256SUMS with the user's own key, made by the user's own program. */
#ifndef TRIAGE_CASE_SIGN_H
#define TRIAGE_CASE_SIGN_H

/* "gpg", "gpg:KEYID" or "ssh:KEYFILE": 0, or -1 with error_text when it is none of these, or the
 * key file cannot be read. */
int sign_check(const char *how);
/* Writes SHA256SUMS.asc or SHA256SUMS.sig beside the folder's SHA256SUMS; -1 with error_text. */
int sign_sums(const char *folder, const char *how);
/* A signature over what SHA256SUMS said before goes. */
void sign_remove(const char *folder);

#endif
