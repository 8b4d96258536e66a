#include "triage/engine/extract_name.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    BUCKETS = 1 << 16,
    COMPONENT_CEILING = 200,
    PATH_CEILING = 3000, /* bytes before the last ones: PATH_MAX is 4096 */
    DEPTH_CEILING = 64
};

struct taken {
    struct taken *next;
    const char *path;
};

struct name_set {
    struct arena *arena;
    const char *folder;
    const char *last; /* path of the file before: its folders are there; NULL at first */
    struct taken *buckets[BUCKETS];
};

struct name_set *name_set_new(struct arena *arena, const char *folder)
{
    struct name_set *names = arena_take(arena, sizeof *names);

    if (!names)
        return NULL;
    names->arena = arena;
    names->folder = arena_text(arena, slice_of_text(folder));
    return names->folder ? names : NULL;
}

static uint8_t clean_byte(uint8_t byte)
{
    return byte < 0x20 || byte == 0x7F || (byte && strchr("/\\:*?\"<>|", byte)) ? '_' : byte;
}

static bool is_device(struct slice name)
{
    static const char *const devices[] = {"CON", "PRN", "AUX", "NUL"};
    const struct slice stem = slice_part(name, 0, slice_find(name, 0, '.'));

    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (slice_is_nocase(stem, devices[i]))
            return true;
    return stem.size == 4 &&
           (slice_starts_nocase(stem, "COM") || slice_starts_nocase(stem, "LPT")) &&
           stem.data[3] >= '0' && stem.data[3] <= '9';
}

/* At most `ceiling` bytes without cutting a UTF-8 sequence in two. */
static struct slice cut_text(struct slice text, size_t ceiling)
{
    size_t size = 0, next;

    while (size < text.size && (next = utf8_sequence(slice_from(text, size))) &&
           size + next <= ceiling)
        size += next;
    return slice_part(text, 0, size);
}

void name_clean(struct slice component, struct buffer *out)
{
    struct buffer repaired = BUFFER_EMPTY;
    const size_t start = out->size;

    utf8_append_repaired(&repaired, component);
    const struct slice cut = cut_text(buffer_slice(&repaired), COMPONENT_CEILING);
    for (size_t i = 0; i < cut.size; i++)
        repaired.data[i] = clean_byte(cut.data[i]);
    if (is_device(cut))
        buffer_add_byte(out, '_');
    utf8_append_tame(out, cut);
    if (out->size == start)
        buffer_add_byte(out, '_');
    uint8_t *last = buffer_failed(out) ? NULL : &out->data[out->size - 1];
    if (last && (*last == '.' || *last == ' '))
        *last = '_'; /* also takes care of "." and ".." */
    buffer_release(&repaired);
}

static void add_root(struct buffer *path, const struct host *host, size_t evidence_count,
                     const struct file *file)
{
    if (evidence_count > 1)
        buffer_format(path, "/%u", file->evidence);
    for (size_t i = 0; i < host->drive_count; i++) {
        const char letter = host->drives[i].letter;
        if (host->drives[i].volume == file->volume && letter >= 'A' && letter <= 'Z') {
            buffer_format(path, "/%c", letter);
            return;
        }
    }
    buffer_format(path, "/volume-%u", file->volume);
}

/* Where the folders get too long for this system's paths those in the middle are left out: the name
 * of the file is what people look for, and files.csv has the whole path. */
static void add_components(struct buffer *path, const char *name)
{
    struct slice rest = slice_of_text(name);

    for (unsigned depth = 0; rest.size; depth++) {
        const char *last = strrchr(name, '/');
        if (last && path->size > PATH_CEILING && rest.size > strlen(last + 1)) {
            buffer_add_text(path, "/~");
            rest = slice_of_text(last + 1);
        }
        const size_t slash = depth < DEPTH_CEILING ? slice_find(rest, 0, '/') : SIZE_MAX;
        buffer_add_byte(path, '/');
        name_clean(slice_part(rest, 0, slash), path);
        if (slash == SIZE_MAX)
            break;
        rest = slice_from(rest, slash + 1);
    }
}

static void add_particulars(struct buffer *path, const struct file *file)
{
    if (file->flags & FILE_DELETED)
        buffer_format(path, "~deleted-%" PRIu64 "-%u", file->address, file->sequence);
    if (file->stream) {
        buffer_add_byte(path, '~');
        name_clean(slice_of_text(file->stream), path);
    }
}

static uint32_t hash_folded(const char *text)
{
    uint32_t hash = 2166136261u;

    for (; *text; text++) {
        const unsigned char byte = (unsigned char)*text;
        hash = (hash ^ (byte >= 'A' && byte <= 'Z' ? byte | 0x20u : byte)) * 16777619u;
    }
    return hash % BUCKETS;
}

static bool is_taken(const struct name_set *names, const char *path)
{
    for (const struct taken *t = names->buckets[hash_folded(path)]; t; t = t->next)
        if (slice_is_nocase(slice_of_text(t->path), path))
            return true;
    return false;
}

static const char *take(struct name_set *names, const char *path)
{
    struct taken *taken = arena_take(names->arena, sizeof *taken);
    char *copy = arena_text(names->arena, slice_of_text(path));
    const uint32_t bucket = hash_folded(path);

    if (!taken || !copy)
        return NULL;
    *taken = (struct taken){names->buckets[bucket], copy};
    names->buckets[bucket] = taken;
    return copy;
}

/* Bytes that both paths have in front of their first difference. */
static size_t common_part(const char *a, const char *b)
{
    size_t size = 0;

    while (a[size] && a[size] == b[size])
        size++;
    return size;
}

/* All folders above the last component, but for those of the file before. */
static int make_folders(const struct name_set *names, char *path)
{
    const size_t root = strlen(names->folder) + 1;
    const size_t known = names->last ? common_part(names->last, path) : 0;
    const size_t from = known > root ? known : root;

    for (char *slash = strchr(path + from, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        const bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
        if (!made)
            error_set_errno("cannot make the folder '%s'", path);
        *slash = '/';
        if (!made)
            return -1;
    }
    return 0;
}

static const char *unique_path(struct name_set *names, struct buffer *path, const struct file *file)
{
    const size_t size = path->size;

    for (unsigned attempt = 0; is_taken(names, buffer_text(path)); attempt++) {
        path->size = size;
        buffer_format(path, "~%" PRIu64 "-%u", file->address, file->sequence);
        if (attempt)
            buffer_format(path, "-%u", attempt);
    }
    return take(names, buffer_text(path));
}

const char *name_set_add(struct name_set *names, const struct host *host, size_t evidence_count,
                         const struct file *file)
{
    struct buffer path = BUFFER_EMPTY;
    const char *result = NULL;

    buffer_add_text(&path, names->folder);
    if (file->snapshot) /* never beside the live files, which have the same paths */
        buffer_format(&path, "/snapshot-%u", file->snapshot);
    add_root(&path, host, evidence_count, file);
    add_components(&path, file->path);
    add_particulars(&path, file);
    result = unique_path(names, &path, file);
    if (result && make_folders(names, (char *)path.data) < 0)
        result = NULL;
    names->last = result;
    buffer_release(&path);
    return result;
}
