/* Folders of a change journal and their paths. */
#include "artifacts/usn_paths.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdlib.h>
#include <string.h>

enum {
    ROOT_ENTRY = 5,
    FOLDERS_MAX = 1 << 19,
    SLOTS = 2 * FOLDERS_MAX,
    NAMES_MAX = 32 << 20,
    CACHE_MAX = 32 << 20, /* of whole paths */
    DEPTH_MAX = 128,
    PATH_MAX_SIZE = 32 * 1024,
    NONE = -1,
};

struct folder {
    struct usn_reference reference, parent;
    uint32_t name;            /* in names */
    uint32_t path, path_size; /* in cache, when `generation` is the one in force */
    uint32_t generation;
    uint16_t name_size; /* 0: nothing is known of it */
};

struct usn_paths {
    struct job *job;
    struct folder *folders;
    uint32_t *slots; /* index + 1 into folders */
    size_t count, room;
    struct buffer names, cache, name, root;
    uint32_t
        last; /* number of the folder asked for last: records of one folder follow each other */
    uint32_t generation; /* counted up when a folder moves: all cached paths end */
    bool full;
};

struct usn_paths *usn_paths_new(struct job *job)
{
    struct usn_paths *paths = calloc(1, sizeof *paths);

    if (paths)
        paths->slots = calloc(SLOTS, sizeof *paths->slots);
    if (!paths || !paths->slots) {
        usn_paths_free(paths);
        error_set("out of memory");
        return NULL;
    }
    paths->job = job;
    paths->generation = 1;
    host_windows_path(job->host, job->file->volume, "", &paths->root);
    return paths;
}

void usn_paths_free(struct usn_paths *paths)
{
    if (!paths)
        return;
    free(paths->folders);
    free(paths->slots);
    buffer_release(&paths->names);
    buffer_release(&paths->cache);
    buffer_release(&paths->name);
    buffer_release(&paths->root);
    free(paths);
}

bool usn_paths_full(const struct usn_paths *paths)
{
    return paths->full;
}

static bool is_plain(uint16_t unit)
{
    return unit >= 0x20 && unit < 0x7F && unit != '/' && unit != '\\';
}

/* The bytes of a name that are no part of one in Windows: control bytes and separators. */
static void add_clean(struct buffer *out, struct slice text)
{
    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = text.data[i];
        if (byte >= 0x80 || is_plain(byte))
            buffer_add_byte(out, byte);
        else
            buffer_add_text(out, "\xEF\xBF\xBD");
    }
}

static void add_unusual(struct buffer *out, struct slice utf16)
{
    struct buffer text = BUFFER_EMPTY;

    utf16_append(&text, utf16, false);
    add_clean(out, buffer_slice(&text));
    buffer_release(&text);
}

/* Almost all names are plain: they are copied without looking at each unit twice. */
void usn_name_append(struct buffer *out, struct slice utf16)
{
    const size_t units = utf16.size / 2;
    uint8_t *end = buffer_reserve(out, units);
    bool plain = end != NULL;

    for (size_t i = 0; i < units && end; i++) {
        const uint8_t low = utf16.data[2 * i];
        plain &= (utf16.data[2 * i + 1] == 0) & (low >= 0x20) & (low < 0x7F) & (low != '/') &
                 (low != '\\');
        end[i] = low;
    }
    if (plain)
        out->size += units;
    else
        add_unusual(out, utf16);
}

void usn_reference_append(struct buffer *out, struct usn_reference reference)
{
    if (reference.high) {
        buffer_format(out, "%016llx%016llx", (unsigned long long)reference.high,
                      (unsigned long long)reference.low);
        return;
    }
    buffer_add_number(out, reference_entry(reference.low));
    buffer_add_byte(out, '-');
    buffer_add_number(out, reference_sequence(reference.low));
}

static bool is_same(struct usn_reference a, struct usn_reference b)
{
    return a.low == b.low && a.high == b.high;
}

static bool is_root(struct usn_reference reference)
{
    return reference.high == 0 && reference_entry(reference.low) == ROOT_ENTRY;
}

static uint32_t *slot_of(const struct usn_paths *paths, struct usn_reference reference)
{
    const uint64_t mixed = (reference.low ^ reference.high * UINT64_C(0xC2B2AE3D27D4EB4F)) *
                           UINT64_C(0x9E3779B97F4A7C15);
    size_t slot = (mixed >> 32) & (SLOTS - 1);

    while (paths->slots[slot] &&
           !is_same(paths->folders[paths->slots[slot] - 1].reference, reference))
        slot = (slot + 1) & (SLOTS - 1);
    return &paths->slots[slot];
}

static bool reserve_folder(struct usn_paths *paths)
{
    if (paths->count < paths->room)
        return true;
    const size_t room = paths->room ? 2 * paths->room : 1024;
    struct folder *folders =
        room > FOLDERS_MAX ? NULL : realloc(paths->folders, room * sizeof *folders);
    if (!folders) {
        paths->full = true;
        return false;
    }
    paths->folders = folders;
    paths->room = room;
    return true;
}

/* Sets the name that is in paths->name. False when there is no room. */
static bool keep_name(struct usn_paths *paths, struct folder *folder)
{
    const struct slice name = slice_part(buffer_slice(&paths->name), 0, UINT16_MAX);

    if (name.size > NAMES_MAX - paths->names.size) {
        paths->full = true;
        return false;
    }
    folder->name = (uint32_t)paths->names.size;
    folder->name_size = (uint16_t)name.size;
    buffer_add(&paths->names, name);
    return !buffer_failed(&paths->names);
}

