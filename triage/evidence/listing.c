/* The table of a volume's files. */
#include "triage/evidence/listing.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PRESENT = 0x8000, /* in an entry's flags: it was filled */
    NAME_MAX_SIZE = 4095,
    PATH_SIZE = 128 * 1024, /* 32,767 UTF-16 units, 3 bytes each, fit */
    DEPTH_MAX = 1024,
    TIMES_NONE = 0,
    TIMES_ONE = 1, /* all four are the same, as a new file has them */
    TIMES_FOUR = 2,
};

/* In memory; the texts lie in `pool`, the times of a name right before its text. */
struct name {
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
    uint32_t last_name, last_stream; /* tails of the entry that was added to last */
    uint32_t name_owner, stream_owner;
    char *path; /* where paths are put together, from the end to the front */
};

static int table_reserve(struct table *table, size_t count)
{
    if (count <= table->room)
        return 0;
    size_t room = table->room ? table->room : 256;
    while (room < count)
        room += room / 2;
    void *rows =
        room > SIZE_MAX / table->row_size ? NULL : realloc(table->rows, room * table->row_size);
    if (!rows)
        return error_set("out of memory for the table of files");
    table->rows = rows;
    table->room = room;
    return 0;
}

static struct listing_entry *entry_at(const struct listing *listing, uint32_t index)
{
    return (struct listing_entry *)listing->entries.rows + index;
}

static struct name *name_at(const struct listing *listing, uint32_t index)
{
    return (struct name *)listing->names.rows + index;
}

static struct stream_row *stream_at(const struct listing *listing, uint32_t index)
{
    return (struct stream_row *)listing->streams.rows + index;
}

struct listing *listing_new(uint32_t root)
{
    struct listing *listing = calloc(1, sizeof *listing);
    char *path = malloc(PATH_SIZE);

    if (!listing || !path) {
        free(listing);
        free(path);
        error_set("out of memory");
        return NULL;
    }
    listing->entries.row_size = sizeof(struct listing_entry);
    listing->names.row_size = sizeof(struct name);
    listing->streams.row_size = sizeof(struct stream_row);
    listing->addresses.row_size = sizeof(uint64_t);
    listing->root = root;
    listing->name_owner = listing->stream_owner = LISTING_NONE;
    listing->path = path;
    return listing;
}

void listing_free(struct listing *listing)
{
    if (!listing)
        return;
    free(listing->entries.rows);
    free(listing->names.rows);
    free(listing->streams.rows);
    free(listing->addresses.rows);
    buffer_release(&listing->pool);
    free(listing->slots);
    free(listing->path);
    free(listing);
}

struct listing_entry *listing_entry(struct listing *listing, uint32_t index)
{
    struct table *table = &listing->entries;

    if (index == LISTING_NONE || table_reserve(table, (size_t)index + 1) < 0)
        return NULL;
    while (table->count <= index) {
        struct listing_entry *fresh = entry_at(listing, (uint32_t)table->count++);
        *fresh = (struct listing_entry){.names = LISTING_NONE, .streams = LISTING_NONE};
    }
    struct listing_entry *entry = entry_at(listing, index);
    entry->flags |= PRESENT;
    return entry;
}

const struct listing_entry *listing_look(const struct listing *listing, uint32_t index)
{
    if (index >= listing->entries.count)
        return NULL;
    const struct listing_entry *entry = entry_at(listing, index);
    return entry->flags & PRESENT ? entry : NULL;
}

uint32_t listing_count(const struct listing *listing)
{
    return (uint32_t)listing->entries.count;
}

int listing_set_address(struct listing *listing, uint32_t index, uint64_t address)
{
    struct table *table = &listing->addresses;

    if (table_reserve(table, (size_t)index + 1) < 0)
        return -1;
    while (table->count <= index)
        ((uint64_t *)table->rows)[table->count++] = 0;
    ((uint64_t *)table->rows)[index] = address;
    return 0;
}

static uint64_t address_of(const struct listing *listing, uint32_t index)
{
    return index < listing->addresses.count ? ((uint64_t *)listing->addresses.rows)[index] : index;
}

