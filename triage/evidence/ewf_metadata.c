/*
 * What an E01 says of the case: the header sections are zlib streams of text, tab-separated names
 * in one line and their values in the next ("main"); header2 is the same in UTF-16, xheader in XML.
 * The stored hashes are in the digest, hash and xhash sections. libewf reads the same once more
 * (ewf_libewf.c) and is believed first; this is for sets that it does not open.
 */
#include "triage/base/error.h"

#include "triage/base/instant.h"
#include "triage/base/utf16.h"
#include "triage/evidence/ewf.h"
#include "triage/evidence/ewf_libewf.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 1 << 20, MD5_SIZE = 16, SHA1_SIZE = 20 };

static const struct {
    const char *code, *key;
    bool is_time;
} known[EWF_KEYS] = {
    {"c", "case_number", false},
    {"n", "evidence_number", false},
    {"a", "description", false},
    {"e", "examiner_name", false},
    {"t", "notes", false},
    {"md", "model", false},
    {"sn", "serial_number", false},
    {"l", "device_label", false},
    {"av", "acquiry_software_version", false},
    {"ov", "acquiry_operating_system", false},
    {"m", "acquiry_date", true},
    {"u", "system_date", true},
    {"pid", "process_identifier", false},
    {"ext", "extents", false},
};

const char *ewf_key(size_t index)
{
    return known[index].key;
}

void ewf_add_metadata(struct ewf *ewf, const char *key, const char *value)
{
    for (size_t i = 0; i < ewf->metadata_count; i++)
        if (!strcmp(ewf->metadata[i].key, key) &&
            (strcmp(key, "damage_note") || !strcmp(ewf->metadata[i].value, value)))
            return;
    if (ewf->metadata_count == EWF_METADATA_MAX)
        return;
    value = arena_text(ewf->arena, slice_of_text(value));
    if (value)
        ewf->metadata[ewf->metadata_count++] = (struct pair){key, value};
}

/* header2 has seconds since 1970; header has "2021 3 6 9 30 0", local time of the machine that made
 * the image. */
static const char *time_text(struct slice value, char text[INSTANT_TEXT_SIZE])
{
    char copy[64];
    unsigned part[6];
    uint64_t seconds;

    if (slice_to_u64(value, &seconds) && seconds < INT64_C(1) << 40)
        return instant_format(instant_from_unix((int64_t)seconds, 0), text);
    if (value.size >= sizeof copy)
        return NULL;
    memcpy(copy, value.data, value.size);
    copy[value.size] = 0;
    if (sscanf(copy, "%4u %2u %2u %2u %2u %2u", &part[0], &part[1], &part[2], &part[3], &part[4],
               &part[5]) != 6)
        return NULL;
    snprintf(text, INSTANT_TEXT_SIZE, "%04u-%02u-%02uT%02u:%02u:%02u", part[0], part[1], part[2],
             part[3], part[4], part[5]);
    return text;
}

/* A header's code page is not stored: what is no UTF-8 is taken for the Western one. */
static void append_text(struct buffer *out, struct slice text)
{
    bool valid = utf8_valid(text);

    if (valid)
        buffer_add(out, text);
    for (size_t i = 0; !valid && i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte < 0x80) {
            buffer_add_byte(out, byte);
        } else if (byte < 0xA0) {
            buffer_add_text(out, "\xEF\xBF\xBD");
        } else {
            buffer_add_byte(out, (uint8_t)(0xC0 | byte >> 6));
            buffer_add_byte(out, (uint8_t)(0x80 | (byte & 0x3F)));
        }
    }
}

static void add_value(struct ewf *ewf, struct slice code, struct slice value)
{
    char formatted[INSTANT_TEXT_SIZE];
    struct buffer repaired = BUFFER_EMPTY;
    const char *time;

    value = slice_trim(value);
    for (size_t i = 0; value.size && i < sizeof known / sizeof *known; i++) {
        if (!slice_is(code, known[i].code))
            continue;
        time = known[i].is_time ? time_text(value, formatted) : NULL;
        append_text(&repaired, value);
        ewf_add_metadata(ewf, known[i].key, time && *time ? time : buffer_text(&repaired));
        break;
    }
    buffer_release(&repaired);
}

/* The next part up to `mark`; false at the end. */
static bool next_part(struct slice text, size_t *at, uint8_t mark, struct slice *part)
{
    size_t end;

    if (*at > text.size)
        return false;
    end = slice_find(text, *at, mark);
    if (end == SIZE_MAX)
        end = text.size;
    *part = slice_part(text, *at, end - *at);
    *at = end + 1;
    return true;
}

