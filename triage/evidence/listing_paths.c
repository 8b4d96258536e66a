/* Paths of a listing: put together from a name and those of the folders above it. */
#include "triage/evidence/listing_parts.h"

#include <string.h>

enum { DEPTH_MAX = 1024 };

const struct name_row *listing_main_name(const struct listing *listing, uint32_t index)
{
    const struct listing_entry *entry = listing_look(listing, index);
    uint32_t at = entry ? entry->names : LISTING_NONE;

    while (at != LISTING_NONE && name_at(listing, at)->alias)
        at = name_at(listing, at)->next;
    return at == LISTING_NONE ? NULL : name_at(listing, at);
}

uint32_t listing_parent(const struct listing *listing, uint32_t index)
{
    const struct name_row *name = listing_main_name(listing, index);

    return name ? name->parent : LISTING_NONE;
}

bool listing_parent_fits(const struct listing *listing, const struct name_row *name)
{
    const struct listing_entry *parent = listing_look(listing, name->parent);

    if (!parent || !(parent->flags & FILE_FOLDER))
        return false;
    if (name->parent_sequence == 0 || name->parent_sequence == parent->sequence)
        return true;
    return (parent->flags & FILE_DELETED) &&
           sequence_after(name->parent_sequence) == parent->sequence;
}

/* Writes the component in front of `at`, with a '/' behind it when something follows; 0 when there
 * is no room. */
static size_t put_before(struct listing *listing, size_t at, struct slice text)
{
    const bool last = at == LISTING_PATH_SIZE - 1;

    if (text.size + !last > at)
        return 0;
    if (!last)
        listing->path[--at] = '/';
    at -= text.size;
    memcpy(listing->path + at, text.data, text.size);
    return at;
}

/* Puts the folders above `name` in front of `at`. True when they reach the root. */
static bool put_parents(struct listing *listing, const struct name_row *name, size_t *at)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        if (!listing_parent_fits(listing, name))
            return false;
        if (name->parent == listing->root)
            return true;
        name = listing_main_name(listing, name->parent);
        const size_t before = name ? put_before(listing, *at, name_text(listing, name)) : 0;
        if (before == 0)
            return false;
        *at = before;
    }
    return false;
}

/* At the end of listing->path. */
const char *listing_path(struct listing *listing, const struct name_row *name, bool *orphan)
{
    const size_t end = LISTING_PATH_SIZE - 1;
    size_t at = put_before(listing, end, name_text(listing, name));

    listing->path[end] = 0;
    *orphan = !put_parents(listing, name, &at);
    if (!*orphan)
        return listing->path + at;
    const size_t before = put_before(listing, at, SLICE_LITERAL(ORPHANS));
    if (before)
        return listing->path + before;
    /* A chain longer than any real path: only the name itself is kept. */
    at = put_before(listing, end, name_text(listing, name));
    return listing->path + put_before(listing, at, SLICE_LITERAL(ORPHANS));
}