/* Room in the pool for `size` bytes; LISTING_NONE when there is none. */
static uint32_t pool_add(struct listing *listing, const void *bytes, size_t size)
{
    struct buffer *pool = &listing->pool;
    const size_t at = pool->size;

    if (size > UINT32_MAX - 1 || at > UINT32_MAX - 1 - size) {
        error_set("more than 4 GiB of file names");
        return LISTING_NONE;
    }
    buffer_add(pool, slice_of(bytes, size));
    if (buffer_failed(pool)) {
        error_set("out of memory for file names");
        return LISTING_NONE;
    }
    return (uint32_t)at;
}

static unsigned times_kind(const struct macb *fn)
{
    if (!instant_known(fn->created) && !instant_known(fn->modified) &&
        !instant_known(fn->changed) && !instant_known(fn->accessed))
        return TIMES_NONE;
    const int64_t ticks = fn->created.ticks;
    return fn->modified.ticks == ticks && fn->changed.ticks == ticks && fn->accessed.ticks == ticks
               ? TIMES_ONE
               : TIMES_FOUR;
}

static size_t times_size(unsigned kind)
{
    return kind == TIMES_FOUR  ? sizeof(struct macb)
           : kind == TIMES_ONE ? sizeof(struct instant)
                               : 0;
}

static struct macb times_of(const struct listing *listing, const struct name *name)
{
    const uint8_t *before = listing->pool.data + name->text - times_size(name->times);
    struct macb fn = {0};

    if (name->times == TIMES_FOUR)
        memcpy(&fn, before, sizeof fn);
    else if (name->times == TIMES_ONE) {
        memcpy(&fn.created, before, sizeof fn.created);
        fn.modified = fn.changed = fn.accessed = fn.created;
    }
    return fn;
}

/* A name as one component of a path: never empty, no '/', no NUL. */
static void clean_component(struct slice text, char out[NAME_MAX_SIZE], size_t *size)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t used = 0;

    for (size_t i = 0; i < text.size && used + 3 < NAME_MAX_SIZE; i++) {
        if (text.data[i] != '/' && text.data[i] != 0) {
            out[used++] = (char)text.data[i];
            continue;
        }
        memcpy(out + used, replacement, 3);
        used += 3;
    }
    if (used == 0)
        out[used++] = '_';
    *size = used;
}

/* Hangs row `fresh` behind the last one of the chain that starts at *first. */
static uint32_t *chain_end(uint32_t *first, uint32_t *next_of_last)
{
    return *first == LISTING_NONE ? first : next_of_last;
}

/* The place where a further name of the entry is linked in: at the end, or behind the first when
 * the end is not at hand. */
static uint32_t *name_link(struct listing *listing, uint32_t index)
{
    uint32_t *first = &entry_at(listing, index)->names;
    const uint32_t last = listing->name_owner == index ? listing->last_name : *first;

    return chain_end(first, last == LISTING_NONE ? NULL : &name_at(listing, last)->next);
}

static uint32_t *stream_link(struct listing *listing, uint32_t index)
{
    uint32_t *first = &entry_at(listing, index)->streams;
    const uint32_t last = listing->stream_owner == index ? listing->last_stream : *first;

    return chain_end(first, last == LISTING_NONE ? NULL : &stream_at(listing, last)->next);
}

static uint32_t add_text(struct listing *listing, const struct listing_name *name, unsigned times,
                         size_t *size)
{
    char text[NAME_MAX_SIZE];

    clean_component(name->text, text, size);
    /* For one time the first is taken: struct macb's members are all the same then. */
    if (times != TIMES_NONE && pool_add(listing, &name->fn, times_size(times)) == LISTING_NONE)
        return LISTING_NONE;
    return pool_add(listing, text, *size);
}

int listing_add_name(struct listing *listing, uint32_t index, const struct listing_name *name)
{
    const unsigned times = times_kind(&name->fn);
    const size_t fresh = listing->names.count;
    size_t size = 0;

    if (fresh >= LISTING_NONE || table_reserve(&listing->names, fresh + 1) < 0 ||
        !listing_entry(listing, index))
        return -1;
    const uint32_t text = add_text(listing, name, times, &size);
    if (text == LISTING_NONE)
        return -1;
    listing->names.count++;
    uint32_t *link = name_link(listing, index);
    *name_at(listing, (uint32_t)fresh) = (struct name){
        .next = *link,
        .entry = index,
        .parent = name->parent,
        .text = text,
        .parent_sequence = name->parent_sequence,
        .size = (uint16_t)(size & NAME_MAX_SIZE),
        .times = (uint16_t)(times & 3),
        .alias = name->alias,
    };
    *link = (uint32_t)fresh;
    listing->last_name = (uint32_t)fresh;
    listing->name_owner = index;
    return 0;
}

