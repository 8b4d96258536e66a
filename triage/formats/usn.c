/* Records of the NTFS change journal. Layouts: see usn.h. */
#include "triage/formats/usn.h"

#include <endian.h>
#include <string.h>

enum {
    ALIGNMENT = 8,
    V2_SIZE = 60, /* up to the name */
    V3_SIZE = 76,
    V4_SIZE = 64, /* up to the extents */
    NAME_MAX_SIZE = 255 * 2,
};

/* Years that a journal can be of: change journals came with Windows 2000. */
static const struct civil earliest = {.year = 1999, .month = 1, .day = 1};
static const struct civil latest = {.year = 2200, .month = 1, .day = 1};

/* Fixed places of a header whose size was checked: this is read for each of many millions of
 * records. */
static uint64_t load_u64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return le64toh(value);
}

static uint32_t load_u32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return le32toh(value);
}

static uint16_t load_u16(const uint8_t *bytes)
{
    return (uint16_t)(bytes[0] | bytes[1] << 8);
}

/* The first place at or after `at` where eight bytes are not all zero; the end of what can be told
 * when there is none. */
static size_t skip_zeroes(struct slice bytes, size_t at)
{
    while (at + 64 <= bytes.size) {
        uint64_t any = 0;
        for (size_t i = 0; i < 64; i += 8)
            any |= load_u64(bytes.data + at + i);
        if (any)
            break;
        at += 64;
    }
    while (at + ALIGNMENT <= bytes.size && load_u64(bytes.data + at) == 0)
        at += ALIGNMENT;
    return at;
}

static size_t header_size(uint16_t version)
{
    switch (version) {
    case 2:
        return V2_SIZE;
    case 3:
        return V3_SIZE;
    case 4:
        return V4_SIZE;
    default:
        return 0;
    }
}

/* Size of the record that begins here, from its first eight bytes; 0 when these cannot begin one.
 */
static size_t record_size(struct slice bytes)
{
    if (bytes.size < ALIGNMENT)
        return 0;
    const uint32_t size = load_u32(bytes.data);
    const uint16_t version = load_u16(bytes.data + 4), minor = load_u16(bytes.data + 6);
    const size_t header = header_size(version);

    if (header == 0 || minor != 0 || size % ALIGNMENT != 0 || size < header)
        return 0;
    if (version != 4 && size > header + NAME_MAX_SIZE + 2 * ALIGNMENT)
        return 0;
    return size <= USN_RECORD_MAX ? size : 0;
}

/* From the time stamp on, which is the same in versions 2 and 3. The name has to lie within the
 * record and to have a length that a name can have. */
static bool read_named(const uint8_t *rest, struct usn_record *record)
{
    const uint64_t filetime = load_u64(rest);
    const size_t size = load_u16(rest + 24), at = load_u16(rest + 26);

    record->when = filetime <= INT64_MAX ? instant_from_filetime(filetime) : INSTANT_NONE;
    record->reason = load_u32(rest + 8);
    record->source = load_u32(rest + 12); /* the security id follows */
    record->attributes = load_u32(rest + 20);
    if (size == 0 || size % 2 != 0 || size > NAME_MAX_SIZE || at < header_size(record->version))
        return false;
    record->name = slice_part(record->bytes, at, size);
    return record->name.size == size;
}

static bool read_extents(const uint8_t *rest, struct usn_record *record)
{
    const size_t count = load_u16(rest + 12), size = load_u16(rest + 14);

    record->reason = load_u32(rest);
    record->source = load_u32(rest + 4); /* the number of extents in further records follows */
    return V4_SIZE + count * size <= record->bytes.size;
}

/* `bytes` has at least the header of its version: record_size() saw to that. */
static bool read_record(struct slice bytes, struct usn_record *record)
{
    const uint8_t *at = bytes.data;

    *record = (struct usn_record){.version = load_u16(at + 4), .bytes = bytes};
    record->file.low = load_u64(at + 8);
    if (record->version == 2) {
        record->parent.low = load_u64(at + 16);
        record->usn = load_u64(at + 24);
        return read_named(at + 32, record) && record->usn <= INT64_MAX;
    }
    record->file.high = load_u64(at + 16);
    record->parent = (struct usn_reference){load_u64(at + 24), load_u64(at + 32)};
    record->usn = load_u64(at + 40);
    return (record->version == 4 ? read_extents(at + 48, record) : read_named(at + 48, record)) &&
           record->usn <= INT64_MAX;
}

