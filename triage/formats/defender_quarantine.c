#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/formats/defender.h"

#include <stdio.h>
#include <string.h>

enum {
    HEADER_SIZE = 60,
    SIZES_AT = 40,
    FOUND_NAME_AT = 52, /* two GUIDs, time, number of the threat, a number */
    PART_MOST = 4 * 1024 * 1024,
    FIELDS_MOST = 1024,
    FIELD_CONTENT = 0x02,
    FIELD_PATH = 0x0C,
    TEXT_MOST = 64 * 1024,
};

/* The key that is in every mpengine.dll, published in 2014 with cuckoo-modified. */
static const uint8_t key[256] = {
    0x1E, 0x87, 0x78, 0x1B, 0x8D, 0xBA, 0xA8, 0x44, 0xCE, 0x69, 0x70, 0x2C, 0x0C, 0x78, 0xB7, 0x86,
    0xA3, 0xF6, 0x23, 0xB7, 0x38, 0xF5, 0xED, 0xF9, 0xAF, 0x83, 0x53, 0x0F, 0xB3, 0xFC, 0x54, 0xFA,
    0xA2, 0x1E, 0xB9, 0xCF, 0x13, 0x31, 0xFD, 0x0F, 0x0D, 0xA9, 0x54, 0xF6, 0x87, 0xCB, 0x9E, 0x18,
    0x27, 0x96, 0x97, 0x90, 0x0E, 0x53, 0xFB, 0x31, 0x7C, 0x9C, 0xBC, 0xE4, 0x8E, 0x23, 0xD0, 0x53,
    0x71, 0xEC, 0xC1, 0x59, 0x51, 0xB8, 0xF3, 0x64, 0x9D, 0x7C, 0xA3, 0x3E, 0xD6, 0x8D, 0xC9, 0x04,
    0x7E, 0x82, 0xC9, 0xBA, 0xAD, 0x97, 0x99, 0xD0, 0xD4, 0x58, 0xCB, 0x84, 0x7C, 0xA9, 0xFF, 0xBE,
    0x3C, 0x8A, 0x77, 0x52, 0x33, 0x55, 0x7D, 0xDE, 0x13, 0xA8, 0xB1, 0x40, 0x87, 0xCC, 0x1B, 0xC8,
    0xF1, 0x0F, 0x6E, 0xCD, 0xD0, 0x83, 0xA9, 0x59, 0xCF, 0xF8, 0x4A, 0x9D, 0x1D, 0x50, 0x75, 0x5E,
    0x3E, 0x19, 0x18, 0x18, 0xAF, 0x23, 0xE2, 0x29, 0x35, 0x58, 0x76, 0x6D, 0x2C, 0x07, 0xE2, 0x57,
    0x12, 0xB2, 0xCA, 0x0B, 0x53, 0x5E, 0xD8, 0xF6, 0xC5, 0x6C, 0xE7, 0x3D, 0x24, 0xBD, 0xD0, 0x29,
    0x17, 0x71, 0x86, 0x1A, 0x54, 0xB4, 0xC2, 0x85, 0xA9, 0xA3, 0xDB, 0x7A, 0xCA, 0x6D, 0x22, 0x4A,
    0xEA, 0xCD, 0x62, 0x1D, 0xB9, 0xF2, 0xA2, 0x2E, 0xD1, 0xE9, 0xE1, 0x1D, 0x75, 0xBE, 0xD7, 0xDC,
    0x0E, 0xCB, 0x0A, 0x8E, 0x68, 0xA2, 0xFF, 0x12, 0x63, 0x40, 0x8D, 0xC8, 0x08, 0xDF, 0xFD, 0x16,
    0x4B, 0x11, 0x67, 0x74, 0xCD, 0x0B, 0x9B, 0x8D, 0x05, 0x41, 0x1E, 0xD6, 0x26, 0x2E, 0x42, 0x9B,
    0xA4, 0x95, 0x67, 0x6B, 0x83, 0x98, 0xDB, 0x2F, 0x35, 0xD3, 0xC1, 0xB9, 0xCE, 0xD5, 0x26, 0x36,
    0xF2, 0x76, 0x5E, 0x1A, 0x95, 0xCB, 0x7C, 0xA4, 0xC3, 0xDD, 0xAB, 0xDD, 0xBF, 0xF3, 0x82, 0x53,
};

static void exchange(uint8_t *a, uint8_t *b)
{
    const uint8_t kept = *a;

    *a = *b;
    *b = kept;
}

/* RC4 with the key; the same both ways. Empty when the arena is at its ceiling. */
static struct slice decipher(struct arena *arena, struct slice part)
{
    uint8_t state[256], i = 0, j = 0;
    uint8_t *plain = arena_take(arena, part.size + 1);

    for (unsigned n = 0; n < 256; n++)
        state[n] = (uint8_t)n;
    for (unsigned n = 0; n < 256; n++) {
        j = (uint8_t)(j + state[n] + key[n]);
        exchange(&state[n], &state[j]);
    }
    j = 0;
    for (size_t n = 0; plain && n < part.size; n++) {
        i++;
        j = (uint8_t)(j + state[i]);
        exchange(&state[i], &state[j]);
        plain[n] = part.data[n] ^ state[(uint8_t)(state[i] + state[j])];
    }
    return slice_of(plain, plain ? part.size : 0);
}

