/* Volumes of an image through libtsk, whose only home sleuthkit*.c are. */
#ifndef TRIAGE_EVIDENCE_SLEUTHKIT_H
#define TRIAGE_EVIDENCE_SLEUTHKIT_H

#include "triage/evidence/probe.h"
#include "triage/evidence/source.h"

struct medium;

/* libtsk's view of an image, which is borrowed and has to outlive it. NULL with error_text. */
struct medium *medium_new(struct image *image);
void medium_free(struct medium *medium);

/*
 * Opens the file system at volume->offset that `probe` found and fills in file_system and label (in
 * the arena). NTFS with a damaged boot sector or first $MFT entry is opened through the copies, and
 * volume->notice says so. -1 with error_text. The source must be closed before the medium.
 */
int sleuthkit_mount(struct medium *medium, const struct probe *probe, struct arena *arena,
                    struct volume *volume, struct source **out);

/* Are two streams of NTFS volumes stored alike: in the same places or in their records, with the
 * same bytes? `same` tells of a range of the volume. */
bool sleuthkit_is_same(struct stream *one, struct stream *other,
                       bool (*same)(void *context, uint64_t offset, uint64_t size), void *context);

#endif
