/* Index blocks and the entries in their slack. See index_record.h. */
#include "triage/formats/index_record.h"

#include <string.h>

enum {
    ALIGNMENT = 8,
    SECTOR = 512,
    HEADER_SIZE = 24, /* of the block; the index header follows */
    INDEX_HEADER_SIZE = 16,
    ENTRY_HEADER_SIZE = 16, /* in front of the name attribute */
    KEY_SIZE = 66,          /* of the name attribute, up to the name */
    NAME_SPACE_DOS = 2,
    NAME_SPACE_LAST = 3,
};

/* From 1980, before which no file of DOS is, to 2200. */
static const int64_t earliest = INT64_C(119600064000000000), latest = INT64_C(189025920000000000);

size_t index_block_size(struct slice head)
{
    struct cursor c = cursor_over(head, 0);

    if (!slice_starts(head, "INDX"))
        return 0;
    cursor_seek(&c, 6);
    const size_t count = cursor_u16le(&c);
    const size_t size = count > 1 ? (count - 1) * SECTOR : 0;
    return cursor_failed(&c) || size > INDEX_BLOCK_MAX || (size & (size - 1)) != 0 ? 0 : size;
}

/* The last two bytes of each sector stand in the header, in their place a check value. */
static size_t fix_up(uint8_t *block, size_t size, size_t at)
{
    for (size_t i = 1; i * SECTOR <= size; i++) {
        uint8_t *end = block + i * SECTOR - 2;
        if (memcmp(end, block + at, 2) != 0)
            return (i - 1) * SECTOR;
        memcpy(end, block + at + i * 2, 2);
    }
    return size;
}

size_t index_block_open(uint8_t *block, size_t size, size_t *slack)
{
    const struct slice whole = slice_of(block, size);
    struct cursor c = cursor_over(whole, 0);

    if (index_block_size(whole) != size)
        return 0;
    cursor_seek(&c, 4);
    const size_t sequence = cursor_u16le(&c), count = cursor_u16le(&c);
    if (cursor_failed(&c) || sequence % 2 != 0 || sequence + count * 2 > SECTOR - 2)
        return 0;
    const size_t good = fix_up(block, size, sequence);
    cursor_seek(&c, HEADER_SIZE + 4);
    const size_t used = cursor_u32le(&c);
    if (used < INDEX_HEADER_SIZE || used > size - HEADER_SIZE)
        return 0;
    *slack = (HEADER_SIZE + used + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    return good;
}

static bool is_possible_time(struct instant when)
{
    return when.ticks >= earliest && when.ticks < latest;
}

static bool read_times(struct cursor *c, struct macb *times)
{
    struct instant *const places[] = {&times->created, &times->modified, &times->changed,
                                      &times->accessed};

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const uint64_t filetime = cursor_u64le(c);
        *places[i] = filetime <= INT64_MAX ? instant_from_filetime(filetime) : INSTANT_NONE;
        if (!is_possible_time(*places[i]))
            return false;
    }
    return !cursor_failed(c);
}

/* What a name on Windows cannot have shows that these bytes are none. */
static bool is_possible_name(struct slice name)
{
    for (size_t i = 0; i + 1 < name.size; i += 2) {
        const unsigned unit = name.data[i] | (unsigned)name.data[i + 1] << 8;
        if (unit < 0x20 || (unit < 0x80 && strchr("\"*/:<>?\\|", (int)unit)))
            return false;
    }
    return name.size > 0;
}

static bool is_reference(uint64_t reference)
{
    return reference_entry(reference) <= UINT32_MAX && reference_sequence(reference) != 0;
}

static bool read_key(struct cursor *c, struct index_entry *entry)
{
    entry->parent = cursor_u64le(c);
    if (!is_reference(entry->parent) || !read_times(c, &entry->times))
        return false;
    const uint64_t allocated = cursor_u64le(c);
    entry->size = cursor_u64le(c);
    entry->attributes = cursor_u32le(c);
    cursor_skip(c, 4); /* reparse tag */
    const size_t units = cursor_u8(c);
    const uint8_t space = cursor_u8(c);
    entry->name = cursor_take(c, units * 2);
    entry->short_name = space == NAME_SPACE_DOS;
    return !cursor_failed(c) && space <= NAME_SPACE_LAST && allocated <= INT64_MAX &&
           entry->size <= INT64_MAX && is_possible_name(entry->name);
}

/* The header in front of the name may have been overwritten, by the mark that ends the entries in
 * use for one; then the file's reference is not known. */
static void read_head(struct slice head, size_t key_size, struct index_entry *entry)
{
    struct cursor c = cursor_over(head, 0);
    const uint64_t reference = cursor_u64le(&c);
    const size_t size = cursor_u16le(&c), content = cursor_u16le(&c);

    if (content == key_size && size >= ENTRY_HEADER_SIZE + key_size && is_reference(reference))
        entry->reference = reference;
}

static bool read_entry(struct slice bytes, size_t at, struct index_entry *entry)
{
    struct cursor c = cursor_over(slice_from(bytes, at + ENTRY_HEADER_SIZE), 0);

    *entry = (struct index_entry){.reference = 0};
    if (!read_key(&c, entry))
        return false;
    const size_t key_size = KEY_SIZE + entry->name.size;
    read_head(slice_part(bytes, at, ENTRY_HEADER_SIZE), key_size, entry);
    entry->bytes = slice_part(bytes, at, ENTRY_HEADER_SIZE + key_size);
    return true;
}

bool index_find_entry(struct slice bytes, size_t *at, struct index_entry *entry)
{
    size_t place = (*at + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);

    for (; place < bytes.size && bytes.size - place >= ENTRY_HEADER_SIZE + KEY_SIZE;
         place += ALIGNMENT) {
        if (!read_entry(bytes, place, entry))
            continue;
        *at = place + entry->bytes.size;
        return true;
    }
    *at = bytes.size;
    return false;
}