/* What chance and the insides of other records do not fulfil: for finding a record again behind
 * damage. */
static bool is_certain(const struct usn_record *record)
{
    const size_t header = header_size(record->version);

    if (record->usn % ALIGNMENT != 0 || record->reason == 0)
        return false;
    if (record->version == 4)
        return true;
    return record->when.ticks > instant_from_civil(earliest).ticks &&
           record->when.ticks < instant_from_civil(latest).ticks &&
           record->name.data == record->bytes.data + header &&
           record->bytes.size - header - record->name.size < 2 * ALIGNMENT;
}

enum verdict { VERDICT_RECORD, VERDICT_NONE, VERDICT_CUT };

static enum verdict judge(const struct usn_window *window, size_t at, struct usn_record *record)
{
    const struct slice rest = slice_from(window->bytes, at);
    const size_t size = record_size(rest);

    if (size == 0)
        return VERDICT_NONE;
    if (size > rest.size)
        return VERDICT_CUT;
    return read_record(slice_part(rest, 0, size), record) ? VERDICT_RECORD : VERDICT_NONE;
}

/* Where the next certain record begins behind damage at `at`; `end` is where the damage ends,
 * zeroes behind it not counted. */
static size_t find_again(const struct usn_window *window, size_t at, size_t *end)
{
    struct usn_record record;

    for (;;) {
        at += ALIGNMENT;
        *end = at < window->bytes.size ? at : window->bytes.size;
        at = skip_zeroes(window->bytes, at);
        if (at >= window->bytes.size)
            return window->bytes.size;
        if (window->bytes.size - at < ALIGNMENT) {
            if (!window->last)
                return at;
            continue;
        }
        const enum verdict verdict = judge(window, at, &record);
        if ((verdict == VERDICT_RECORD && is_certain(&record)) ||
            (verdict == VERDICT_CUT && !window->last))
            return at;
    }
}

static enum usn_step pass_damage(struct usn_window *window, struct slice *damage)
{
    const size_t start = window->at;
    size_t end = start;

    window->at = find_again(window, start, &end);
    *damage = slice_part(window->bytes, start, end - start);
    return USN_DAMAGE;
}

enum usn_step usn_next(struct usn_window *window, struct usn_record *record, struct slice *damage)
{
    window->at = skip_zeroes(window->bytes, window->at);
    const size_t left = window->bytes.size - window->at;

    if (left == 0 || (left < ALIGNMENT && !window->last))
        return left ? USN_MORE : USN_END;
    switch (judge(window, window->at, record)) {
    case VERDICT_RECORD:
        window->at += record->bytes.size;
        return USN_RECORD;
    case VERDICT_CUT:
        if (!window->last)
            return USN_MORE;
        break;
    case VERDICT_NONE:
        break;
    }
    return pass_damage(window, damage);
}

/* ---- carving ---- */

#define KNOWN_REASONS    UINT32_C(0x81FFFF77)
#define KNOWN_SOURCES    UINT32_C(0x0000000F)
#define KNOWN_ATTRIBUTES UINT32_C(0x01FFFFF7)

/* No unit that Windows refuses in a name. */
static bool is_possible_name(struct slice name)
{
    for (size_t i = 0; i + 1 < name.size; i += 2) {
        const unsigned unit = load_u16(name.data + i);
        if (unit < 0x20 || (unit < 0x80 && strchr("\"*/:<>?\\|", (int)unit)))
            return false;
    }
    return true;
}

static bool is_reference(struct usn_reference reference)
{
    return reference.high == 0 && reference_sequence(reference.low) != 0 &&
           reference_entry(reference.low) <= UINT32_MAX;
}

