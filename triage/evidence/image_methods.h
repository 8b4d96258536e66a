/* What a kind of container provides to image.c. */
#ifndef TRIAGE_EVIDENCE_IMAGE_METHODS_H
#define TRIAGE_EVIDENCE_IMAGE_METHODS_H

#include "triage/evidence/image.h"

struct image_methods {
    ssize_t (*read)(struct image *image, uint64_t offset, void *buffer, size_t size);
    void (*close)(struct image *image); /* frees the image itself too */

    /*
     * For containers that several threads can read at once, NULL for the others: each thread has a
     * reader of its own and takes whole chunks. read_chunk gives NULL, or why the chunk's bytes are
     * damaged and zeroed; it notes no damage. The chunks before `until` will be asked for next.
     */
    void *(*reader_new)(const struct image *image);
    void (*reader_free)(void *reader);
    const char *(*read_chunk)(const struct image *image, void *reader, uint64_t chunk,
                              uint64_t until, uint8_t *bytes);
};

/* First member of each container's own struct. */
struct image {
    const struct image_methods *methods;
    struct container container;
    struct damage *damage; /* kept sorted and merged by image_add_damage */
    size_t damage_count, damage_room;
    uint64_t damage_hits;
};

/* Notes damage; adjacent ranges with the same reason are merged. `why` must outlive the image. */
void image_add_damage(struct image *image, uint64_t offset, uint64_t size, const char *why);
/* Frees what image_add_damage took; for the containers' close. */
void image_release_damage(struct image *image);

/* Openers; each gives -1 with error_text when the file is not of its kind or cannot be read. */
int ewf_open(const char *path, struct image **out);
int raw_open(const char *path,
             struct image **out); /* also split raw: .001 .002, .000 .001, .aa .ab, .dd.1 ... */
int vhd_open(const char *path, struct image **out); /* fixed and dynamic */
int sleuthkit_image_open(const char *path, const char *format, struct image **out); /* VMDK, VHDX */

#endif