static const char *hex(struct arena *arena, struct slice bytes)
{
    char *text = arena_take(arena, 2 * bytes.size + 1);

    for (size_t i = 0; text && i < bytes.size; i++)
        snprintf(text + 2 * i, 3, "%02X", bytes.data[i]);
    return text;
}

static void read_found(struct slice part, struct arena *arena, struct defender_detection *detection)
{
    struct cursor c = cursor_over(part, 0);
    const struct slice id = cursor_take(&c, 16);

    cursor_skip(&c, 16);
    detection->detected = instant_from_filetime(cursor_u64le(&c));
    detection->threat_id = cursor_u64le(&c);
    if (cursor_failed(&c)) {
        detection->detected = INSTANT_NONE;
        return;
    }
    const char *id_text = hex(arena, id);
    snprintf(detection->id, sizeof detection->id, "{%s}", id_text ? id_text : "");
    const struct slice name = slice_from(part, FOUND_NAME_AT);
    detection->threat = arena_text(arena, slice_part(name, 0, slice_find(name, 0, 0)));
}

/* Up to its NUL, behind which the cursor stands then. */
static struct slice take_wide(struct cursor *c)
{
    const size_t start = c->at;

    while (c->at - start < TEXT_MOST && cursor_u16le(c))
        continue;
    return slice_part(c->bytes, start, c->at > start + 2 ? c->at - 2 - start : 0);
}

/* Path, count of fields, type, then fields { size, number and type, data }, each on 4 bytes. */
static void read_resource(struct slice part, uint32_t offset, struct arena *arena,
                          struct defender_resource *resource)
{
    struct cursor c = cursor_over(part, 0);

    cursor_seek(&c, offset);
    resource->path = utf16_to_text(arena, slice_part(take_wide(&c), 0, TEXT_MOST), true);
    size_t count = cursor_u16le(&c);
    const struct slice left = slice_from(part, c.at);
    const size_t type_size = slice_find(left, 0, 0);
    if (cursor_failed(&c) || type_size == SIZE_MAX)
        return;
    resource->type = arena_text(arena, slice_part(left, 0, type_size));
    cursor_skip(&c, type_size + 1);
    for (; count && count <= FIELDS_MOST; count--) {
        cursor_skip(&c, -c.at & 3);
        const uint16_t size = cursor_u16le(&c), number = cursor_u16le(&c) & 0xFFF;
        const struct slice data = cursor_take(&c, size);
        if (cursor_failed(&c))
            return;
        if (number == FIELD_CONTENT)
            resource->content_name = hex(arena, data);
        else if (number == FIELD_PATH)
            resource->path = utf16_to_text(arena, data, true);
    }
}

static void read_resources(struct slice part, uint64_t part_at, struct arena *arena,
                           struct defender_detection *detection)
{
    struct cursor c = cursor_over(part, 0);
    const uint32_t count = cursor_u32le(&c);

    for (uint32_t i = 0; i < count && cursor_left(&c) >= 4; i++) {
        const uint32_t offset = cursor_u32le(&c);
        if (detection->resource_count == DEFENDER_RESOURCES) {
            detection->problem = "there are more than 256 resources: the rest was left out";
            return;
        }
        if (offset >= part.size) {
            detection->problem = "a resource lies outside of the entry";
            continue;
        }
        struct defender_resource *resource = &detection->resources[detection->resource_count++];
        resource->offset = part_at + offset;
        read_resource(part, offset, arena, resource);
    }
}

int defender_quarantine_read(struct slice file, struct arena *arena,
                             struct defender_detection *detection)
{
    static const struct slice magic = {(const uint8_t *)"\xDB\xE8\xC5\x01", 4};
    const struct slice header = decipher(arena, slice_part(file, 0, HEADER_SIZE));
    struct cursor c = cursor_over(header, 0);

    memset(detection, 0, sizeof *detection);
    cursor_seek(&c, SIZES_AT);
    const uint32_t found_size = cursor_u32le(&c), resources_size = cursor_u32le(&c);
    if (!slice_equal(slice_part(header, 0, magic.size), magic) || cursor_failed(&c))
        return error_set("not a quarantine entry of Defender");
    if (found_size > PART_MOST || resources_size > PART_MOST ||
        (uint64_t)HEADER_SIZE + found_size + resources_size > file.size)
        detection->problem = "the entry is cut short";
    const size_t most = PART_MOST;
    const size_t found = found_size < most ? found_size : most;
    const size_t resources = resources_size < most ? resources_size : most;
    const uint64_t resources_at = (uint64_t)HEADER_SIZE + found_size;
    read_found(decipher(arena, slice_part(file, HEADER_SIZE, found)), arena, detection);
    if (resources_at < file.size)
        read_resources(decipher(arena, slice_part(file, (size_t)resources_at, resources)),
                       resources_at, arena, detection);
    return 0;
}
