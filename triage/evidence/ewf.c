/*
 * E01 images (Expert Witness Compression Format, EnCase 1 to 7, FTK Imager, SMART's s01), read by
 * ourselves: every length from the file is checked, every chunk's Adler-32 too, and each chunk is
 * inflated once when read in disk order. ewf_sections.c finds what the segment files hold; here is
 * how they are found and how chunks become bytes.
 */
#include "triage/evidence/ewf.h"

#include "triage/base/error.h"
#include "triage/evidence/ewf_libewf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_MAX = 32 << 20,
    CACHE_SIZE = 64 << 20,
    CACHE_SLOTS_MAX = 2048,
    WINDOW_SIZE = 256 << 10, /* read at once when chunks are asked for in order */
    TABLES_LOADED = 4,
    ZERO_PATTERN_MAX = 512,
    SEGMENT_NUMBER_MAX = 99 + 22 * 26 * 26 /* .E01 to .ZZZ */
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
    uint64_t expected; /* the chunk that comes next when they are read in order */
    size_t run;        /* where the last chunk was found */
    uint8_t zero_pattern[ZERO_PATTERN_MAX]; /* compressed bytes that were seen to give zeroes */
    size_t zero_pattern_size;
    bool zeroes; /* the chunk just read is all zeroes */
};

enum slot_state { SLOT_EMPTY, SLOT_DATA, SLOT_ZEROES, SLOT_DAMAGED };

struct slot {
    uint64_t chunk;
    enum slot_state state;
};

