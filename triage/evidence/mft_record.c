/* Records and attributes of the $MFT. Layouts: see mft.h. */
#include "triage/evidence/mft_record.h"

enum { NAME_SPACE_DOS = 2 }; /* 0 POSIX, 1 Win32, 3 one name for both */

static uint16_t load_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

size_t mft_fix_up(uint8_t *record, size_t size)
{
    if (size < RECORD_SIZE_MIN || memcmp(record, "FILE", 4) != 0)
        return 0;
    const size_t at = load_u16(record + 4), count = load_u16(record + 6);
    if (count < 2 || at % 2 != 0 || at + count * 2 > size || size % (count - 1) != 0)
        return 0;
    const size_t stretch = size / (count - 1);
    if (stretch < RECORD_SIZE_MIN || at + count * 2 > stretch - 2)
        return 0;
    for (size_t i = 1; i < count; i++) {
        uint8_t *end = record + i * stretch - 2;
        if (memcmp(end, record + at, 2) != 0)
            return (i - 1) * stretch;
        memcpy(end, record + at + i * 2, 2);
    }
    return size;
}

static bool parse_record(struct slice bytes, struct mft_record *record)
{
    struct cursor c = cursor_over(bytes, 0);

    cursor_seek(&c, 16);
    record->sequence = cursor_u16le(&c);
    cursor_skip(&c, 2); /* number of hard links */
    const size_t first = cursor_u16le(&c);
    record->flags = cursor_u16le(&c);
    const size_t used = cursor_u32le(&c);
    cursor_skip(&c, 4); /* bytes allocated */
    record->base = cursor_u64le(&c);
    record->damaged = used > bytes.size;
    record->attributes = slice_from(slice_part(bytes, 0, used), first);
    return !cursor_failed(&c) && first >= 42 && first < bytes.size;
}

static void parse_nonresident(struct cursor *c, struct slice whole, struct mft_attribute *attribute)
{
    attribute->first_vcn = cursor_u64le(c);
    cursor_skip(c, 8); /* last VCN */
    const size_t runs = cursor_u16le(c);
    cursor_skip(c, 6 + 8); /* compression unit, padding, allocated size */
    if (attribute->first_vcn != 0)
        return;
    attribute->size = cursor_u64le(c);
    attribute->runs = slice_from(whole, runs);
}

static void parse_resident(struct cursor *c, struct slice whole, struct mft_attribute *attribute)
{
    const size_t size = cursor_u32le(c), at = cursor_u16le(c);

    attribute->size = size;
    attribute->content = slice_part(whole, at, size);
    if (attribute->content.size != size)
        c->failed = true;
}

bool mft_attribute_next(struct cursor *list, struct mft_attribute *attribute, bool *damaged)
{
    struct cursor head = *list;
    *attribute = (struct mft_attribute){.type = cursor_u32le(&head)};
    const size_t size = cursor_u32le(&head);

    if (attribute->type == UINT32_MAX || cursor_left(list) < 8)
        return false;
    const struct slice whole = cursor_take(list, size);
    struct cursor c = cursor_over(whole, 0);
    cursor_skip(&c, 8);
    attribute->resident = cursor_u8(&c) == 0;
    const size_t name_units = cursor_u8(&c), name_at = cursor_u16le(&c);
    attribute->flags = cursor_u16le(&c);
    attribute->id = cursor_u16le(&c);
    attribute->name = slice_part(whole, name_at, name_units * 2);
    if (attribute->resident)
        parse_resident(&c, whole, attribute);
    else
        parse_nonresident(&c, whole, attribute);
    *damaged = cursor_failed(list) || cursor_failed(&c) || attribute->name.size != name_units * 2;
    return !*damaged;
}

bool mft_record_read(uint8_t *bytes, size_t size, struct mft_record *record)
{
    const size_t good = mft_fix_up(bytes, size);

    if (!good || !parse_record(slice_of(bytes, good), record))
        return false;
    record->is_part = good < size;
    record->damaged |= record->is_part;
    return true;
}

bool mft_name_parse(struct slice content, struct mft_name *name)
{
    struct cursor c = cursor_over(content, 0);

    name->parent = cursor_u64le(&c);
    name->times = mft_times(&c);
    cursor_skip(&c, 24); /* sizes, attributes and reparse tag, as they were at the last rename */
    const size_t units = cursor_u8(&c);
    name->is_short = cursor_u8(&c) == NAME_SPACE_DOS;
    name->text = cursor_take(&c, units * 2);
    return !cursor_failed(&c);
}

struct macb mft_times(struct cursor *c)
{
    struct macb times;

    times.created = instant_from_filetime(cursor_u64le(c));
    times.modified = instant_from_filetime(cursor_u64le(c));
    times.changed = instant_from_filetime(cursor_u64le(c));
    times.accessed = instant_from_filetime(cursor_u64le(c));
    return times;
}

bool mft_record_size_is_possible(uint32_t size)
{
    return size >= RECORD_SIZE_MIN && size <= RECORD_SIZE_MAX && (size & (size - 1)) == 0;
}