int listing_add_stream(struct listing *listing, uint32_t index, const struct listing_stream *stream)
{
    const size_t fresh = listing->streams.count;
    char text[NAME_MAX_SIZE];
    size_t size = 0;
    uint32_t at = 0;

    if (fresh >= LISTING_NONE || table_reserve(&listing->streams, fresh + 1) < 0 ||
        !listing_entry(listing, index))
        return -1;
    if (stream->name.size) {
        clean_component(stream->name, text, &size);
        at = pool_add(listing, text, size);
        if (at == LISTING_NONE)
            return -1;
    }
    listing->streams.count++;
    uint32_t *link = stream_link(listing, index);
    *stream_at(listing, (uint32_t)fresh) = (struct stream_row){
        .size = stream->size,
        .place = stream->place,
        .next = *link,
        .text = at,
        .name_size = (uint16_t)size,
        .attribute = stream->attribute,
        .flags = stream->flags,
    };
    *link = (uint32_t)fresh;
    listing->last_stream = (uint32_t)fresh;
    listing->stream_owner = index;
    return 0;
}

static struct slice pool_slice(const struct listing *listing, uint32_t at, size_t size)
{
    return slice_part(buffer_slice(&listing->pool), at, size);
}

static struct slice name_text(const struct listing *listing, const struct name *name)
{
    return pool_slice(listing, name->text, name->size);
}

bool listing_has_stream(const struct listing *listing, uint32_t index, struct slice name)
{
    const struct listing_entry *entry = listing_look(listing, index);
    uint32_t at = entry ? entry->streams : LISTING_NONE;

    for (; at != LISTING_NONE; at = stream_at(listing, at)->next) {
        const struct stream_row *row = stream_at(listing, at);
        if (slice_equal(pool_slice(listing, row->text, row->name_size), name))
            return true;
    }
    return false;
}

static bool only_aliases(const struct listing *listing, const struct listing_entry *entry)
{
    for (uint32_t at = entry->names; at != LISTING_NONE; at = name_at(listing, at)->next)
        if (!name_at(listing, at)->alias)
            return false;
    return true;
}

/* Gives back the room that growing left over. */
static void table_trim(struct table *table)
{
    void *rows = table->count ? realloc(table->rows, table->count * table->row_size) : NULL;

    if (!rows)
        return;
    table->rows = rows;
    table->room = table->count;
}

void listing_finish(struct listing *listing)
{
    table_trim(&listing->entries);
    table_trim(&listing->names);
    table_trim(&listing->streams);
    table_trim(&listing->addresses);
    for (uint32_t i = 0; i < listing->entries.count; i++) {
        const struct listing_entry *entry = entry_at(listing, i);
        if (entry->names != LISTING_NONE && only_aliases(listing, entry))
            name_at(listing, entry->names)->alias = 0;
    }
}

void listing_count_unreadable(struct listing *listing)
{
    listing->unreadable++;
}

void listing_count_partial(struct listing *listing)
{
    listing->unreadable++;
    listing->partial++;
}

uint64_t listing_unreadable(const struct listing *listing)
{
    return listing->unreadable;
}

uint64_t listing_partial(const struct listing *listing)
{
    return listing->partial;
}

size_t listing_memory(const struct listing *listing)
{
    const struct table *tables[] = {&listing->entries, &listing->names, &listing->streams,
                                    &listing->addresses};
    size_t sum = sizeof *listing + PATH_SIZE + listing->pool.room +
                 listing->slot_count * sizeof *listing->slots;

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        sum += tables[i]->room * tables[i]->row_size;
    return sum;
}

/* The name that stands for the entry in a path: the first that is no alias. */
static const struct name *main_name(const struct listing *listing, uint32_t index)
{
    const struct listing_entry *entry = listing_look(listing, index);
    uint32_t at = entry ? entry->names : LISTING_NONE;

    while (at != LISTING_NONE && name_at(listing, at)->alias)
        at = name_at(listing, at)->next;
    return at == LISTING_NONE ? NULL : name_at(listing, at);
}

