#include "triage/formats/compound.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <string.h>

enum {
    HEADER_SIZE = 512,
    HEADER_TABLES = 109, /* sectors of the table that the header itself names */
    ENTRY_SIZE = 128,
    SMALL_LIMIT = 4096,
    KIND_FOLDER = 1,
    KIND_STREAM = 2,
    KIND_ROOT = 5,
};

#define LAST_SECTOR UINT32_C(0xFFFFFFFA) /* larger numbers are marks: free, end of chain ... */

static const char magic[] = "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1";

bool compound_begins(struct slice head)
{
    return slice_starts(head, magic);
}

/* What the header says. */
struct header {
    uint32_t directory, small_table, more_tables, table_count;
};

static struct slice sector(const struct compound *compound, uint32_t number)
{
    const uint64_t at = ((uint64_t)number + 1) * compound->sector_size;

    return at < compound->bytes.size ? slice_part(compound->bytes, at, compound->sector_size)
                                     : slice_of(NULL, 0);
}

static int read_header(struct compound *compound, struct header *header)
{
    struct cursor c = cursor_over(compound->bytes, 0);

    cursor_skip(&c, 30);
    const uint16_t shift = cursor_u16le(&c), small_shift = cursor_u16le(&c);
    cursor_skip(&c, 10);
    header->table_count = cursor_u32le(&c);
    header->directory = cursor_u32le(&c);
    cursor_skip(&c, 4);
    compound->small_limit = cursor_u32le(&c);
    header->small_table = cursor_u32le(&c);
    cursor_skip(&c, 4);
    header->more_tables = cursor_u32le(&c);
    if (compound->bytes.size < HEADER_SIZE || !compound_begins(compound->bytes))
        return error_set("it does not begin as a compound file");
    if ((shift != 9 && shift != 12) || small_shift != 6 || compound->small_limit != SMALL_LIMIT)
        return error_set("its header has sizes that no compound file has");
    compound->sector_size = (size_t)1 << shift;
    compound->small_size = (size_t)1 << small_shift;
    return 0;
}

static void add_table_sector(struct compound *compound, uint32_t *table, uint32_t number)
{
    struct cursor c = cursor_over(sector(compound, number), 0);

    for (size_t i = 0; i < compound->sector_size / 4 && cursor_left(&c) >= 4; i++)
        table[compound->table_count++] = cursor_u32le(&c);
}

/* The table's own sectors are named in the header and, beyond 109, in a chain of lists. */
static int read_table(struct compound *compound, const struct header *header)
{
    const size_t sectors = compound->bytes.size / compound->sector_size;
    const size_t most = sectors / (compound->sector_size / 4) + 1;
    uint32_t *table = arena_array(compound->arena, most, compound->sector_size);
    struct cursor c = cursor_over(slice_part(compound->bytes, 0, HEADER_SIZE), 0);
    uint32_t next = header->more_tables;
    size_t read = 0, lists = 0;

    if (!table)
        return -1;
    cursor_seek(&c, HEADER_SIZE - HEADER_TABLES * 4);
    while (read < most && read < header->table_count) {
        if (cursor_left(&c) < 4 + (lists ? 4 : 0)) { /* the last number of a list is the next */
            if (lists)
                next = cursor_u32le(&c);
            if (next > LAST_SECTOR || lists++ > most || !sector(compound, next).size)
                break;
            c = cursor_over(sector(compound, next), 0);
            continue;
        }
        const uint32_t number = cursor_u32le(&c);
        if (number > LAST_SECTOR)
            break;
        add_table_sector(compound, table, number);
        read++;
    }
    if (read < header->table_count)
        compound->problem = "its table of sectors is not whole";
    compound->table = table;
    return 0;
}

/* How chained pieces are found: sectors of the file, or small ones of the small content. */
struct chain {
    const uint32_t *table;
    size_t count, piece;
    struct slice (*find)(const struct compound *compound, uint32_t number);
};

static struct slice small_sector(const struct compound *compound, uint32_t number)
{
    return slice_part(compound->small_content, (size_t)number * compound->small_size,
                      compound->small_size);
}

/* At most `size` bytes of the chain that begins with `next`; *end: what follows the last sector. */
static int read_chain(struct compound *compound, const struct chain *chain, uint32_t next,
                      size_t size, struct slice *content, uint32_t *end)
{
    uint8_t *bytes = arena_take(compound->arena, size + 1);
    size_t done = 0, steps = 0;

    if (!bytes)
        return -1;
    while (done < size && next < chain->count && steps++ < chain->count) {
        const struct slice piece = slice_part(chain->find(compound, next), 0, size - done);
        if (!piece.size)
            break;
        memcpy(bytes + done, piece.data, piece.size);
        done += piece.size;
        next = chain->table[next];
    }
    *content = slice_of(bytes, done);
    *end = next;
    return 0;
}

static struct chain big_chain(const struct compound *compound)
{
    return (struct chain){compound->table, compound->table_count, compound->sector_size, sector};
}

/* Sectors of the chain, without a step twice: a chain longer than the table goes in a circle. */
static size_t chain_size(const struct compound *compound, uint32_t next)
{
    size_t steps = 0;

    while (next < compound->table_count && steps < compound->table_count) {
        next = compound->table[next];
        steps++;
    }
    return next < compound->table_count ? 0 : steps * compound->sector_size;
}

