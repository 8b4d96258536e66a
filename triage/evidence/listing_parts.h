/*
 * What the files of a listing share. listing.c fills the tables, listing_paths.c puts a name's path
 * together, listing_walk.c and listing_find.c give files from them. All rows belong to the listing
 * and may move when another one is added.
 */
#ifndef TRIAGE_EVIDENCE_LISTING_PARTS_H
#define TRIAGE_EVIDENCE_LISTING_PARTS_H

#include "triage/base/buffer.h"
#include "triage/base/keyed_hash.h"
#include "triage/evidence/listing.h"

enum {
    LISTING_PRESENT = 0x8000, /* in an entry's flags: it was filled */
    LISTING_NAME_MAX = 4095,
    LISTING_PATH_SIZE = 128 * 1024, /* 32,767 UTF-16 units, 3 bytes each, fit */
};

#define ORPHANS "$Orphan" /* the folder of all that has no way to the root */

/* How many times stand in the pool in front of a name's text. */
enum name_times {
    TIMES_NONE = 0,
    TIMES_ONE = 1, /* all four are the same, as a new file has them */
    TIMES_FOUR = 2,
};

/* In memory; the texts lie in `pool`, the times of a name right before its text. */
struct name_row {
    uint32_t next, entry, parent, text;
    uint16_t parent_sequence;
    uint16_t size : 12, times : 2, alias : 1;
};

struct stream_row {
    uint64_t size, place;
    uint32_t next, text;
    uint16_t name_size, attribute, flags;
};

struct table {
    void *rows;
    size_t count, room, row_size;
};

struct listing {
    struct table entries, names, streams;
    struct table addresses; /* empty when the index is the address */
    struct buffer pool;
    uint32_t root;
    uint64_t unreadable, partial;
    uint32_t
        *slots; /* hash of parent and folded name to the name's index; built by the first find */
    size_t slot_count;
    struct hash_key slot_key;
    uint32_t last_name, last_stream; /* tails of the entry that was added to last */
    uint32_t name_owner, stream_owner;
    char *path; /* where paths are put together, from the end to the front */
};

static inline struct listing_entry *entry_at(const struct listing *listing, uint32_t index)
{
    return (struct listing_entry *)listing->entries.rows + index;
}

static inline struct name_row *name_at(const struct listing *listing, uint32_t index)
{
    return (struct name_row *)listing->names.rows + index;
}

static inline struct stream_row *stream_at(const struct listing *listing, uint32_t index)
{
    return (struct stream_row *)listing->streams.rows + index;
}

static inline struct slice name_text(const struct listing *listing, const struct name_row *name)
{
    return slice_part(buffer_slice(&listing->pool), name->text, name->size);
}

/* Empty for the default stream. */
static inline struct slice stream_text(const struct listing *listing,
                                       const struct stream_row *stream)
{
    return slice_part(buffer_slice(&listing->pool), stream->text, stream->name_size);
}

/* The times of the name's $FILE_NAME attribute; all unknown when it has none. */
struct macb listing_name_times(const struct listing *listing, const struct name_row *name);

/* The name that stands for the entry in a path: the first that is no alias. NULL without one. */
const struct name_row *listing_main_name(const struct listing *listing, uint32_t index);
/* Is the folder that the name refers to still the one it was? A deleted folder's children carry the
 * number it had before. */
bool listing_parent_fits(const struct listing *listing, const struct name_row *name);
/* The path of a name, below "$Orphan/" when it has no way to the root; valid until the next call.
 */
const char *listing_path(struct listing *listing, const struct name_row *name, bool *orphan);

/* What stands in the entry itself: address, times, attributes, flags. */
void listing_fill_entry(const struct listing *listing, uint32_t index, struct file *file);
/* What row `at` of the streams says; file->stream, NULL for the default one, borrows `name`. */
void listing_fill_stream(const struct listing *listing, uint32_t at,
                         char name[LISTING_NAME_MAX + 1], struct file *file);

#endif
