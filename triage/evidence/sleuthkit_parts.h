/* What the files that use libtsk share; for triage/evidence/sleuthkit*.c only. */
#ifndef TRIAGE_EVIDENCE_SLEUTHKIT_PARTS_H
#define TRIAGE_EVIDENCE_SLEUTHKIT_PARTS_H

#include "triage/evidence/image_methods.h"
#include "triage/evidence/ntfs_owner.h"
#include "triage/evidence/sleuthkit.h"

#include <tsk/libtsk.h>

enum {
    OVERLAYS_MAX = 64, /* two for each NTFS volume that needs its copies */
    RECORD_SIZE_MAX = 64 * 1024,
};

/* Bytes that stand in for damaged ones of the medium: a copy of the boot sector or of the first
 * $MFT entry. */
struct overlay {
    uint64_t offset;
    size_t size;
    uint8_t *bytes;
};

struct medium {
    TSK_IMG_INFO info; /* has to be first: libtsk hands it to the callbacks */
    struct image *image;
    struct overlay overlays[OVERLAYS_MAX];
    size_t overlay_count;
};

struct mount {
    struct source source;
    struct medium *medium;
    TSK_FS_INFO *fs;
    uint64_t offset, size;
    uint32_t cluster_size, record_size;
    bool ntfs, owners_sought;
    struct ntfs_owners *owners; /* read on first use; NULL when $Secure cannot be read */
};

/* What libtsk says of its last failure, which it forgets by that; valid until the next call. */
const char *sleuthkit_reason(void);
/* As image_read, with the copies in place of what they stand for. */
ssize_t medium_bytes(struct medium *medium, uint64_t offset, void *buffer, size_t size);
/* libtsk must not hand out bytes that it cached before, or damage would be met only once. A handle
 * has one thread: no lock. */
void medium_forget_cache(struct medium *medium);

/* --- sleuthkit_content.c: the methods of a source --- */

int mount_open_stream(struct source *source, const struct file *file, struct stream **out);
int mount_open_free(struct source *source, struct stream **out);
bool mount_owner(struct source *source, const struct file *file, char *text, size_t size);

/* --- sleuthkit_ntfs.c, sleuthkit_walk.c --- */

/* The $MFT in one pass. */
int mount_list_ntfs(struct mount *mount, struct listing **out);
/* The other file systems, folder by folder. */
int mount_list_walked(struct mount *mount, struct listing **out);

#endif
