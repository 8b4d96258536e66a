/*
 * What an E01 says of the case: the header sections are zlib streams of text, tab-separated names
 * in one line and their values in the next ("main"); header2 is the same in UTF-16. The stored
 * hashes are in the digest and hash sections.
 */

#include "triage/base/instant.h"
#include "triage/base/utf16.h"
#include "triage/evidence/ewf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_MAX = 1 << 20, MD5_SIZE = 16, SHA1_SIZE = 20 };

static const struct {
    const char *code, *key;
    bool is_time;
} known[] = {
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
        utf8_append_repaired(&repaired, value);
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

void ewf_read_header(struct ewf *ewf, struct slice body, bool wide)
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

static void hex(struct slice bytes, char *text)
{
    for (size_t i = 0; i < bytes.size; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes.data[i]);
}

static bool only_zeroes(struct slice bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i])
            return false;
    return true;
}

/* Takes a hash unless the format left it out (zeroes) or one is known already. */
static void take_hash(struct slice bytes, char *text)
{
    if (!*text && !only_zeroes(bytes))
        hex(bytes, text);
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

void ewf_read_digest(struct ewf *ewf, struct slice body)
{
    struct slice bytes = checked(ewf, body, 76);

    take_hash(slice_part(bytes, 0, MD5_SIZE), ewf->image.container.md5);
    take_hash(slice_part(bytes, MD5_SIZE, SHA1_SIZE), ewf->image.container.sha1);
}

void ewf_read_hash(struct ewf *ewf, struct slice body)
{
    take_hash(slice_part(checked(ewf, body, 32), 0, MD5_SIZE), ewf->image.container.md5);
}
