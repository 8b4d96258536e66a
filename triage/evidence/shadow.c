/* Header of shadow copies: libyal, "Volume Shadow Snapshot (VSS) format", chapter 2. */
#include "triage/evidence/shadow.h"

#include "triage/base/error.h"
#include "triage/base/guid.h"
#include "triage/evidence/image_methods.h"
#include "triage/helpers/helper.h"
#include "triage/helpers/shadow_copy.h"
#include "triage/record/wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HEADER_OFFSET = 0x1E00,
    ROW_SIZE = 8 + GUID_SIZE + 8 + 1,
    WINDOW_SIZE = 256 << 10, /* read at once through the program */
    WINDOWS = 8,
    MAP_BYTES_MAX = 64 << 20, /* of a volume of 8 TiB */
    MAP_SECONDS = 300,
};

struct window {
    bool valid;
    uint64_t number;
    size_t size;
};

struct shadow {
    struct shadow_volume volume;
    struct helper *helper;
    struct arena *arena;
    struct buffer request, answer;
    bool listed;
    struct snapshot *list;
    size_t count;
    char problem[300]; /* why they cannot be listed */
};

struct shadow_image {
    struct image image;
    struct shadow *shadow;
    uint32_t number;
    uint8_t *map; /* bit per block: may differ from the live volume; NULL: all may */
    struct window windows[WINDOWS];
    uint8_t *bytes; /* WINDOWS times WINDOW_SIZE */
};

/* ---- choice ---- */

static int choose(struct slice text, struct snapshot_choice *choice)
{
    uint64_t number;

    if (!slice_to_u64(text, &number) || number < 1 || number > SNAPSHOTS_MAX)
        return error_set("--vss wants all, none or numbers like 1,3 (see extriage info)");
    choice->bits[(number - 1) / 64] |= UINT64_C(1) << ((number - 1) % 64);
    return 0;
}

int snapshot_choice_parse(const char *text, struct snapshot_choice *choice)
{
    struct slice rest = slice_of_text(text);
    struct snapshot_choice read = {{0}};

    if (slice_is(rest, "all"))
        memset(&read, 0xFF, sizeof read);
    else if (text && !slice_is(rest, "none"))
        for (size_t comma = 0; comma != SIZE_MAX; rest = slice_from(rest, comma + 1)) {
            comma = slice_find(rest, 0, ',');
            if (choose(slice_part(rest, 0, comma), &read) < 0)
                return -1;
            if (comma == SIZE_MAX)
                break;
        }
    *choice = read;
    return 0;
}

/* ---- the program ---- */

bool shadow_is_there(const struct shadow_volume *volume)
{
    static const uint8_t guid[GUID_SIZE] = {0x6B, 0x87, 0x08, 0x38, 0x76, 0xC1, 0x48, 0x4E,
                                            0xB7, 0xAE, 0x04, 0x04, 0x6E, 0x6C, 0xC7, 0x52};
    uint8_t header[64];

    if (volume->size < HEADER_OFFSET + sizeof header ||
        image_read(volume->image, volume->offset + HEADER_OFFSET, header, sizeof header) !=
            (ssize_t)sizeof header)
        return false;
    struct cursor c = cursor_over(slice_of(header, sizeof header), HEADER_OFFSET);
    const bool known = memcmp(cursor_take(&c, GUID_SIZE).data, guid, GUID_SIZE) == 0;
    cursor_seek(&c, 48);
    return known && cursor_u64le(&c) != 0; /* no catalog: the last copy was deleted */
}

static ssize_t read_live(void *context, uint64_t offset, void *buffer, size_t size)
{
    const struct shadow *shadow = context;

    return image_read(shadow->volume.image, shadow->volume.offset + offset, buffer, size);
}

int shadow_new(const struct shadow_volume *volume, struct arena *arena, struct shadow **out)
{
    struct shadow *shadow = calloc(1, sizeof *shadow);

    if (!shadow)
        return error_set("out of memory");
    shadow->volume = *volume;
    shadow->arena = arena;
    if (helper_start("shadow_copy", "libvshadow", &shadow->helper) < 0) {
        free(shadow);
        return -1;
    }
    *out = shadow;
    return 0;
}

void shadow_free(struct shadow *shadow)
{
    if (!shadow)
        return;
    helper_stop(shadow->helper);
    buffer_release(&shadow->request);
    buffer_release(&shadow->answer);
    free(shadow->list);
    free(shadow);
}

