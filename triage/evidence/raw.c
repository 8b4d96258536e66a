/*
 * Raw bytes of a medium, in one file or split into numbered ones (.001 .002, .000, .1, .aa .ab).
 */
#include "triage/base/error.h"
#include "triage/evidence/image_methods.h"
#include "triage/evidence/segments.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECTOR_SIZE = 512, LARGE_SECTOR_SIZE = 4096, SEGMENT_MAX = 20000 };

struct raw {
    struct image image;
    struct segments segments;
    uint64_t *starts; /* of each segment on the medium */
    const char **paths;
    char *gap; /* text of the damage */
};

static bool decimal_number(const char *suffix, uint32_t *number)
{
    size_t digits = strspn(suffix, "0123456789");

    if (digits == 0 || digits > 5 || suffix[digits])
        return false;
    *number = (uint32_t)strtoul(suffix, NULL, 10);
    return true;
}

/* "aa" is 0, "ab" 1, "ba" 26, as split(1) counts; any number of letters, here two or three. */
static bool letter_number(const char *suffix, uint32_t *number)
{
    size_t size = strlen(suffix);

    if (size < 2 || size > 3)
        return false;
    *number = 0;
    for (size_t i = 0; i < size; i++) {
        if (!isalpha((unsigned char)suffix[i]))
            return false;
        *number = *number * 26 + (uint32_t)(tolower((unsigned char)suffix[i]) - 'a');
    }
    return true;
}

/* Keeps what has as many places as `path` has; ".1" to ".10" and ".999" to ".1000" grow by right.
 */
static void drop_other_widths(struct segments *segments, size_t stem_size, size_t width)
{
    size_t kept = 0;

    for (size_t i = 0; i < segments->count; i++) {
        const char *suffix = path_name(segments->files[i].path) + stem_size;
        size_t size = strlen(suffix);
        bool fits =
            isdigit((unsigned char)suffix[0]) ? size == width || suffix[0] != '0' : size == width;
        if (fits)
            segments->files[kept++] = segments->files[i];
        else
            free(segments->files[i].path);
    }
    segments->count = kept;
}

static bool all_but_last_equal(const struct segments *segments)
{
    const struct segment *files = segments->files;
    size_t last = segments->count - 1;

    for (size_t i = 1; i < last; i++)
        if (files[i].size != files[0].size)
            return false;
    return files[last].size <= files[0].size;
}

static bool unbroken(const struct segments *segments)
{
    const struct segment *files = segments->files;

    for (size_t i = 1; i < segments->count; i++)
        if (files[i].number != files[i - 1].number + 1)
            return false;
    return true;
}

/* Finds a split set around `path`; leaves `segments` empty when the file stands alone. */
static int find_set(const char *path, struct segments *segments)
{
    const char *name = path_name(path), *dot = strrchr(name, '.');
    size_t stem_size = dot ? (size_t)(dot + 1 - name) : 0;
    uint32_t number;
    segment_number *scheme = NULL;

    if (dot && dot > name)
        scheme = decimal_number(dot + 1, &number)  ? decimal_number
                 : letter_number(dot + 1, &number) ? letter_number
                                                   : NULL;
    if (!scheme)
        return 0;
    if (segments_find(path, stem_size, scheme, segments) < 0)
        return -1;
    drop_other_widths(segments, stem_size, strlen(dot + 1));
    if (scheme == letter_number && segments->count && segments->files[0].number != 0)
        segments_release(segments); /* .dd .img .raw and the like are names, not numbers */
    return 0;
}

static int judge_set(const char *path, const struct segments *segments)
{
    const struct segment *files = segments->files;
    size_t last = segments->count - 1;

    if (files[0].number > 1)
        return error_set(
            "'%s' belongs to a split image whose first part is missing: parts from %u on "
            "cannot be placed",
            path, files[0].number);
    if (unbroken(segments))
        return 0;
    if (!all_but_last_equal(segments) || files[last].number > SEGMENT_MAX)
        return error_set(
            "parts of the split image '%s' are missing, and the sizes of the others do not "
            "tell where they belong",
            path);
    return 0;
}

