/* One chunk of an E01 set: found by its table, read through a window over the segment file,
 * checked, inflated. */
#include "triage/evidence/ewf_chunks.h"

#include "triage/base/error.h"

#include <stdlib.h>

enum {
    WINDOW_SIZE = 256 << 10, /* read at once when more chunks are asked for */
    TABLES_LOADED = 16,      /* of 64 KiB: the $MFT and the files are far apart */
    ZERO_PATTERN_MAX = 512,
};

static const char bad_checksum[] = "the chunk's checksum does not match";
static const char bad_stream[] = "the chunk's compressed data are damaged";
static const char bad_place[] = "the chunk lies outside of its segment";
static const char unreadable[] = "the segment file cannot be read";
static const char not_there[] = "not in the image";

/* The entries of a chunk table, read when they were wanted. */
struct loaded_table {
    const struct ewf_run *run;
    uint32_t *entries;
    uint32_t room;
};

/* What one thread needs to read chunks. */
struct ewf_reader {
    struct inflater *inflater;
    uint8_t *packed; /* window over one segment file */
    size_t packed_room, packed_size;
    uint64_t packed_at;
    uint32_t packed_segment;
    struct loaded_table tables[TABLES_LOADED];
    size_t run;                             /* where the last chunk was found */
    uint8_t zero_pattern[ZERO_PATTERN_MAX]; /* compressed bytes that were seen to give zeroes */
    size_t zero_pattern_size;
    bool zeroes; /* the chunk just read is all zeroes */
};

struct place {
    uint64_t at, size; /* in the segment file */
    uint32_t segment;
    bool compressed;
};

static const struct ewf_run *run_with(const struct ewf *ewf, struct ewf_reader *reader,
                                      uint64_t chunk)
{
    size_t low = 0, high = ewf->run_count;
    const struct ewf_run *run = reader->run < high ? &ewf->runs[reader->run] : NULL;

    if (run && chunk >= run->first && chunk - run->first < run->count)
        return run;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        run = &ewf->runs[middle];
        if (chunk < run->first) {
            high = middle;
        } else if (chunk - run->first >= run->count) {
            low = middle + 1;
        } else {
            reader->run = middle;
            return run;
        }
    }
    return NULL;
}

/* A run's table, from the file unless it was used lately; NULL when it cannot be read. */
static const uint32_t *entries_of(const struct ewf *ewf, struct ewf_reader *reader,
                                  const struct ewf_run *run)
{
    struct loaded_table *table = &reader->tables[(size_t)(run - ewf->runs) % TABLES_LOADED];
    size_t size = (size_t)run->count * sizeof *table->entries;

    if (run->entries || table->run == run)
        return run->entries ? run->entries : table->entries;
    table->run = NULL;
    if (table->room < run->count) {
        free(table->entries);
        table->entries = malloc(size);
        table->room = table->entries ? run->count : 0;
    }
    if (!table->entries || segment_read(&ewf->segments.files[run->segment], run->table_at,
                                        table->entries, size) != (ssize_t)size)
        return NULL;
    ewf_decode_entries(table->entries, run->count);
    table->run = run;
    return table->entries;
}

static uint64_t end_of(const struct ewf_run *run, const uint32_t *entries, uint64_t index)
{
    return index + 1 < run->count ? ewf_chunk_start(run, entries, index + 1) : run->end;
}

/* Where a chunk lies, its size being the way to the next one. False when the table cannot be right.
 */
static bool place_of(const struct ewf *ewf, const struct ewf_run *run, const uint32_t *entries,
                     uint64_t chunk, struct place *place)
{
    uint64_t index = chunk - run->first, file_size = ewf->segments.files[run->segment].size;
    uint64_t end = end_of(run, entries, index);
    uint64_t most = ewf_stored_most(ewf->image.container.chunk_size);

    place->segment = run->segment;
    place->at = ewf_chunk_start(run, entries, index);
    place->compressed = index < run->plain_from && entries[index] >> 31;
    if (end > file_size)
        end = file_size;
    if (place->at >= end)
        return false;
    place->size = end - place->at < most ? end - place->at : most;
    return true;
}

/* How many bytes to read at once for a chunk and those behind it that will be asked for next: no
 * more, as a file's chunks may be few and far from the next file's. */
static size_t window_from(const struct ewf_reader *reader, const struct ewf_run *run,
                          const uint32_t *entries, const struct place *place, uint64_t until)
{
    const uint64_t count = until - run->first < run->count ? until - run->first : run->count;
    const uint64_t end = end_of(run, entries, count - 1);

    if (end < place->at || end - place->at < place->size)
        return (size_t)place->size; /* the table is in no order */
    return end - place->at < reader->packed_room ? (size_t)(end - place->at) : reader->packed_room;
}

/* The chunk's stored bytes, from the window where they are there already; false when the file
 * cannot be read. `window`: what to read at once otherwise. */