static struct buffer *request_of(struct shadow *shadow, uint8_t verb)
{
    buffer_clear(&shadow->request);
    wire_put_u8(&shadow->request, verb);
    return &shadow->request;
}

static int ask(struct shadow *shadow, int (*row)(void *context, struct slice row), unsigned seconds)
{
    const struct helper_source source = {
        .id = 1, .size = shadow->volume.size, .read = read_live, .context = shadow};
    const struct helper_request request = {
        .body = buffer_slice(&shadow->request),
        .source = &source,
        .row = row,
        .context = shadow,
        .answer = &shadow->answer,
        .seconds = seconds,
    };

    if (buffer_failed(&shadow->request))
        return error_set("out of memory");
    return helper_ask(shadow->helper, &request);
}

/* ---- list ---- */

static int take_row(void *context, struct slice row)
{
    struct shadow *shadow = context;
    struct cursor c = cursor_over(row, 0);
    const uint64_t created = cursor_u64le(&c);
    const struct slice guid = cursor_take(&c, GUID_SIZE);
    const uint64_t size = cursor_u64le(&c);
    const uint8_t has_data = cursor_u8(&c);

    if (row.size != ROW_SIZE || cursor_failed(&c) || shadow->count == SNAPSHOTS_MAX)
        return error_set("the list of shadow copies makes no sense");
    struct snapshot *snapshot = &shadow->list[shadow->count++];
    *snapshot = (struct snapshot){.number = (uint32_t)shadow->count,
                                  .created = instant_from_filetime(created)};
    guid_plain(guid, snapshot->id);
    if (size == 0)
        snapshot->problem = "its store is damaged";
    else if (!has_data)
        snapshot->problem = "its data are not kept in this volume";
    return 0;
}

int shadow_list(struct shadow *shadow, const struct snapshot **list, size_t *count)
{
    if (!shadow->listed) {
        shadow->listed = true;
        shadow->list = calloc(SNAPSHOTS_MAX, sizeof *shadow->list);
        request_of(shadow, SHADOW_LIST);
        if (!shadow->list || ask(shadow, take_row, 0) != 0)
            snprintf(shadow->problem, sizeof shadow->problem, "%s",
                     shadow->list ? error_text() : "out of memory");
    }
    *list = shadow->list;
    *count = shadow->count;
    return *shadow->problem ? error_set("its shadow copies: %s", shadow->problem) : 0;
}

/* ---- a copy as a medium ---- */

static bool may_differ(const struct shadow_image *self, uint64_t offset)
{
    const uint64_t block = offset / SHADOW_BLOCK;

    return !self->map || self->map[block / 8] >> (block % 8) & 1;
}

/* Bytes from `offset` on, at most `size`, whose blocks all may differ or all do not. */
static size_t stretch(const struct shadow_image *self, uint64_t offset, size_t size)
{
    const bool differs = may_differ(self, offset);
    size_t end = SHADOW_BLOCK - (size_t)(offset % SHADOW_BLOCK);

    if (!self->map)
        return size;
    while (end < size && may_differ(self, offset + end) == differs)
        end += SHADOW_BLOCK;
    return end < size ? end : size;
}

static int fetch(struct shadow_image *self, uint64_t number, struct window *window)
{
    struct shadow *shadow = self->shadow;
    struct buffer *request = request_of(shadow, SHADOW_READ);

    window->valid = false;
    wire_put_u32(request, self->number);
    wire_put_u64(request, number * WINDOW_SIZE);
    wire_put_u32(request, WINDOW_SIZE);
    if (ask(shadow, NULL, 0) != 0)
        return error_prefix("shadow copy %u", self->number);
    const struct slice bytes = slice_part(buffer_slice(&shadow->answer), 0, WINDOW_SIZE);
    if (bytes.size)
        memcpy(self->bytes + (number % WINDOWS) * WINDOW_SIZE, bytes.data, bytes.size);
    *window = (struct window){.valid = true, .number = number, .size = bytes.size};
    return 0;
}

