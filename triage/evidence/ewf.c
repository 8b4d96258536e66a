/*
 * E01 images (Expert Witness Compression Format, EnCase 1 to 7, FTK Imager, SMART's s01), read by
 * ourselves: every length from the file is checked, every chunk's Adler-32 too, and each chunk is
 * inflated once when read in disk order. Here is how the segments of a set are found and opened;
 * ewf_sections.c finds what they hold, ewf_chunks.c makes bytes of it.
 */
#include "triage/evidence/ewf.h"

#include "triage/base/error.h"
#include "triage/evidence/ewf_chunks.h"
#include "triage/evidence/ewf_libewf.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_MAX = 32 << 20,
    SEGMENT_NUMBER_MAX = 99 + 22 * 26 * 26 /* .E01 to .ZZZ */
};

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
    ewf_cache_free(ewf->cache);
    segments_release(&ewf->segments);
    image_release_damage(image);
    free(ewf->paths);
    free(ewf->metadata);
    free(ewf->unread);
    arena_free(ewf->arena);
    free(ewf);
}

static const struct image_methods methods = {
    .read = ewf_cache_read,
    .close = close_ewf,
    .reader_new = ewf_reader_new,
    .reader_free = ewf_reader_free,
    .read_chunk = ewf_reader_chunk,
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
    ewf->cache = ewf_cache_new(&ewf->image);
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
