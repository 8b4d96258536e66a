/*
 * The shadow copies of one NTFS volume, each as a medium of its own, through the helper program
 * shadow_copy. A map of the blocks that were kept tells without reading what did not change.
 */
#ifndef TRIAGE_EVIDENCE_SHADOW_H
#define TRIAGE_EVIDENCE_SHADOW_H

#include "triage/base/arena.h"
#include "triage/evidence/image.h"
#include "triage/evidence/snapshot.h"

struct shadow;

/* Where the live volume lies. */
struct shadow_volume {
    struct image *image; /* borrowed: outlives the shadow */
    uint64_t offset, size;
};

/* Does the volume have the header of shadow copies? */
bool shadow_is_there(const struct shadow_volume *volume);
/* Starts the helper program: before the sandbox. -1 with error_text. */
int shadow_new(const struct shadow_volume *volume, struct arena *arena, struct shadow **out);
void shadow_free(struct shadow *shadow);

/* All copies, oldest first; asked for on first use. -1 with error_text. */
int shadow_list(struct shadow *shadow, const struct snapshot **list, size_t *count);
/* The copy's bytes as a medium, to be closed with image_close before shadow_free. -1 with
 * error_text. */
int shadow_image(struct shadow *shadow, uint32_t number, struct image **out);
/* Are these bytes those of the live volume? `image` is of shadow_image. What cannot be read is not
 * the same. */
bool shadow_is_same(struct image *image, uint64_t offset, uint64_t size);

#endif