static void parse_text(struct ewf *ewf, struct slice text)
{
    struct slice line = {0}, codes = {0}, values = {0}, code, value;
    size_t at = 0, code_at = 0, value_at = 0;

    while (next_part(text, &at, '\n', &line))
        if (slice_is(slice_trim(line), "main"))
            break;
    if (!next_part(text, &at, '\n', &codes) || !next_part(text, &at, '\n', &values))
        return;
    while (next_part(codes, &code_at, '\t', &code) && next_part(values, &value_at, '\t', &value))
        add_value(ewf, slice_trim(code), value);
}

static void read_header_text(struct ewf *ewf, struct slice body, bool wide)
{
    struct inflater *inflater = inflater_new();
    uint8_t *bytes = malloc(HEADER_MAX);
    struct buffer narrow = BUFFER_EMPTY;
    size_t size = 0;

    if (inflater && bytes && inflate_stream(inflater, body, bytes, HEADER_MAX, &size, NULL)) {
        struct slice text = slice_of(bytes, size);
        if (wide) {
            if (size >= 2 && bytes[0] == 0xFF && bytes[1] == 0xFE)
                text = slice_from(text, 2);
            utf16_append(&narrow, text, false);
            text = buffer_slice(&narrow);
        }
        parse_text(ewf, text);
    } else {
        ewf_add_metadata(ewf, "damage_note", "a section with case metadata is damaged");
    }
    buffer_release(&narrow);
    free(bytes);
    inflater_free(inflater);
}

static int read_header(struct ewf *ewf, struct slice body)
{
    read_header_text(ewf, body, false);
    return 0;
}

static int read_header2(struct ewf *ewf, struct slice body)
{
    read_header_text(ewf, body, true);
    return 0;
}