uint32_t listing_parent(const struct listing *listing, uint32_t index)
{
    const struct name *name = main_name(listing, index);

    return name ? name->parent : LISTING_NONE;
}

/*
 * Is the folder that the name refers to still the one it was? NTFS raises the sequence number when
 * an entry is freed, so a deleted folder's children carry its number less one (0 is left out when
 * it wraps around).
 */
static bool parent_fits(const struct listing *listing, const struct name *name)
{
    const struct listing_entry *parent = listing_look(listing, name->parent);

    if (!parent || !(parent->flags & FILE_FOLDER))
        return false;
    if (name->parent_sequence == 0 || name->parent_sequence == parent->sequence)
        return true;
    const uint16_t after = (uint16_t)(name->parent_sequence + 1);
    return (parent->flags & FILE_DELETED) && (after ? after : 1) == parent->sequence;
}

/* Writes the component in front of `at`, with a '/' behind it when something follows; 0 when there
 * is no room. */
static size_t put_before(struct listing *listing, size_t at, struct slice text)
{
    const bool last = at == PATH_SIZE - 1;

    if (text.size + !last > at)
        return 0;
    if (!last)
        listing->path[--at] = '/';
    at -= text.size;
    memcpy(listing->path + at, text.data, text.size);
    return at;
}

/* Puts the folders above `name` in front of `at`. True when they reach the root. */
static bool put_parents(struct listing *listing, const struct name *name, size_t *at)
{
    for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
        if (!parent_fits(listing, name))
            return false;
        if (name->parent == listing->root)
            return true;
        name = main_name(listing, name->parent);
        const size_t before = name ? put_before(listing, *at, name_text(listing, name)) : 0;
        if (before == 0)
            return false;
        *at = before;
    }
    return false;
}

/* The path of a name, at the end of listing->path; valid until the next call. */
static const char *path_of(struct listing *listing, const struct name *name, bool *orphan)
{
    static const char top[] = "$Orphan";
    size_t at = put_before(listing, PATH_SIZE - 1, name_text(listing, name));

    listing->path[PATH_SIZE - 1] = 0;
    *orphan = !put_parents(listing, name, &at);
    if (*orphan) {
        const size_t before = put_before(listing, at, slice_of(top, sizeof top - 1));
        if (before == 0) { /* a chain longer than any real path: only the name itself is kept */
            at = put_before(listing, PATH_SIZE - 1, name_text(listing, name));
            at = put_before(listing, at, slice_of(top, sizeof top - 1));
        } else {
            at = before;
        }
    }
    return listing->path + at;
}

static void fill_entry(const struct listing *listing, uint32_t index, struct file *file)
{
    const struct listing_entry *entry = entry_at(listing, index);

    file->address = address_of(listing, index);
    file->sequence = entry->sequence;
    file->attributes = entry->attributes;
    file->flags = entry->flags & (uint16_t)~PRESENT;
    file->si = entry->si;
}

static void fill_stream(const struct listing *listing, uint32_t at, char name[NAME_MAX_SIZE + 1],
                        struct file *file)
{
    const struct stream_row *row = stream_at(listing, at);
    const struct slice text = pool_slice(listing, row->text, row->name_size);

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
    char stream_name[NAME_MAX_SIZE + 1];
    struct file plain = {.path = path, .fn = *fn};
    int result = 0;

    fill_entry(walk->listing, index, &plain);
    if (orphan)
        plain.flags |= FILE_ORPHAN;
    if ((entry->flags & FILE_FOLDER || entry->streams == LISTING_NONE) &&
        index != walk->listing->root)
        result = walk->visit(walk->context, &plain);
    for (uint32_t at = entry->streams; result == 0 && at != LISTING_NONE;) {
        struct file file = plain;
        fill_stream(walk->listing, at, stream_name, &file);
        at = stream_at(walk->listing, at)->next;
        result = walk->visit(walk->context, &file);
    }
    return result;
}

/*
 * An entry whose names are lost. The first 24 are the file system's own and have none when they are
 * not in use; an unused one without any stream was never a file.
 */
