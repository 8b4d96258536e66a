/* Single entries of the $MFT, without reading the table. */
#include "triage/evidence/mft_record.h"

#include "triage/base/utf16.h"

struct lookup {
    const struct mft_input *input;
    struct buffer *name;
    uint64_t parent;
    bool found;     /* a name, a long one unless `shortened` */
    bool shortened; /* only an 8.3 name so far */
};

static void take_name(struct lookup *lookup, struct slice content)
{
    struct mft_name name;

    if (!mft_name_parse(content, &name) || name.text.size == 0 ||
        (lookup->found && (name.is_short || !lookup->shortened)))
        return;
    buffer_clear(lookup->name);
    utf16_append(lookup->name, name.text, false);
    lookup->parent = name.parent;
    lookup->shortened = name.is_short;
    lookup->found = true;
}

/* Takes the names of one record; `list` gets its attribute list when that is resident. */
static void take_names(struct lookup *lookup, const struct mft_record *record, struct slice *list)
{
    struct cursor attributes = cursor_over(record->attributes, 0);
    struct mft_attribute attribute;
    bool damaged = false;

    for (unsigned i = 0;
         i < ATTRIBUTES_PER_RECORD && mft_attribute_next(&attributes, &attribute, &damaged); i++) {
        if (attribute.type == TYPE_FILE_NAME && attribute.resident)
            take_name(lookup, attribute.content);
        if (attribute.type == TYPE_ATTRIBUTE_LIST && attribute.resident)
            *list = attribute.content;
    }
}

/* False when the table does not go so far. */
static bool has_entry(const struct mft_input *input, uint64_t entry)
{
    uint64_t offset;

    return !__builtin_mul_overflow(entry, (uint64_t)input->record_size, &offset) &&
           offset < input->size;
}

static bool load_bytes(const struct mft_input *input, uint64_t entry,
                       uint8_t bytes[RECORD_SIZE_MAX])
{
    const size_t size = input->record_size;

    return has_entry(input, entry) &&
           input->read(input->context, entry * size, bytes, size) == (ssize_t)size;
}

static bool load_record(const struct mft_input *input, uint64_t entry,
                        uint8_t bytes[RECORD_SIZE_MAX], struct mft_record *record)
{
    return load_bytes(input, entry, bytes) && mft_record_read(bytes, input->record_size, record);
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
        const uint64_t number = reference_entry(cursor_u64le(&entry));
        struct slice none = {0};
        struct mft_record record;
        if (cursor_failed(&entry) || size == 0)
            return;
        cursor_skip(&c, size);
        if (type == TYPE_FILE_NAME && number != own &&
            load_record(lookup->input, number, bytes, &record) &&
            reference_entry(record.base) == own)
            take_names(lookup, &record, &none);
    }
}

/* Is it the file that was meant, or was the entry given to another one since? */
static bool is_meant(const struct mft_record *record, uint16_t sequence)
{
    if (record->base != 0)
        return false;
    if (sequence == record->sequence)
        return true;
    return !(record->flags & RECORD_IN_USE) && sequence_after(sequence) == record->sequence;
}

bool mft_name_of(const struct mft_input *input, uint64_t reference, struct buffer *name,
                 uint64_t *parent)
{
    const uint64_t entry = reference_entry(reference);
    struct lookup lookup = {.input = input, .name = name};
    uint8_t bytes[RECORD_SIZE_MAX];
    struct slice list = {0};
    struct mft_record record;

    if (!mft_record_size_is_possible(input->record_size) ||
        !load_record(input, entry, bytes, &record) ||
        !is_meant(&record, reference_sequence(reference)))
        return false;
    take_names(&lookup, &record, &list);
    if (!lookup.found)
        take_listed_names(&lookup, list, entry);
    *parent = lookup.parent;
    return lookup.found && !buffer_failed(name);
}

bool mft_is_lost(const struct mft_input *input, uint64_t reference)
{
    const uint64_t entry = reference_entry(reference);
    uint8_t bytes[RECORD_SIZE_MAX];

    return mft_record_size_is_possible(input->record_size) && has_entry(input, entry) &&
           (!load_bytes(input, entry, bytes) || mft_fix_up(bytes, input->record_size) == 0);
}