/* Through the program, from one window. */
static ssize_t read_kept(struct shadow_image *self, uint64_t offset, uint8_t *buffer, size_t size)
{
    const uint64_t number = offset / WINDOW_SIZE;
    const size_t within = (size_t)(offset % WINDOW_SIZE);
    struct window *window = &self->windows[number % WINDOWS];

    if ((!window->valid || window->number != number) && fetch(self, number, window) < 0)
        return -1;
    const struct slice all = slice_of(self->bytes + (number % WINDOWS) * WINDOW_SIZE, window->size);
    const struct slice part = slice_part(all, within, size);
    if (part.size)
        memcpy(buffer, part.data, part.size);
    return (ssize_t)part.size;
}

/*
 * All of it through the program, also what no copy kept: what was free then is zeroes to it, where
 * the live volume has bytes of files that came later.
 */
static ssize_t shadow_image_read(struct image *image, uint64_t offset, void *buffer, size_t size)
{
    struct shadow_image *self = (struct shadow_image *)image;
    struct image *live = self->shadow->volume.image;
    const uint64_t hits = image_damage_hits(live);
    size_t done = 0;

    while (done < size) {
        const ssize_t got = read_kept(self, offset + done, (uint8_t *)buffer + done, size - done);
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        done += (size_t)got;
    }
    if (image_damage_hits(live) != hits)
        image->damage_hits++;
    return (ssize_t)done;
}

static void shadow_image_close(struct image *image)
{
    struct shadow_image *self = (struct shadow_image *)image;

    image_release_damage(image);
    free(self->map);
    free(self->bytes);
    free(self);
}

static const struct image_methods shadow_image_methods = {
    .read = shadow_image_read,
    .close = shadow_image_close,
};

static int fill_map(struct shadow_image *self, uint8_t *map, uint64_t blocks)
{
    for (uint64_t first = 0; first < blocks; first += SHADOW_MAP_MAX) {
        const uint64_t left = blocks - first;
        const uint32_t count = left < SHADOW_MAP_MAX ? (uint32_t)left : SHADOW_MAP_MAX;
        struct buffer *request = request_of(self->shadow, SHADOW_MAP);
        wire_put_u32(request, self->number);
        wire_put_u64(request, first);
        wire_put_u32(request, count);
        if (ask(self->shadow, NULL, MAP_SECONDS) != 0 || self->shadow->answer.size != count / 8)
            return -1;
        memcpy(map + first / 8, self->shadow->answer.data, count / 8);
    }
    return 0;
}

/* Without a map all that is compared is read: slow, and as right. */
static void read_map(struct shadow_image *self)
{
    const uint64_t blocks = (self->image.container.size / SHADOW_BLOCK / 8 + 1) * 8;
    uint8_t *map = blocks / 8 <= MAP_BYTES_MAX ? malloc((size_t)blocks / 8) : NULL;

    if (map && fill_map(self, map, blocks) == 0) {
        self->map = map;
        return;
    }
    free(map);
}

int shadow_image(struct shadow *shadow, uint32_t number, struct image **out)
{
    struct shadow_image *self = calloc(1, sizeof *self);

    if (!self || !(self->bytes = malloc((size_t)WINDOWS * WINDOW_SIZE))) {
        free(self);
        return error_set("out of memory");
    }
    self->image.methods = &shadow_image_methods;
    self->image.container.format = "shadow copy";
    self->image.container.size = shadow->volume.size;
    self->image.container.sector_size = image_container(shadow->volume.image)->sector_size;
    self->shadow = shadow;
    self->number = number;
    read_map(self);
    *out = &self->image;
    return 0;
}

static bool bytes_are_same(struct shadow_image *self, uint64_t offset, uint64_t size)
{
    uint8_t kept[SHADOW_BLOCK], live[SHADOW_BLOCK];

    while (size) {
        const size_t part = size < SHADOW_BLOCK ? (size_t)size : SHADOW_BLOCK;
        if (image_read(&self->image, offset, kept, part) != (ssize_t)part ||
            read_live(self->shadow, offset, live, part) != (ssize_t)part ||
            memcmp(kept, live, part) != 0)
            return false;
        offset += part;
        size -= part;
    }
    return true;
}

bool shadow_is_same(struct image *image, uint64_t offset, uint64_t size)
{
    struct shadow_image *self = (struct shadow_image *)image;

    if (offset > image->container.size || size > image->container.size - offset)
        return false;
    while (size) {
        const size_t most = size < WINDOW_SIZE ? (size_t)size : WINDOW_SIZE;
        const size_t part = stretch(self, offset, most);
        if (may_differ(self, offset) && !bytes_are_same(self, offset, part))
            return false;
        offset += part;
        size -= part;
    }
    return true;
}