static struct folder *add_folder(struct usn_paths *paths, uint32_t *slot,
                                 struct usn_reference reference)
{
    if (!reserve_folder(paths))
        return NULL;
    struct folder *folder = &paths->folders[paths->count++];
    *folder = (struct folder){.reference = reference};
    *slot = (uint32_t)paths->count;
    return folder;
}

void usn_paths_learn(struct usn_paths *paths, const struct usn_record *record)
{
    uint32_t *slot = slot_of(paths, record->file);

    if (*slot || record->name.size == 0)
        return;
    struct folder *folder = add_folder(paths, slot, record->file);
    if (!folder)
        return;
    buffer_clear(&paths->name);
    usn_name_append(&paths->name, record->name);
    if (keep_name(paths, folder))
        folder->parent = record->parent;
}

static bool has_name(const struct usn_paths *paths, const struct folder *folder)
{
    return slice_equal(slice_part(buffer_slice(&paths->names), folder->name, folder->name_size),
                       buffer_slice(&paths->name));
}

void usn_paths_update(struct usn_paths *paths, const struct usn_record *record)
{
    const uint32_t number = *slot_of(paths, record->file);
    struct folder *folder = number ? &paths->folders[number - 1] : NULL;

    if (!folder || record->name.size == 0)
        return;
    buffer_clear(&paths->name);
    usn_name_append(&paths->name, record->name);
    const bool named = has_name(paths, folder);
    if (named && is_same(folder->parent, record->parent))
        return;
    if (!named && !keep_name(paths, folder))
        return;
    folder->parent = record->parent;
    paths->generation++;
}

/* A folder that the journal does not tell of: as the $MFT has it. */
static struct folder *look_up(struct usn_paths *paths, uint32_t *slot,
                              struct usn_reference reference)
{
    struct folder *folder = add_folder(paths, slot, reference);
    struct buffer found = BUFFER_EMPTY;
    uint64_t parent = 0;

    if (folder && reference.high == 0 && job_name_of(paths->job, reference.low, &found, &parent)) {
        buffer_clear(&paths->name);
        add_clean(&paths->name, buffer_slice(&found));
        keep_name(paths, folder);
        folder->parent = (struct usn_reference){.low = parent};
    }
    buffer_release(&found);
    return folder;
}

static int find_folder(struct usn_paths *paths, struct usn_reference reference)
{
    uint32_t *slot = slot_of(paths, reference);

    if (!*slot && !look_up(paths, slot, reference))
        return NONE;
    return (int)*slot - 1;
}

struct chain {
    int folders[DEPTH_MAX]; /* from the inside out */
    size_t count;
    bool rooted;
    struct usn_reference top; /* the first that is not known */
};

/* The folders from `reference` up to the root, or to where it cannot be told any more. */
static void climb(struct usn_paths *paths, struct usn_reference reference, struct chain *chain)
{
    size_t size = 0;

    *chain = (struct chain){.count = 0};
    while (!is_root(reference)) {
        const int index = chain->count < DEPTH_MAX ? find_folder(paths, reference) : NONE;
        const struct folder *folder = index == NONE ? NULL : &paths->folders[index];
        if (!folder || folder->name_size == 0 || size + folder->name_size > PATH_MAX_SIZE) {
            chain->top = reference;
            return;
        }
        size += folder->name_size;
        chain->folders[chain->count++] = index;
        reference = folder->parent;
    }
    chain->rooted = true;
}

static void add_chain(struct usn_paths *paths, const struct chain *chain, struct buffer *out)
{
    buffer_add(out, buffer_slice(&paths->root));
    if (!chain->rooted) {
        buffer_add_text(out, "$Orphan\\entry-");
        usn_reference_append(out, chain->top);
        buffer_add_byte(out, '\\');
    }
    for (size_t i = chain->count; i-- > 0;) {
        const struct folder *folder = &paths->folders[chain->folders[i]];
        buffer_add(out, slice_part(buffer_slice(&paths->names), folder->name, folder->name_size));
        buffer_add_byte(out, '\\');
    }
}

/* Keeps what was appended to `out` from `start` for the next time. */
static void keep_path(struct usn_paths *paths, struct usn_reference reference,
                      const struct buffer *out, size_t start)
{
    const uint32_t number = *slot_of(paths, reference);
    const struct slice path = slice_from(buffer_slice(out), start);

    if (number == 0)
        return;
    if (path.size > CACHE_MAX - paths->cache.size) {
        buffer_clear(&paths->cache);
        paths->generation++;
    }
    struct folder *folder = &paths->folders[number - 1];
    folder->path = (uint32_t)paths->cache.size;
    folder->path_size = (uint32_t)path.size;
    buffer_add(&paths->cache, path);
    folder->generation = buffer_failed(&paths->cache) ? 0 : paths->generation;
}

static uint32_t number_of(struct usn_paths *paths, struct usn_reference reference)
{
    if (!paths->last || !is_same(paths->folders[paths->last - 1].reference, reference))
        paths->last = *slot_of(paths, reference);
    return paths->last;
}

void usn_paths_append(struct usn_paths *paths, struct usn_reference reference, struct buffer *out)
{
    const uint32_t number = number_of(paths, reference);
    const struct folder *folder = number ? &paths->folders[number - 1] : NULL;
    const size_t start = out->size;
    struct chain chain;

    if (folder && folder->generation == paths->generation) {
        buffer_add(out, slice_part(buffer_slice(&paths->cache), folder->path, folder->path_size));
        return;
    }
    climb(paths, reference, &chain);
    add_chain(paths, &chain, out);
    keep_path(paths, reference, out, start);
}
