/*
 * Owners of files on NTFS: the list of security descriptors in the stream $SDS of $Secure (MFT
 * entry 9), by security id. Formats: NTFS documentation of the Linux-NTFS project ("$Secure");
 * MS-DTYP 2.4.2 (SID) and 2.4.6 (security descriptor).
 */
#ifndef TRIAGE_EVIDENCE_NTFS_OWNER_H
#define TRIAGE_EVIDENCE_NTFS_OWNER_H

#include "triage/base/cursor.h"

struct ntfs_owners;

enum { SID_TEXT_SIZE = 200 };

/* A binary SID as text, "S-1-5-18"; false when it is malformed. What stands behind it is left out.
 */
bool ntfs_sid_text(struct slice bytes, char text[SID_TEXT_SIZE]);

/* From the content of $SDS, which need not live on. Descriptors that make no sense are passed over.
 * NULL when memory is out. */
struct ntfs_owners *ntfs_owners_new(struct slice sds);
void ntfs_owners_free(struct ntfs_owners *owners);
/* "S-1-5-18"; NULL when the id is not listed. Belongs to the owners. */
const char *ntfs_owner_sid(const struct ntfs_owners *owners, uint32_t security_id);

#endif
