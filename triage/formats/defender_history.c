#include "triage/base/error.h"
#include "triage/base/utf16.h"
#include "triage/formats/defender.h"

#include <stdio.h>
#include <string.h>

enum {
    VALUES_MOST = 65536,
    TYPE_TEXT = 0x15,
    TYPE_TIME = 0x0A,
    TYPE_GUID = 0x1E,
    TYPE_NUMBER = 0x05,
    TYPE_BINARY = 0x28,
    TEXT_MOST = 64 * 1024,
};

static const char separator[] = "Magic.Version:";

/* Where the values of a set stand; see the source. */
enum { THREAT_NAME = 1, RESOURCE_TYPE = 1, RESOURCE_PATH = 2, USER = 12, PROCESS = 14 };
enum { CHANGED = 6, DETECTED = 18, REMEDIED = 20 };

struct value {
    uint32_t type;
    struct slice data;
    uint64_t offset;
};

static bool next_value(struct cursor *c, struct value *value)
{
    value->offset = c->at;
    const uint32_t size = cursor_u32le(c);
    value->type = cursor_u32le(c);
    value->data = cursor_take(c, size);
    if (cursor_failed(c))
        return false;
    const size_t padding = -c->at & 7;
    cursor_skip(c, padding < cursor_left(c) ? padding : cursor_left(c));
    return true;
}

static const char *text_of(struct arena *arena, const struct value *value)
{
    return value->type == TYPE_TEXT
               ? utf16_to_text(arena, slice_part(value->data, 0, TEXT_MOST), true)
               : NULL;
}

static struct instant time_of(const struct value *value)
{
    struct cursor c = cursor_over(value->data, 0);
    const uint64_t filetime = cursor_u64le(&c);

    return value->type == TYPE_TIME && !cursor_failed(&c) ? instant_from_filetime(filetime)
                                                          : INSTANT_NONE;
}

static uint32_t number_of(const struct value *value)
{
    struct cursor c = cursor_over(value->data, 0);

    return value->data.size == 4 ? cursor_u32le(&c) : 0;
}

/* The digests that Defender keeps as named texts: key size, key, type 6, size, text; in UTF-16. */
static const char *tracked(struct arena *arena, struct slice tracking, const char *name)
{
    uint8_t wide[64];
    const size_t size = 2 * strlen(name);

    for (size_t i = 0; i < size; i++)
        wide[i] = i % 2 ? 0 : (uint8_t)name[i / 2];
    for (size_t at = 0; at + size < tracking.size;) {
        const size_t found = slice_find_nocase(tracking, at, slice_of(wide, size));
        if (found == SIZE_MAX)
            return NULL;
        struct cursor c = cursor_over(slice_from(tracking, found + size), 0);
        uint32_t type = cursor_u16le(&c); /* the key's NUL is there or not */
        if (type == 0)
            type = cursor_u32le(&c);
        else
            cursor_skip(&c, 2);
        const struct slice text = cursor_take(&c, cursor_u32le(&c));
        if (type == 6 && !cursor_failed(&c))
            return utf16_to_text(arena, slice_part(text, 0, 256), true);
        at = found + size;
    }
    return NULL;
}

static void take_tracking(struct arena *arena, struct defender_resource *resource,
                          struct slice tracking)
{
    resource->sha256 = tracked(arena, tracking, "ThreatTrackingSha256");
    resource->sha1 = tracked(arena, tracking, "ThreatTrackingSha1");
    resource->md5 = tracked(arena, tracking, "ThreatTrackingMD5");
}

static void take_first_set(struct defender_detection *detection, size_t index,
                           const struct value *value)
{
    struct cursor c = cursor_over(value->data, 0);

    if (value->type == TYPE_GUID && value->data.size >= GUID_SIZE)
        guid_braced(value->data, detection->id);
    else if (index == 0)
        detection->threat_id = value->data.size >= 8 ? cursor_u64le(&c) : cursor_u32le(&c);
}

static void take_resource(struct defender_detection *detection, struct arena *arena, size_t index,
                          const struct value *value)
{
    if (index == RESOURCE_TYPE && detection->resource_count < DEFENDER_RESOURCES)
        detection->resources[detection->resource_count++] =
            (struct defender_resource){.type = text_of(arena, value), .offset = value->offset};
    if (!detection->resource_count)
        return;
    struct defender_resource *resource = &detection->resources[detection->resource_count - 1];
    if (index == RESOURCE_PATH)
        resource->path = text_of(arena, value);
    else if (value->type == TYPE_BINARY)
        take_tracking(arena, resource, value->data);
    else if (index == USER)
        detection->user = text_of(arena, value);
    else if (index == PROCESS)
        detection->process = text_of(arena, value);
    else if (index == CHANGED)
        detection->changed = time_of(value);
    else if (index == DETECTED)
        detection->detected = time_of(value);
    else if (index == REMEDIED)
        detection->remedied = time_of(value);
}

static bool is_separator(const struct value *value)
{
    for (size_t i = 0; i < sizeof separator - 1; i++)
        if (2 * i + 1 >= value->data.size || value->data.data[2 * i] != (uint8_t)separator[i])
            return false;
    return value->type == TYPE_TEXT;
}

int defender_history_read(struct slice file, struct arena *arena,
                          struct defender_detection *detection)
{
    struct cursor c = cursor_over(file, 0);
    struct value value;
    size_t set = 0, index = 0;
    uint32_t announced = 0;

    memset(detection, 0, sizeof *detection);
    for (size_t count = 0; count < VALUES_MOST && cursor_left(&c) >= 8; count++) {
        if (!next_value(&c, &value)) {
            detection->problem = "a value is cut short: what follows it is lost";
            break;
        }
        if (is_separator(&value)) {
            set++;
            index = 0;
        }
        if (set == 0)
            take_first_set(detection, index, &value);
        else if (set == 1 && index == THREAT_NAME)
            detection->threat = text_of(arena, &value);
        else if (set == 1)
            announced = number_of(&value); /* the last number of the set is that of resources */
        else if (set > 1)
            take_resource(detection, arena, index, &value);
        index++;
    }
    if (!set)
        return error_set("not a detection of Defender");
    if (detection->resource_count < announced && !detection->problem)
        detection->problem = "there are fewer resources than the detection says";
    return 0;
}