static int read_whole_chain(struct compound *compound, uint32_t start, struct slice *content)
{
    const struct chain chain = big_chain(compound);
    size_t size = chain_size(compound, start);
    uint32_t end;

    if (!size && start <= LAST_SECTOR) {
        compound->problem = "a chain of sectors goes in a circle";
        size = compound->sector_size;
    }
    return read_chain(compound, &chain, start,
                      size < compound->bytes.size ? size : compound->bytes.size, content, &end);
}

static struct compound_entry read_entry(const struct compound *compound, struct slice bytes)
{
    struct cursor c = cursor_over(bytes, 0);
    struct compound_entry entry = {0};

    const struct slice name = cursor_take(&c, 64);
    cursor_skip(&c, 2);
    const uint8_t kind = cursor_u8(&c);
    cursor_skip(&c, 33); /* colour, siblings, child, class, state */
    entry.created = instant_from_filetime(cursor_u64le(&c));
    entry.modified = instant_from_filetime(cursor_u64le(&c));
    entry.start = cursor_u32le(&c);
    entry.size = cursor_u64le(&c);
    /* Half of the number is left from before in files of 512-byte sectors. */
    if (compound->sector_size == HEADER_SIZE)
        entry.size &= UINT32_MAX;
    entry.is_stream = kind == KIND_STREAM;
    const bool used = kind == KIND_FOLDER || kind == KIND_STREAM || kind == KIND_ROOT;
    entry.name = used ? utf16_to_text(compound->arena, name, true) : NULL;
    return entry;
}

static int read_directory(struct compound *compound, const struct header *header,
                          struct compound_entry *root)
{
    struct slice content;

    if (read_whole_chain(compound, header->directory, &content) < 0)
        return -1;
    const size_t count = content.size / ENTRY_SIZE;
    if (!count)
        return error_set("it has no directory");
    struct compound_entry *entries =
        arena_array(compound->arena, count, sizeof(struct compound_entry));
    if (!entries)
        return -1;
    for (size_t i = 0; i < count; i++) {
        const struct compound_entry entry =
            read_entry(compound, slice_part(content, i * ENTRY_SIZE, ENTRY_SIZE));
        if (i == 0)
            *root = entry;
        if (entry.name && *entry.name && i)
            entries[compound->entry_count++] = entry;
    }
    compound->entries = entries;
    return 0;
}

/* Where the sectors of the small content lie, so that what is in it can be found in the file. */
static int place_small(struct compound *compound, uint32_t next)
{
    const size_t count = compound->small_content.size / compound->sector_size + 1;
    size_t *places = arena_array(compound->arena, count, sizeof *places);

    if (!places)
        return -1;
    for (size_t i = 0; i < count && next < compound->table_count; i++) {
        places[i] = ((size_t)next + 1) * compound->sector_size;
        next = compound->table[next];
    }
    compound->small_places = places;
    return 0;
}

static int read_small(struct compound *compound, const struct header *header,
                      const struct compound_entry *root)
{
    const struct chain chain = big_chain(compound);
    struct slice content;
    uint32_t end;

    if (read_whole_chain(compound, header->small_table, &content) < 0)
        return -1;
    const size_t size =
        root->size < compound->bytes.size ? (size_t)root->size : compound->bytes.size;
    if (read_chain(compound, &chain, root->start, size, &compound->small_content, &end) < 0 ||
        place_small(compound, root->start) < 0)
        return -1;
    uint32_t *table = arena_array(compound->arena, content.size / 4 + 1, sizeof *table);
    struct cursor c = cursor_over(content, 0);
    if (!table)
        return -1;
    while (cursor_left(&c) >= 4)
        table[compound->small_count++] = cursor_u32le(&c);
    compound->small_table = table;
    return 0;
}

int compound_open(struct slice bytes, struct arena *arena, struct compound *out)
{
    struct compound_entry root = {0};
    struct header header;

    *out = (struct compound){.bytes = bytes, .arena = arena, .left = bytes.size};
    if (read_header(out, &header) < 0 || read_table(out, &header) < 0 ||
        read_directory(out, &header, &root) < 0)
        return -1;
    return read_small(out, &header, &root);
}

static size_t place_of(const struct compound *compound, uint32_t start, bool small)
{
    const size_t at = (size_t)start * compound->small_size;

    if (!small)
        return ((size_t)start + 1) * compound->sector_size;
    if (at >= compound->small_content.size)
        return 0;
    return compound->small_places[at / compound->sector_size] + at % compound->sector_size;
}

int compound_stream(struct compound *compound, const struct compound_entry *entry,
                    struct slice *content, bool *whole, size_t *first)
{
    const bool small = entry->size < compound->small_limit;
    const struct chain chain = small ? (struct chain){compound->small_table, compound->small_count,
                                                      compound->small_size, small_sector}
                                     : big_chain(compound);
    uint32_t end;

    if (entry->size > compound->left)
        return error_set("stream '%s': the streams have more bytes than the file", entry->name);
    if (read_chain(compound, &chain, entry->start, (size_t)entry->size, content, &end) < 0)
        return -1;
    compound->left -= content->size;
    *whole = content->size == entry->size && (entry->size == 0 || end > LAST_SECTOR);
    if (first)
        *first = place_of(compound, entry->start, small);
    return 0;
}
