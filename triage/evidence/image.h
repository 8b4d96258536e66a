/*
 * The bytes of a medium, whatever container they came in: read-only, random access, damage known.
 * One file per container (ewf.c raw.c vhd.c; VMDK and VHDX through libtsk in sleuthkit_image.c). An
 * image is for one thread at a time.
 */
#ifndef TRIAGE_EVIDENCE_IMAGE_H
#define TRIAGE_EVIDENCE_IMAGE_H

#include "triage/base/cursor.h"
#include "triage/base/hash.h"

#include <sys/types.h>

struct image;

struct pair {
    const char *key, *value;
};

/* Bytes of the medium that cannot be trusted: a chunk with a bad checksum, a missing segment. */
struct damage {
    uint64_t offset, size;
    const char *why; /* lives as long as the image */
};

/* What the container says of itself. All pointers live as long as the image. */
struct container {
    const char *format; /* "EWF (E01)", "raw", "split raw", "VHD (dynamic)", "VMDK", "VHDX" ... */
    uint64_t size;      /* bytes of the medium */
    uint32_t sector_size;
    const char *const *segments; /* paths of the files it is made of, in order */
    size_t segment_count;
    const struct pair
        *metadata; /* case number, evidence number, examiner, notes, acquiry date ... */
    size_t metadata_count;
    char md5[MD5_TEXT_SIZE], sha1[SHA1_TEXT_SIZE]; /* stored in the container; "" when none */
    uint32_t chunk_size; /* bytes of the medium per chunk; 0 when there are none */
    uint64_t chunk_count;
};

/*
 * Opens the medium whose first segment, or any segment of a set, is at `path`; finds the other
 * segments itself. Signatures are checked first: a format that cannot be read is an error that
 * names it and says what to do. -1 with error_text.
 */
int image_open(const char *path, struct image **out);
void image_close(struct image *image);

const struct container *image_container(const struct image *image);
/* Bytes read, short only at the end of the medium; -1 with error_text when the file cannot be read
 * at all. Damaged ranges read as zeroes and are added to image_damage(). */
ssize_t image_read(struct image *image, uint64_t offset, void *buffer, size_t size);
/* All damage known so far, in order of offset, merged. Missing and truncated segments are known at
 * once, bad chunks when they have been read. Valid until the next image_read. */
const struct damage *image_damage(const struct image *image, size_t *count);
/* Grows each time a read met damaged bytes (also when that damage was known already). */
uint64_t image_damage_hits(const struct image *image);

struct verification {
    struct digests computed;
    char stored_md5[MD5_TEXT_SIZE],
        stored_sha1[SHA1_TEXT_SIZE]; /* "" when the container stores none */
    bool hash_differs;               /* a stored hash is not the computed one */
    uint64_t bytes, chunks, bad_chunks;
    struct damage *damage; /* belongs to the caller: verification_release */
    size_t damage_count;
};

struct verify_options {
    unsigned threads;  /* 0: all cores */
    bool apart;        /* MD5 in a thread of its own, as on a processor that cannot stitch */
    struct slice from; /* a point of an earlier verification of this image; empty: the start */
    uint64_t interval; /* bytes of the medium between two points; 0: a GiB */
    void *context;
    /* May be NULL; called from the calling thread, with bytes done and in all. */
    void (*progress)(void *context, uint64_t done, uint64_t all);
    /* May be NULL: all that is needed to go on from here, borrowed for the call. */
    void (*point)(void *context, struct slice point);
};

/* As image_verify. A point that is not of this image is ignored: it begins at the start then. */
int image_verify_with(const char *path, const struct verify_options *options,
                      struct verification *result);

/*
 * Reads every byte of the medium once, on `threads` threads (0: all cores), and computes MD5, SHA-1
 * and SHA-256 in that pass. `progress` (may be NULL) is called from the calling thread with bytes
 * done and in all. -1 only when nothing could be read; damage is part of the result.
 */
int image_verify(const char *path, unsigned threads,
                 void (*progress)(void *context, uint64_t done, uint64_t all), void *context,
                 struct verification *result);
void verification_release(struct verification *result);

#endif