static bool is_beyond_doubt(const struct usn_record *record)
{
    return record->version != 4 && is_certain(record) && is_reference(record->file) &&
           is_reference(record->parent) && (record->reason & ~KNOWN_REASONS) == 0 &&
           (record->source & ~KNOWN_SOURCES) == 0 &&
           (record->attributes & ~KNOWN_ATTRIBUTES) == 0 && is_possible_name(record->name);
}

/* Where a version number of a record may stand: this is asked of each eight bytes of a disk. */
static size_t next_version(struct slice bytes, size_t at)
{
    for (; at + ALIGNMENT <= bytes.size; at += ALIGNMENT) {
        const uint32_t version = load_u32(bytes.data + at + 4);
        if (version == 2 || version == 3)
            return at;
    }
    return bytes.size;
}

bool usn_carve(struct slice bytes, size_t *at, bool last, struct usn_record *record)
{
    const struct usn_window window = {.bytes = bytes, .last = last};

    for (*at = (*at + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);; *at += ALIGNMENT) {
        *at = next_version(bytes, *at);
        if (*at >= bytes.size)
            return false;
        const enum verdict verdict = judge(&window, *at, record);
        if (verdict == VERDICT_CUT && !last)
            return false;
        if (verdict == VERDICT_RECORD && is_beyond_doubt(record))
            break;
    }
    *at += record->bytes.size;
    return true;
}

struct word {
    uint32_t bit;
    const char *text;
};

static const struct word reasons[] = {
    {0x1, "DATA_OVERWRITE"},
    {0x2, "DATA_EXTEND"},
    {0x4, "DATA_TRUNCATION"},
    {0x10, "NAMED_DATA_OVERWRITE"},
    {0x20, "NAMED_DATA_EXTEND"},
    {0x40, "NAMED_DATA_TRUNCATION"},
    {USN_FILE_CREATE, "FILE_CREATE"},
    {USN_FILE_DELETE, "FILE_DELETE"},
    {0x400, "EA_CHANGE"},
    {0x800, "SECURITY_CHANGE"},
    {USN_RENAME_OLD_NAME, "RENAME_OLD_NAME"},
    {USN_RENAME_NEW_NAME, "RENAME_NEW_NAME"},
    {0x4000, "INDEXABLE_CHANGE"},
    {0x8000, "BASIC_INFO_CHANGE"},
    {0x10000, "HARD_LINK_CHANGE"},
    {0x20000, "COMPRESSION_CHANGE"},
    {0x40000, "ENCRYPTION_CHANGE"},
    {0x80000, "OBJECT_ID_CHANGE"},
    {0x100000, "REPARSE_POINT_CHANGE"},
    {0x200000, "STREAM_CHANGE"},
    {0x400000, "TRANSACTED_CHANGE"},
    {0x800000, "INTEGRITY_CHANGE"},
    {0x1000000, "DESIRED_STORAGE_CLASS_CHANGE"},
    {USN_CLOSE, "CLOSE"},
};

static const struct word sources[] = {
    {0x1, "DATA_MANAGEMENT"},
    {0x2, "AUXILIARY_DATA"},
    {0x4, "REPLICATION_MANAGEMENT"},
    {0x8, "CLIENT_REPLICATION_MANAGEMENT"},
};

static void append_words(struct buffer *out, uint32_t bits, const struct word *words, size_t count)
{
    const size_t start = out->size;

    for (size_t i = 0; i < count; i++) {
        if (!(bits & words[i].bit))
            continue;
        if (out->size > start)
            buffer_add_byte(out, '|');
        buffer_add_text(out, words[i].text);
        bits &= ~words[i].bit;
    }
    if (bits)
        buffer_format(out, "%s0x%x", out->size > start ? "|" : "", bits);
}

void usn_reason_append(struct buffer *out, uint32_t reason)
{
    append_words(out, reason, reasons, sizeof reasons / sizeof *reasons);
}

void usn_source_append(struct buffer *out, uint32_t source)
{
    append_words(out, source, sources, sizeof sources / sizeof *sources);
}
