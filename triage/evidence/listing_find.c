/* The file at a path: an index over the names of a listing, made when one is asked for first. */
#include "triage/base/arena.h"
#include "triage/base/error.h"
#include "triage/evidence/listing_parts.h"

#include <stdlib.h>
#include <string.h>

enum { HASHED_MOST = 1 << 12 }; /* no name_row is longer */

/* Of the folder and the name's folded bytes. Keyed: names are the evidence's choice. */
static size_t slot_hash(const struct listing *listing, uint32_t parent, struct slice text)
{
    const size_t size = text.size < HASHED_MOST ? text.size : HASHED_MOST;
    uint8_t folded[sizeof parent + HASHED_MOST];

    memcpy(folded, &parent, sizeof parent);
    for (size_t i = 0; i < size; i++) {
        const uint8_t byte = text.data[i];
        folded[sizeof parent + i] = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
    }
    return (size_t)keyed_hash(&listing->slot_key, slice_of(folded, sizeof parent + size));
}

/* A name that leads to a live file: neither it nor its folder is deleted. */
static bool name_lives(const struct listing *listing, const struct name_row *name)
{
    const struct listing_entry *entry = listing_look(listing, name->entry);
    const struct listing_entry *parent = listing_look(listing, name->parent);

    return entry && parent && !(entry->flags & FILE_DELETED) && !(parent->flags & FILE_DELETED) &&
           listing_parent_fits(listing, name);
}

/* Puts the name into its slot. Of two with the same path the first one stays: no crafted table
 * makes this slow. */
static void slots_add(uint32_t *slots, size_t count, const struct listing *listing, uint32_t index)
{
    const struct name_row *name = name_at(listing, index);
    const struct slice text = name_text(listing, name);
    size_t slot = slot_hash(listing, name->parent, text) & (count - 1);

    for (; slots[slot] != LISTING_NONE; slot = (slot + 1) & (count - 1)) {
        const struct name_row *there = name_at(listing, slots[slot]);
        if (there->parent == name->parent && slice_equal_nocase(name_text(listing, there), text))
            return;
    }
    slots[slot] = index;
}

static int build_slots(struct listing *listing)
{
    size_t count = 1024;

    while (count < listing->names.count * 2)
        count *= 2;
    uint32_t *slots = malloc(count * sizeof *slots);
    if (!slots)
        return error_set("out of memory for the index of names");
    memset(slots, 0xFF, count * sizeof *slots);
    listing->slot_key = hash_key_new();
    for (uint32_t i = 0; i < listing->names.count; i++)
        if (name_lives(listing, name_at(listing, i)))
            slots_add(slots, count, listing, i);
    listing->slots = slots;
    listing->slot_count = count;
    return 0;
}

static const struct name_row *find_child(const struct listing *listing, uint32_t parent,
                                         struct slice text)
{
    size_t slot = slot_hash(listing, parent, text) & (listing->slot_count - 1);

    for (; listing->slots[slot] != LISTING_NONE; slot = (slot + 1) & (listing->slot_count - 1)) {
        const struct name_row *name = name_at(listing, listing->slots[slot]);
        if (name->parent == parent && slice_equal_nocase(name_text(listing, name), text))
            return name;
    }
    return NULL;
}

/* Follows the components of `path`; NULL when one of them is not there or the path names the root.
 */
static const struct name_row *find_name(const struct listing *listing, struct slice path)
{
    const struct name_row *name = NULL;
    uint32_t folder = listing->root;

    for (size_t at = 0; at < path.size;) {
        const size_t end = slice_find(path, at, '/');
        const struct slice part = slice_part(path, at, (end == SIZE_MAX ? path.size : end) - at);
        at += part.size + 1;
        if (part.size == 0)
            continue;
        name = find_child(listing, folder, part);
        if (!name)
            return NULL;
        folder = name->entry;
    }
    return name;
}

/* Looks up the stream; the default one when `wanted` is empty. A folder and an empty file need
 * none. */
static bool find_stream(const struct listing *listing, uint32_t index, struct slice wanted,
                        char text[LISTING_NAME_MAX + 1], struct file *file)
{
    uint32_t at = entry_at(listing, index)->streams;

    for (; at != LISTING_NONE; at = stream_at(listing, at)->next) {
        if (slice_equal_nocase(stream_text(listing, stream_at(listing, at)), wanted)) {
            listing_fill_stream(listing, at, text, file);
            return true;
        }
    }
    return wanted.size == 0;
}

/* The texts of the found file, copied to the arena. */
static bool keep_texts(struct listing *listing, const struct name_row *name, struct arena *arena,
                       struct file *file)
{
    bool orphan = false;
    const char *path = listing_path(listing, name, &orphan);

    file->path = arena_text(arena, slice_of_text(path));
    if (file->stream)
        file->stream = arena_text(arena, slice_of_text(file->stream));
    return file->path && !orphan;
}

bool listing_find(struct listing *listing, const char *path, struct arena *arena, struct file *file)
{
    const char *last = strrchr(path, '/');
    const char *colon = strchr(last ? last : path, ':');
    const struct slice base = slice_of(path, colon ? (size_t)(colon - path) : strlen(path));
    char text[LISTING_NAME_MAX + 1];
    struct file found = {0};

    if (!listing->slots && build_slots(listing) < 0)
        return false;
    const struct name_row *name = find_name(listing, base);
    if (!name)
        return false;
    listing_fill_entry(listing, name->entry, &found);
    found.fn = listing_name_times(listing, name);
    if (!find_stream(listing, name->entry, slice_of_text(colon ? colon + 1 : ""), text, &found))
        return false;
    const struct name_row *shown = name->alias ? listing_main_name(listing, name->entry) : name;
    if (!shown || !keep_texts(listing, shown, arena, &found))
        return false;
    *file = found;
    return true;
}
