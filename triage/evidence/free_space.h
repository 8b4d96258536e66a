/*
 * The space of a volume that no file owns, as one sparse stream: an offset in it is the byte of the
 * volume, stream_data() leads from one free stretch to the next, what belongs to files reads as
 * zeroes. The same question, is this block free, guards the content of deleted files.
 */
#ifndef TRIAGE_EVIDENCE_FREE_SPACE_H
#define TRIAGE_EVIDENCE_FREE_SPACE_H

#include "triage/evidence/source.h"

struct free_space {
    /* False also when it cannot be told. */
    bool (*is_free)(void *context, uint64_t block);
    /* Bytes of the volume; `damaged` is set when they are not what was there. -1 with error_text.
     */
    int (*read)(void *context, uint64_t offset, void *buffer, size_t size, bool *damaged);
    void *context;
    uint64_t block_count;
    uint32_t block_size;
};

/* Blocks from `block` on, `most` of them at the most, that are all free or all in use as the first
 * one is. */
uint64_t free_space_stretch(const struct free_space *space, uint64_t block, uint64_t most,
                            bool *is_free);
/* Reads bytes of the volume, zeroes for what is not free. -1 with error_text. */
int free_space_read(const struct free_space *space, uint64_t offset, void *buffer, size_t size,
                    bool *damaged);
/* The whole free space; the stream belongs to the caller and `space` is copied. */
int free_space_open(const struct free_space *space, struct stream **out);

#endif