static int walk_nameless(const struct walk *walk, uint32_t index)
{
    const struct listing_entry *entry = entry_at(walk->listing, index);
    const struct macb none = {0};
    char path[64];

    if (index < 24 || (entry->flags & FILE_DELETED && entry->streams == LISTING_NONE))
        return 0;
    snprintf(path, sizeof path, "$Orphan/entry-%llu",
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
        const struct name *name = name_at(listing, at);
        bool orphan = false;
        if (name->alias)
            continue;
        const struct macb fn = times_of(listing, name);
        const char *path = path_of(listing, name, &orphan);
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

/* FNV-1a over the folder and the name's folded bytes. */
static uint64_t slot_hash(uint32_t parent, struct slice text)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325) ^ parent * UINT64_C(0x9E3779B97F4A7C15);

    for (size_t i = 0; i < text.size; i++) {
        const uint8_t byte = text.data[i];
        const uint8_t folded = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + 32) : byte;
        hash = (hash ^ folded) * UINT64_C(0x100000001B3);
    }
    return hash ^ hash >> 29;
}

/* A name that leads to a live file: neither it nor its folder is deleted. */
static bool name_lives(const struct listing *listing, const struct name *name)
{
    const struct listing_entry *entry = listing_look(listing, name->entry);
    const struct listing_entry *parent = listing_look(listing, name->parent);

    return entry && parent && !(entry->flags & FILE_DELETED) && !(parent->flags & FILE_DELETED) &&
           parent_fits(listing, name);
}

/* Puts the name into its slot. Of two with the same path the first one stays: no crafted table
 * makes this slow. */
static void slots_add(uint32_t *slots, size_t count, const struct listing *listing, uint32_t index)
{
    const struct name *name = name_at(listing, index);
    const struct slice text = name_text(listing, name);
    size_t slot = slot_hash(name->parent, text) & (count - 1);

    for (; slots[slot] != LISTING_NONE; slot = (slot + 1) & (count - 1)) {
        const struct name *there = name_at(listing, slots[slot]);
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
    for (uint32_t i = 0; i < listing->names.count; i++)
        if (name_lives(listing, name_at(listing, i)))
            slots_add(slots, count, listing, i);
    listing->slots = slots;
    listing->slot_count = count;
    return 0;
}

static const struct name *find_child(const struct listing *listing, uint32_t parent,
                                     struct slice text)
{
    size_t slot = slot_hash(parent, text) & (listing->slot_count - 1);

    for (; listing->slots[slot] != LISTING_NONE; slot = (slot + 1) & (listing->slot_count - 1)) {
        const struct name *name = name_at(listing, listing->slots[slot]);
        if (name->parent == parent && slice_equal_nocase(name_text(listing, name), text))
            return name;
    }
    return NULL;
}

/* Follows the components of `path`; NULL when one of them is not there or the path names the root.
 */
static const struct name *find_name(const struct listing *listing, struct slice path)
{
    const struct name *name = NULL;
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
                        char text[NAME_MAX_SIZE + 1], struct file *file)
{
    uint32_t at = entry_at(listing, index)->streams;

    for (; at != LISTING_NONE; at = stream_at(listing, at)->next) {
        const struct stream_row *row = stream_at(listing, at);
        if (slice_equal_nocase(pool_slice(listing, row->text, row->name_size), wanted)) {
            fill_stream(listing, at, text, file);
            return true;
        }
    }
    return wanted.size == 0;
}

/* The texts of the found file, copied to the arena. */
static bool keep_texts(struct listing *listing, const struct name *name, struct arena *arena,
                       struct file *file)
{
    bool orphan = false;
    const char *path = path_of(listing, name, &orphan);

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
    char text[NAME_MAX_SIZE + 1];
    struct file found = {0};

    if (!listing->slots && build_slots(listing) < 0)
        return false;
    const struct name *name = find_name(listing, base);
    if (!name)
        return false;
    fill_entry(listing, name->entry, &found);
    found.fn = times_of(listing, name);
    if (!find_stream(listing, name->entry, slice_of_text(colon ? colon + 1 : ""), text, &found))
        return false;
    const struct name *shown = name->alias ? main_name(listing, name->entry) : name;
    if (!shown || !keep_texts(listing, shown, arena, &found))
        return false;
    *file = found;
    return true;
}
