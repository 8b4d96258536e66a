/* From the chunks of an E01 set to bytes of the medium: ewf_chunks.c reads one chunk, ewf_cache.c
 * keeps those that were read. */
#ifndef TRIAGE_EVIDENCE_EWF_CHUNKS_H
#define TRIAGE_EVIDENCE_EWF_CHUNKS_H

#include "triage/evidence/ewf.h"

/* What one thread needs to read chunks; the image is borrowed for the call. NULL with error_text
 * when memory is out. Belongs to the caller. */
void *ewf_reader_new(const struct image *image);
void ewf_reader_free(void *reader);
/* Puts a chunk's bytes into `bytes`, which has room for a whole one. NULL, or why they are damaged
 * and zeroed. `until`: the chunks before that one will be asked for next. */
const char *ewf_reader_chunk(const struct image *image, void *reader, uint64_t chunk,
                             uint64_t until, uint8_t *bytes);
/* Whether the chunk that was read last was known to be all zeroes without being inflated, or was
 * found to be. */
bool ewf_reader_met_zeroes(const void *reader);

/* Bytes of the medium in a chunk: fewer than chunk_size in the last one. */
static inline size_t ewf_chunk_part(const struct container *container, uint64_t chunk)
{
    uint64_t left = container->size - chunk * container->chunk_size;

    return left < container->chunk_size ? (size_t)left : container->chunk_size;
}

/* Memory is touched only when used. NULL with error_text when memory is out. */
struct ewf_cache *ewf_cache_new(const struct image *image);
void ewf_cache_free(struct ewf_cache *cache);
/* Bytes of the medium through ewf->cache; as image_read. */
ssize_t ewf_cache_read(struct image *image, uint64_t offset, void *buffer, size_t size);

#endif