struct ewf_cache {
    struct ewf_reader *reader;
    struct slot *slots;
    uint8_t *data;
    size_t slot_count;
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

/* Where a chunk lies, its size being the way to the next one. False when the table cannot be right.
 */
static bool place_of(const struct ewf *ewf, const struct ewf_run *run, const uint32_t *entries,
                     uint64_t chunk, struct place *place)
{
    uint64_t index = chunk - run->first, file_size = ewf->segments.files[run->segment].size;
    uint64_t end = index + 1 < run->count ? ewf_chunk_start(run, entries, index + 1) : run->end;
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

/* The chunk's stored bytes, from the window where they are there already; false when the file
 * cannot be read. */
static bool stored_bytes(const struct ewf *ewf, struct ewf_reader *reader,
                         const struct place *place, bool in_order, struct slice *bytes)
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
    got = segment_read(&ewf->segments.files[place->segment], place->at, reader->packed,
                       in_order ? reader->packed_room : wanted);
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

static bool all_zeroes(const uint8_t *bytes, size_t size)
{
    return size == 0 || (bytes[0] == 0 && !memcmp(bytes, bytes + 1, size - 1));
}

static void learn_zero_pattern(struct ewf_reader *reader, struct slice stored, const uint8_t *bytes,
                               size_t size)
{
    if (stored.size > sizeof reader->zero_pattern || !all_zeroes(bytes, size))
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

static size_t chunk_part(const struct container *container, uint64_t chunk)
{
    uint64_t left = container->size - chunk * container->chunk_size;

    return left < container->chunk_size ? (size_t)left : container->chunk_size;
}

static const char *fetch_chunk(const struct ewf *ewf, struct ewf_reader *reader, uint64_t chunk,
                               uint8_t *bytes)
{
    const struct container *container = &ewf->image.container;
    const struct ewf_run *run = run_with(ewf, reader, chunk);
    const uint32_t *entries;
    bool in_order = chunk == reader->expected;
    struct place place;
    struct slice stored;

    reader->expected = chunk + 1;
    if (!run)
        return not_there;
    entries = entries_of(ewf, reader, run);
    if (!entries)
        return unreadable;
    if (!place_of(ewf, run, entries, chunk, &place))
        return bad_place;
    if (!stored_bytes(ewf, reader, &place, in_order, &stored))
        return unreadable;
    if (place.compressed)
        return take_compressed(reader, stored, bytes, chunk_part(container, chunk),
                               container->chunk_size);
    return take_plain(stored, bytes, chunk_part(container, chunk), container->chunk_size);
}

/* `bytes` has room for a whole chunk. */
static const char *read_chunk(const struct image *image, void *context, uint64_t chunk,
                              uint8_t *bytes)
{
    const struct ewf *ewf = (const struct ewf *)image;
    struct ewf_reader *reader = context;
    const char *why;

    reader->zeroes = false;
    why = fetch_chunk(ewf, reader, chunk, bytes);
    if (why)
        memset(bytes, 0, chunk_part(&image->container, chunk));
    return why;
}

static void reader_free(void *context)
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

static void *reader_new(const struct image *image)
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
    reader_free(reader);
    error_set("out of memory");
    return NULL;
}

static void cache_free(struct ewf_cache *cache)
{
    if (!cache)
        return;
    reader_free(cache->reader);
    free(cache->slots);
    free(cache->data);
    free(cache);
}

/* Direct mapped: chunks read in disk order never push out what is still wanted. Memory is touched
 * only when used. */
static struct ewf_cache *cache_new(const struct image *image)
{
    struct ewf_cache *cache = calloc(1, sizeof *cache);
    size_t chunk_size = image->container.chunk_size;

    if (!cache)
        goto failed;
    cache->slot_count = CACHE_SIZE / chunk_size;
    if (cache->slot_count > CACHE_SLOTS_MAX)
        cache->slot_count = CACHE_SLOTS_MAX;
    if (cache->slot_count < 2)
        cache->slot_count = 2;
    cache->reader = reader_new(image);
    cache->slots = calloc(cache->slot_count, sizeof *cache->slots);
    cache->data = malloc(cache->slot_count * chunk_size);
    if (cache->reader && cache->slots && cache->data)
        return cache;
failed:
    cache_free(cache);
    error_set("out of memory");
    return NULL;
}

static uint8_t *slot_data(const struct ewf *ewf, uint64_t chunk)
{
    return ewf->cache->data + chunk % ewf->cache->slot_count * ewf->image.container.chunk_size;
}

static enum slot_state load_slot(struct ewf *ewf, uint64_t chunk)
{
    struct ewf_cache *cache = ewf->cache;
    struct slot *slot = &cache->slots[chunk % cache->slot_count];
    const struct container *container = &ewf->image.container;
    const char *why;

    if (slot->state != SLOT_EMPTY && slot->chunk == chunk)
        return slot->state;
    why = read_chunk(&ewf->image, cache->reader, chunk, slot_data(ewf, chunk));
    slot->chunk = chunk;
    slot->state = why ? SLOT_DAMAGED : cache->reader->zeroes ? SLOT_ZEROES : SLOT_DATA;
    if (why)
        image_add_damage(&ewf->image, chunk * container->chunk_size, chunk_part(container, chunk),
                         why);
    return slot->state;
}

/* Whether the bytes hold sectors that were unreadable when the image was acquired. */
static bool meets_unread(const struct ewf *ewf, uint64_t offset, size_t size)
{
    uint64_t sector_size = ewf->geometry.sector_size, first = offset / sector_size;
    size_t low = 0, high = ewf->unread_count;

    while (low < high) { /* the first range that ends behind `first` */
        size_t middle = low + (high - low) / 2;
        if (ewf->unread[middle].first + ewf->unread[middle].count > first)
            high = middle;
        else
            low = middle + 1;
    }
    return size && low < ewf->unread_count &&
           ewf->unread[low].first <= (offset + size - 1) / sector_size;
}

static ssize_t read_ewf(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    struct ewf *ewf = (struct ewf *)image;
    size_t chunk_size = image->container.chunk_size, done = 0;

    while (done < size) {
        uint64_t chunk = (offset + done) / chunk_size;
        size_t inside = (size_t)((offset + done) % chunk_size), part = chunk_size - inside;
        uint8_t *target = (uint8_t *)buffer + done;
        if (part > size - done)
            part = size - done;
        switch (load_slot(ewf, chunk)) {
        case SLOT_ZEROES:
            memset(target, 0, part);
            break;
        case SLOT_DAMAGED:
            image->damage_hits++; /* and copies the zeroes */
            /* fall through */
        default:
            memcpy(target, slot_data(ewf, chunk) + inside, part);
        }
        done += part;
    }
    if (meets_unread(ewf, offset, size))
        image->damage_hits++;
    return (ssize_t)done;
}

static void forget_scan(struct ewf *ewf)
{
    for (size_t i = 0; i < ewf->run_count; i++)
        free(ewf->runs[i].entries);
    ewf->run_count = ewf->metadata_count = ewf->unread_count = 0;
    ewf->has_geometry = ewf->ended = false;
    *ewf->image.container.md5 = *ewf->image.container.sha1 = 0;
}

static void close_ewf(struct image *image)
{
    struct ewf *ewf = (struct ewf *)image;

    forget_scan(ewf);
    free(ewf->runs);
    cache_free(ewf->cache);
    segments_release(&ewf->segments);
    image_release_damage(image);
    free(ewf->paths);
    free(ewf->metadata);
    free(ewf->unread);
    arena_free(ewf->arena);
    free(ewf);
}

static const struct image_methods methods = {
    .read = read_ewf,
    .close = close_ewf,
    .reader_new = reader_new,
    .reader_free = reader_free,
    .read_chunk = read_chunk,
};

/* "01" to "99", then "AA" to "ZZ" and the first letter goes on: E99, EAA ... EZZ, FAA ... ; `first`
 * is 'E' or 'S'. */
static bool number_of(const char *suffix, char first, uint32_t *number)
{
    char a, b, c;

    if (strlen(suffix) != 3)
        return false;
    a = (char)toupper((unsigned char)suffix[0]);
    b = (char)toupper((unsigned char)suffix[1]);
    c = (char)toupper((unsigned char)suffix[2]);
    if (a == first && isdigit((unsigned char)b) && isdigit((unsigned char)c)) {
        *number = (uint32_t)(b - '0') * 10 + (uint32_t)(c - '0');
        return *number > 0;
    }
    if (a < first || a > 'Z' || b < 'A' || b > 'Z' || c < 'A' || c > 'Z')
        return false;
    *number = 100 + ((uint32_t)(a - first) * 26 + (uint32_t)(b - 'A')) * 26 + (uint32_t)(c - 'A');
    return *number <= SEGMENT_NUMBER_MAX;
}

static bool e01_number(const char *suffix, uint32_t *number)
{
    return number_of(suffix, 'E', number);
}

static bool s01_number(const char *suffix, uint32_t *number)
{
    return number_of(suffix, 'S', number);
}

/* Segments from .SAA on could also be of an E01 set: the set whose first file is there decides. */
static int find_set(const char *path, struct segments *segments)
{
    static segment_number *const schemes[] = {e01_number, s01_number};
    const char *name = path_name(path), *dot = strrchr(name, '.');
    uint32_t number;

    for (size_t i = 0; dot && i < sizeof schemes / sizeof *schemes; i++) {
        if (!schemes[i](dot + 1, &number))
            continue;
        if (segments_find(path, (size_t)(dot + 1 - name), schemes[i], segments) < 0)
            return -1;
        if (segments->count &&
            (segments->files[0].number < 100 || i + 1 == sizeof schemes / sizeof *schemes))
            return 0;
        segments_release(segments);
    }
    return segments_single(path, segments);
}

/*
 * The number in the file's own header; 0 when it is no segment of an E01. Without the signature it
 * still is one when its first section is intact and its number is that of its name.
 */
static uint32_t header_number(const struct segment *file)
{
    uint8_t bytes[EWF_FILE_HEADER_SIZE];
    struct cursor c = cursor_over(slice_of(bytes, sizeof bytes), 0);
    uint32_t number;
    bool is_signed;

    if (segment_read(file, 0, bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        return 0;
    is_signed = slice_equal(cursor_take(&c, 8), SLICE_LITERAL("EVF\x09\r\n\xff\0"));
    cursor_skip(&c, 1);
    number = cursor_u16le(&c);
    if (is_signed || (number == file->number && ewf_has_section(file)))
        return number;
    return 0;
}

static int keep_segments(struct ewf *ewf, const char *path)
{
    struct segments *segments = &ewf->segments;

    if (segments_open(segments) < 0)
        return -1;
    for (size_t i = 0; i < segments->count; i++) {
        struct segment *file = &segments->files[i];
        uint32_t number = header_number(file);
        file->odd = number != file->number;
        file->number = number;
    }
    segments_sort(segments);
    return segments->count ? 0
                           : error_set("'%s' is no segment of an E01 set, or a damaged one", path);
}

static bool drop_odd(struct segments *segments)
{
    bool any = false;

    for (size_t i = 0; i < segments->count; i++) {
        if (segments->files[i].odd)
            segments->files[i].number = 0;
        any = any || segments->files[i].odd;
    }
    if (any)
        segments_sort(segments);
    return any;
}

/* Numbers that contradict the names are believed only when they make the set complete: files get
 * renamed, but a damaged number must not move a segment. */
static int scan_set(struct ewf *ewf, const char *path)
{
    int result = ewf_scan(ewf);

    if ((result == 0 && ewf_is_complete(ewf)) || !drop_odd(&ewf->segments))
        return result;
    if (ewf->segments.count == 0)
        return error_set("the segment numbers in '%s' and its set contradict their names", path);
    forget_scan(ewf);
    return ewf_scan(ewf);
}

static void describe(struct ewf *ewf)
{
    struct container *container = &ewf->image.container;

    container->sector_size = ewf->geometry.sector_size;
    container->chunk_size = ewf->geometry.sector_size * ewf->geometry.sectors_per_chunk;
    container->size = ewf->geometry.sector_count * ewf->geometry.sector_size;
    container->chunk_count = ewf->chunk_count;
    container->metadata = ewf->metadata;
    container->metadata_count = ewf->metadata_count;
    container->segments = ewf->paths;
    container->segment_count = ewf->segments.count;
}

/* When libewf has nothing to say, what the scan read stands. */
static int consult_libewf(struct ewf *ewf)
{
    struct ewf_answer answer;

    ewf->paths = segments_paths(&ewf->segments);
    if (!ewf->paths)
        return error_set("out of memory");
    if (ewf_ask_libewf(ewf->paths, ewf->segments.count, ewf->arena, &answer) == 0)
        ewf_take_answer(ewf, &answer);
    return 0;
}

static int load(struct ewf *ewf, const char *path)
{
    ewf->image.container.format = "EWF (E01)";
    ewf->arena = arena_new(ARENA_MAX);
    ewf->metadata = calloc(EWF_METADATA_MAX, sizeof *ewf->metadata);
    if (!ewf->arena || !ewf->metadata)
        return error_set("out of memory");
    if (find_set(path, &ewf->segments) < 0 || keep_segments(ewf, path) < 0 ||
        scan_set(ewf, path) < 0 || consult_libewf(ewf) < 0)
        return -1;
    describe(ewf);
    if (ewf_place(ewf) < 0)
        return -1;
    ewf->cache = cache_new(&ewf->image);
    return ewf->cache ? 0 : -1;
}

int ewf_open(const char *path, struct image **out)
{
    struct ewf *ewf = calloc(1, sizeof *ewf);

    if (!ewf)
        return error_set("out of memory");
    ewf->image.methods = &methods;
    if (load(ewf, path) < 0) {
        close_ewf(&ewf->image);
        return -1;
    }
    *out = &ewf->image;
    return 0;
}
