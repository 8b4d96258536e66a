/*
 * Where chunk tables are lost (EnCase writes them behind the chunks, so a file that is cut short
 * has none) the chunks can still be told apart: they follow each other without a gap, and each has
 * a checksum of its own.
 */
#include "triage/base/error.h"
#include "triage/evidence/ewf.h"

#include <stdlib.h>
#include <string.h>

enum { READ_AT_ONCE = 1 << 20 };

int ewf_search_init(struct ewf_search *search, const struct segment *file, uint64_t start,
                    uint64_t end, size_t chunk_size)
{
    *search = (struct ewf_search){.file = file,
                                  .at = start,
                                  .end = end,
                                  .chunk_size = chunk_size,
                                  .stored_most = ewf_stored_most(chunk_size)};
    search->room = search->stored_most > READ_AT_ONCE / 4 ? 4 * search->stored_most : READ_AT_ONCE;
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

/* The bytes from `at` on, as many as a chunk may have; empty when the file cannot be read. */
static struct slice bytes_ahead(struct ewf_search *search)
{
    uint64_t left = search->end - search->at, inside = search->at - search->stored_at;
    size_t wanted = left < search->stored_most ? (size_t)left : search->stored_most;

    if (inside > search->stored_size || search->stored_size - inside < wanted) {
        ssize_t got = segment_read(search->file, search->at, search->stored,
                                   left < search->room ? (size_t)left : search->room);
        search->stored_at = search->at;
        search->stored_size = got < 0 ? 0 : (size_t)got;
        inside = 0;
    }
    return slice_part(slice_of(search->stored, search->stored_size), (size_t)inside, wanted);
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

static size_t plain_chunk_size(const struct ewf_search *search, struct slice stored, bool is_end)
{
    size_t size = plain_size(stored, search->chunk_size);

    if (!size && is_end && stored.size > 4 && stored.size - 4 < search->chunk_size)
        size = plain_size(stored, stored.size - 4);
    return size;
}

/* The bytes of the last chunk that gave nothing but zeroes: most of a disk's chunks are like it. */
static bool is_zero_chunk(const struct ewf_search *search, struct slice stored)
{
    struct slice start = slice_part(stored, 0, search->zeroes_size);

    return start.size && start.size == search->zeroes_size &&
           !memcmp(start.data, search->zeroes, start.size);
}

static void learn_zero_chunk(struct ewf_search *search, struct slice stored)
{
    if (stored.size > sizeof search->zeroes ||
        !slice_is_zero(slice_of(search->bytes, search->chunk_size)))
        return;
    memcpy(search->zeroes, stored.data, stored.size);
    search->zeroes_size = stored.size;
}

static size_t packed_chunk_size(struct ewf_search *search, struct slice stored, bool is_end)
{
    size_t size = 0, inflated = 0;

    if (is_zero_chunk(search, stored))
        return search->zeroes_size;
    if (!inflate_stream(search->inflater, stored, search->bytes, search->chunk_size, &inflated,
                        &size))
        return 0;
    if (inflated == search->chunk_size) {
        learn_zero_chunk(search, slice_part(stored, 0, size));
        return size;
    }
    return is_end && size == stored.size ? size : 0;
}

/* RFC 1950: deflate, and a check of the first two bytes. */
static bool looks_packed(struct slice stored)
{
    return stored.size > 2 && (stored.data[0] & 15) == 8 &&
           (stored.data[0] * 256u + stored.data[1]) % 31 == 0;
}

/* The medium's last chunk may be short; it then ends where the chunks end. */
static size_t stored_size(struct ewf_search *search, struct slice stored, bool is_end,
                          bool *compressed)
{
    size_t size = looks_packed(stored) ? packed_chunk_size(search, stored, is_end) : 0;

    *compressed = size != 0;
    return size ? size : plain_chunk_size(search, stored, is_end);
}

bool ewf_search_next(struct ewf_search *search, uint64_t *at, bool *compressed)
{
    uint64_t left = search->end - search->at;
    struct slice stored = left ? bytes_ahead(search) : slice_of(NULL, 0);
    size_t size = stored.size ? stored_size(search, stored, stored.size == left, compressed) : 0;

    if (size == 0)
        return false;
    *at = search->at;
    search->at += size;
    return true;
}
