/* The table of a volume's files: how it is filled. */
#include "triage/evidence/listing.h"

#include "triage/base/alive.h"
#include "triage/base/error.h"
#include "triage/evidence/listing_parts.h"

#include <stdlib.h>
#include <string.h>

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

struct listing *listing_new(uint32_t root)
{
    struct listing *listing = calloc(1, sizeof *listing);
    char *path = malloc(LISTING_PATH_SIZE);

    if (!listing || !path) {
        free(listing);
        free(path);
        error_set("out of memory");
        return NULL;
    }
    listing->entries.row_size = sizeof(struct listing_entry);
    listing->names.row_size = sizeof(struct name_row);
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
    enum { TOLD_EACH = 256 }; /* a share in the network gives that many in well below a second */
    struct table *table = &listing->entries;

    if (index % TOLD_EACH == 0)
        alive_tell();
    if (index == LISTING_NONE || table_reserve(table, (size_t)index + 1) < 0)
        return NULL;
    while (table->count <= index) {
        struct listing_entry *fresh = entry_at(listing, (uint32_t)table->count++);
        *fresh = (struct listing_entry){.names = LISTING_NONE, .streams = LISTING_NONE};
    }
    struct listing_entry *entry = entry_at(listing, index);
    entry->flags |= LISTING_PRESENT;
    return entry;
}

const struct listing_entry *listing_look(const struct listing *listing, uint32_t index)
{
    if (index >= listing->entries.count)
        return NULL;
    const struct listing_entry *entry = entry_at(listing, index);
    return entry->flags & LISTING_PRESENT ? entry : NULL;
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

struct macb listing_name_times(const struct listing *listing, const struct name_row *name)
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
static void clean_component(struct slice text, char out[LISTING_NAME_MAX], size_t *size)
{
    static const char replacement[] = "\xEF\xBF\xBD";
    size_t used = 0;

    for (size_t i = 0; i < text.size && used + 3 < LISTING_NAME_MAX; i++) {
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
    char text[LISTING_NAME_MAX];

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
    *name_at(listing, (uint32_t)fresh) = (struct name_row){
        .next = *link,
        .entry = index,
        .parent = name->parent,
        .text = text,
        .parent_sequence = name->parent_sequence,
        .size = (uint16_t)(size & LISTING_NAME_MAX),
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
    char text[LISTING_NAME_MAX];
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

bool listing_has_stream(const struct listing *listing, uint32_t index, struct slice name)
{
    const struct listing_entry *entry = listing_look(listing, index);
    uint32_t at = entry ? entry->streams : LISTING_NONE;

    for (; at != LISTING_NONE; at = stream_at(listing, at)->next)
        if (slice_equal(stream_text(listing, stream_at(listing, at)), name))
            return true;
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
    size_t sum = sizeof *listing + LISTING_PATH_SIZE + listing->pool.room +
                 listing->slot_count * sizeof *listing->slots;

    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        sum += tables[i]->room * tables[i]->row_size;
    return sum;
}
