/* The parser of the NTFS master file table. Layouts: see mft.h. */
#include "triage/evidence/mft.h"

#include "triage/base/buffer.h"
#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdlib.h>
#include <string.h>

enum {
    WINDOW_SIZE = 4 * 1024 * 1024,
    RECORD_SIZE_MIN = 256,
    RECORD_SIZE_MAX = 64 * 1024,
    RECORD_IN_USE = 1,
    RECORD_FOLDER = 2,
    ATTRIBUTES_PER_RECORD = 512, /* more than fit into the largest record in use, 4 KiB */
};

enum attribute_type {
    TYPE_STANDARD_INFORMATION = 0x10,
    TYPE_ATTRIBUTE_LIST = 0x20,
    TYPE_FILE_NAME = 0x30,
    TYPE_DATA = 0x80,
    TYPE_INDEX_ALLOCATION = 0xA0,
    TYPE_REPARSE_POINT = 0xC0,
};

enum attribute_flag {
    DATA_COMPRESSED = 0x00FF, /* the low byte names the method */
    DATA_ENCRYPTED = 0x4000,
    DATA_SPARSE = 0x8000,
};

enum { NAME_SPACE_DOS = 2 }; /* 0 POSIX, 1 Win32, 3 one name for both */

struct record {
    uint16_t sequence, flags;
    uint64_t base; /* reference to the base record; 0 for a base record */
    struct slice attributes;
    bool damaged;
};

struct attribute {
    uint32_t type;
    uint16_t flags, id;
    bool resident;
    struct slice name;    /* UTF-16LE */
    struct slice content; /* when resident */
    uint64_t first_vcn, size;
    struct slice runs; /* when not resident */
};

struct parser {
    const struct mft_input *input;
    struct listing *listing;
    struct buffer text;       /* the name at hand in UTF-8 */
    struct buffer extensions; /* numbers of the extension records, uint32_t each */
    uint32_t record_size;
};

static uint32_t load_u32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

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

static bool parse_record(struct slice bytes, struct record *record)
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

static void parse_nonresident(struct cursor *c, struct slice whole, struct attribute *attribute)
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

static void parse_resident(struct cursor *c, struct slice whole, struct attribute *attribute)
{
    const size_t size = cursor_u32le(c), at = cursor_u16le(c);

    attribute->size = size;
    attribute->content = slice_part(whole, at, size);
    if (attribute->content.size != size)
        c->failed = true;
}

/* The next attribute of a record; false at the end of the list, which `damaged` tells from a broken
 * one. */