static bool stored_bytes(const struct ewf *ewf, struct ewf_reader *reader,
                         const struct place *place, size_t window, struct slice *bytes)
{
    size_t wanted = (size_t)place->size;
    ssize_t got;

    if (reader->packed_size && reader->packed_segment == place->segment &&
        place->at >= reader->packed_at && place->at - reader->packed_at <= reader->packed_size &&
        reader->packed_size - (place->at - reader->packed_at) >= wanted) {
        *bytes = slice_of(reader->packed + (place->at - reader->packed_at), wanted);
        return true;
    }
    reader->packed_size = 0;
    got = segment_read(&ewf->segments.files[place->segment], place->at, reader->packed, window);
    if (got < 0)
        return false;
    reader->packed_segment = place->segment;
    reader->packed_at = place->at;
    reader->packed_size = (size_t)got;
    *bytes = slice_of(reader->packed, reader->packed_size < wanted ? reader->packed_size : wanted);
    return true;
}

/* Uncompressed: the bytes, then their Adler-32. The medium's last chunk may be stored short or in
 * full. */
static const char *take_plain(struct slice stored, uint8_t *bytes, size_t wanted, size_t chunk_size)
{
    size_t sizes[2] = {chunk_size, wanted};

    for (size_t i = 0; i < 2; i++) {
        struct cursor c = cursor_over(stored, 0);
        struct slice data = cursor_take(&c, sizes[i]);
        uint32_t sum = cursor_u32le(&c);
        if (cursor_failed(&c) || adler32_of(data) != sum)
            continue;
        memcpy(bytes, data.data, wanted);
        return NULL;
    }
    return bad_checksum;
}

static void learn_zero_pattern(struct ewf_reader *reader, struct slice stored, const uint8_t *bytes,
                               size_t size)
{
    if (stored.size > sizeof reader->zero_pattern || !slice_is_zero(slice_of(bytes, size)))
        return;
    memcpy(reader->zero_pattern, stored.data, stored.size);
    reader->zero_pattern_size = stored.size;
    reader->zeroes = true;
}

static const char *take_compressed(struct ewf_reader *reader, struct slice stored, uint8_t *bytes,
                                   size_t wanted, size_t chunk_size)
{
    size_t size = 0;

    if (wanted == chunk_size && stored.size && stored.size == reader->zero_pattern_size &&
        !memcmp(stored.data, reader->zero_pattern, stored.size)) {
        memset(bytes, 0, wanted);
        reader->zeroes = true;
        return NULL;
    }
    if (!inflate_stream(reader->inflater, stored, bytes, chunk_size, &size, NULL) || size < wanted)
        return bad_stream;
    if (wanted == chunk_size)
        learn_zero_pattern(reader, stored, bytes, wanted);
    return NULL;
}

static const char *fetch_chunk(const struct ewf *ewf, struct ewf_reader *reader, uint64_t chunk,
                               uint64_t until, uint8_t *bytes)
{
    const struct container *container = &ewf->image.container;
    const struct ewf_run *run = run_with(ewf, reader, chunk);
    const uint32_t *entries;
    struct place place;
    struct slice stored;

    if (!run)
        return not_there;
    entries = entries_of(ewf, reader, run);
    if (!entries)
        return unreadable;
    if (!place_of(ewf, run, entries, chunk, &place))
        return bad_place;
    if (!stored_bytes(ewf, reader, &place, window_from(reader, run, entries, &place, until),
                      &stored))
        return unreadable;
    if (place.compressed)
        return take_compressed(reader, stored, bytes, ewf_chunk_part(container, chunk),
                               container->chunk_size);
    return take_plain(stored, bytes, ewf_chunk_part(container, chunk), container->chunk_size);
}

const char *ewf_reader_chunk(const struct image *image, void *context, uint64_t chunk,
                             uint64_t until, uint8_t *bytes)
{
    const struct ewf *ewf = (const struct ewf *)image;
    struct ewf_reader *reader = context;
    const char *why;

    reader->zeroes = false;
    why = fetch_chunk(ewf, reader, chunk, until, bytes);
    if (why)
        memset(bytes, 0, ewf_chunk_part(&image->container, chunk));
    return why;
}

void ewf_reader_free(void *context)
{
    struct ewf_reader *reader = context;

    if (!reader)
        return;
    for (size_t i = 0; i < TABLES_LOADED; i++)
        free(reader->tables[i].entries);
    inflater_free(reader->inflater);
    free(reader->packed);
    free(reader);
}

bool ewf_reader_met_zeroes(const void *reader)
{
    return ((const struct ewf_reader *)reader)->zeroes;
}

void *ewf_reader_new(const struct image *image)
{
    struct ewf_reader *reader = calloc(1, sizeof *reader);
    size_t room = ewf_stored_most(image->container.chunk_size);

    if (!reader)
        goto failed;
    reader->packed_room = room > WINDOW_SIZE ? room : WINDOW_SIZE;
    reader->packed = malloc(reader->packed_room);
    reader->inflater = inflater_new();
    if (reader->packed && reader->inflater)
        return reader;
failed:
    ewf_reader_free(reader);
    error_set("out of memory");
    return NULL;
}
