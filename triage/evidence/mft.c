/* The parser of the NTFS master file table: one pass over all records. Layouts: see mft.h. */
#include "triage/evidence/mft_record.h"

#include "triage/base/error.h"
#include "triage/base/utf16.h"

#include <stdlib.h>

enum { WINDOW_SIZE = 4 * 1024 * 1024 };

struct parser {
    const struct mft_input *input;
    struct listing *listing;
    struct buffer text;       /* the name at hand in UTF-8 */
    struct buffer extensions; /* numbers of the extension records, uint32_t each */
    uint32_t record_size;
};

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

static void add_standard_information(struct listing_entry *entry, struct slice content)
{
    struct cursor c = cursor_over(content, 0);
    const struct macb times = mft_times(&c);
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
    struct mft_name read;

    if (!mft_name_parse(content, &read) || reference_entry(read.parent) >= LISTING_NONE) {
        listing_entry(parser->listing, index)->flags |= FILE_DAMAGED;
        return 0;
    }
    buffer_clear(&parser->text);
    utf16_append(&parser->text, read.text, false);
    return listing_add_name(parser->listing, index,
                            &(struct listing_name){
                                .parent = (uint32_t)reference_entry(read.parent),
                                .parent_sequence = reference_sequence(read.parent),
                                .alias = read.is_short,
                                .fn = read.times,
                                .text = buffer_slice(&parser->text),
                            });
}

static uint16_t stream_flags(const struct mft_attribute *attribute)
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

static int add_data(struct parser *parser, uint32_t index, const struct mft_attribute *attribute)
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

static int add_attribute(struct parser *parser, uint32_t index,
                         const struct mft_attribute *attribute)
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
        struct cursor c = cursor_over(attribute->content, 0);
        entry->reparse_tag = cursor_u32le(&c);
    }
    return 0;
}

static int add_attributes(struct parser *parser, uint32_t index, const struct mft_record *record)
{
    struct cursor list = cursor_over(record->attributes, 0);
    struct mft_attribute attribute;
    bool damaged = record->damaged;

    for (unsigned i = 0;
         i < ATTRIBUTES_PER_RECORD && mft_attribute_next(&list, &attribute, &damaged); i++)
        if (add_attribute(parser, index, &attribute) < 0)
            return -1;
    struct listing_entry *entry = listing_entry(parser->listing, index);
    if (!entry)
        return -1;
    if (damaged)
        entry->flags |= FILE_DAMAGED;
    return 0;
}

static int add_base_record(struct parser *parser, uint32_t index, const struct mft_record *record)
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

/* Fixes and parses one record. False when there is nothing to use, which is counted unless the
 * place was never used. */
static bool read_record(struct parser *parser, uint8_t *bytes, struct mft_record *record)
{
    if (mft_record_read(bytes, parser->record_size, record)) {
        if (record->is_part)
            listing_count_partial(parser->listing);
        return true;
    }
    if (!slice_is_zero(slice_of(bytes, parser->record_size)))
        listing_count_unreadable(parser->listing);
    return false;
}

static int add_record(struct parser *parser, uint32_t index, uint8_t *bytes)
{
    struct mft_record record;

    if (!read_record(parser, bytes, &record))
        return 0;
    if (record.base == 0)
        return add_base_record(parser, index, &record);
    buffer_add(&parser->extensions, slice_of(&index, sizeof index));
    return buffer_failed(&parser->extensions) ? error_set("out of memory") : 0;
}

/* Does the extension belong to the file that its base record holds now? (The number rises by one
 * when a file is deleted.) */
static bool extension_fits(const struct listing_entry *base, const struct mft_record *record)
{
    const uint16_t claimed = reference_sequence(record->base);
    const bool base_lives = !(base->flags & FILE_DELETED), lives = record->flags & RECORD_IN_USE;

    if (base_lives != lives)
        return false;
    return claimed == base->sequence || (!base_lives && sequence_after(claimed) == base->sequence);
}

static int merge_extension(struct parser *parser, uint32_t index, uint8_t *bytes)
{
    const uint64_t offset = (uint64_t)index * parser->record_size;
    const size_t size = parser->record_size;
    struct mft_record record;

    if (parser->input->read(parser->input->context, offset, bytes, size) != (ssize_t)size ||
        !mft_record_read(bytes, size, &record))
        return 0;
    const uint64_t number = reference_entry(record.base);
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
        struct cursor c = cursor_over(slice_of(head, sizeof head), 0);
        cursor_seek(&c, 28);
        parser->record_size = cursor_u32le(&c);
    }
    if (!mft_record_size_is_possible(parser->record_size))
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