static void hex(struct slice bytes, char *text)
{
    for (size_t i = 0; i < bytes.size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
}

/* Keeps the first hash; that another one is stored too is worth a word. */
static void keep_hash(struct ewf *ewf, const char *text, char *kept, size_t room)
{
    if (!*kept)
        memcpy(kept, text, room);
    else if (strcmp(kept, text))
        ewf_add_metadata(ewf, "damage_note", "two different hashes of one kind are stored");
}

/* Takes a hash unless the format left it out (zeroes). */
static void take_hash(struct ewf *ewf, struct slice bytes, char *kept, size_t room)
{
    char text[SHA1_TEXT_SIZE];

    if (slice_is_zero(bytes))
        return;
    hex(bytes, text);
    keep_hash(ewf, text, kept, room);
}

/* The bytes in front of the Adler-32 that ends the section; empty when it does not match. */
static struct slice checked(struct ewf *ewf, struct slice body, size_t size)
{
    struct cursor c = cursor_over(body, 0);
    struct slice bytes = cursor_take(&c, size);
    uint32_t sum = cursor_u32le(&c);

    if (!cursor_failed(&c) && adler32_of(bytes) == sum)
        return bytes;
    ewf_add_metadata(ewf, "damage_note", "a section with stored hashes is damaged");
    return slice_of(NULL, 0);
}

static int read_digest(struct ewf *ewf, struct slice body)
{
    struct container *container = &ewf->image.container;
    struct slice bytes = checked(ewf, body, 76);

    take_hash(ewf, slice_part(bytes, 0, MD5_SIZE), container->md5, MD5_TEXT_SIZE);
    take_hash(ewf, slice_part(bytes, MD5_SIZE, SHA1_SIZE), container->sha1, SHA1_TEXT_SIZE);
    return 0;
}

static int read_hash(struct ewf *ewf, struct slice body)
{
    take_hash(ewf, slice_part(checked(ewf, body, 32), 0, MD5_SIZE), ewf->image.container.md5,
              MD5_TEXT_SIZE);
    return 0;
}

/* What stands between <key> and </key>; empty when it is not there. */
static struct slice element(struct slice xml, const char *key)
{
    char mark[64];
    size_t start, end;

    snprintf(mark, sizeof mark, "<%s>", key);
    start = slice_find_nocase(xml, 0, slice_of_text(mark));
    if (start == SIZE_MAX)
        return slice_of(NULL, 0);
    start += strlen(mark);
    snprintf(mark, sizeof mark, "</%s>", key);
    end = slice_find_nocase(xml, start, slice_of_text(mark));
    return end == SIZE_MAX ? slice_of(NULL, 0) : slice_trim(slice_part(xml, start, end - start));
}

/* The value as it stands: libewf, which writes these sections, escapes nothing. */
static void add_element(struct ewf *ewf, struct slice xml, const char *key)
{
    struct buffer clean = BUFFER_EMPTY;
    struct slice value = element(xml, key);

    utf8_append_repaired(&clean, value);
    if (value.size)
        ewf_add_metadata(ewf, key, buffer_text(&clean));
    buffer_release(&clean);
}

static bool is_hex(struct slice text)
{
    for (size_t i = 0; i < text.size; i++)
        if (!isxdigit(text.data[i]))
            return false;
    return true;
}

static void add_hash_element(struct ewf *ewf, struct slice xml, const char *key, char *kept,
                             size_t room)
{
    struct slice value = element(xml, key);
    char text[SHA1_TEXT_SIZE] = "";

    if (value.size != room - 1 || !is_hex(value))
        return;
    for (size_t i = 0; i < value.size; i++)
        text[i] = (char)tolower(value.data[i]);
    keep_hash(ewf, text, kept, room);
}

static int read_xml(struct ewf *ewf, struct slice body)
{
    struct container *container = &ewf->image.container;
    struct inflater *inflater = inflater_new();
    uint8_t *bytes = malloc(HEADER_MAX);
    size_t size = 0;

    if (inflater && bytes && inflate_stream(inflater, body, bytes, HEADER_MAX, &size, NULL)) {
        struct slice xml = slice_of(bytes, size);
        for (size_t i = 0; i < EWF_KEYS; i++)
            add_element(ewf, xml, known[i].key);
        add_hash_element(ewf, xml, "md5", container->md5, MD5_TEXT_SIZE);
        add_hash_element(ewf, xml, "sha1", container->sha1, SHA1_TEXT_SIZE);
    } else {
        ewf_add_metadata(ewf, "damage_note", "a section with case metadata in XML is damaged");
    }
    free(bytes);
    inflater_free(inflater);
    return 0;
}

static int add_unread(struct ewf *ewf, struct slice entries)
{
    size_t count = entries.size / 8, room = ewf->unread_count + count;
    struct ewf_sectors *grown = count ? realloc(ewf->unread, room * sizeof *grown) : ewf->unread;
    struct cursor c = cursor_over(entries, 0);

    if (!count)
        return 0;
    if (!grown)
        return error_set("out of memory");
    ewf->unread = grown;
    for (size_t i = 0; i < count; i++) {
        struct ewf_sectors range = {.first = cursor_u32le(&c)};
        range.count = cursor_u32le(&c);
        if (range.count)
            ewf->unread[ewf->unread_count++] = range;
    }
    return 0;
}

/* A count, 512 bytes without meaning, a checksum; then pairs of first sector and count, and their
 * checksum. */
static int read_unread(struct ewf *ewf, struct slice body)
{
    struct cursor c = cursor_over(body, 0);
    uint32_t count = cursor_u32le(&c), head_sum, sum;
    struct slice entries;

    cursor_skip(&c, 512);
    head_sum = cursor_u32le(&c);
    entries = cursor_take(&c, (size_t)count * 8);
    sum = cursor_u32le(&c);
    if (!cursor_failed(&c) && head_sum == adler32_of(slice_part(body, 0, 516)) &&
        sum == adler32_of(entries))
        return add_unread(ewf, entries);
    ewf_add_metadata(ewf, "damage_note",
                     "the list of sectors that were unreadable at acquisition is damaged");
    return 0;
}

static const struct {
    const char *kind;
    int (*read)(struct ewf *ewf, struct slice body);
} readers[] = {
    {"header", read_header}, {"header2", read_header2}, {"xheader", read_xml},
    {"xhash", read_xml},     {"digest", read_digest},   {"hash", read_hash},
    {"error2", read_unread},
};

bool ewf_is_metadata(const char *kind)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (!strcmp(readers[i].kind, kind))
            return true;
    return false;
}

int ewf_read_metadata(struct ewf *ewf, const char *kind, struct slice body)
{
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++)
        if (!strcmp(readers[i].kind, kind))
            return readers[i].read(ewf, body);
    return 0;
}

static struct pair *pair_of(struct ewf *ewf, const char *key)
{
    for (size_t i = 0; i < ewf->metadata_count; i++)
        if (!strcmp(ewf->metadata[i].key, key))
            return &ewf->metadata[i];
    return NULL;
}

void ewf_take_answer(struct ewf *ewf, const struct ewf_answer *answer)
{
    struct container *container = &ewf->image.container;

    for (size_t i = 0; i < EWF_KEYS; i++) {
        struct pair *own = pair_of(ewf, known[i].key);
        if (!answer->values[i])
            continue;
        if (!own)
            ewf_add_metadata(ewf, known[i].key, answer->values[i]);
        else if (!known[i].is_time) /* libewf drops whether a time is UTC */
            own->value = answer->values[i];
    }
    if (*answer->md5)
        keep_hash(ewf, answer->md5, container->md5, MD5_TEXT_SIZE);
    if (*answer->sha1)
        keep_hash(ewf, answer->sha1, container->sha1, SHA1_TEXT_SIZE);
}
