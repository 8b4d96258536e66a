/*
 * Where chunk tables are lost (EnCase writes them behind the chunks, so a file that is cut short
 * has none) the chunks can still be told apart: they follow each other without a gap, and each has
 * a checksum of its own.
 */
#include "triage/base/error.h"
#include "triage/evidence/ewf.h"

#include <stdlib.h>

int ewf_search_init(struct ewf_search *search, const struct segment *file, uint64_t start,
                    uint64_t end, size_t chunk_size)
{
    *search = (struct ewf_search){.file = file,
                                  .at = start,
                                  .end = end,
                                  .chunk_size = chunk_size,
                                  .room = 2 * chunk_size + 1024};
    search->inflater = inflater_new();
    search->stored = malloc(search->room);
    search->bytes = malloc(chunk_size);
    if (search->inflater && search->stored && search->bytes)
        return 0;
    ewf_search_release(search);
    return error_set("out of memory");
}

void ewf_search_release(struct ewf_search *search)
{
    inflater_free(search->inflater);
    free(search->stored);
    free(search->bytes);
    *search = (struct ewf_search){0};
}

/* Stored size of an uncompressed chunk at the start of `stored`, 0 when it is none. */
static size_t plain_size(struct slice stored, size_t data_size)
{
    struct cursor c = cursor_over(stored, 0);
    uint32_t sum = adler32_of(cursor_take(&c, data_size));

    if (data_size == 0 || cursor_u32le(&c) != sum || cursor_failed(&c))
        return 0;
    return data_size + 4;
}

/* The medium's last chunk may be short; it then ends where the chunks end. */
static size_t stored_size(struct ewf_search *search, struct slice stored, bool is_end,
                          bool *compressed)
{
    size_t size = plain_size(stored, search->chunk_size), inflated = 0;

    *compressed = false;
    if (!size && is_end && stored.size > 4 && stored.size - 4 < search->chunk_size)
        size = plain_size(stored, stored.size - 4);
    if (size)
        return size;
    *compressed = true;
    if (!inflate_stream(search->inflater, stored, search->bytes, search->chunk_size, &inflated,
                        &size))
        return 0;
    return inflated == search->chunk_size || (is_end && size == stored.size) ? size : 0;
}

bool ewf_search_next(struct ewf_search *search, uint64_t *at, bool *compressed)
{
    uint64_t left = search->end - search->at;
    size_t wanted = left < search->room ? (size_t)left : search->room, size;
    ssize_t got = left ? segment_read(search->file, search->at, search->stored, wanted) : 0;

    if (got <= 0)
        return false;
    size = stored_size(search, slice_of(search->stored, (size_t)got), (uint64_t)got == left,
                       compressed);
    if (size == 0)
        return false;
    *at = search->at;
    search->at += size;
    return true;
}