static int place_segments(struct raw *raw)
{
    const struct segments *segments = &raw->segments;
    const struct segment *files = segments->files;
    uint64_t at = 0;

    raw->starts = calloc(segments->count, sizeof *raw->starts);
    if (!raw->starts)
        return error_set("out of memory");
    for (size_t i = 0; i < segments->count; i++) {
        uint64_t missing = i ? files[i].number - files[i - 1].number - 1 : 0;
        if (missing) {
            if (!raw->gap && asprintf(&raw->gap, "a part of the split image is missing before '%s'",
                                      files[i].path) < 0)
                return error_set("out of memory");
            image_add_damage(&raw->image, at, missing * files[0].size, raw->gap);
            at += missing * files[0].size;
        }
        raw->starts[i] = at;
        if (files[i].size > INT64_MAX - at)
            return error_set("'%s' is too large", files[i].path);
        at += files[i].size;
    }
    raw->image.container.size = at;
    return 0;
}

static size_t segment_at(const struct raw *raw, uint64_t offset)
{
    size_t low = 0, high = raw->segments.count;

    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (raw->starts[middle] <= offset)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static ssize_t read_raw(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    struct raw *raw = (struct raw *)image;
    size_t done = 0;

    while (done < size) {
        uint64_t at = offset + done;
        size_t index = segment_at(raw, at), part = size - done;
        const struct segment *file = &raw->segments.files[index];
        uint64_t inside = at - raw->starts[index];
        uint64_t next =
            index + 1 < raw->segments.count ? raw->starts[index + 1] : image->container.size;
        ssize_t got = 0;
        uint64_t limit = inside < file->size ? file->size - inside : next - at;
        if (part > limit)
            part = (size_t)limit;
        if (inside < file->size)
            got = segment_read(file, inside, (char *)buffer + done, part);
        if (got < 0)
            return -1;
        if ((size_t)got < part) { /* in a gap, or the file shrank since it was opened */
            memset((char *)buffer + done + got, 0, part - (size_t)got);
            image->damage_hits++;
            if (inside < file->size)
                image_add_damage(image, at + (size_t)got, part - (size_t)got,
                                 "the file became shorter");
        }
        done += part;
    }
    return (ssize_t)done;
}

static void close_raw(struct image *image)
{
    struct raw *raw = (struct raw *)image;

    segments_release(&raw->segments);
    image_release_damage(image);
    free(raw->starts);
    free(raw->paths);
    free(raw->gap);
    free(raw);
}

static const struct image_methods methods = {.read = read_raw, .close = close_raw};

/* A GPT header stands in the second sector, whatever a sector's size is (UEFI 2.10, 5.3.2). */
static uint32_t sector_size_of(struct image *image)
{
    uint8_t head[LARGE_SECTOR_SIZE + 8];

    if (image_read(image, 0, head, sizeof head) == (ssize_t)sizeof head &&
        memcmp(head + SECTOR_SIZE, "EFI PART", 8) &&
        !memcmp(head + LARGE_SECTOR_SIZE, "EFI PART", 8))
        return LARGE_SECTOR_SIZE;
    return SECTOR_SIZE;
}

static int load(struct raw *raw, const char *path)
{
    struct container *container = &raw->image.container;

    if (find_set(path, &raw->segments) < 0)
        return -1;
    if (raw->segments.count < 2) {
        segments_release(&raw->segments);
        if (segments_single(path, &raw->segments) < 0)
            return -1;
    }
    if (segments_open(&raw->segments) < 0 ||
        (raw->segments.count > 1 && judge_set(path, &raw->segments) < 0) || place_segments(raw) < 0)
        return -1;
    raw->paths = segments_paths(&raw->segments);
    if (!raw->paths)
        return error_set("out of memory");
    container->format = raw->segments.count > 1 ? "split raw" : "raw";
    container->segments = raw->paths;
    container->segment_count = raw->segments.count;
    container->sector_size = sector_size_of(&raw->image);
    return 0;
}

int raw_open(const char *path, struct image **out)
{
    struct raw *raw = calloc(1, sizeof *raw);

    if (!raw)
        return error_set("out of memory");
    raw->image.methods = &methods;
    if (load(raw, path) < 0) {
        close_raw(&raw->image);
        return -1;
    }
    *out = &raw->image;
    return 0;
}