static bool next_attribute(struct cursor *list, struct attribute *attribute, bool *damaged)
{
    struct cursor head = *list;
    *attribute = (struct attribute){.type = cursor_u32le(&head)};
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

/* First cluster of the first run that is not sparse; false when there is none. */
static bool first_cluster(struct slice runs, uint64_t *cluster)
{
    struct cursor c = cursor_over(runs, 0);

    for (;;) {
        const uint8_t head = cursor_u8(&c);
        const size_t length_size = head & 15, offset_size = head >> 4;
        if (head == 0 || length_size > 8 || offset_size > 8)
            return false;
        cursor_skip(&c, length_size);
        const struct slice offset = cursor_take(&c, offset_size);
        if (cursor_failed(&c))
            return false;
        if (offset_size == 0)
            continue;
        *cluster = 0;
        for (size_t i = offset_size; i-- > 0;)
            *cluster = *cluster << 8 | offset.data[i];
        return true;
    }
}

static struct macb read_times(struct cursor *c)
{
    struct macb times;

    times.created = instant_from_filetime(cursor_u64le(c));
    times.modified = instant_from_filetime(cursor_u64le(c));
    times.changed = instant_from_filetime(cursor_u64le(c));
    times.accessed = instant_from_filetime(cursor_u64le(c));
    return times;
}

static void add_standard_information(struct listing_entry *entry, struct slice content)
{
    struct cursor c = cursor_over(content, 0);
    const struct macb times = read_times(&c);
    const uint32_t attributes = cursor_u32le(&c);

    if (cursor_failed(&c)) {
        entry->flags |= FILE_DAMAGED;
        return;
    }
    entry->si = times;
    entry->attributes = attributes;
    if (content.size >= 56) { /* NTFS 3.0 and later */
        cursor_seek(&c, 52);
        entry->security_id = cursor_u32le(&c);
    }
}

static int add_file_name(struct parser *parser, uint32_t index, struct slice content)
{
    struct cursor c = cursor_over(content, 0);
    const uint64_t parent = cursor_u64le(&c);
    struct listing_name name = {.fn = read_times(&c)};
    cursor_skip(&c, 8 + 8 + 4 +
                        4); /* sizes, attributes and reparse tag, as they were at the last rename */
    const size_t units = cursor_u8(&c);
    const uint8_t space = cursor_u8(&c);
    const struct slice text = cursor_take(&c, units * 2);

    if (cursor_failed(&c) || (parent & UINT64_C(0xFFFFFFFFFFFF)) >= LISTING_NONE) {
        listing_entry(parser->listing, index)->flags |= FILE_DAMAGED;
        return 0;
    }
    name.parent = (uint32_t)parent;
    name.parent_sequence = (uint16_t)(parent >> 48);
    name.alias = space == NAME_SPACE_DOS;
    buffer_clear(&parser->text);
    utf16_append(&parser->text, text, false);
    name.text = buffer_slice(&parser->text);
    return listing_add_name(parser->listing, index, &name);
}

static uint16_t stream_flags(const struct attribute *attribute)
{
    unsigned flags = 0;

    if (attribute->resident)
        flags |= FILE_RESIDENT;
    if (attribute->flags & DATA_COMPRESSED && !attribute->resident)
        flags |= FILE_COMPRESSED;
    if (attribute->flags & DATA_ENCRYPTED)
        flags |= FILE_ENCRYPTED;
    if (attribute->flags & DATA_SPARSE)
        flags |= FILE_SPARSE;
    return (uint16_t)flags;
}

static int add_data(struct parser *parser, uint32_t index, const struct attribute *attribute)
{
    const struct mft_input *input = parser->input;
    uint64_t cluster = 0, place = 0;

    if (!attribute->resident && attribute->first_vcn != 0)
        return 0; /* a later part of a stream whose first part has the size */
    if (!attribute->resident && first_cluster(attribute->runs, &cluster) &&
        (__builtin_mul_overflow(cluster, (uint64_t)input->cluster_size, &place) ||
         __builtin_add_overflow(place, input->cluster_size ? input->volume_offset : 0, &place)))
        place = 0;
    buffer_clear(&parser->text);
    utf16_append(&parser->text, attribute->name, false);
    return listing_add_stream(parser->listing, index,
                              &(struct listing_stream){
                                  .size = attribute->size,
                                  .place = place,
                                  .name = buffer_slice(&parser->text),
                                  .attribute = attribute->id,
                                  .flags = stream_flags(attribute),
                              });
}

static int add_attribute(struct parser *parser, uint32_t index, const struct attribute *attribute)
{
    struct listing_entry *entry = listing_entry(parser->listing, index);

    if (!entry)
        return -1;
    if (attribute->type == TYPE_FILE_NAME && attribute->resident)
        return add_file_name(parser, index, attribute->content);
    if (attribute->type == TYPE_DATA)
        return add_data(parser, index, attribute);
    if (attribute->type == TYPE_STANDARD_INFORMATION && attribute->resident)
        add_standard_information(entry, attribute->content);
    if (attribute->type == TYPE_INDEX_ALLOCATION)
        entry->flags |= FILE_INDEXED;
    if (attribute->type == TYPE_REPARSE_POINT) {
        entry->flags |= FILE_REPARSE;
        if (attribute->content.size >= 4)
            entry->reparse_tag = load_u32(attribute->content.data);
    }
    return 0;
}

static int add_attributes(struct parser *parser, uint32_t index, const struct record *record)
{
    struct cursor list = cursor_over(record->attributes, 0);
    struct attribute attribute;
    bool damaged = record->damaged;

    for (unsigned i = 0; i < ATTRIBUTES_PER_RECORD && next_attribute(&list, &attribute, &damaged);
         i++)
        if (add_attribute(parser, index, &attribute) < 0)
            return -1;
    struct listing_entry *entry = listing_entry(parser->listing, index);
    if (!entry)
        return -1;
    if (damaged)
        entry->flags |= FILE_DAMAGED;
    return 0;
}

static int add_base_record(struct parser *parser, uint32_t index, const struct record *record)
{
    struct listing_entry *entry = listing_entry(parser->listing, index);

    if (!entry)
        return -1;
    entry->sequence = record->sequence;
    if (!(record->flags & RECORD_IN_USE))
        entry->flags |= FILE_DELETED;
    if (record->flags & RECORD_FOLDER)
        entry->flags |= FILE_FOLDER;
    return add_attributes(parser, index, record);
}

static bool all_zero(const uint8_t *bytes, size_t size)
{
    return bytes[0] == 0 && memcmp(bytes, bytes + 1, size - 1) == 0;
}

/* Fixes and parses one record. False when there is nothing to use, which is counted unless the
 * place was never used. */
static bool read_record(struct parser *parser, uint8_t *bytes, struct record *record)
{
    const size_t good = mft_fix_up(bytes, parser->record_size);

    if (good && parse_record(slice_of(bytes, good), record)) {
        if (good < parser->record_size) {
            record->damaged = true;
            listing_count_partial(parser->listing);
        }
        return true;
    }
    if (!all_zero(bytes, parser->record_size))
        listing_count_unreadable(parser->listing);
    return false;
}

static int add_record(struct parser *parser, uint32_t index, uint8_t *bytes)
{
    struct record record;

    if (!read_record(parser, bytes, &record))
        return 0;
    if (record.base == 0)
        return add_base_record(parser, index, &record);
    buffer_add(&parser->extensions, slice_of(&index, sizeof index));
    return buffer_failed(&parser->extensions) ? error_set("out of memory") : 0;
}

/* Does the extension belong to the file that its base record holds now? (The number rises by one
 * when a file is deleted.) */
static bool extension_fits(const struct listing_entry *base, const struct record *record)
{
    const uint16_t claimed = (uint16_t)(record->base >> 48);
    const bool base_lives = !(base->flags & FILE_DELETED), lives = record->flags & RECORD_IN_USE;

    if (base_lives != lives)
        return false;
    return claimed == base->sequence || (!base_lives && (uint16_t)(claimed + 1) == base->sequence);
}

static int merge_extension(struct parser *parser, uint32_t index, uint8_t *bytes)
{
    const uint64_t offset = (uint64_t)index * parser->record_size;
    const size_t size = parser->record_size;
    struct record record;

    if (parser->input->read(parser->input->context, offset, bytes, size) != (ssize_t)size)
        return 0;
    const size_t good = mft_fix_up(bytes, size);
    if (!good || !parse_record(slice_of(bytes, good), &record))
        return 0;
    record.damaged |= good < size;
    const uint64_t number = record.base & UINT64_C(0xFFFFFFFFFFFF);
    if (number >= listing_count(parser->listing))
        return 0;
    const struct listing_entry *base = listing_look(parser->listing, (uint32_t)number);
    if (!base || !extension_fits(base, &record))
        return 0;
    return add_attributes(parser, (uint32_t)number, &record);
}

/* After the pass, when all bases are known; the records are read again in order. */
static int merge_extensions(struct parser *parser, uint8_t *window)
{
    for (size_t at = 0; at < parser->extensions.size; at += sizeof(uint32_t)) {
        uint32_t index;
        memcpy(&index, parser->extensions.data + at, sizeof index);
        if (merge_extension(parser, index, window) < 0)
            return -1;
    }
    return 0;
}

static int add_window(struct parser *parser, uint32_t first, uint8_t *window, size_t size)
{
    uint32_t index = first;

    for (size_t at = 0; size - at >= parser->record_size; at += parser->record_size, index++)
        if (add_record(parser, index, window + at) < 0)
            return -1;
    return 0;
}

static int read_all(struct parser *parser, uint8_t *window)
{
    const struct mft_input *input = parser->input;
    const size_t window_size = WINDOW_SIZE - WINDOW_SIZE % parser->record_size;
    uint64_t index = 0;

    for (uint64_t at = 0; at < input->size;) {
        const uint64_t left = input->size - at;
        const size_t want = left < window_size ? (size_t)left : window_size;
        const ssize_t got = input->read(input->context, at, window, want);
        if (got < 0)
            return -1;
        if (index + window_size / parser->record_size >= LISTING_NONE)
            return error_set("the $MFT has more entries than NTFS allows");
        if (add_window(parser, (uint32_t)index, window, (size_t)got) < 0)
            return -1;
        if ((size_t)got < want)
            break;
        at += want;
        index += want / parser->record_size;
    }
    return merge_extensions(parser, window);
}

static bool size_is_possible(uint32_t size)
{
    return size >= RECORD_SIZE_MIN && size <= RECORD_SIZE_MAX && (size & (size - 1)) == 0;
}

/* The first record tells its own size, when the volume does not. */
static int find_record_size(struct parser *parser)
{
    const struct mft_input *input = parser->input;
    uint8_t head[48];

    parser->record_size = input->record_size;
    if (parser->record_size == 0) {
        if (input->read(input->context, 0, head, sizeof head) != (ssize_t)sizeof head ||
            memcmp(head, "FILE", 4) != 0)
            return error_set("this is no $MFT: it does not start with a FILE record");
        parser->record_size = load_u32(head + 28);
    }
    if (!size_is_possible(parser->record_size))
        return error_set("the $MFT's entries cannot have %u bytes", parser->record_size);
    return 0;
}

/*
 * The root folder is always entry 5. When it is lost or was tampered with, all paths would end
 * nowhere, so it is put in as it has to be.
 */
static int check_root(struct listing *listing)
{
    const bool there = listing_look(listing, MFT_ROOT) != NULL;

    if (listing_count(listing) == 0)
        return error_set("the $MFT has no entry that can be read");
    struct listing_entry *root = listing_entry(listing, MFT_ROOT);
    if (!root)
        return -1;
    if (!there)
        root->sequence = MFT_ROOT;
    root->flags |= FILE_FOLDER;
    root->flags &= (uint16_t)~FILE_DELETED;
    return 0;
}

int mft_read(const struct mft_input *input, struct listing **out)
{
    struct parser parser = {.input = input, .listing = listing_new(MFT_ROOT)};
    uint8_t *window = malloc(WINDOW_SIZE);
    int result = -1;

    if (!window || !parser.listing) {
        error_set("out of memory");
        goto out;
    }
    if (find_record_size(&parser) < 0 || read_all(&parser, window) < 0 ||
        check_root(parser.listing) < 0)
        goto out;
    listing_finish(parser.listing);
    *out = parser.listing;
    parser.listing = NULL;
    result = 0;
out:
    listing_free(parser.listing);
    buffer_release(&parser.text);
    buffer_release(&parser.extensions);
    free(window);
    return result;
}

uint32_t mft_record_size(const struct mft_input *input)
{
    struct parser parser = {.input = input};

    return find_record_size(&parser) < 0 ? 0 : parser.record_size;
}

/* ---- one entry ---- */

struct lookup {
    const struct mft_input *input;
    struct buffer *name;
    uint64_t parent;
    bool found;     /* a name, a long one unless `shortened` */
    bool shortened; /* only an 8.3 name so far */
};

static void take_name(struct lookup *lookup, struct slice content)
{
    struct cursor c = cursor_over(content, 0);
    const uint64_t parent = cursor_u64le(&c);

    cursor_skip(&c, 56); /* times, sizes, attributes and reparse tag */
    const size_t units = cursor_u8(&c);
    const bool alias = cursor_u8(&c) == NAME_SPACE_DOS;
    const struct slice text = cursor_take(&c, units * 2);
    if (cursor_failed(&c) || units == 0 || (lookup->found && (alias || !lookup->shortened)))
        return;
    buffer_clear(lookup->name);
    utf16_append(lookup->name, text, false);
    lookup->parent = parent;
    lookup->shortened = alias;
    lookup->found = true;
}

/* Takes the names of one record; `list` gets its attribute list when that is resident. */
static void take_names(struct lookup *lookup, const struct record *record, struct slice *list)
{
    struct cursor attributes = cursor_over(record->attributes, 0);
    struct attribute attribute;
    bool damaged = false;

    for (unsigned i = 0;
         i < ATTRIBUTES_PER_RECORD && next_attribute(&attributes, &attribute, &damaged); i++) {
        if (attribute.type == TYPE_FILE_NAME && attribute.resident)
            take_name(lookup, attribute.content);
        if (attribute.type == TYPE_ATTRIBUTE_LIST && attribute.resident)
            *list = attribute.content;
    }
}

static bool load_record(const struct mft_input *input, uint64_t entry, uint8_t *bytes,
                        struct record *record)
{
    const size_t size = input->record_size;
    uint64_t offset;

    if (__builtin_mul_overflow(entry, (uint64_t)size, &offset) || offset >= input->size ||
        input->read(input->context, offset, bytes, size) != (ssize_t)size)
        return false;
    const size_t good = mft_fix_up(bytes, size);
    return good && parse_record(slice_of(bytes, good), record);
}

/* A name can lie in another record of the same file; the attribute list says in which. */
static void take_listed_names(struct lookup *lookup, struct slice list, uint64_t own)
{
    uint8_t bytes[RECORD_SIZE_MAX];
    struct cursor c = cursor_over(list, 0);

    for (unsigned i = 0; i < ATTRIBUTES_PER_RECORD && !lookup->found && cursor_left(&c); i++) {
        struct cursor entry = c;
        const uint32_t type = cursor_u32le(&entry);
        const size_t size = cursor_u16le(&entry);
        cursor_skip(&entry, 10); /* name and first VCN */
        const uint64_t number = cursor_u64le(&entry) & UINT64_C(0xFFFFFFFFFFFF);
        struct slice none = {0};
        struct record record;
        if (cursor_failed(&entry) || size == 0)
            return;
        cursor_skip(&c, size);
        if (type == TYPE_FILE_NAME && number != own &&
            load_record(lookup->input, number, bytes, &record) &&
            (record.base & UINT64_C(0xFFFFFFFFFFFF)) == own)
            take_names(lookup, &record, &none);
    }
}

/* Is it the file that was meant, or was the entry given to another one since? */
static bool is_meant(const struct record *record, uint16_t sequence)
{
    if (record->base != 0)
        return false;
    if (sequence == record->sequence)
        return true;
    const uint16_t after = (uint16_t)(sequence + 1);
    return !(record->flags & RECORD_IN_USE) && (after ? after : 1) == record->sequence;
}

bool mft_name_of(const struct mft_input *input, uint64_t reference, struct buffer *name,
                 uint64_t *parent)
{
    const uint64_t entry = reference & UINT64_C(0xFFFFFFFFFFFF);
    struct lookup lookup = {.input = input, .name = name};
    uint8_t bytes[RECORD_SIZE_MAX];
    struct slice list = {0};
    struct record record;

    if (!size_is_possible(input->record_size) || !load_record(input, entry, bytes, &record) ||
        !is_meant(&record, (uint16_t)(reference >> 48)))
        return false;
    take_names(&lookup, &record, &list);
    if (!lookup.found)
        take_listed_names(&lookup, list, entry);
    *parent = lookup.parent;
    return lookup.found && !buffer_failed(name);
}
