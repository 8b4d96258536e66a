/* The files of a listing one after the other, as rows of the table become files. */
#include "triage/evidence/listing_parts.h"

#include <stdio.h>
#include <string.h>

enum { SYSTEM_ENTRIES = 24 }; /* of NTFS: reserved, most of them not in use */

static uint64_t address_of(const struct listing *listing, uint32_t index)
{
    return index < listing->addresses.count ? ((uint64_t *)listing->addresses.rows)[index] : index;
}

void listing_fill_entry(const struct listing *listing, uint32_t index, struct file *file)
{
    const struct listing_entry *entry = entry_at(listing, index);

    file->address = address_of(listing, index);
    file->sequence = entry->sequence;
    file->attributes = entry->attributes;
    file->flags = entry->flags & (uint16_t)~LISTING_PRESENT;
    file->si = entry->si;
}

void listing_fill_stream(const struct listing *listing, uint32_t at,
                         char name[LISTING_NAME_MAX + 1], struct file *file)
{
    const struct stream_row *row = stream_at(listing, at);
    const struct slice text = stream_text(listing, row);

    file->attribute = row->attribute;
    file->size = row->size;
    file->place = row->place;
    file->flags |= row->flags;
    file->stream = NULL;
    if (text.size == 0)
        return;
    memcpy(name, text.data, text.size);
    name[text.size] = 0;
    file->stream = name;
    file->flags &= ~(uint32_t)FILE_FOLDER;
}

struct walk {
    struct listing *listing;
    int (*visit)(void *context, const struct file *file);
    void *context;
};

static int walk_streams(const struct walk *walk, uint32_t index, const char *path,
                        const struct macb *fn, bool orphan)
{
    const struct listing_entry *entry = entry_at(walk->listing, index);
    char stream_name[LISTING_NAME_MAX + 1];
    struct file plain = {.path = path, .fn = *fn};
    int result = 0;

    listing_fill_entry(walk->listing, index, &plain);
    if (orphan)
        plain.flags |= FILE_ORPHAN;
    if ((entry->flags & FILE_FOLDER || entry->streams == LISTING_NONE) &&
        index != walk->listing->root)
        result = walk->visit(walk->context, &plain);
    for (uint32_t at = entry->streams; result == 0 && at != LISTING_NONE;) {
        struct file file = plain;
        listing_fill_stream(walk->listing, at, stream_name, &file);
        at = stream_at(walk->listing, at)->next;
        result = walk->visit(walk->context, &file);
    }
    return result;
}

/*
 * An entry whose names are lost. The first are the file system's own and have none when they are
 * not in use; an unused one without any stream was never a file.
 */
static int walk_nameless(const struct walk *walk, uint32_t index)
{
    const struct listing_entry *entry = entry_at(walk->listing, index);
    const struct macb none = {0};
    char path[64];

    if (index < SYSTEM_ENTRIES || (entry->flags & FILE_DELETED && entry->streams == LISTING_NONE))
        return 0;
    snprintf(path, sizeof path, ORPHANS "/entry-%llu",
             (unsigned long long)address_of(walk->listing, index));
    return walk_streams(walk, index, path, &none, true);
}

static int walk_entry(const struct walk *walk, uint32_t index)
{
    struct listing *listing = walk->listing;
    const struct listing_entry *entry = listing_look(listing, index);

    if (!entry)
        return 0;
    if (index == listing->root) /* only for the streams that hang on it */
        return walk_streams(walk, index, "", &(struct macb){0}, false);
    if (entry->names == LISTING_NONE)
        return walk_nameless(walk, index);
    for (uint32_t at = entry->names; at != LISTING_NONE; at = name_at(listing, at)->next) {
        const struct name_row *name = name_at(listing, at);
        bool orphan = false;
        if (name->alias)
            continue;
        const struct macb fn = listing_name_times(listing, name);
        const char *path = listing_path(listing, name, &orphan);
        const int result = walk_streams(walk, index, path, &fn, orphan);
        if (result != 0)
            return result;
    }
    return 0;
}

int listing_walk(struct listing *listing, int (*visit)(void *context, const struct file *file),
                 void *context)
{
    const struct walk walk = {.listing = listing, .visit = visit, .context = context};

    for (uint32_t i = 0; i < listing->entries.count; i++) {
        const int result = walk_entry(&walk, i);
        if (result != 0)
            return result;
    }
    return 0;
}
