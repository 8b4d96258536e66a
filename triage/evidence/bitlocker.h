/* A BitLocker volume as a medium of its own, decrypted by the helper program bitlocker. */
#ifndef TRIAGE_EVIDENCE_BITLOCKER_H
#define TRIAGE_EVIDENCE_BITLOCKER_H

#include "triage/base/cursor.h"
#include "triage/evidence/image.h"

/* What opens a volume; each may be empty. Tried on every BitLocker volume of the evidence. */
struct bitlocker_keys {
    const char *recovery_key; /* 48 digits in eight groups; NULL without */
    const char *password;     /* NULL without */
    struct slice startup_key; /* content of a .BEK file */
};

/*
 * Opens the encrypted volume at [offset, offset+size) of an image, which is borrowed and has to
 * outlive what comes out; before the sandbox. *method (text, may stay NULL) says how it is
 * encrypted. -1 with error_text, which names the protectors when no key or a wrong one was given.
 */
int bitlocker_open(struct image *image, uint64_t offset, uint64_t size,
                   const struct bitlocker_keys *keys, struct image **out, const char **method);

#endif
